"""Progress on stderr: one line that changes in a terminal, one line for each stage elsewhere."""

from __future__ import annotations

import contextlib
import sys


class Progress:
    """Takes sentences such as ``4 at once: 3 of 12 answers``; what stands before the colon is the stage."""

    def __init__(self, *, quiet: bool) -> None:
        """Say nothing at all if ``quiet``."""
        self._quiet = quiet or sys.stderr is None
        self._changing = not self._quiet and sys.stderr.isatty()
        self._stage = ""

    def __call__(self, sentence: str) -> None:
        """Show the sentence in place of the last."""
        stage = sentence.partition(":")[0]
        if self._quiet or (not self._changing and stage == self._stage):
            return
        self._stage = stage
        # Erase to the end of the line (ECMA-48, EL), so that a shorter sentence leaves nothing of a longer one.
        self._write(f"\r{sentence}\x1b[K" if self._changing else f"{stage} ...\n")

    def end(self) -> None:
        """Leave the line empty."""
        if self._changing and self._stage:
            self._write("\r\x1b[K")
        self._stage = ""

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more
            sys.stderr.write(text)
            sys.stderr.flush()
