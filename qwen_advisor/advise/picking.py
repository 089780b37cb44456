"""One question asked of many machines: the first recommendation for each, and nothing that only a list needs.

`advise` lays every setting of every model on the machine. Here settings are taken by what they could be worth at best,
which is known without laying them out, and the search ends where nothing that is left can be better. What is first is
the same.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import chain

from qwen_advisor.advice import Rejection
from qwen_advisor.advise.ceilings import Ceilings, Counts, Pace
from qwen_advisor.advise.search import Found, Search, fitter_for, lifted
from qwen_advisor.advise.weighing import settle
from qwen_advisor.candidates import Candidate
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Fitter, Shortfall
from qwen_advisor.machine import Machine
from qwen_advisor.rank import best_possible, dominates, speed_term
from qwen_advisor.rules import CANDIDATE_RULES, Question
from qwen_advisor.task import Requirements
from qwen_advisor.values import dataclass

_CLOSE = 1e-9  # what rounding may take from a sum of terms
_ROUNDED = 1e-5  # and from what dominance compares


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """The winner on one machine, or what was ruled out."""

    found: Found | None
    slow: bool = False  # whether nothing reaches the task's least speed, which was lifted then
    rejected: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A candidate with what it is worth at most on any machine, before penalties."""

    worth: float
    modes: tuple[tuple[float, float, int], ...]  # by way of thinking: the same, ability, tokens of an answer
    candidate: Candidate
    kind: tuple[str, bool, bool, bool]  # what penalties before placement depend on, beside the machine


class Picker:
    """Answers one question for machine after machine."""

    def __init__(self, catalog: Catalog, requirements: Requirements) -> None:
        """Take what is the same for all machines."""
        self._catalog = catalog
        self._requirements = requirements
        self._profile = catalog.tasks[requirements.task]
        self._counts = Counts(catalog.efficiency)
        self._entries: dict[tuple[str, ...], tuple[_Entry, ...]] = {}
        self._beside: Fitter | None = None

    def pick(self, machine: Machine) -> Picked:
        """What `advise` puts first where one answer is asked for."""
        question = Question(
            catalog=self._catalog, machine=machine, requirements=self._requirements, profile=self._profile
        )
        fitter = fitter_for(question, beside=self._beside)
        self._beside = self._beside or fitter
        for asked in (question, lifted(question, "S102")):
            quick = _Quick(asked, fitter, Ceilings(machine, self._counts))
            entries = self._listed(quick)
            found = quick.first(entries)
            if found is not None and not quick.is_dominated(found, entries):
                return Picked(found=found, slow=asked is not question)
            if found is not None:
                break
        weighing = settle(question, fitter)
        ranked = [s.plan.checkpoint.id for s in weighing.ranked]
        first = next((f for f in weighing.found if f.scored.plan.checkpoint.id == ranked[0]), None) if ranked else None
        return Picked(found=first, slow=weighing.slow, rejected=weighing.rejected)

    def _listed(self, quick: _Quick) -> tuple[_Entry, ...]:
        """Every candidate that the engines of this machine run, kept for other machines with the same engines."""
        if quick.question.machine.shelf:  # files on a disk are candidates of that machine alone
            return quick.entries()
        names = tuple(engine.id for engine in quick.engines)
        if names not in self._entries:
            self._entries[names] = quick.entries()
        return self._entries[names]


class _Quick(Search):
    """A search that lays out only what could still be first."""

    def __init__(self, question: Question, fitter: Fitter, ceilings: Ceilings) -> None:
        super().__init__(question, fitter)
        self._ceilings = ceilings
        self._dues: dict[tuple[str, bool, bool, bool], float] = {}
        self._waiting: list[tuple[float, int, _Entry]] = []

    def entries(self) -> tuple[_Entry, ...]:
        """Every candidate of every model that may answer, the one that could be worth most first."""
        found = []
        for checkpoint in self.question.catalog.models.values():
            if self.admit(checkpoint) is None:
                found += [self._entry(candidate) for candidate, _ in self._candidates(checkpoint)]
        return tuple(sorted(found, key=lambda entry: -entry.worth))

    def _entry(self, candidate: Candidate) -> _Entry:
        weights, requirements, profile = self._weights, self.question.requirements, self.question.profile
        loss, loss_error = self._loss(candidate, "f16")
        lost = (loss + weights["loss_aversion"] * loss_error) / profile.ability_spread
        modes = []
        for thinking, ability in self.abilities(candidate.checkpoint).items():
            most = best_possible(ability, profile=profile, requirements=requirements, weights=weights)
            thoughts = profile.reasoning_tokens if thinking == "on" else 0
            modes.append((most - lost, ability.value - loss, max(1, requirements.output_tokens) + thoughts))
        few = candidate.format.name in weights["fallback_formats"]
        return _Entry(
            candidate=candidate,
            worth=max((worth for worth, _, _ in modes), default=float("-inf")),
            modes=tuple(modes),
            kind=(candidate.engine.id, candidate.known, candidate.artifact.official, few),
        )

    def first(self, entries: tuple[_Entry, ...]) -> Found | None:
        """The best plan of all: the candidate with the highest ceiling is laid out next, until none can be better."""
        best: Found | None = None
        worth = float("-inf")
        room = self._ceilings.room
        for number, entry in enumerate(entries):
            while self._waiting and -self._waiting[0][0] >= entry.worth:
                best, worth = self._next(best, worth)
            if entry.worth < worth - _CLOSE:
                break
            if entry.candidate.footprint.tensor_bytes <= room:
                ceiling = self._ceiling(entry)
                if ceiling >= worth - _CLOSE:
                    heapq.heappush(self._waiting, (-ceiling, number, entry))
        while self._waiting:
            best, worth = self._next(best, worth)
        return best

    def _next(self, best: Found | None, worth: float) -> tuple[Found | None, float]:
        ceiling, _, entry = heapq.heappop(self._waiting)
        if -ceiling < worth - _CLOSE:
            self._waiting.clear()
            return best, worth
        for item in self._plans(entry.candidate):
            if best is None or item.scored.order < best.scored.order:
                best, worth = item, item.scored.terms.total
        return best, worth

    def _plans(self, candidate: Candidate) -> Iterator[Found]:
        """What the candidate could be run as, by every rule."""
        if any(rule.check(candidate, self.question) is not None for rule in CANDIDATE_RULES):
            return
        laid = self.fitter.options(candidate, self._settings(candidate))
        if isinstance(laid, Shortfall):
            return
        for item in chain.from_iterable(self.scored(candidate, fitted) for fitted in laid):
            if all(finding.verdict != "fail" for finding in item.warnings):
                yield item

    def _ceiling(self, entry: _Entry) -> float:
        """What no plan of the candidate on this machine can be worth more than."""
        if entry.kind not in self._dues:
            self._dues[entry.kind] = self._penalties(entry.candidate, None)
        if entry.candidate.architecture.text is None:
            return entry.worth - self._dues[entry.kind]
        split = self._weights["split_layers"]
        highest = float("-inf")
        for pace in self._ceilings.paces(entry.candidate, self._settings(entry.candidate)):
            for worth, _, tokens in entry.modes:
                highest = max(highest, worth - split * pace.split + self._at_pace(pace, tokens))
        return highest - self._dues[entry.kind]

    def _at_pace(self, pace: Pace, tokens: int) -> float:
        """What waiting for the answer costs at the least."""
        return speed_term(
            pace.prompt + tokens * pace.token,
            1.0 / pace.token,
            profile=self.question.profile,
            weights=self._weights["terms"][self.question.requirements.prefer],
        )

    def is_dominated(self, first: Found, entries: tuple[_Entry, ...]) -> bool:
        """Whether a model that is worth less is as able, as fast and as small all the same."""
        plan, worth = first.scored.plan, first.scored.terms.total
        for checkpoint in {e.candidate.checkpoint.id for e in entries if self._may_dominate(e, first)}:
            other = self.question.catalog.models[checkpoint]
            if other.id != plan.checkpoint.id and self.bound(other) >= worth:
                found = self.best(other).found
                if found is not None and dominates(found.scored, first.scored):
                    return True
        return False

    def _may_dominate(self, entry: _Entry, first: Found) -> bool:
        plan, able = first.scored.plan, first.scored.able - _ROUNDED
        if entry.candidate.footprint.tensor_bytes > plan.memory.total or all(mode[1] < able for mode in entry.modes):
            return False
        if entry.candidate.checkpoint.id == plan.checkpoint.id or entry.candidate.architecture.text is None:
            return entry.candidate.checkpoint.id != plan.checkpoint.id
        times = (
            pace.prompt + tokens * pace.token
            for pace in self._ceilings.paces(entry.candidate, self._settings(entry.candidate))
            for _, ability, tokens in entry.modes
            if ability >= able
        )
        return min(times, default=float("inf")) <= plan.speed.time_to_answer + _ROUNDED
