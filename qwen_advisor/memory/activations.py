"""Activations of engines that run a decoder layer by layer in 16 bit: what reading a prompt takes at its peak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qwen_advisor.model import TextDecoder


def prefill_bytes_per_token(text: TextDecoder, constants: Mapping[str, Any]) -> int:
    """Bytes of activations that one prompt token needs in the widest layer.

    Dense: gate, up and product of the feed-forward part beside residual, normalised input, Q and output. Mixture of
    experts: the same over the chosen and the shared experts, with the token's copy for each chosen expert.
    """
    per_width = constants["prefill_bytes_per_feed_forward"]
    per_hidden = constants["prefill_bytes_per_hidden"]
    width = text.intermediate_size
    hidden = text.hidden_size
    if text.moe:
        moe = text.moe
        routed = moe.num_experts_per_tok * moe.moe_intermediate_size + moe.shared_expert_intermediate_size
        width = max(width, routed)
        hidden += hidden * moe.num_experts_per_tok // 2
    size = int(per_width * width + per_hidden * hidden)
    if text.linear_attention:
        linear = text.linear_attention
        keys = linear.linear_num_key_heads * linear.linear_key_head_dim
        values = linear.linear_num_value_heads * linear.linear_value_head_dim
        size = max(size, 2 * (3 * (2 * keys + values) + 4 * values) + per_hidden * hidden)
    return size


def logits_bytes(text: TextDecoder, rows: int, constants: Mapping[str, Any]) -> int:
    """Bytes of the logits of ``rows`` tokens, with the copies that sampling makes."""
    return int(constants["logit_bytes"] * text.vocab_size * rows)
