"""Where every weighed model stands: its place, and what dominates it."""

from __future__ import annotations

from collections.abc import Sequence

from qwen_advisor.advice import Weighed
from qwen_advisor.rank import Scored, dominators


def standings(ranked: Sequence[Scored]) -> tuple[Weighed, ...]:
    """The ranked plans with their places; those that nothing dominates form the Pareto frontier."""
    above = dominators(ranked)
    return tuple(
        Weighed(
            rank=place,
            plan=scored.plan,
            ability=scored.ability,
            quantization_loss=scored.loss,
            terms=scored.terms,
            dominated_by=above[scored.plan.checkpoint.id],
        )
        for place, scored in enumerate(ranked, start=1)
    )
