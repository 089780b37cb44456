"""The examples of the page on the Python interface run as they stand there."""

from __future__ import annotations

import doctest
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "python.md"


def test_every_example_runs() -> None:
    flags = doctest.ELLIPSIS | doctest.REPORT_NDIFF
    ran = doctest.testfile(str(PAGE), module_relative=False, optionflags=flags, encoding="utf-8")
    assert ran.attempted > 20
    assert ran.failed == 0
