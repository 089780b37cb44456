"""The window: words in, one answer out. Here, and only here, a fault becomes an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code that the contract names.

    Args:
        argv: the words after the program's name; those of this process by default.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words == ["--version"]:
            from qwen_advisor.cli.output import emit_version  # noqa: PLC0415  not worth all of Typer

            return emit_version()
        from qwen_advisor.cli.app import run  # noqa: PLC0415  so that an interrupt while importing is quiet too

        return run(words)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as error:
        if os.environ.get("QWEN_ADVISOR_DEBUG"):
            raise
        from qwen_advisor.cli.faults import report  # noqa: PLC0415  only faults pay for it

        return report(error, words)
