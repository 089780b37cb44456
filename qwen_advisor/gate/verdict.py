"""What a gate says of one model: every rule that was applied, what it found, and what would hold instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from qwen_advisor.advice import Finding, Plan
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.task import Requirements
from qwen_advisor.values import dataclass

Level = Literal["pass", "warn", "fail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A line of a file that somebody wrote; 0 stands for the whole file."""

    file: str
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """One rule applied to one model. Numbers are in the unit that the message names."""

    rule: str
    title: str
    level: Level
    message: str = ""
    needed: float | None = None
    available: float | None = None
    nearest: tuple[str, ...] = ()  # single changes under which the rule would hold, as options or in words
    place: Place | None = None  # what asked for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One model at the gate. ``plan`` is how it would be run, None where it cannot be."""

    model: str
    checkpoint: Checkpoint | None  # None where today's catalogue has no such model
    requirements: Requirements
    plan: Plan | None
    largest_context: int | None = None  # tokens that would still fit
    rulings: tuple[Ruling, ...]

    @property
    def passed(self) -> bool:
        """Whether no rule failed."""
        return not any(ruling.level == "fail" for ruling in self.rulings)

    @property
    def findings(self) -> tuple[Ruling, ...]:
        """What has to be said: failures first, then warnings."""
        return tuple(sorted((r for r in self.rulings if r.level != "pass"), key=lambda r: r.level != "fail"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Everything ``check`` answers."""

    catalog_version: str
    catalog_models: int
    machine: Machine
    verdicts: tuple[Verdict, ...]
    policy: str | None = None  # the file
    lock: str | None = None
    locked_with: str | None = None  # version of the catalogue that the lock was made with

    @property
    def passed(self) -> bool:
        """Whether every model passes."""
        return all(verdict.passed for verdict in self.verdicts)


def ruling(finding: Finding, title: str, *, nearest: Iterable[str] = (), place: Place | None = None) -> Ruling:
    """A rule's finding as the gate says it."""
    return Ruling(
        rule=finding.rule,
        title=title,
        level=finding.verdict,
        message=finding.message,
        needed=finding.needed,
        available=finding.available,
        nearest=tuple(nearest),
        place=place,
    )


def sentence(kind: type) -> str:
    """The first line of a rule's docstring, which is the rule in words."""
    return (kind.__doc__ or kind.__name__).strip().splitlines()[0]
