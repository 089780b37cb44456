"""Up the ladder of one class: the smallest machine for each tier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby, islice

from qwen_advisor.advice import Rejection
from qwen_advisor.advise.search import Found, Search, fitter_for, memory_finding, rejection_of
from qwen_advisor.candidates import ON_THE_FLY, Candidate, candidates
from qwen_advisor.describe import describe
from qwen_advisor.describe.ladder import FREE, Arrangement, HardwareClass, Rung, ladder
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Fitted, Fitter
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.plan import SHARED_CONTEXT
from qwen_advisor.rules import Question
from qwen_advisor.sizing.answer import TIERS, ClassNeeds, Goals, Housing, Tier
from qwen_advisor.sizing.bound import Bound
from qwen_advisor.sizing.tiers import tier
from qwen_advisor.values import dataclass, replace

# Classes in which larger cards of a maker are faster ones too, as gamers' and workstation cards are.
_HALVED = frozenset({"laptop", "desktop", "workstation"})
_ROOMY = 1.5  # times the smallest form of the weights: four bits or more, a KV cache and buffers


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A rung with the model's best setting on it."""

    rung: Rung
    found: Found
    fitter: Fitter
    machine: Machine
    tier: Tier


class Climber:
    """Tries one model on machine after machine; what it learnt of one is kept."""

    def __init__(
        self, question: Question, checkpoint: Checkpoint, goals: Goals, arrangement: Arrangement = FREE
    ) -> None:
        """Take the question, whose machine does not matter, the model, and how machines have to be put together."""
        self.arrangement = arrangement
        self.question = question
        self.checkpoint = checkpoint
        self.goals = goals
        self.nearest: tuple[float, Rejection] | None = None  # of all rungs that did not do
        self._fitter = fitter_for(question)
        self._judged: dict[tuple[Rung, bool], Judged | None] = {}
        self._hopes: dict[Rung, float] = {}
        self._bound = Bound.of(question, checkpoint)
        self._whole = _without_held_back(question, checkpoint)

    def climb(self, kind: HardwareClass, *, without_gpu: bool = True) -> ClassNeeds:
        """The smallest machine of a class for each tier, machines without accelerators among them if wanted."""
        every = ladder(self.question.catalog, kind, self.arrangement)
        rungs = tuple(r for r in every if (without_gpu or r.accelerators) and not (r.spill and self._fits_without(r)))
        least = self._smallest(rungs, "least")
        if least is None:
            return ClassNeeds(kind=kind)
        found: dict[Tier, list[Judged]] = {"least": [least], "sensible": [], "comfortable": []}
        for _, own in groupby(sorted(rungs, key=_maker), key=_maker):
            larger = tuple(rung for rung in own if rung.size >= least.rung.size)
            for aim in TIERS[1:]:
                judged = self._smallest(larger, aim)
                if judged is None:
                    break
                found[aim].append(judged)
                larger = tuple(rung for rung in larger if rung.size >= judged.rung.size)
        return ClassNeeds(kind=kind, **{aim: _housing(several) for aim, several in found.items() if several})

    def _fits_without(self, rung: Rung) -> bool:
        """Whether the main memory that suits the cards is room enough, so that more of it would lie idle."""
        plain = describe(self.question.catalog, replace(rung.description, ram=None))
        return self._bound.room(plain) > _ROOMY * self._bound.weights

    def _smallest(self, rungs: tuple[Rung, ...], aim: Tier) -> Judged | None:
        """The slowest machine of the smallest size that reaches the tier."""
        best: Judged | None = None
        for _, own in groupby(sorted(rungs, key=_row), key=_row):
            sizes = [list(same) for _, same in groupby(own, key=_size)]
            if best is not None:
                sizes = [same for same in sizes if same[0].size < best.rung.size]
            judged = self._first(sizes, aim)
            best = judged or best
        return best

    def _first(self, sizes: list[list[Rung]], aim: Tier) -> Judged | None:
        """The first size that reaches the tier: one by one, or by halving where more memory comes with more speed."""
        if not sizes:
            return None
        if sizes[0][0].kind not in _HALVED:
            return next((judged for same in sizes if (judged := self._slowest(same, aim)) is not None), None)
        low, high = 0, len(sizes) - 1
        best = self._slowest(sizes[high], aim)
        while best is not None and low < high:
            middle = (low + high) // 2
            judged = self._slowest(sizes[middle], aim)
            low, high, best = (middle + 1, high, best) if judged is None else (low, middle, judged)
        return best

    def _slowest(self, same: list[Rung], aim: Tier) -> Judged | None:
        """Of machines of one size the slowest that reaches the tier."""
        makers = groupby(sorted(same, key=_maker), key=_maker)
        reaching = [judged for _, own in makers if (judged := self._slowest_of_maker(list(own), aim)) is not None]
        return min(reaching, key=lambda judged: (judged.rung.bandwidth, judged.rung.title), default=None)

    def _slowest_of_maker(self, rungs: list[Rung], aim: Tier) -> Judged | None:
        """By halving: what one card does, a faster one of the same maker and size does too."""
        low, high = 0, len(rungs) - 1
        best = self._reaches(rungs[high], aim)
        if best is None:
            return None
        while low < high:
            middle = (low + high) // 2
            judged = self._reaches(rungs[middle], aim)
            if judged is None:
                low = middle + 1
            else:
                high, best = middle, judged
        return best

    def _reaches(self, rung: Rung, aim: Tier) -> Judged | None:
        if self._hope(rung) < (self.goals.least_speed if aim == "least" else self.goals.wanted_speed):
            return None
        judged = self._judge(rung, any_format=aim == "least")
        return judged if judged is not None and TIERS.index(judged.tier) >= TIERS.index(aim) else None

    def _hope(self, rung: Rung) -> float:
        """A decode rate that the model does not exceed there.

        It is what bandwidth allows; and where the model has to be split, that of its smallest forms and a third: more
        bits are rarely a little faster.
        """
        if rung not in self._hopes:
            place = self._place(rung)
            most = self._bound.rate(place.question.machine)
            if most >= self.goals.least_speed and not self._bound.lies_on_cards(place.question.machine):
                rates = [self._rate(place, candidate) for candidate in _smallest_forms(place, self.checkpoint)]
                most = min(most, max(rates, default=0.0) * 4 / 3)
            self._hopes[rung] = most
        return self._hopes[rung]

    def _rate(self, place: Search, candidate: Candidate) -> float:
        laid = place.lay(candidate)
        if isinstance(laid, Fitted):
            return laid.speed.decode.expected
        finding = memory_finding(candidate, laid, place.question)
        self._remember(rejection_of(candidate.checkpoint, finding), 1 - laid.available / max(1, laid.needed))
        return 0.0

    def _place(self, rung: Rung, *, any_format: bool = True) -> Search:
        question = replace(self.question if any_format else self._whole, machine=rung.machine(self.question.catalog))
        place = Search(question, fitter_for(question, beside=self._fitter))
        if any(spec.id == "llama.cpp" for spec in place.engines):
            # What is built on it takes the same memory and is as fast, and stands behind it in the ranking.
            place.engines = tuple(s for s in place.engines if s.id == "llama.cpp" or s.id not in SHARED_CONTEXT)
        return place

    def _judge(self, rung: Rung, *, any_format: bool) -> Judged | None:
        free = self._judged.get((rung, True))
        if free is not None and free.found.scored.plan.format not in self.question.catalog.ranking["fallback_formats"]:
            return free  # what is best of all formats is best of those that are not held back
        key = (rung, any_format)
        if key not in self._judged:
            self._judged[key] = self._try(rung, any_format=any_format)
        return self._judged[key]

    def _try(self, rung: Rung, *, any_format: bool) -> Judged | None:
        place = self._place(rung, any_format=any_format)
        outcome = place.best(self.checkpoint)
        if outcome.found is None:
            self._remember(outcome.rejection, outcome.miss.lack if outcome.miss else 1.0)
            return None
        plan = outcome.found.scored.plan
        if plan.speed.decode.expected < self.goals.least_speed:
            return None  # the rule on the task's floor passes what is a little below it
        if rung.accelerators and plan.placement.mode == "cpu":
            return None  # its accelerators would stand idle: a machine without them does the same
        reached = tier(outcome.found, self.goals, place.question, place.fitter)
        return Judged(rung=rung, found=outcome.found, fitter=place.fitter, machine=place.question.machine, tier=reached)

    def _remember(self, rejection: Rejection | None, lack: float) -> None:
        if rejection is not None and (self.nearest is None or lack < self.nearest[0]):
            self.nearest = (lack, rejection)


def _without_held_back(question: Question, checkpoint: Checkpoint) -> Question:
    """The same question without the formats that the ranking holds back, unless formats were asked for."""
    if question.requirements.quantizations:
        return question
    held_back = question.catalog.ranking["fallback_formats"]
    engines = tuple(question.catalog.engines.values())
    names = dict.fromkeys(c.format.name for c in candidates(question.catalog, checkpoint, engines))
    # What is made while it is loaded is weighed for the last resort among engines only, unless it is asked for.
    kept = tuple(name for name in names if name not in held_back and name not in ON_THE_FLY) or tuple(names)
    return replace(question, requirements=replace(question.requirements, quantizations=kept))


def _maker(rung: Rung) -> str:
    return rung.vendor


def _size(rung: Rung) -> tuple[int, ...]:
    return rung.size


def _row(rung: Rung) -> tuple[int, int, bool, int]:
    """Machines of one row differ in their accelerators alone; whole devices bring their own main memory."""
    said = rung.description
    return (said.nodes, rung.accelerators, said.device is not None, rung.ram if rung.spill else 0)


def _smallest_forms(place: Search, checkpoint: Checkpoint) -> Iterator[Candidate]:
    """The two smallest formats of each container; engines that read the same one are about as fast."""
    admitted = {(c.format.container, c.format.name): c for c in reversed(place.admitted(checkpoint))}
    ordered = sorted(admitted.items(), key=lambda item: (item[0][0], item[1].footprint.tensor_bytes))
    for _, own in groupby(ordered, key=lambda item: item[0][0]):
        yield from (candidate for _, candidate in islice(own, 2))


def _housing(several: list[Judged]) -> Housing:
    """The smallest of several makers' machines, with the others beside it."""
    judged, *others = sorted(several, key=lambda item: (*item.rung.size, item.rung.bandwidth, item.rung.title))
    near = [item.rung for item in others if item.rung.accelerators <= 2 * max(1, judged.rung.accelerators)]
    scored = judged.found.scored
    return Housing(
        kind=judged.rung.kind,
        title=judged.rung.title,
        options=judged.rung.options,
        machine=judged.machine,
        tier=judged.tier,
        plan=scored.plan,
        ability=scored.ability,
        quantization_loss=scored.loss,
        largest_context=judged.fitter.largest_context(judged.found.candidate, judged.found.fitted),
        warnings=tuple(finding.message for finding in judged.found.warnings),
        alternatives=tuple(rung.title for rung in near),
        network=_network(judged.fitter.catalog, judged.machine),
    )


def _network(catalog: Catalog, machine: Machine) -> float | None:
    """Bytes per second between the nodes; of the network that is assumed where none was named."""
    if machine.nodes == 1:
        return None
    hardware = catalog.efficiency["hardware"]
    return float(hardware["interconnects"][machine.interconnect or hardware["assumed"]["interconnect"]]["bandwidth"])


def first(classes: Iterable[ClassNeeds], aim: Tier) -> Housing | None:
    """The first machine that reaches a tier, in the order of the classes."""
    return next((found for needs in classes if (found := getattr(needs, aim)) is not None), None)
