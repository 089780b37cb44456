"""Catalogue x machine x requirements -> advice. Pure, total, deterministic."""

from __future__ import annotations

import math

from qwen_advisor.advice import Advice, Recommendation, Rejection
from qwen_advisor.advise.reasons import reasons
from qwen_advisor.advise.search import Found, Search, lifted
from qwen_advisor.advise.upgrades import upgrades
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Calibration, Fitter
from qwen_advisor.machine import Machine
from qwen_advisor.rank import frontier, rank
from qwen_advisor.rules import Question
from qwen_advisor.task import Requirements

__all__ = ["advise"]


def advise(
    catalog: Catalog,
    machine: Machine,
    requirements: Requirements,
    *,
    everything: bool = False,
    calibration: Calibration | None = None,
) -> Advice:
    """Rank what this machine can run for this task.

    Args:
        catalog: the facts.
        machine: detected or described.
        requirements: what is asked, every field resolved.
        everything: weigh every model, also those whose ability cannot reach the list that was asked for.
        calibration: factors measured on this machine.
    """
    profile = catalog.tasks[requirements.task]
    question = Question(catalog=catalog, machine=machine, requirements=requirements, profile=profile)
    fitter = Fitter(catalog, machine, comfortable=profile.comfortable_speed, calibration=calibration)
    search = Search(question, fitter)
    found, slow, rejected = _weigh(search, requirements.top, everything=everything)
    notes: list[str] = []
    if not found and slow:
        question = lifted(question, "S102")
        search = Search(question, search.fitter)
        found, _, rejected = _weigh(search, requirements.top, everything=everything)
        notes.append(
            f"nothing on this machine reaches {profile.floor_speed:g} tokens/s, the least that {profile.id} wants; "
            "what follows is slow"
        )
    ranked = rank([f.scored for f in found])
    best = ranked[0].terms.total if ranked else None
    edge = frontier(ranked)
    recommendations: list[Recommendation] = []
    score = 100.0
    by_id = {f.scored.plan.checkpoint.id: f for f in found}
    for place, scored in enumerate(ranked[: requirements.top], start=1):
        item = by_id[scored.plan.checkpoint.id]
        # What is dominated never scores above what dominates it, whatever the softer terms say.
        score = min(score, 100 * math.exp(min(0.0, scored.terms.total - (best or 0.0))))
        largest = search.fitter.largest_context(item.candidate, item.fitted)
        recommendations.append(
            Recommendation(
                rank=place,
                plan=scored.plan,
                ability=scored.ability,
                quantization_loss=scored.loss,
                terms=scored.terms,
                score=round(score, 1),
                reasons=reasons(item, ranked, profile, largest),
                warnings=tuple(w.message for w in item.warnings),
                largest_context=largest,
                frontier=scored.plan.checkpoint.id in edge,
            )
        )
    return Advice(
        catalog_version=catalog.version,
        catalog_models=len(catalog.models),
        machine=machine,
        requirements=requirements,
        recommendations=tuple(recommendations),
        rejected=rejected,
        upgrades=upgrades(question, rejected, best, search.fitter.calibration),
        notes=tuple(notes),
    )


def _weigh(search: Search, top: int, *, everything: bool) -> tuple[list[Found], list[Found], tuple[Rejection, ...]]:
    """Plans, plans that only the task's default speed rules out, and rejections.

    Models are taken ablest first; one that cannot reach the list any more is not laid on the machine at all.
    """
    admitted, rejected = [], []
    for checkpoint in search.question.catalog.models.values():
        outcome = search.admit(checkpoint)
        if outcome is None:
            admitted.append((search.bound(checkpoint), checkpoint))
        elif outcome.expected and outcome.rejection is not None:
            rejected.append(outcome.rejection)
    admitted.sort(key=lambda item: (-item[0], item[1].id))
    found: list[Found] = []
    slow: list[Found] = []
    worth: list[float] = []
    for bound, checkpoint in admitted:
        if not everything and len(worth) >= top and bound < sorted(worth, reverse=True)[top - 1]:
            break
        outcome = search.best(checkpoint)
        if outcome.found is not None:
            found.append(outcome.found)
            worth.append(outcome.found.scored.terms.total)
        elif outcome.rejection is not None:
            rejected.append(outcome.rejection)
        if outcome.slow is not None:
            slow.append(outcome.slow)
    return found, slow, tuple(sorted(rejected, key=lambda r: r.model))
