"""Catalogue x machine x requirements -> advice. Pure, total, deterministic."""

from __future__ import annotations

from collections.abc import Sequence

from qwen_advisor.advice import Advice, Rival
from qwen_advisor.advise.search import Search, fitter_for
from qwen_advisor.advise.standing import standings
from qwen_advisor.advise.upgrades import upgrades
from qwen_advisor.advise.weighing import recommended, settle
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Calibration
from qwen_advisor.machine import Machine
from qwen_advisor.rank import Scored
from qwen_advisor.rules import Question
from qwen_advisor.task import Requirements

__all__ = ["advise"]


def advise(
    catalog: Catalog,
    machine: Machine,
    requirements: Requirements,
    *,
    everything: bool = False,
    explain: bool = False,
    calibration: Calibration | None = None,
) -> Advice:
    """Rank what this machine can run for this task.

    Args:
        catalog: the facts.
        machine: detected or described.
        requirements: what is asked, every field resolved.
        everything: weigh every model, also those whose ability cannot reach the list that was asked for.
        explain: say what would change the order.
        calibration: factors measured on this machine.
    """
    profile = catalog.tasks[requirements.task]
    question = Question(catalog=catalog, machine=machine, requirements=requirements, profile=profile)
    weighed = settle(question, fitter_for(question, calibration), everything=everything)
    search, ranked = weighed.search, weighed.ranked
    notes: list[str] = []
    if weighed.slow:
        notes.append(
            f"nothing on this machine reaches {profile.floor_speed:g} tokens/s, the least that {profile.id} wants; "
            "what follows is slow"
        )
    best = ranked[0].terms.total if ranked else None
    return Advice(
        catalog_version=catalog.version,
        catalog_models=len(catalog.models),
        machine=machine,
        requirements=requirements,
        recommendations=recommended(weighed.found, ranked, search.fitter, profile, most=requirements.top),
        rejected=weighed.rejected,
        upgrades=upgrades(search.question, weighed.rejected, best, search.fitter.calibration),
        notes=tuple(notes),
        weighed=standings(ranked),
        complete=everything,
        rivals=_rivals(search, ranked) if explain else (),
        profile=profile,
    )


def _rivals(search: Search, ranked: Sequence[Scored]) -> tuple[Rival, ...]:
    from qwen_advisor.advise.rivals import rivals  # noqa: PLC0415  only explanations pay for it

    return rivals(search, ranked)
