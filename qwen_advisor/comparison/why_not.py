"""Why a model is not the first answer, and the smallest change that would make it run, or make it the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qwen_advisor.advice import Recommendation, Rejection, Terms
from qwen_advisor.advise.search import Found, Outcome, Search, fitter_for, rejection_of
from qwen_advisor.advise.weighing import Weighing, recommended, settle
from qwen_advisor.comparison import setting_of
from qwen_advisor.comparison.answer import Change, Effect, Gap, Term, Verdict, WhyNot
from qwen_advisor.comparison.changes import Step, kinds, remedy, tasks
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Calibration
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.rank import rank
from qwen_advisor.rules import CHECKPOINT_RULES, Question
from qwen_advisor.task import Requirements
from qwen_advisor.values import replace

_MOST_SETTLED = 4  # whole searches for one kind of change, after which it is given up that it puts the model first
_MANY = 3  # steps of one kind, from which on it is worth a look whether the last one does
_LAID_OUT = 3  # the stage of a miss from which on only speed was against it
_NAMED = ("T102", "T109")  # rules that are lifted for a model that is asked for by name


def explain(
    catalog: Catalog,
    machine: Machine,
    requirements: Requirements,
    checkpoint: Checkpoint,
    *,
    calibration: Calibration | None = None,
) -> WhyNot:
    """Which rule is against a model and by how much, or which terms of the score put it behind the winner.

    Args:
        catalog: the facts.
        machine: detected or described.
        requirements: what is asked, every field resolved.
        checkpoint: the model.
        calibration: factors measured on this machine.
    """
    question = Question(
        catalog=catalog, machine=machine, requirements=requirements, profile=catalog.tasks[requirements.task]
    )
    weighed = settle(question, fitter_for(question, calibration), everything=True)
    place = weighed.place(checkpoint.id)
    winner = _answer(weighed, weighed.found, 1) if weighed.ranked else None
    rejections: tuple[Rejection, ...] = ()
    nearest = None
    own: Recommendation | None
    own_rank: int | None
    if place is not None:
        own, own_rank = _answer(weighed, weighed.found, place), place
    else:
        outcome, rejections = _against(weighed.search, checkpoint)
        nearest = setting_of(outcome.miss) if outcome else None
        own, own_rank = _in_spite(weighed, checkpoint, outcome, rejections)
    verdict: Verdict = "ruled out" if place is None else "first" if place == 1 else "behind"
    trial = Trial(question, weighed, checkpoint, calibration or {})
    changes = () if verdict == "first" else tuple(trial.changes(rejections))
    return WhyNot(
        catalog_version=catalog.version,
        catalog_models=len(catalog.models),
        machine=machine,
        requirements=requirements,
        checkpoint=checkpoint,
        verdict=verdict,
        rank=place,
        weighed=len(weighed.ranked),
        winner=winner,
        own=own,
        own_rank=own_rank,
        rejections=rejections,
        nearest=nearest,
        gaps=_gaps(own.terms, winner.terms) if own and winner and verdict != "first" else (),
        changes=changes,
        notes=(*_notes(weighed), *trial.short),
    )


def _notes(weighed: Weighing) -> tuple[str, ...]:
    if not weighed.slow:
        return ()
    profile = weighed.search.question.profile
    return (f"nothing on this machine reaches {profile.floor_speed:g} tokens/s, the least that {profile.id} wants",)


def _answer(weighed: Weighing, found: Sequence[Found], place: int) -> Recommendation:
    """The answer at one place of the ranking, as `recommend` gives it."""
    search = weighed.search
    return recommended(found, weighed.ranked, search.fitter, search.question.profile, most=place)[place - 1]


def _against(search: Search, checkpoint: Checkpoint) -> tuple[Outcome | None, tuple[Rejection, ...]]:
    """Every rule on the model itself that is against it; without one, what came of laying it on the machine."""
    findings = (rule.check(checkpoint, search.question) for rule in CHECKPOINT_RULES)
    failing = tuple(rejection_of(checkpoint, finding) for finding in findings if finding is not None)
    if failing:
        return None, failing
    outcome = search.best(checkpoint)
    return outcome, (outcome.rejection,) if outcome.rejection is not None else ()


def _in_spite(
    weighed: Weighing, checkpoint: Checkpoint, outcome: Outcome | None, rejections: tuple[Rejection, ...]
) -> tuple[Recommendation | None, int | None]:
    """Its best setting and the place it would have, where only a newer model or its own purpose is against it."""
    if outcome is not None or any(rejection.rule not in _NAMED for rejection in rejections):
        return None, None
    search = weighed.search
    named = Search(replace(search.question, named=frozenset({checkpoint.id})), search.fitter)
    found = named.best(checkpoint).found
    if found is None:
        return None, None
    every = (*weighed.found, found)
    ranked = rank([f.scored for f in every])
    place = next(i for i, s in enumerate(ranked, start=1) if s.plan.checkpoint.id == checkpoint.id)
    answers = recommended(every, ranked, search.fitter, search.question.profile, most=place)
    return answers[-1], place


def _gaps(own: Terms, winner: Terms) -> tuple[Gap, ...]:
    pairs: tuple[tuple[Term, float, float], ...] = (
        ("ability", own.ability, winner.ability),
        ("quantization loss", -own.quantization_loss, -winner.quantization_loss),
        ("speed", own.speed, winner.speed),
        ("headroom", own.headroom, winner.headroom),
        ("context", own.context, winner.context),
        ("memory", own.memory, winner.memory),
        ("engine and files", own.other, winner.other),
    )
    gaps = [Gap(term=term, own=mine, winner=theirs) for term, mine, theirs in pairs]
    return tuple(sorted(gaps, key=lambda gap: (-round(gap.lead, 9), gap.term)))


class Trial:
    """Tries changes of one question for one model. Each that is named was answered by the whole search."""

    def __init__(self, question: Question, weighed: Weighing, checkpoint: Checkpoint, calibration: Calibration) -> None:
        """Take the question as it was asked, what was weighed, the model, and what was measured on its machine."""
        self._question = question
        self._weighed = weighed
        self._checkpoint = checkpoint
        self._calibration = calibration
        self._plain = fitter_for(question, calibration)
        self._lacks_memory = False
        self.short: list[str] = []  # changes that make it fit and still do not do, in words

    def changes(self, rejections: tuple[Rejection, ...]) -> Iterator[Change]:
        """The smallest change of each kind that makes the model run, and the smallest that puts it first."""
        self._lacks_memory = any(rejection.rule == "M101" for rejection in rejections)
        if any(rejection.rule == "T101" for rejection in rejections):
            asked = (self._without(step) for step in tasks(self._question, self._checkpoint))
            yield from self._first_of_each([step for step in asked if step is not None], runs=False)
            return
        base = self._without(Step(question=self._question, words=""))
        if base is None:
            return
        runs = not rejections
        if base.besides:
            change = self._settled(replace(base, words=base.besides, besides=""))
            if change is not None:
                yield change
                runs = True
                if change.effect == "first":
                    return
        first = self._weighed.ranked[0].plan.speed.decode.expected if self._weighed.ranked else 0.0
        for steps in kinds(base.question, self._checkpoint, runs=runs, winning_speed=first):
            yield from self._first_of_each([_joined(base, step) for step in steps], runs=runs)

    def _without(self, base: Step) -> Step | None:
        """The step without the rules on the model itself that are against it; None where one cannot be lifted."""
        for rule in CHECKPOINT_RULES:
            finding = rule.check(self._checkpoint, base.question)
            if finding is None:
                continue
            lifting = remedy(base.question, self._checkpoint, finding)
            if lifting is None or rule.check(self._checkpoint, lifting.question) is not None:
                return None
            besides = f"{base.besides}, {lifting.words}" if base.besides else lifting.words
            options = (*base.options, *lifting.options)
            base = replace(base, question=lifting.question, besides=besides, options=options)
        return base

    def _first_of_each(self, steps: list[Step], *, runs: bool) -> Iterator[Change]:
        """Of one kind the first that makes it run, unless it does already, and the first that puts it on top."""
        if not runs and len(steps) > _MANY and not self._lets_in(steps[-1]):
            return
        settled = 0
        for step in steps:
            change = self._settled(step)
            if change is None:
                continue
            settled += 1
            if change.effect == "first":
                yield change
                return
            if not runs:
                yield change
                runs = True
            if settled == _MOST_SETTLED:
                return

    def _lets_in(self, step: Step) -> bool:
        """Whether the last step of a kind does; where it makes the model fit and no more, that is remembered."""
        outcome = self._outcome(step)
        miss = outcome.miss
        lets_in = outcome.found is not None or outcome.slow is not None
        if not lets_in and self._lacks_memory and step.hardware and miss and miss.stage == _LAID_OUT:
            self.short.append(f"with {step.words} it would fit: {miss.rejection.message}")
        return lets_in

    def _outcome(self, step: Step) -> Outcome:
        """What becomes of the model alone with the change: quicker than the whole search."""
        search = self._search(step)
        return search.admit(self._checkpoint) or search.best(self._checkpoint)

    def _settled(self, step: Step) -> Change | None:
        """What the whole search answers with the change; None where the model still does not run."""
        outcome = self._outcome(step)
        if outcome.found is None and outcome.slow is None:
            return None
        if step.own:
            return self._own(step, outcome.found)
        weighed = settle(step.question, self._search(step).fitter)
        found = outcome.found or weighed.search.best(self._checkpoint).found
        if found is None:
            return None
        first = weighed.ranked[0].plan.checkpoint.id if weighed.ranked else None
        return self._change(step, found, weighed.place(self._checkpoint.id), first)

    def _own(self, step: Step, found: Found | None) -> Change | None:
        """The model with the change against the others as they were."""
        if found is None:
            return None
        others = [s for s in self._weighed.ranked if s.plan.checkpoint.id != self._checkpoint.id]
        ranked = rank([*others, found.scored])
        place = next(i for i, s in enumerate(ranked, start=1) if s is found.scored)
        return self._change(step, found, place, ranked[0].plan.checkpoint.id)

    def _change(self, step: Step, found: Found, place: int | None, first: str | None) -> Change:
        effect: Effect = "first" if place == 1 else "runs"
        return Change(
            effect=effect,
            options=step.options,
            words=step.words,
            besides=step.besides,
            rank=place,
            winner=first,
            plan=found.scored.plan,
        )

    def _search(self, step: Step) -> Search:
        same = step.question.machine.accelerators == self._question.machine.accelerators
        measured = self._calibration if step.same_cpu else {}
        if not same:
            measured = {key: factors for key, factors in measured.items() if key[2] == "cpu"}
        return Search(step.question, fitter_for(step.question, measured, beside=self._plain))


def _joined(base: Step, step: Step) -> Step:
    """Both changes as one."""
    return replace(step, besides=base.besides, options=(*base.options, *step.options))
