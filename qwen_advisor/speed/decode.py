"""Time of one decoding step, from the bytes it must read and the operations it must do."""

from __future__ import annotations

from collections.abc import Mapping
from math import hypot
from typing import Any

from qwen_advisor.footprint import Footprint
from qwen_advisor.speed.kinds import Shares, reach
from qwen_advisor.speed.stages import Stage
from qwen_advisor.speed.work import Work, distinct_experts, head_bytes
from qwen_advisor.values import dataclass

_MICRO = 1e-6


@dataclass(frozen=True, slots=True)
class Seconds:
    """Seconds by what they are spent on. ``total`` counts overlapping parts once."""

    total: float
    reading: float  # memory traffic alone
    computing: float  # operations and launches alone
    moving: float  # between processors


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a decoding step is asked for: ``batch`` sequences at ``depth`` tokens each, ``tokens`` tokens of each."""

    depth: float
    batch: int = 1
    tokens: float = 1.0  # more than one where drafts are verified
    kv_bytes: float = 2.0  # of one cached value


def step_seconds(
    stage: Stage, count: Work, footprint: Footprint, portions: Shares, rates: Mapping[str, Any], step: Step
) -> Seconds:
    """Time of one stage in one step.

    Reading the weights and unpacking them overlap, so their times add as the sides of a right angle (a smooth
    maximum); the same holds for the cached keys and values against the attention arithmetic. Recurrent states and
    the fixed cost of each layer (launches, barriers) come on top.
    """
    decode = rates["decode"]
    processor, width = stage.processor, stage.width
    bandwidth = processor.bandwidth * width
    rows = step.batch * step.tokens
    experts = footprint.layers_experts * stage.experts
    if experts:
        experts *= distinct_experts(count, rows)
    read = footprint.layers_dense * stage.attention + experts + head_bytes(footprint) * stage.head
    weights = count.dense_weights * stage.attention + count.expert_weights * stage.experts
    weights += count.head_weights * stage.head
    reading = read / (bandwidth * reach(portions, decode["bandwidth"]))
    # One row unpacks every weight once; many rows are a matrix product, at the prompt's rate.
    unpacking = 0.0
    if decode["unpack"]:
        unpacking = weights * sum(share * decode["unpack"][kind] for kind, share in portions)
        unpacking /= processor.vector * width
    if rows > 1:
        product = (
            2.0
            * weights
            * rows
            / (processor.matrix * width * reach(portions, rates["prefill"]["matrix"], processor.plain))
        )
        unpacking = max(unpacking, product)
    cached = count.cached_values(step.depth) * step.kv_bytes * step.batch * stage.attention
    keeping = cached / (bandwidth * decode["cache"])
    arithmetic = 0.0
    if decode["attention"]:
        arithmetic = count.attention_flops * count.attended(step.depth) * rows * stage.attention
        arithmetic /= processor.vector * width * decode["attention"]
    states = count.state_bytes * step.batch * stage.attention / (bandwidth * decode["state"])
    if decode["delta"]:
        states = hypot(states, count.delta_flops * rows * stage.attention / (processor.vector * decode["delta"]))
    fixed = count.attention_layers * decode["attention_layer"] + count.linear_layers * decode["linear_layer"]
    if decode["kind_layer"]:
        fixed += count.layers * sum(share * decode["kind_layer"][kind] for kind, share in portions)
    fixed = (fixed * stage.attention + count.moe_layers * decode["expert_layer"] * stage.experts) * _MICRO
    fixed += decode["token"] * _MICRO * stage.head
    moving = 0.0
    if width > 1:
        # Two all-reduces a layer: latency for each, and a ring moves 2 (n - 1) / n of the vector.
        moving = 2.0 * count.layers * (decode["collective"] * _MICRO)
        moving += 2.0 * count.layers * rows * count.hidden * 2 * 2 * (width - 1) / width / processor.fabric
    total = hypot(reading, unpacking) + hypot(keeping, arithmetic) + states + fixed + moving
    return Seconds(total, reading + keeping + states, unpacking + arithmetic + fixed, moving)
