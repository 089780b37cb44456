"""A call by a shell that completes a line: which verb stands on it, and imports that wait until somebody needs them.

A shell waits for this with every key, and asks for names only: what predicts and what paints is never reached.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

COMPLETE = "_QWEN_ADVISOR_COMPLETE"
_LINES = ("COMP_WORDS", "_TYPER_COMPLETE_ARGS")  # bash; zsh, fish and PowerShell


def verb_on_the_line() -> str:
    """The second word of the line that is completed; empty where there is none."""
    line = next((os.environ[name] for name in _LINES if name in os.environ), "")
    words = line.split(maxsplit=2)
    return words[1] if len(words) > 1 else ""


class _Postponing:
    """Finds the modules of this package, and runs each when something of it is first asked for."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not name.startswith("qwen_advisor."):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


def postpone() -> None:
    """Let imports wait, from now on and in this process."""
    if _Postponing not in sys.meta_path:
        sys.meta_path.insert(0, _Postponing)  # a class with the one method that is asked for
