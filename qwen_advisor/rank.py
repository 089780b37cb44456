"""The order: what each term of a score is worth, who dominates whom, and who stands on the frontier."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from qwen_advisor.advice import Plan, Terms
from qwen_advisor.evidence import Ability
from qwen_advisor.task import Requirements, TaskProfile
from qwen_advisor.values import dataclass

FULL = 0.9  # the share of a budget from which on headroom counts
_CONTEXT_DOUBLINGS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A plan with what it is worth."""

    plan: Plan
    ability: Ability
    loss: float
    terms: Terms
    engine_rank: int = 1

    @property
    def order(self) -> tuple[float, float, str, str, str, str]:
        """Sort key, best first; names break ties, so that the order never depends on the input's."""
        plan = self.plan
        return (
            -round(self.terms.total, 9),
            -round(self.able, 9),
            plan.checkpoint.id,
            plan.format,
            plan.settings.engine,
            plan.thinking,
        )

    @property
    def able(self) -> float:
        """Ability after quantization, in logits."""
        return self.ability.value - self.loss


def score(
    plan: Plan,
    ability: Ability,
    loss: float,
    *,
    profile: TaskProfile,
    requirements: Requirements,
    weights: Mapping[str, Any],
    loss_error: float = 0.0,
    penalties: float = 0.0,
) -> Terms:
    """Value a plan in spreads of ability; see docs/explanation/ranking.md.

    One unit is the standard deviation of the abilities of all models that may answer the task.

    Waiting counts from the task's patience on, decoding below the comfortable rate, headroom in the last tenth of
    the fullest pool, memory as the share taken of that pool, and context to spare by doublings, three at most.
    """
    w = weights["terms"][requirements.prefer]
    full = min(1.0, max(0.0, (plan.fill - FULL) / (1 - FULL)))
    native = plan.checkpoint.context.native or requirements.context
    spare = min(_CONTEXT_DOUBLINGS, max(0.0, math.log2(native / requirements.context)))
    return Terms(
        ability=(ability.value - weights["risk_aversion"] * ability.standard_error) / profile.ability_spread,
        quantization_loss=(loss + weights["loss_aversion"] * loss_error) / profile.ability_spread,
        speed=speed_term(plan.speed.time_to_answer, plan.speed.decode.expected, profile=profile, weights=w),
        headroom=-w["headroom"] * full,
        context=w["context"] * spare,
        memory=-w["memory"] * plan.fill,
        other=-penalties,
    )


def speed_term(seconds: float, rate: float, *, profile: TaskProfile, weights: Mapping[str, float]) -> float:
    """What an answer after so many seconds, decoded at so many tokens per second, costs; never more than nothing."""
    wait = _beyond(seconds / profile.patience)
    slow = _beyond(profile.comfortable_speed / max(rate, 1e-9))
    return -weights["wait"] * wait - weights["rate"] * slow


def _beyond(ratio: float) -> float:
    """E-folds by which a ratio is beyond one: hardly anything below it, its logarithm far above."""
    return math.log1p(ratio**2) / 2


def best_possible(
    ability: Ability, *, profile: TaskProfile, requirements: Requirements, weights: Mapping[str, Any]
) -> float:
    """An upper bound on the utility of any plan of a model with this ability."""
    bonus: float = weights["terms"][requirements.prefer]["context"] * _CONTEXT_DOUBLINGS
    cautious = ability.value - weights["risk_aversion"] * ability.standard_error
    return float(cautious / profile.ability_spread + bonus)


def dominates(one: Scored, other: Scored) -> bool:
    """Whether ``one`` is at least as able, as fast and as small, and better in one of the three."""
    return _beats(_goods(one), _goods(other))


def _beats(mine: tuple[float, float, float], theirs: tuple[float, float, float]) -> bool:
    return mine[0] >= theirs[0] and mine[1] >= theirs[1] and mine[2] >= theirs[2] and mine != theirs


def dominators(scored: Sequence[Scored]) -> dict[str, str | None]:
    """For each checkpoint the first of the list that dominates it and is itself dominated by none, or None."""
    goods = [(_goods(s), s.plan.checkpoint.id) for s in scored]
    edge = [(mine, name) for mine, name in goods if not any(_beats(other, mine) for other, _ in goods)]
    return {name: next((over for other, over in edge if _beats(other, mine)), None) for mine, name in goods}


def frontier(scored: Sequence[Scored]) -> frozenset[str]:
    """Ids of the checkpoints that nothing dominates in ability, speed and memory."""
    return frozenset(name for name, over in dominators(scored).items() if over is None)


def rank(scored: Sequence[Scored]) -> tuple[Scored, ...]:
    """Best first. What is dominated stands below what dominates it, whatever the softer terms say."""
    waiting = [(s, _goods(s)) for s in sorted(scored, key=lambda s: s.order)]
    ranked: list[Scored] = []
    while waiting:
        free = next(i for i, (_, mine) in enumerate(waiting) if not any(_beats(other, mine) for _, other in waiting))
        ranked.append(waiting.pop(free)[0])
    return tuple(ranked)


def _goods(scored: Scored) -> tuple[float, float, float]:
    plan = scored.plan
    return (round(scored.able, 6), -round(plan.speed.time_to_answer, 6), -float(plan.memory.total))
