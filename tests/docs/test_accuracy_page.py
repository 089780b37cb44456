"""The page on how good the numbers are holds what the pages behind it hold, and its links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = DOCS / "reference"
PAGE = """# A title

<!-- made by something -->

Words before.

## First

| a |
|---|
| 1 |

### Below first

Deeper.

## Last

The end.
"""


def _made() -> ModuleType:
    """By its path: other packages install a ``docs`` of theirs."""
    spec = importlib.util.spec_from_file_location("accuracy_page", DOCS / "accuracy_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MADE = _made()


def test_a_section_ends_at_the_next_heading() -> None:
    assert MADE.section(PAGE, "First") == "| a |\n|---|\n| 1 |"
    assert MADE.section(PAGE, "Below first") == "Deeper."
    assert MADE.section(PAGE, "Last") == "The end."
    assert MADE.introduction(PAGE) == "Words before."


def test_a_section_that_is_gone_is_named() -> None:
    with pytest.raises(ValueError, match="no heading 'Second'"):
        MADE.section(PAGE, "Second")


def test_every_table_stands_in_the_page_behind_it() -> None:
    behind = "\n".join(path.read_text("utf-8") for path in REFERENCE.glob("*.md") if path.name != "accuracy.md")
    tables = re.findall(r"(?:^\|.*\n)+", MADE.accuracy(REFERENCE), re.MULTILINE)
    assert len(tables) >= 7
    for table in tables:
        assert table in behind


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)", MADE.accuracy(REFERENCE))
    assert len(links) >= 6
    for link in links:
        assert (REFERENCE / link).is_file(), link
