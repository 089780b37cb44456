"""Speculative decoding with the model's own multi-token prediction blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qwen_advisor.footprint import Footprint
from qwen_advisor.speed.work import Work, head_bytes
from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Speculation:
    """``tokens`` are verified in one step, of which ``accepted`` are kept on average; drafting adds ``overhead``."""

    tokens: float
    accepted: float
    overhead: float  # share of a step
    spread: float


def speculation(engine: Mapping[str, Any], footprint: Footprint, count: Work) -> Speculation | None:
    """What speculation brings, or None where the engine has none.

    With ``n`` drafts, each kept with probability a if all before it were, 1 + a + ... + a^n tokens come of a step
    (Leviathan et al. 2023, arXiv 2211.17192, equation 1). Each draft passes one layer and the output head.
    """
    figures = engine.get("speculation")
    if figures is None:
        return None
    drafts, kept = figures["drafts"], figures["kept"]
    layer = (footprint.layers_dense + footprint.layers_experts * footprint.experts_used) / count.layers
    head = head_bytes(footprint)
    draft = (layer + head) / (layer * count.layers + head)
    return Speculation(
        tokens=drafts + 1.0,
        accepted=(1.0 - kept ** (drafts + 1)) / (1.0 - kept),
        overhead=drafts * draft,
        spread=figures["spread"],
    )
