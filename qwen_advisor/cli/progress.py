"""Progress on stderr: one line that changes in a terminal, one line for each stage elsewhere."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys


class Progress:
    """Takes sentences such as ``4 at once: 3 of 12 answers``; what stands before the colon is the stage."""

    def __init__(self, *, quiet: bool) -> None:
        """Say nothing at all if ``quiet``."""
        self._quiet = quiet or sys.stderr is None
        self._changing = not self._quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._stage = ""
        self._length = 0  # of what stands on the line

    def __call__(self, sentence: str) -> None:
        """Show the sentence in place of the last."""
        stage = sentence.partition(":")[0]
        if self._quiet or (not self._changing and stage == self._stage):
            return
        self._stage = stage
        if self._changing:
            self._replace(sentence)
        else:
            self._write(f"{stage} ...\n")

    def end(self) -> None:
        """Leave the line empty."""
        if self._length:
            self._replace("")
            self._write("\r")
        self._stage = ""

    def _replace(self, sentence: str) -> None:
        """Blanks cover the rest of a longer sentence, without escape codes. A line that wraps cannot be replaced."""
        shown = sentence[: shutil.get_terminal_size().columns - 1]
        self._write(f"\r{shown:<{self._length}}")
        self._length = len(shown)

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more
            sys.stderr.write(text)
            sys.stderr.flush()
