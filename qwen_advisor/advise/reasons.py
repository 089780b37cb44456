"""Why: the sentences that go with a recommendation. Every number in them stands in the answer too."""

from __future__ import annotations

from collections.abc import Sequence

from qwen_advisor.advise.search import Found
from qwen_advisor.plan import Placement
from qwen_advisor.quality import expected_score
from qwen_advisor.rank import Scored
from qwen_advisor.task import TaskProfile
from qwen_advisor.units import gib


def reasons(
    found: Found, ranked: Sequence[Scored], profile: TaskProfile, largest_context: int | None
) -> tuple[str, ...]:
    """Sentences on ability, speed, memory and the neighbour in the order."""
    scored = found.scored
    sentences = [_ability(scored, ranked, profile), _speed(scored, profile), _memory(scored, largest_context)]
    placement = _placement(scored.plan.placement)
    if placement:
        sentences.append(placement)
    neighbour = _neighbour(scored, ranked)
    if neighbour:
        sentences.append(neighbour)
    return tuple(sentences)


def _ability(scored: Scored, ranked: Sequence[Scored], profile: TaskProfile) -> str:
    ability = scored.ability
    place = 1 + sum(other.able > scored.able for other in ranked)
    basis = "" if ability.published else ", no published score: reckoned from its size and generation"
    loss = f", {scored.loss:.2f} of it lost to {scored.plan.format}" if scored.loss >= 0.005 else ""
    ordinal = "ablest" if place == 1 else f"number {place} by ability"
    return (
        f"{ordinal} of the {len(ranked)} models weighed for {profile.id}: expected score "
        f"{expected_score(scored.able):.0f} of 100 (ability {ability.value:.2f} ± {ability.standard_error:.2f}"
        f"{loss}{basis})"
    )


def _speed(scored: Scored, profile: TaskProfile) -> str:
    speed, plan = scored.plan.speed, scored.plan
    rate = speed.decode.expected
    word = (
        "comfortable"
        if rate >= profile.comfortable_speed
        else "readable as it comes"
        if rate >= profile.floor_speed
        else "slow"
    )
    thinking = {
        "on": f", thinking included (about {profile.reasoning_tokens:,} tokens)",
        "off": " with thinking off",
        "none": "",
    }[plan.thinking]
    measured = "; rates by factors measured on this machine" if speed.basis == "calibrated" else ""
    return (
        f"decodes {rate:.3g} tokens/s ({speed.decode.low:.3g} to {speed.decode.high:.3g}), {word} for {profile.id}; "
        f"first token after {_seconds(speed.time_to_first_token)}, an answer after {_seconds(speed.time_to_answer)}"
        f"{thinking}{measured}"
    )


def _memory(scored: Scored, largest_context: int | None) -> str:
    plan = scored.plan
    context = f"; up to {largest_context:,} tokens of context fit" if largest_context else ""
    return f"takes {gib(plan.memory.total)} of {gib(plan.budget)} free{context}"


def _placement(placement: Placement) -> str | None:
    if placement.cpu_expert_layers:
        return f"experts of {placement.cpu_expert_layers} of {placement.layers} layers stay in main memory"
    if placement.mode == "hybrid":
        return f"{placement.gpu_layers} of {placement.layers} layers on the accelerator, the rest on the CPU"
    if placement.pipeline_parallel > 1:
        return f"tensor parallel over {placement.tensor_parallel}, pipeline over {placement.pipeline_parallel} machines"
    if placement.tensor_parallel > 1:
        return f"tensor parallel over {placement.tensor_parallel} accelerators"
    return None


def _neighbour(scored: Scored, ranked: Sequence[Scored]) -> str | None:
    """What separates it from the next below, in the largest term."""
    place = ranked.index(scored)
    if place + 1 >= len(ranked):
        return None
    below = ranked[place + 1]
    gaps = {
        "abler": scored.able - below.able,
        "faster": scored.terms.speed - below.terms.speed,
        "roomier": scored.terms.headroom - below.terms.headroom,
        "smaller": scored.terms.memory - below.terms.memory,
    }
    word, gap = max(gaps.items(), key=lambda item: (item[1], item[0]))
    return f"{word} than {below.plan.checkpoint.id}, the next (worth {gap:+.2f})" if gap > 0 else None


def _seconds(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
