"""The repository that most tests pull from, and where it lands."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

REPO = "Qwen/Qwen3-8B-GGUF"
FILE = "Qwen3-8B-Q4_K_M.gguf"
PULL = ("pull", "qwen3:8b", "--quant", "Q4_K_M", "--engine", "llama.cpp")
WEIGHTS = random.Random(1).randbytes(3_000_000)  # noqa: S311  no secret


def cached(home: Path, repo: str = REPO) -> Path:
    """The folder of a repository in the Hugging Face cache."""
    return home / "huggingface" / "hub" / f"models--{repo.replace('/', '--')}"


def files_in(folder: Path) -> list[Path]:
    """Its files; none where it is not there."""
    with contextlib.suppress(OSError):
        return [path for path in folder.iterdir() if path.is_file()]
    return []
