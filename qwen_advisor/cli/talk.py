"""What is said to a person: hints, warnings and errors go to stderr, never among the data."""

from __future__ import annotations

import sys
from collections.abc import Iterable


def hint(sentence: str) -> None:
    """Say what could be done next."""
    _say(f"hint: {sentence}")


def warn(sentence: str) -> None:
    """Say what the reader should know before relying on the answer."""
    _say(f"warning: {sentence}")


def tell(sentence: str) -> None:
    """Say what is being done, to somebody who asked for it."""
    _say(f"qwen-advisor: {sentence}")


def fail(message: str, *, hint: str | None = None, details: Iterable[str] = ()) -> None:
    """Say what is wrong, its details one a line, and the next step."""
    _say(f"error: {message}")
    for detail in details:
        _say(f"  {detail}")
    if hint:
        _say(f"hint: {hint}")


def _say(line: str) -> None:
    if sys.stderr is None:  # closed by the caller
        return
    # A word of the caller's must not steer the terminal.
    harmless = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)
    try:
        sys.stderr.write(f"{harmless}\n")
    except OSError:
        # Nobody listens any more; the data and the exit code still count.
        return
