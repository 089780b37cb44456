"""A search that lays out only what could still be first.

Settings are taken by what they could be worth at best, which is known without laying them out, and the search ends
where nothing that is left can be better.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import chain
from math import log2

from qwen_advisor.advise.ceilings import Ceilings, Counts, Pace
from qwen_advisor.advise.search import Found, Outcome, Search
from qwen_advisor.candidates import Candidate
from qwen_advisor.fit import Fitter, Shortfall
from qwen_advisor.model import Checkpoint
from qwen_advisor.plan import SHARED_CONTEXT
from qwen_advisor.rank import best_possible, dominates, speed_term
from qwen_advisor.rules import CANDIDATE_RULES, Question
from qwen_advisor.values import dataclass

_CLOSE = 1e-9  # what rounding may take from a sum of terms
_ROUNDED = 1e-5  # and from what dominance compares


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A candidate with what it is worth at most on any machine, before penalties."""

    worth: float
    modes: tuple[tuple[float, float, int], ...]  # by way of thinking: the same, ability, tokens of an answer
    bound: float  # what the checkpoint is worth at most in any format
    bytes: int  # of all weights
    candidate: Candidate
    kind: tuple[str, bool, bool, bool]  # what penalties before placement depend on, beside the machine


def quick_search(question: Question, fitter: Fitter, counts: Counts) -> Quick:
    """A search that lays out only what could still be first; of a fitter without measured factors."""
    context: int = question.catalog.memory_models["llama.cpp"]["cuda_context_bytes"]
    return Quick(question, fitter, Ceilings(question.machine, counts, context))


class Quick(Search):
    """A search that lays out only what could still be first."""

    def __init__(self, question: Question, fitter: Fitter, ceilings: Ceilings) -> None:
        super().__init__(question, fitter)
        self._ceilings = ceilings
        self._costs = self._weights["terms"][question.requirements.prefer]
        self._contextless = {**self._weights, "terms": {question.requirements.prefer: {**self._costs, "context": 0.0}}}
        asked, floor = question.requirements.min_speed, question.profile.floor_speed * self._weights["floor_reach"]
        self._least_rate = asked or (0.0 if "S102" in question.lifted else floor)  # what rules S101 and S102 want
        self._hopeless: set[tuple[int, bool]] = set()  # weights that no engine with slots has room for
        self._dues: dict[tuple[str, bool, bool, bool], float] = {}

    def entries(self) -> tuple[Entry, ...]:
        """Every candidate of every model that may answer, the one that could be worth most first."""
        found = []
        for checkpoint in self.question.catalog.models.values():
            if self.admit(checkpoint) is None:
                found += [self._entry(candidate) for candidate, _ in self._candidates(checkpoint)]
        return tuple(sorted(found, key=lambda entry: -entry.worth))

    def _entry(self, candidate: Candidate) -> Entry:
        weights, requirements, profile = self._weights, self.question.requirements, self.question.profile
        loss, loss_error = self._loss(candidate, "f16")
        lost = (loss + weights["loss_aversion"] * loss_error) / profile.ability_spread
        native = candidate.checkpoint.context.native or requirements.context
        spare = weights["terms"][requirements.prefer]["context"] * max(0.0, log2(native / requirements.context))
        modes = []
        for thinking, ability in self.abilities(candidate.checkpoint).items():
            most, bare = (
                best_possible(ability, profile=profile, requirements=requirements, weights=given)
                for given in (weights, self._contextless)
            )
            most = min(most, bare + spare)
            thoughts = profile.reasoning_tokens if thinking == "on" else 0
            modes.append((most - lost, ability.value - loss, max(1, requirements.output_tokens) + thoughts))
        few = candidate.format.name in weights["fallback_formats"]
        return Entry(
            candidate=candidate,
            worth=max((worth for worth, _, _ in modes), default=float("-inf")),
            modes=tuple(modes),
            bound=self.bound(candidate.checkpoint),
            bytes=candidate.footprint.tensor_bytes,
            kind=(candidate.engine.id, candidate.known, candidate.artifact.official, few),
        )

    def best(self, checkpoint: Checkpoint) -> Outcome:
        """The best plan of an admitted checkpoint, or what came nearest to one."""
        entries = sorted((self._entry(c) for c, _ in self._candidates(checkpoint)), key=lambda entry: -entry.worth)
        found = self.first(tuple(entries))
        return super().best(checkpoint) if found is None else Outcome(found=found)

    def better(self, checkpoint: Checkpoint, above: float) -> Found | None:
        """The best plan of a checkpoint that the rules admit, where it is worth more than ``above``."""
        entries = sorted((self._entry(c) for c, _ in self._candidates(checkpoint)), key=lambda entry: -entry.worth)
        found = self.first(tuple(entries), above)
        return found if found is not None and found.scored.terms.total > above else None

    def first(self, entries: tuple[Entry, ...], above: float = float("-inf")) -> Found | None:
        """The best plan of all: the candidate with the highest ceiling is laid out next, until none can be better.

        A ceiling is known roughly first, and exactly only once it is the highest of all. What cannot be worth more than
        ``above`` is not looked at.
        """
        best: Found | None = None
        worth = above
        waiting: list[tuple[float, int, bool]] = []
        room, coming = self._ceilings.room, iter(enumerate(entries))
        number, entry = next(coming, (0, None))
        while waiting or entry is not None:
            if entry is not None and (not waiting or entry.worth > -waiting[0][0]):
                if entry.worth < worth - _CLOSE:
                    entry = None
                    continue
                if entry.bytes <= room and self._ceilings.holds(entry.candidate, self._settings(entry.candidate)):
                    ceiling = self._ceiling(entry, self._ceilings.rough(entry.candidate))
                    if ceiling >= worth - _CLOSE:
                        heapq.heappush(waiting, (-ceiling, number, False))
                number, entry = next(coming, (0, None))
                continue
            ceiling, place, exact = heapq.heappop(waiting)
            if -ceiling < worth - _CLOSE:
                break
            if not exact:
                candidate = entries[place].candidate
                paces = self._ceilings.paces(candidate, self._settings(candidate))
                heapq.heappush(waiting, (-self._ceiling(entries[place], paces), place, True))
                continue
            for item in self._plans(entries[place].candidate):
                if best is None or item.scored.order < best.scored.order:
                    best, worth = item, max(above, item.scored.terms.total)
        return best

    def _plans(self, candidate: Candidate) -> Iterator[Found]:
        """What the candidate could be run as, by every rule."""
        if any(rule.check(candidate, self.question) is not None for rule in CANDIDATE_RULES):
            return
        # Ollama and LM Studio run llama.cpp: what has no room there has none beside their own process.
        weights = (id(candidate.footprint), candidate.engine.id != "llama.cpp") if self._slots(candidate) else None
        if weights is not None and (weights[0], False) in self._hopeless:
            return
        laid = self.fitter.options(candidate, self._settings(candidate))
        if isinstance(laid, Shortfall):
            if weights is not None:
                self._hopeless.add(weights)
            return
        for item in chain.from_iterable(self.scored(candidate, fitted) for fitted in laid):
            if all(finding.verdict != "fail" for finding in item.warnings):
                yield item

    @staticmethod
    def _slots(candidate: Candidate) -> bool:
        return candidate.engine.id in SHARED_CONTEXT

    def _ceiling(self, entry: Entry, paces: Iterable[Pace]) -> float:
        """What no plan of the candidate at one of these paces can be worth more than."""
        if entry.kind not in self._dues:
            self._dues[entry.kind] = self._penalties(entry.candidate, None)
        split, fill = self._weights["split_layers"], self._costs["memory"]
        highest = float("-inf")
        for pace in paces:
            if self._least_rate * pace.token > 1.0:
                continue
            for worth, _, tokens in entry.modes:
                highest = max(highest, worth - split * pace.split - fill * pace.fill + self._at_pace(pace, tokens))
        return highest - self._dues[entry.kind]

    def _at_pace(self, pace: Pace, tokens: int) -> float:
        """What waiting for the answer costs at the least."""
        return speed_term(
            pace.prompt + tokens * pace.token,
            1.0 / pace.token,
            profile=self.question.profile,
            weights=self._costs,
        )

    def is_dominated(self, first: Found, entries: tuple[Entry, ...]) -> bool:
        """Whether a model that is worth less is as able, as fast and as small all the same."""
        worth, scored = first.scored.terms.total, first.scored
        for entry in entries:
            if entry.bound < worth or not self._may_dominate(entry, first):
                continue
            if not any(dominates(item.scored, scored) for item in self._plans(entry.candidate)):
                continue
            # Of each model only the best plan counts.
            name = entry.candidate.checkpoint.id
            own = self.first(tuple(other for other in entries if other.candidate.checkpoint.id == name))
            if own is not None and dominates(own.scored, scored):
                return True
        return False

    def _may_dominate(self, entry: Entry, first: Found) -> bool:
        plan, able = first.scored.plan, first.scored.able - _ROUNDED
        tokens = [mode[2] for mode in entry.modes if mode[1] >= able]
        if not tokens or entry.bytes > plan.memory.total or entry.candidate.checkpoint.id == plan.checkpoint.id:
            return False
        paces = self._ceilings.paces(entry.candidate, self._settings(entry.candidate))
        times = (pace.prompt + min(tokens) * pace.token for pace in paces)
        return min(times, default=float("inf")) <= plan.speed.time_to_answer + _ROUNDED
