"""One question asked of many machines: the first recommendation for each, and nothing that only a list needs."""

from __future__ import annotations

from dataclasses import dataclass

from qwen_advisor.advice import Recommendation, Rejection
from qwen_advisor.advise import advise
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Machine
from qwen_advisor.task import Requirements


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """The winner on one machine, or what was ruled out."""

    recommendation: Recommendation | None
    rejected: tuple[Rejection, ...] = ()
    notes: tuple[str, ...] = ()


class Picker:
    """Answers one question for machine after machine."""

    def __init__(self, catalog: Catalog, requirements: Requirements) -> None:
        """Take what is the same for all machines."""
        self._catalog = catalog
        self._requirements = requirements

    def pick(self, machine: Machine) -> Picked:
        """What `advise` puts first where one answer is asked for."""
        advice = advise(self._catalog, machine, self._requirements)
        first = advice.recommendations[0] if advice.recommendations else None
        return Picked(recommendation=first, rejected=() if first else advice.rejected, notes=advice.notes)
