"""What would change the order: how much abler or faster each model after the winner would have to be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import get_args

from qwen_advisor.advice import Rival
from qwen_advisor.advise.search import Search
from qwen_advisor.advise.weighing import weigh
from qwen_advisor.rank import Scored, dominates, floor_term, rank, speed_term, worths
from qwen_advisor.rules import Question
from qwen_advisor.task import Prefer
from qwen_advisor.values import replace

_FASTEST = 100.0  # times as fast, beyond which no setting of a machine would bring it
_STEPS = 40  # halvings of the logarithm: far finer than is shown


def rivals(search: Search, ranked: Sequence[Scored]) -> tuple[Rival, ...]:
    """The recommendations after the first, and the winners of the other preferences.

    Args:
        search: what found the plans.
        ranked: all of them, best first.
    """
    if not ranked:
        return ()
    question = search.question
    preferred = _winners(search)
    first, worth = ranked[0], worths(ranked)[0]
    names = {s.plan.checkpoint.id for s in ranked[: question.requirements.top]} | set(preferred.values())
    return tuple(
        _rival(
            other,
            first,
            worth - other.terms.total,
            question,
            tuple(p for p, name in preferred.items() if name == other.plan.checkpoint.id),
        )
        for other in ranked[1:]
        if other.plan.checkpoint.id in names
    )


def _winners(search: Search) -> dict[Prefer, str]:
    """What each other preference puts first."""
    question = search.question
    winners: dict[Prefer, str] = {}
    for prefer in get_args(Prefer):
        if prefer == question.requirements.prefer:
            continue
        leaning = replace(question, requirements=replace(question.requirements, prefer=prefer, top=1))
        found, _, _ = weigh(Search(leaning, search.fitter), 1, everything=False)
        if found:
            winners[prefer] = rank([item.scored for item in found])[0].plan.checkpoint.id
    return winners


def _rival(other: Scored, first: Scored, behind: float, question: Question, prefers: tuple[str, ...]) -> Rival:
    below = dominates(first, other)
    # What is dominated has to be abler than the winner itself, whatever its other terms say.
    abler = max(behind * question.profile.ability_spread, first.able - other.able if below else 0.0)
    error = math.hypot(first.ability.standard_error, other.ability.standard_error)
    return Rival(
        model=other.plan.checkpoint.id,
        behind=behind,
        abler=abler,
        abler_in_errors=abler / error if error else None,
        faster=_faster(other, first, question, behind),
        prefers=prefers,
    )


def _faster(other: Scored, first: Scored, question: Question, behind: float) -> float | None:
    """Times as fast as would make up for what it is behind; None where no speed would."""
    ranking, wanted = question.catalog.ranking, question.requirements

    def gained(times: float) -> float:
        seconds, rate = other.plan.speed.time_to_answer / times, other.plan.speed.decode.expected * times
        term = speed_term(seconds, rate, profile=question.profile, weights=ranking["terms"][wanted.prefer])
        if "S102" not in question.lifted:
            term += floor_term(rate, profile=question.profile, requirements=wanted, weights=ranking)
        return term - other.terms.speed

    least = 1.0
    if dominates(first, other):
        least = other.plan.speed.time_to_answer / first.plan.speed.time_to_answer
    if gained(_FASTEST) < behind or least > _FASTEST:
        return None
    low, high = 0.0, math.log(_FASTEST)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if gained(math.exp(middle)) >= behind else (middle, high)
    return max(least, math.exp(high))
