"""Time to take in a prompt, from the operations of its matrix products and the bytes that feed them."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, hypot
from typing import Any

from qwen_advisor.footprint import Footprint
from qwen_advisor.speed.decode import Seconds
from qwen_advisor.speed.kinds import Shares, reach
from qwen_advisor.speed.stages import Stage
from qwen_advisor.speed.work import Work, distinct_experts, head_bytes
from qwen_advisor.values import dataclass

_MICRO = 1e-6
_OFFLOAD_ROWS = 32  # from this many rows llama.cpp copies host weights to the GPU (GGML_OP_OFFLOAD_MIN_BATCH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """``batch`` prompts of ``tokens`` tokens each, taken in ``chunk`` tokens at a time, after ``depth`` cached ones."""

    tokens: int
    chunk: int
    depth: int = 0
    batch: int = 1


def prompt_seconds(
    stage: Stage,
    count: Work,
    footprint: Footprint,
    portions: Shares,
    rates: Mapping[str, Any],
    prompt: Prompt,
    lender: Stage | None = None,
) -> Seconds:
    """Time of one stage for whole prompts.

    Each chunk's products overlap with reading the weights they use (a smooth maximum). Experts see few rows each:
    with m rows an expert works at m / (m + ``expert_rows``) of its rate. Attention grows with the square of the
    prompt. With a ``lender`` (a GPU) the weights of a host stage are copied over the link, chunk by chunk, and
    multiplied there.
    """
    figures = rates["prefill"]
    own = stage.processor
    processor, width = (lender.processor, lender.width) if lender else (own, stage.width)
    rows = prompt.tokens * prompt.batch
    chunks = ceil(rows / prompt.chunk)
    each = rows / chunks
    matrix = processor.matrix * width
    dense = 2.0 * each * count.dense_weights * stage.attention
    routed = 0.0
    share = 1.0
    if count.expert_weights:
        per_expert = each * count.experts_used / count.experts
        routed = 2.0 * each * count.expert_weights * stage.experts * (1.0 + figures["expert_rows"] / per_expert)
        routed /= figures["experts"]
        share = distinct_experts(count, each)
    products = (dense + routed) / (matrix * reach(portions, figures["matrix"], processor.plain))
    read = footprint.layers_dense * stage.attention + footprint.layers_experts * stage.experts * share
    read += head_bytes(footprint) * stage.head
    source = own.bandwidth * stage.width * reach(portions, rates["decode"]["bandwidth"])
    moving = 0.0
    if lender:
        moving = chunks * read / (processor.link * figures["link"])
        source = processor.bandwidth * reach(portions, rates["decode"]["bandwidth"])
    reading = read / source
    fixed = (count.layers * stage.attention + count.moe_layers * stage.experts) * figures["layer"] * _MICRO
    pairs = count.attended_pairs(prompt.depth, prompt.tokens) * prompt.batch
    attention = count.attention_flops * pairs * stage.attention / (matrix * figures["attention"])
    attention += count.delta_flops * rows * stage.attention / (matrix * figures["delta"])
    if width > 1:
        moving += 4.0 * count.layers * rows * count.hidden * 2 * (width - 1) / width / (own.fabric * figures["fabric"])
    total = chunks * (hypot(products, reading) + fixed) + attention + moving
    return Seconds(total, chunks * reading, chunks * (products + fixed) + attention, moving)


def lends(prompt: Prompt) -> bool:
    """Whether a prompt is long enough for llama.cpp to multiply host weights on the GPU."""
    return prompt.tokens * prompt.batch >= _OFFLOAD_ROWS
