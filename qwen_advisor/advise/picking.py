"""One question asked of many machines: the first recommendation for each, and nothing that only a list needs.

`advise` lays every setting of every model on the machine. Here settings are taken by what they could be worth at best,
which is known without laying them out, and the search ends where nothing that is left can be better. What is first is
the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qwen_advisor.advice import Rejection
from qwen_advisor.advise.ceilings import Counts
from qwen_advisor.advise.quick import Entry, Quick, quick_search
from qwen_advisor.advise.search import Found, fitter_for, lifted
from qwen_advisor.advise.weighing import settle
from qwen_advisor.candidates import Candidate, variant_key
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Fitter
from qwen_advisor.fit.layout import Laid, Layout
from qwen_advisor.machine import Machine
from qwen_advisor.plan import SHARED_CONTEXT, Memory, Placement, Settings
from qwen_advisor.rules import Question
from qwen_advisor.task import Requirements
from qwen_advisor.values import dataclass

_KEPT = 8192  # memories of placements, about two KiB each


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """The winner on one machine, or what was ruled out."""

    found: Found | None
    slow: bool = False  # whether nothing reaches the task's least speed, which was lifted then
    rejected: tuple[Rejection, ...] = ()


class Picker:
    """Answers one question for machine after machine."""

    def __init__(self, catalog: Catalog, requirements: Requirements) -> None:
        """Take what is the same for all machines."""
        self._catalog = catalog
        self._requirements = requirements
        self._profile = catalog.tasks[requirements.task]
        self._counts = Counts(catalog.efficiency)
        self._entries: dict[tuple[str, ...], tuple[Entry, ...]] = {}
        self._beside: _Remembering | None = None

    def pick(self, machine: Machine) -> Picked:
        """What `advise` puts first where one answer is asked for."""
        question = Question(
            catalog=self._catalog, machine=machine, requirements=self._requirements, profile=self._profile
        )
        fitter = self._beside = _Remembering(question, self._beside)
        for asked in (question, lifted(question, "S102")):
            quick = quick_search(asked, fitter, self._counts)
            entries = self._listed(quick)
            found = quick.first(entries)
            if found is not None and not quick.is_dominated(found, entries):
                return Picked(found=found, slow=asked is not question)
            if found is not None:
                break
        weighing = settle(question, fitter_for(question, beside=fitter))
        ranked = [s.plan.checkpoint.id for s in weighing.ranked]
        first = next((f for f in weighing.found if f.scored.plan.checkpoint.id == ranked[0]), None) if ranked else None
        return Picked(found=first, slow=weighing.slow, rejected=weighing.rejected)

    def _listed(self, quick: Quick) -> tuple[Entry, ...]:
        """Every candidate that the engines of this machine run, kept for other machines with the same engines."""
        if quick.question.machine.shelf:  # files on a disk are candidates of that machine alone
            return quick.entries()
        names = tuple(engine.id for engine in quick.engines)
        if names not in self._entries:
            self._entries[names] = quick.entries()
        return self._entries[names]


class _Lean(Layout):
    """Passes over what cannot hold the weights alone; only what overflows least would have wanted to know."""

    def _whole(self, devices: tuple[int, ...]) -> Iterator[Laid]:
        footprint, room = self.candidate.footprint, 0
        body = footprint.layers_dense + footprint.layers_experts
        most = len(devices) if self.candidate.engine.multi_gpu == "layers" else 1
        for used in range(1, most + 1):
            room += self.machine.accelerators[devices[used - 1]].budget
            if body <= room or used == most or self.machine.memory.unified:
                laid = self._laid(self._mode(devices[0]), self._spread(devices[:used], self.count))
                yield laid
                if self._fits(laid):
                    return


class _Remembering(Fitter):
    """Keeps what placements take, which differs between machines by the kinds of their processors alone."""

    def __init__(self, question: Question, beside: _Remembering | None) -> None:
        wanted = max(question.profile.comfortable_speed, question.requirements.min_speed or 0.0)
        super().__init__(question.catalog, question.machine, comfortable=wanted, beside=beside)
        self.kept: dict[Any, Memory] = beside.kept if beside else {}
        self.kinds: dict[Any, int] = beside.kinds if beside else {}
        machine = question.machine
        cpu = (machine.cpu.arch, machine.cpu.features)
        vendors = tuple(a.vendor for a in machine.accelerators)
        self._alike = self._kind(cpu, vendors)
        # Servers reserve by the size of the first card, and versions of engines differ in what they allocate.
        cards = tuple((a.vendor, a.kind, a.name, a.memory) for a in machine.accelerators)
        self._same = self._kind(cpu, cards, machine.memory.unified, machine.engines)

    def _kind(self, *facts: Any) -> int:
        if len(self.kinds) >= _KEPT:
            self.kinds.clear()
            self.kept.clear()
        return self.kinds.setdefault(facts, len(self.kinds))

    def _layout(self, candidate: Candidate, settings: Settings) -> Layout:
        laid = super()._layout(candidate, settings)
        return _Lean(candidate=candidate, settings=settings, machine=self.machine, memory_of=laid.memory_of)

    def _memory(self, candidate: Candidate, settings: Settings, placement: Placement) -> Memory:
        kind = self._alike if settings.engine in SHARED_CONTEXT else self._same
        weights = (candidate.architecture.id, variant_key(candidate.format.name, candidate.variant))
        key = (*weights, settings, placement, kind)
        found = self.kept.get(key)
        if found is None:
            if len(self.kept) >= _KEPT:
                self.kept.clear()
            found = self.kept[key] = super()._memory(candidate, settings, placement)
        return found
