"""Ollama's own library, through its own program: only it knows how to store what it serves."""

from __future__ import annotations

import shutil
import subprocess
import sys

from qwen_advisor.errors import NetworkError, UsageError

PROGRAM = "ollama"


def pull(tag: str) -> None:
    """Have the server of this machine fetch a tag; what the program says goes to stderr.

    Raises:
        UsageError: the program is not there.
        NetworkError: it failed.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise UsageError(
            "the program ollama is not on this machine",
            hint="install Ollama, or fetch the files for another --engine",
        )
    if tag.startswith("-"):
        raise UsageError(f"{tag!r} is no tag of Ollama")
    # Its words are talk, not data: both its streams go where talk goes.
    talk = subprocess.DEVNULL if sys.stderr is None else _descriptor()
    done = subprocess.run([program, "pull", tag], stdin=subprocess.DEVNULL, stdout=talk, stderr=talk, check=False)  # noqa: S603  argv, no shell
    if done.returncode:
        raise NetworkError(
            f"ollama pull {tag} ended with {done.returncode}", hint="is its server running? start it with: ollama serve"
        )


def _descriptor() -> int:
    try:
        return sys.stderr.fileno()
    except (OSError, ValueError):  # stderr was replaced by something that is no file
        return subprocess.DEVNULL
