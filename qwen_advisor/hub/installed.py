"""Which models lie on this disk already. Only names of files and Ollama's small manifests are read.

It costs nothing where the folders are not there, imports neither huggingface_hub nor anything else that is heavy,
and what cannot be read is not there.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from qwen_advisor.catalog import data_directory
from qwen_advisor.hub.tools import RECORD, huggingface_cache, llama_cpp_cache, lmstudio_folders, ollama_folder
from qwen_advisor.machine import Holder, Shelf, Stored

_MOST = 4000  # entries of one folder that are looked at
_DEEPEST = 4  # folders below a snapshot
_MOST_MANIFEST = 1 << 20  # bytes; they have some hundred
_WEIGHTS = "application/vnd.ollama.image.model"


def shelf() -> Shelf:
    """Everything of this user's caches, in the order in which a place is preferred."""
    files: dict[tuple[str, str], Stored] = {}
    repositories: dict[str, Stored] = {}
    for source in (_huggingface(huggingface_cache()), _llama_cpp(llama_cpp_cache()), _pulled(), _lmstudio()):
        for repo, name, stored in source:
            if name:
                files.setdefault((repo, name), stored)
            else:
                repositories.setdefault(repo, stored)
    return Shelf(files=files, repositories=repositories, tags=ollama_tags(ollama_folder()))


Found = tuple[str, str, Stored]  # repository in lower case, file ("" for all of it), where


def _huggingface(cache: Path) -> Iterator[Found]:
    """The snapshots that a branch points to; a file whose content is unfinished has no name there."""
    for folder in _entries(cache):
        if folder.name.startswith("models--"):
            repo = folder.name.removeprefix("models--").replace("--", "/", 1).casefold()
            for snapshot in _entries(folder.path + "/snapshots"):
                yield from _repository(repo, Path(snapshot.path), "huggingface")


def _repository(repo: str, root: Path, holder: Holder) -> Iterator[Found]:
    from qwen_advisor.hub.selection import kind_of  # noqa: PLC0415  who has nothing on the disk does not pay for it

    held = sorted(_below(root, ""))
    for name in held:
        if kind_of(name) == "gguf":
            yield repo, name, Stored(holder=holder, place=str(root / name))
    if is_whole(held):
        yield repo, "", Stored(holder=holder, place=str(root))


def is_whole(names: list[str]) -> bool:
    """Whether these files hold a model for the engines that read a whole repository."""
    from qwen_advisor.hub.selection import gaps, kind_of  # noqa: PLC0415  as above

    weights = [name for name in names if kind_of(name) in ("safetensors", "pytorch", "onnx", "openvino")]
    real = [name for name in weights if not name.endswith(".json")]
    configured = any(name.rpartition("/")[2] in ("config.json", "model_index.json") for name in names)
    return configured and bool(real) and not gaps(real)


def _below(folder: Path, prefix: str, depth: int = 0) -> Iterator[str]:
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False):
            if depth < _DEEPEST:
                yield from _below(Path(entry.path), f"{prefix}{entry.name}/", depth + 1)
        elif entry.is_file() and not entry.name.endswith((".incomplete", ".part")):  # a dangling link is no file
            yield prefix + entry.name


def _llama_cpp(cache: Path) -> Iterator[Found]:
    """``OWNER_NAME_FILE``, as ``llama-server -hf`` has named its downloads until it took to the Hugging Face cache."""
    for entry in _entries(cache):
        if entry.name.endswith(".gguf"):
            owner, _, rest = entry.name.partition("_")
            cut = rest.upper().find("-GGUF_")
            if cut > 0:
                repo = f"{owner}/{rest[: cut + len('-GGUF')]}".casefold()
                yield repo, rest[cut + len("-GGUF_") :], Stored(holder="llama.cpp", place=entry.path)


def _pulled() -> Iterator[Found]:
    """What ``pull --to`` has put elsewhere, as long as it still lies there."""
    if not os.path.exists(data_directory() / RECORD):  # noqa: PTH110  the method raises in somebody else's home
        return
    from qwen_advisor.hub.record import notes  # noqa: PLC0415  as above
    from qwen_advisor.hub.selection import kind_of  # noqa: PLC0415

    by_repo: dict[tuple[str, str], list[str]] = {}
    for note in notes():
        with contextlib.suppress(OSError, ValueError):  # the latter of a path that holds a zero byte
            if Path(note.path).stat().st_size != note.size:
                continue
            root = note.path.removesuffix(note.file.replace("/", os.sep))
            by_repo.setdefault((note.repo.casefold(), root), []).append(note.file)
            if kind_of(note.file) == "gguf":
                yield note.repo.casefold(), note.file, Stored(holder="folder", place=note.path)
    for (repo, root), names in by_repo.items():
        if is_whole(names):
            yield repo, "", Stored(holder="folder", place=root)


def _lmstudio() -> Iterator[Found]:
    for folder in lmstudio_folders():
        for owner in _entries(folder):
            for name in _entries(owner.path) if owner.is_dir() else ():
                if name.is_dir():
                    yield from _repository(f"{owner.name}/{name.name}".casefold(), Path(name.path), "lmstudio")


def ollama_tags(store: Path) -> dict[str, Stored]:
    """The tags whose weights are all in Ollama's store, in lower case: ``qwen3:8b``, ``hf.co/owner/name:q4_k_m``."""
    manifests = store / "manifests"
    found = {}
    for path in _below(manifests, ""):
        parts = path.split("/")
        if len(parts) == 4:  # host, namespace, model, tag
            host, namespace, model, tag = parts
            name = f"{namespace}/{model}" if namespace != "library" else model
            name = name if host == "registry.ollama.ai" else f"{host}/{name}"
            if _has_weights(_read(manifests / path), store / "blobs"):
                found[f"{name}:{tag}".casefold()] = Stored(holder="ollama", place=f"{name}:{tag}")
    return found


def _has_weights(manifest: Mapping[str, Any], blobs: Path) -> bool:
    layers = manifest.get("layers")
    weights = [
        layer
        for layer in (layers if isinstance(layers, list) else [])
        if isinstance(layer, dict) and layer.get("mediaType") == _WEIGHTS
    ]
    return bool(weights) and all(_lies_there(layer, blobs) for layer in weights)


def _lies_there(layer: Mapping[str, Any], blobs: Path) -> bool:
    digest = layer.get("digest")
    if not isinstance(digest, str) or "/" in digest or "\\" in digest:
        return False
    with contextlib.suppress(OSError, ValueError):  # the latter of a path that holds a zero byte
        return (blobs / digest.replace(":", "-")).stat().st_size == layer.get("size")
    return False


def _read(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError, RecursionError), path.open("rb") as stream:
        document = json.loads(stream.read(_MOST_MANIFEST))
        return document if isinstance(document, dict) else {}
    return {}


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    """What is in a folder, by name; nothing where it is not there or may not be read."""
    try:
        with os.scandir(folder) as found:
            return sorted((entry for entry, _ in zip(found, range(_MOST), strict=False)), key=lambda entry: entry.name)
    except OSError:
        return []
