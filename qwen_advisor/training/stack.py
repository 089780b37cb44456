"""How the software of a run treats numbers: what differs between frameworks and between their years."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qwen_advisor.training.settings import READY_QUANTIZED, Training
from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Conventions of the libraries below a run.

    Attributes:
        adapter_bytes: width of an adapter's weight, its gradient and each state of its optimizer.
        logit_bytes: for each token and vocabulary entry, at the peak of a loss over all logits.
        step_copies: copies of all trained parameters while AdamW steps; 0 where it is fused.
        experts_quantized: whether routed experts are quantized while loading.
        slack: what the allocator holds beyond what comes and goes within a step, as a share of it.
        standing_slack: the same of what stands all the time.
        context_bytes: device memory of a process before any tensor.
    """

    adapter_bytes: int
    logit_bytes: int
    step_copies: int
    experts_quantized: bool
    slack: float
    standing_slack: float
    context_bytes: int


def stack_of(constants: Mapping[str, Any], run: Training) -> Stack:
    """The stack of a run: PyTorch and Transformers of today, with what its framework does otherwise."""
    own = constants["frameworks"].get(run.framework, {})
    values = {**constants["defaults"], **own}
    adapter = values["quantized_base_adapter_bytes" if run.method == "qlora" else "adapter_bytes"]
    return Stack(
        adapter_bytes=adapter,
        logit_bytes=values["logit_bytes"],
        step_copies=values["step_copies"],
        experts_quantized=values["experts_quantized"] or run.format in READY_QUANTIZED,
        slack=values["slack_equal_lengths" if run.packing else "slack_varying_lengths"],
        standing_slack=values["slack_standing"],
        context_bytes=values["context_bytes"],
    )
