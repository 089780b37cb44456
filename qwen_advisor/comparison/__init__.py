"""Models side by side, and why one is not the first answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qwen_advisor.advice import Recommendation
from qwen_advisor.advise.search import Found, Miss, Outcome, Search, fitter_for, lifted
from qwen_advisor.advise.weighing import recommended
from qwen_advisor.comparison.answer import (
    Change,
    Compared,
    Comparison,
    Criterion,
    Effect,
    Gap,
    Setting,
    Standing,
    Term,
    Verdict,
    WhyNot,
    Win,
)
from qwen_advisor.comparison.wins import wins
from qwen_advisor.evidence import Ability
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Calibration
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.rank import rank
from qwen_advisor.rules import Question
from qwen_advisor.task import Requirements
from qwen_advisor.values import replace

__all__ = [
    "Change",
    "Compared",
    "Comparison",
    "Criterion",
    "Effect",
    "Gap",
    "Setting",
    "Standing",
    "Term",
    "Verdict",
    "WhyNot",
    "Win",
    "compare_models",
]

_SPEEDS = ("S101", "S102")


def compare_models(
    catalog: Catalog,
    machine: Machine,
    requirements: Requirements,
    checkpoints: Sequence[Checkpoint],
    *,
    calibration: Calibration | None = None,
) -> Comparison:
    """The best setting of each model on one machine, ranked as `recommend` ranks, and what does not run.

    Args:
        catalog: the facts.
        machine: detected or described.
        requirements: what is asked, every field resolved.
        checkpoints: the models, each once; they count as asked for by name, so that a newer one rules none out.
        calibration: factors measured on this machine.
    """
    question = Question(
        catalog=catalog,
        machine=machine,
        requirements=requirements,
        profile=catalog.tasks[requirements.task],
        named=frozenset(model.id for model in checkpoints),
    )
    search = Search(question, fitter_for(question, calibration))
    outcomes = {model.id: search.admit(model) or search.best(model) for model in checkpoints}
    runs = [outcome.found for outcome in outcomes.values() if outcome.found is not None]
    slow = {name: late for name, outcome in outcomes.items() if (late := _too_slow(search, outcome)) is not None}
    # What is too slow stands behind whatever is not.
    ranked = (*rank([f.scored for f in runs]), *rank([f.scored for f in slow.values()]))
    answers = recommended((*runs, *slow.values()), ranked, search.fitter, question.profile, most=len(ranked))
    by_id = {answer.plan.checkpoint.id: answer for answer in _falling(answers)}
    models = [_compared(model, outcomes[model.id], by_id.get(model.id), search) for model in checkpoints]
    models.sort(key=lambda m: (m.recommendation is None, m.recommendation.rank if m.recommendation else 0))
    return Comparison(
        catalog_version=catalog.version,
        catalog_models=len(catalog.models),
        machine=machine,
        requirements=requirements,
        models=tuple(models),
        wins=wins([m for m in models if m.standing == "runs"]),
    )


def _falling(answers: Sequence[Recommendation]) -> Iterator[Recommendation]:
    """The same with scores that never rise: what is too slow has none above what is not, able as it may be."""
    least = 100.0
    for answer in answers:
        least = min(least, answer.score)
        yield replace(answer, score=least)


def _too_slow(search: Search, outcome: Outcome) -> Found | None:
    """The plan that only its speed rules out."""
    if outcome.found is not None or outcome.rejection is None or outcome.rejection.rule not in _SPEEDS:
        return None
    if outcome.slow is not None:
        relaxed = Search(lifted(search.question, "S102"), search.fitter)
        return relaxed.best(outcome.slow.candidate.checkpoint).found
    return outcome.miss.found if outcome.miss else None


def _compared(model: Checkpoint, outcome: Outcome, answer: Recommendation | None, search: Search) -> Compared:
    entry = search.question.catalog.licenses.get(model.license or "")
    return Compared(
        checkpoint=model,
        standing="runs" if outcome.found is not None else "too slow" if answer is not None else "ruled out",
        recommendation=answer,
        rejection=outcome.rejection,
        nearest=setting_of(outcome.miss),
        ability=answer.ability if answer else ablest(search, model),
        permissive=None if entry is None else entry.permissive,
    )


def setting_of(miss: Miss | None) -> Setting | None:
    """The setting that a rejection is about."""
    return None if miss is None else Setting(format=miss.candidate.format.name, engine=miss.candidate.engine.id)


def ablest(search: Search, model: Checkpoint) -> Ability | None:
    """The best of its settings of thinking; None where no source places it on the scale of the task."""
    placed = search.question.catalog.abilities.get(search.scale, {})
    if model.id not in placed:
        return None
    return max(search.abilities(model).values(), key=lambda ability: ability.value, default=None)
