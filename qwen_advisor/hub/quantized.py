"""A repository of quantized weights as the catalogue writes it: files by quantization, each with its exact size."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qwen_advisor.errors import NetworkError
from qwen_advisor.hub.reading import Reader
from qwen_advisor.hub.remote import RemoteFile
from qwen_advisor.hub.selection import gaps, kind_of
from qwen_advisor.model import QuantizedRepo, RepoFile

_QUANTIZATION = re.compile(
    r"[-._/](?P<name>(?:UD-)?(?:I?Q\d[A-Z0-9_]*|BF16|F16|FP16|F32|FP32|MXFP4(?:_MOE)?))(?:-\d{5}-of-\d{5})?\.gguf",
    re.IGNORECASE,
)
_SPELT = {"FP16": "F16", "FP32": "F32", "BF16": "BF16-GGUF"}
_MOST_READ = 40  # GGUF headers of one repository


def quantized_repo(reader: Reader, fmt: str) -> tuple[QuantizedRepo, list[str]]:
    """The entry of a repository, and what was checked about it.

    Raises:
        NetworkError: it holds no such weights, or says of a file what its header does not.
    """
    remote = reader.remote
    source = f"https://huggingface.co/{remote.repo}"
    if fmt != "GGUF":
        sizes = [file.size for file in remote.files if file.path.endswith(".safetensors")]
        if not sizes:
            raise NetworkError("holds no safetensors files")
        return QuantizedRepo(repo=remote.repo, format=fmt, bytes=sum(sizes), source=source), []
    weights = [file for file in remote.files if kind_of(file.path) == "gguf"]
    missing = gaps(file.path for file in weights)
    if missing or not weights:
        raise NetworkError(f"lacks {missing[0]}" if missing else "holds no GGUF files")
    projectors = [file for file in weights if file.path.rpartition("/")[2].startswith("mmproj")]
    files = _by_quantization([file for file in weights if file not in projectors])
    checked = 0
    for name, parts in list(files.items())[:_MOST_READ]:
        said = reader.gguf_type(parts[0])
        if said is not None and said != name and not name.startswith("UD-"):
            raise NetworkError(f"{parts[0].path} says in its header that it is {said}")
        checked += said is not None
    eyes = {name.removesuffix("-GGUF"): parts for name, parts in _by_quantization(projectors).items()}
    entry = QuantizedRepo(
        repo=remote.repo,
        format="GGUF",
        files={name: _entry(parts) for name, parts in files.items()},
        projector={name: _entry(parts) for name, parts in eyes.items()},
        source=source,
    )
    return entry, [f"{checked} of {len(files)} GGUF headers of {remote.repo} name the quantization of their file"]


def _by_quantization(files: Sequence[RemoteFile]) -> dict[str, list[RemoteFile]]:
    found: dict[str, list[RemoteFile]] = {}
    for file in sorted(files, key=lambda file: file.path):
        match = _QUANTIZATION.search(file.path)
        if match is None:
            raise NetworkError(f"{file.path} names no quantization that is known")
        name = match["name"].upper()
        found.setdefault(_SPELT.get(name, name), []).append(file)
    return found


def _entry(parts: Sequence[RemoteFile]) -> RepoFile:
    return RepoFile(names=tuple(file.path for file in parts), bytes=sum(file.size for file in parts))
