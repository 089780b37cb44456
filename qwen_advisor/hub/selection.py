"""Which files of a repository are the model: each weight once, and nothing that no engine reads. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from qwen_advisor.errors import UsageError
from qwen_advisor.hub.remote import Remote, RemoteFile
from qwen_advisor.quantization import Container

# In what format a file holds weights, by its name. The first that matches counts.
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("openvino", r"(.*/)?openvino_[^/]*\.(bin|xml)|(.*/)?openvino/.*"),
        ("onnx", r".*\.onnx([._]data.*)?|(.*/)?onnx/.*"),
        ("gguf", r".*\.(gguf|ggml)"),
        ("safetensors", r".*\.safetensors(\.index\.json)?"),
        ("flax", r".*\.msgpack(\.index\.json)?"),
        ("tensorflow", r".*\.(h5|tflite)(\.index\.json)?|(.*/)?saved_model/.*"),
        ("coreml", r".*\.(mlmodel|mlpackage/.*)"),
        ("pytorch", r".*\.(bin|pt|pth|ckpt)(\.index\.json)?|(.*/)?original/.*"),
    )
)
# By preference: what the engines that take a container read first.
_OF: dict[Container, tuple[str, ...]] = {
    "gguf": ("gguf",),
    "safetensors": ("safetensors", "pytorch"),
    "mlx": ("safetensors",),
    "onnx": ("onnx", "safetensors"),
    "openvino": ("openvino",),
}
# For people who read its page, not for engines. The license and the card stay.
_SHOWN = re.compile(
    r".*\.(png|jpe?g|gif|webp|svg|mp4|mov|webm|mp3|wav|flac|pdf|ipynb|zip)|(.*/)?\.gitattributes", re.IGNORECASE
)
_PART = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<end>\.[a-z0-9]+)", re.IGNORECASE)


def kind_of(path: str) -> str | None:
    """The format in which a file holds weights, None where it holds none."""
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(path)), None)


def whole_repository(remote: Remote, container: Container) -> tuple[RemoteFile, ...]:
    """The files that an engine of ``container`` reads: weights in one format only, and all that is no weight.

    Raises:
        UsageError: the repository holds no such weights, or not all parts of them.
    """
    by_kind: dict[str, list[RemoteFile]] = {}
    others = []
    for file in remote.files:
        kind = kind_of(file.path)
        if kind is not None:
            by_kind.setdefault(kind, []).append(file)
        elif not _SHOWN.fullmatch(file.path):
            others.append(file)
    chosen = next((by_kind[kind] for kind in _OF[container] if kind in by_kind), None)
    if chosen is None:
        held = ", ".join(sorted(by_kind)) or "none"
        raise UsageError(
            f"{remote.repo} holds no weights for {container}; it holds {held}",
            hint="see what changed: qwen-advisor catalog refresh",
        )
    weights = _once(chosen)
    _refuse_gaps(remote, [file.path for file in weights])
    return tuple(sorted((*weights, *others), key=lambda file: file.path))


def _once(files: Sequence[RemoteFile]) -> list[RemoteFile]:
    """Without second copies: ``model.safetensors`` stands for its parts, and a plain name for its ``fp16`` variant.

    transformers takes ``model.safetensors`` before it looks for an index (``modeling_utils``), and diffusers takes the
    plain name unless it is asked for a variant.
    """
    names = {file.path for file in files}
    kept = []
    for file in files:
        path = PurePosixPath(file.path)
        part = _PART.fullmatch(file.path)
        bare, _, variant = path.name.removesuffix(".safetensors").partition(".")
        if part and f"{part['stem']}{part['end']}" in names:
            continue
        if file.path.endswith(".index.json") and file.path.removesuffix(".index.json") in names:
            continue
        if variant in ("fp16", "bf16", "non_ema") and str(path.with_name(f"{bare}.safetensors")) in names:
            continue
        if path.name.startswith("consolidated") and str(path.with_name("model.safetensors.index.json")) in names:
            continue
        kept.append(file)
    return kept


def named(remote: Remote, names: Iterable[str]) -> tuple[RemoteFile, ...]:
    """The files of these names, with every part of a split one.

    Raises:
        UsageError: one is not there any more.
    """
    held = {file.path: file for file in remote.files}
    wanted: dict[str, None] = {}
    for name in names:
        wanted.update(dict.fromkeys(parts_of(name)))
    missing = [name for name in wanted if name not in held]
    if missing:
        raise UsageError(
            f"{remote.repo} does not hold {missing[0]} any more",
            hint="see what changed: qwen-advisor catalog refresh",
            suggestions=[path for path in held if kind_of(path) == "gguf"][:3],
        )
    return tuple(held[name] for name in wanted)


def parts_of(name: str) -> tuple[str, ...]:
    """All parts of a file that is split as llama.cpp splits (``-00001-of-00003``), or the one file itself."""
    part = _PART.fullmatch(name)
    return (name,) if part is None else tuple(_names(part))


def gaps(paths: Iterable[str]) -> tuple[str, ...]:
    """The first part of each split file that is not there."""
    held = set(paths)
    splits = {(p["stem"], p["count"], p["end"]): p for path in sorted(held) if (p := _PART.fullmatch(path))}
    # A name may say a hundred thousand parts: nothing is counted beyond the first that is missing.
    missing = (next((name for name in _names(part) if name not in held), None) for part in splits.values())
    return tuple(name for name in missing if name is not None)


def _names(part: re.Match[str]) -> Iterator[str]:
    count = int(part["count"])
    return (f"{part['stem']}-{number:05d}-of-{count:05d}{part['end']}" for number in range(1, count + 1))


def _refuse_gaps(remote: Remote, paths: Sequence[str]) -> None:
    missing = gaps(paths)
    if missing:
        raise UsageError(f"{remote.repo} lacks a part of its weights: {missing[0]}", hint="its upload may still go on")
