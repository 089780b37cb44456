"""Where data goes: stdout, all of it at once, and what is known about the terminal behind it."""

from __future__ import annotations

import errno
import os
import shutil
import sys

from qwen_advisor.errors import AdvisorError
from qwen_advisor.render.look import Look

FOR_PROGRAMS = ("json", "yaml", "csv", "html", "svg")  # formats whose readers take UTF-8, whatever the terminal speaks

_LONGEST_WIDTH = 6  # digits of COLUMNS


def emit(text: str, form: str = "table") -> None:
    """Write data to stdout. A reader that has gone away is no fault: the rest is dropped quietly.

    Args:
        text: all of it.
        form: its format; those for programs are written in UTF-8.

    Raises:
        AdvisorError: stdout cannot be written, such as on a full disk.
    """
    if sys.stdout is None:
        raise AdvisorError("there is no standard output to write to")
    try:
        if not encodes(text) or (form in FOR_PROGRAMS and not text.isascii()):
            # Bytes and not '?': what a program reads must arrive whole, and every JSON and YAML reader takes UTF-8.
            sys.stdout.flush()
            sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
            sys.stdout.buffer.flush()
            return
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # What is still in the buffer must not fail again when the interpreter flushes it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # Windows reports a closed pipe as EINVAL.
        if error.errno not in (errno.EPIPE, errno.EINVAL):
            raise AdvisorError(f"the answer could not be written: {error.strerror}") from error


def emit_version() -> int:
    """Write the program's version; returns the exit code."""
    from qwen_advisor import __version__  # noqa: PLC0415  for this line only

    emit(f"qwen-advisor {__version__}\n")
    return 0


def encodes(text: str) -> bool:
    """Whether stdout's own encoding has every character of the text."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def look() -> Look:
    """How a report is to look on this stdout.

    Escape codes go to terminals only, and to none that asked for none (no-color.org). The width is the terminal's;
    into a pipe or a file it is that of ``COLUMNS``, and without it a line is as long as it needs to be.
    """
    terminal = sys.stdout is not None and sys.stdout.isatty()
    given = os.environ.get("COLUMNS", "")
    width = int(given) if given.isdecimal() and len(given) < _LONGEST_WIDTH and int(given) > 0 else None
    if width is None and terminal:
        width = shutil.get_terminal_size().columns
    able = os.name != "nt" or bool({"WT_SESSION", "ANSICON", "TERM"} & os.environ.keys())
    colour = terminal and able and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Look(width=width, colour=colour, ascii_only=not (sys.stdout is not None and encodes("±–×→█░·≥≤")))
