"""A report for people: a headline and blocks of text, before anybody knows where it will be shown."""

from __future__ import annotations

from qwen_advisor.engines import Step
from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Pairs of a label and what is to be said under it, one a line."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Sentences under a title, one a line."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table. A cell of several lines saves columns where they are short; ``right`` aligns numbers."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """What to type, and what no option can say."""

    title: str
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Lines whose characters keep their columns; ``strong`` holds (line, column) of those that are set off."""

    title: str
    lines: tuple[str, ...]
    strong: frozenset[tuple[int, int]] = frozenset()


Block = Facts | Lines | Grid | Commands | Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is shown, top to bottom. Blocks without content are left out by whoever shows them."""

    headline: str
    good: bool  # whether the headline is a yes
    blocks: tuple[Block, ...]
