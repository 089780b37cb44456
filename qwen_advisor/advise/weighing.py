"""Weighing: the best plan of every model that may answer, and the ranked answers made of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qwen_advisor.advice import Recommendation, Rejection
from qwen_advisor.advise.ceilings import Counts
from qwen_advisor.advise.quick import quick_search
from qwen_advisor.advise.reasons import reasons
from qwen_advisor.advise.search import Found, Search, lifted
from qwen_advisor.fit import Fitter
from qwen_advisor.model import Checkpoint
from qwen_advisor.rank import Scored, frontier, rank, worths
from qwen_advisor.rules import Question
from qwen_advisor.task import TaskProfile
from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """Everything that was weighed for one question."""

    search: Search  # of the question as it was answered in the end
    found: tuple[Found, ...]
    ranked: tuple[Scored, ...]  # the same plans, best first
    rejected: tuple[Rejection, ...]
    slow: bool  # whether the task's least speed was lifted, because nothing reaches it

    def place(self, model: str) -> int | None:
        """Where a model stands, counted from 1; None where it is not among the ranked."""
        return next((i for i, s in enumerate(self.ranked, start=1) if s.plan.checkpoint.id == model), None)


def settle(question: Question, fitter: Fitter, *, everything: bool = False) -> Weighing:
    """Weigh and rank; where only the task's least speed rules everything out, without it.

    Args:
        question: what is asked.
        fitter: what lays candidates on its machine.
        everything: weigh every model, also those that cannot reach the list that was asked for.
    """
    search = search_for(question, fitter)
    found, slow, rejected = weigh(search, question.requirements.top, everything=everything)
    lifting = not found and bool(slow)
    if lifting:
        search = search_for(lifted(question, "S102"), fitter)
        found, _, rejected = weigh(search, question.requirements.top, everything=everything)
    ranked = rank([f.scored for f in found])
    return Weighing(search=search, found=tuple(found), ranked=ranked, rejected=rejected, slow=lifting)


def search_for(question: Question, fitter: Fitter) -> Search:
    """The quick search; with measured factors the whole one, since what is measured may beat every ceiling."""
    if fitter.calibration:
        return Search(question, fitter)
    return quick_search(question, fitter, Counts(question.catalog.efficiency))


def weigh(search: Search, top: int, *, everything: bool) -> tuple[list[Found], list[Found], tuple[Rejection, ...]]:
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
    worth: list[tuple[float, float]] = []
    for bound, checkpoint in admitted:
        listed = sorted(worth, reverse=True)[:top]
        full = len(listed) == top and not everything
        # Worth less than the list: it could only dominate one of it, which takes being abler, and be lifted above that.
        if full and bound < listed[-1][0] and _ablest(search, checkpoint) < min(able for _, able in listed):
            continue
        outcome = search.best(checkpoint)
        if outcome.found is not None:
            found.append(outcome.found)
            worth.append((outcome.found.scored.terms.total, outcome.found.scored.able))
        elif outcome.rejection is not None:
            rejected.append(outcome.rejection)
        if outcome.slow is not None:
            slow.append(outcome.slow)
    return found, slow, tuple(sorted(rejected, key=lambda r: r.model))


def _ablest(search: Search, checkpoint: Checkpoint) -> float:
    """Its ability in the way of thinking in which it is ablest, before quantization."""
    return max((ability.value for ability in search.abilities(checkpoint).values()), default=float("-inf"))


def recommended(
    found: Sequence[Found], ranked: Sequence[Scored], fitter: Fitter, profile: TaskProfile, *, most: int
) -> tuple[Recommendation, ...]:
    """The first ``most`` of the ranked plans as answers, each with its reasons.

    Args:
        found: the best plan of each model.
        ranked: the same plans as `rank` orders them.
        fitter: what laid them on the machine.
        profile: the task's.
        most: how many answers.
    """
    edge = frontier(ranked)
    by_id = {f.scored.plan.checkpoint.id: f for f in found}
    answers: list[Recommendation] = []
    worth = worths(ranked)
    for place, scored in enumerate(ranked[:most], start=1):
        item = by_id[scored.plan.checkpoint.id]
        score = 100 * math.exp(worth[place - 1] - worth[0])
        largest = fitter.largest_context(item.candidate, item.fitted)
        answers.append(
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
    return tuple(answers)
