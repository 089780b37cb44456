"""Catalogue x machine x requirements -> advice. Pure, total, deterministic."""

from __future__ import annotations

from qwen_advisor.advice import Advice, Weighed
from qwen_advisor.advise.search import Search, lifted
from qwen_advisor.advise.standing import standings
from qwen_advisor.advise.upgrades import upgrades
from qwen_advisor.advise.weighing import recommended, weigh
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Calibration, Fitter
from qwen_advisor.machine import Machine
from qwen_advisor.rank import dominators, rank
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
    found, slow, rejected = weigh(search, requirements.top, everything=everything)
    notes: list[str] = []
    if not found and slow:
        question = lifted(question, "S102")
        search = Search(question, search.fitter)
        found, _, rejected = weigh(search, requirements.top, everything=everything)
        notes.append(
            f"nothing on this machine reaches {profile.floor_speed:g} tokens/s, the least that {profile.id} wants; "
            "what follows is slow"
        )
    ranked = rank([f.scored for f in found])
    above = dominators(ranked)
    best = ranked[0].terms.total if ranked else None
    return Advice(
        catalog_version=catalog.version,
        catalog_models=len(catalog.models),
        machine=machine,
        requirements=requirements,
        recommendations=recommended(found, ranked, search.fitter, profile, most=requirements.top),
        rejected=rejected,
        upgrades=upgrades(question, rejected, best, search.fitter.calibration),
        notes=tuple(notes),
        weighed=standings(ranked),
        complete=everything,
    )
