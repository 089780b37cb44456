"""Progress on stderr, in a terminal and elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from qwen_advisor.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(text: str) -> list[str]:
    """What stands on the line after each of its changes."""
    line, states = "", []
    for part in text.split("\r")[1:]:
        line = part + line[len(part) :]
        states.append(line.rstrip())
    return states


def test_a_terminal_has_one_line_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = Progress(quiet=False)
    for sentence in ("16 at once: 3 of 12 answers", "done: 1", "a sentence that is longer than the terminal is wide"):
        progress(sentence)
    progress.end()
    text = sys.stderr.getvalue()
    assert "\x1b" not in text  # so that NO_COLOR has nothing to forbid
    assert "\n" not in text
    assert shown(text) == ["16 at once: 3 of 12 answers", "done: 1", "a sentence that is longer tha", "", ""]
    assert text.endswith("\r")


@pytest.mark.parametrize(("stream", "term"), [(io.StringIO, "xterm"), (Terminal, "dumb")])
def test_elsewhere_each_stage_has_a_line(stream: type[io.StringIO], term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys, "stderr", stream())
    progress = Progress(quiet=False)
    for sentence in ("1 at once: 0 of 2", "1 at once: 1 of 2", "2 at once: 0 of 4"):
        progress(sentence)
    progress.end()
    assert sys.stderr.getvalue() == "1 at once ...\n2 at once ...\n"


def test_quiet_is_quiet_and_no_stderr_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = Progress(quiet=True)
    progress("1 at once: 0 of 2")
    progress.end()
    assert sys.stderr.getvalue() == ""
    monkeypatch.setattr(sys, "stderr", None)
    Progress(quiet=False)("1 at once: 0 of 2")
