"""The feed-forward part of one decoder layer: dense SwiGLU, or a mixture of experts."""

from __future__ import annotations

from typing import Literal

from qwen_advisor.model import Moe, TextDecoder
from qwen_advisor.parameters.tensors import Group, Tensor, linear

# How a repository stores routed experts: one by one, or all of a layer in two tensors, rows or columns first.
ExpertLayout = Literal["separate", "fused", "fused transposed"]


def swiglu(prefix: str, hidden: int, intermediate: int, group: Group, *, count: int = 1) -> list[Tensor]:
    """Gate, up and down projection without bias."""
    return [
        *linear(f"{prefix}.gate_proj", intermediate, hidden, group, count=count),
        *linear(f"{prefix}.up_proj", intermediate, hidden, group, count=count),
        *linear(f"{prefix}.down_proj", hidden, intermediate, group, count=count),
    ]


def dense(text: TextDecoder) -> list[Tensor]:
    """The dense feed-forward part."""
    return swiglu("mlp", text.hidden_size, text.intermediate_size, "feed_forward")


def first_generation(text: TextDecoder) -> list[Tensor]:
    """SwiGLU of Qwen 1 under its own names."""
    hidden, intermediate = text.hidden_size, text.intermediate_size
    return [
        *linear("mlp.w1", intermediate, hidden, "feed_forward"),
        *linear("mlp.w2", intermediate, hidden, "feed_forward"),
        *linear("mlp.c_proj", hidden, intermediate, "feed_forward"),
    ]


def mixture(moe: Moe, hidden: int, layout: ExpertLayout) -> list[Tensor]:
    """Router, routed experts, and the shared expert with its sigmoid gate where there is one.

    Source: transformers ``Qwen2MoeSparseMoeBlock``, ``Qwen3MoeSparseMoeBlock``, ``Qwen3VLMoeTextExperts``,
    ``Qwen3_5MoeExperts``.
    """
    experts, width, shared = moe.num_experts, moe.moe_intermediate_size, moe.shared_expert_intermediate_size
    tensors = linear("mlp.gate", experts, hidden, "router")
    if layout == "separate":
        tensors += swiglu("mlp.experts.{expert}", hidden, width, "experts", count=experts)
    else:
        up, down = (experts, 2 * width, hidden), (experts, hidden, width)
        if layout == "fused transposed":
            up, down = (experts, hidden, 2 * width), (experts, width, hidden)
        tensors += [
            Tensor(name="mlp.experts.gate_up_proj", shape=up, group="experts"),
            Tensor(name="mlp.experts.down_proj", shape=down, group="experts"),
        ]
    if shared:
        tensors += swiglu("mlp.shared_expert", hidden, shared, "shared_expert")
        tensors += linear("mlp.shared_expert_gate", 1, hidden, "shared_expert")
    return tensors
