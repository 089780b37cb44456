"""Where other programs keep the models of this user: by their own variables, files of settings and defaults."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

RECORD = "pulled.json"  # of the advisor itself: what it has put where, in its own data directory
_MOST = 1 << 20  # bytes of a settings file


def huggingface_cache() -> Path:
    """The cache that huggingface_hub, transformers and vLLM share; its variables in the order of its ``constants``."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    return _path(os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or Path(home, "hub"))


def llama_cpp_cache() -> Path:
    """Where llama.cpp downloads to (``fs_get_cache_directory`` of its ``common``)."""
    said = os.environ.get("LLAMA_CACHE")
    if said:
        return _path(said)
    if sys.platform == "darwin":
        return _path("~/Library/Caches/llama.cpp")
    if sys.platform == "win32":
        return _path(Path(os.environ.get("LOCALAPPDATA") or "~", "llama.cpp"))
    return _path(Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "llama.cpp"))


def ollama_folder() -> Path:
    """Where Ollama keeps models (its ``envconfig``)."""
    return _path(os.environ.get("OLLAMA_MODELS") or "~/.ollama/models")


def lmstudio_folders() -> list[Path]:
    """Where LM Studio keeps models: in the folder that its settings name, or in one of its two defaults."""
    home = _path("~/.lmstudio")
    pointer = _read(_path("~/.lmstudio-home-pointer")).strip()
    if pointer:
        home = Path(pointer)
    try:
        settings = json.loads(_read(home / "settings.json") or "{}")
    except (ValueError, RecursionError):
        settings = {}
    said = settings.get("downloadsFolder") if isinstance(settings, dict) else None
    if isinstance(said, str) and said:
        return [Path(said)]
    return [home / "models", _path("~/.cache/lm-studio/models")]


def _path(text: str | Path) -> Path:
    found = Path(os.path.expandvars(os.path.expanduser(text)))  # noqa: PTH111  the method raises where there is no home
    return found if found.is_absolute() else Path.cwd() / found


def _read(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(_MOST).decode("utf-8", "replace")
    except OSError:
        return ""
