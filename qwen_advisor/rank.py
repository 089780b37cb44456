"""The order: what each term of a score is worth, who dominates whom, and who stands on the frontier."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from operator import ge
from typing import Any

from qwen_advisor.advice import Plan, Terms
from qwen_advisor.evidence import Ability
from qwen_advisor.fit import FULL
from qwen_advisor.task import Requirements, TaskProfile
from qwen_advisor.values import dataclass

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
    floored: bool = True,
) -> Terms:
    """Value a plan in spreads of ability; see docs/explanation/ranking.md.

    One unit is the standard deviation of the abilities of all models that may answer the task.

    Waiting counts from the task's patience on, decoding below the comfortable rate, headroom in the last tenth of
    the fullest pool, memory as the share taken of that pool, and context to spare by doublings, three at most.
    ``floored`` says whether decoding below the task's floor costs more than that.
    """
    w = weights["terms"][requirements.prefer]
    rate = plan.speed.decode.expected
    floor = floor_term(rate, profile=profile, requirements=requirements, weights=weights) if floored else 0.0
    brim = plan.fill if plan.brim is None else plan.brim
    full = min(1.0, max(0.0, (brim - FULL) / (1 - FULL)))
    native = plan.checkpoint.context.native or requirements.context
    spare = min(_CONTEXT_DOUBLINGS, max(0.0, math.log2(native / requirements.context)))
    return Terms(
        ability=(ability.value - weights["risk_aversion"] * ability.standard_error) / profile.ability_spread,
        quantization_loss=(loss + weights["loss_aversion"] * loss_error) / profile.ability_spread,
        speed=speed_term(plan.speed.time_to_answer, rate, profile=profile, weights=w) + floor,
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


def floor_term(rate: float, *, profile: TaskProfile, requirements: Requirements, weights: Mapping[str, Any]) -> float:
    """What decoding below the task's floor costs: nothing at it, and evenly more down to where rule S102 rules out.

    So a machine that is a little slower has an answer that is a little worse. An asked speed counts instead.
    """
    if requirements.min_speed is not None or rate >= profile.floor_speed:
        return 0.0
    ramp: float = profile.floor_speed * (1 - weights["floor_reach"])
    most: float = weights["below_floor"]
    return -most * min(1.0, (profile.floor_speed - rate) / ramp)


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
    """Whether ``one`` is at least as able, as fast and as small, and better in one of the three.

    As fast means both: its answer is complete as early, and it decodes at as many tokens per second.
    """
    return _beats(_goods(one), _goods(other))


Goods = tuple[float, ...]


def _beats(mine: Goods, theirs: Goods) -> bool:
    return all(map(ge, mine, theirs)) and mine != theirs


def dominators(scored: Sequence[Scored]) -> dict[str, str | None]:
    """For each checkpoint the first of the list that dominates it and is itself dominated by none, or None."""
    goods = [(_goods(s), s.plan.checkpoint.id) for s in scored]
    edge = [(mine, name) for mine, name in goods if not any(_beats(other, mine) for other, _ in goods)]
    return {name: next((over for other, over in edge if _beats(other, mine)), None) for mine, name in goods}


def frontier(scored: Sequence[Scored]) -> frozenset[str]:
    """Ids of the checkpoints that nothing dominates in ability, speed and memory."""
    return frozenset(name for name, over in dominators(scored).items() if over is None)


def rank(scored: Sequence[Scored]) -> tuple[Scored, ...]:
    """Best first. What dominates another stands above it, whatever the softer terms say.

    It is lifted to the other's place: what is better in all three is worth at least as much. Were the other lowered
    instead, a third model that is worth less than either could come to stand above both.
    """
    goods = [_goods(s) for s in scored]
    order = sorted(
        zip(worths(scored), scored, goods, strict=True), key=lambda item: (-round(item[0], 9), item[1].order)
    )
    waiting = [(s, mine) for _, s, mine in order]
    ranked: list[Scored] = []
    while waiting:
        free = next(i for i, (_, mine) in enumerate(waiting) if not any(_beats(other, mine) for _, other in waiting))
        ranked.append(waiting.pop(free)[0])
    return tuple(ranked)


def worths(scored: Sequence[Scored]) -> tuple[float, ...]:
    """What each is worth in the order: its own utility, or that of something that it dominates."""
    goods = [_goods(s) for s in scored]
    return tuple(
        max([s.terms.total, *(o.terms.total for o, theirs in zip(scored, goods, strict=True) if _beats(mine, theirs))])
        for s, mine in zip(scored, goods, strict=True)
    )


def _goods(scored: Scored) -> Goods:
    plan = scored.plan
    speed = plan.speed
    return (
        round(scored.able, 6),
        -round(speed.time_to_answer, 6),
        round(speed.decode.expected, 6),
        -float(plan.memory.total),
    )
