"""Widths of a decoder's tensors and of a batch, as llama.cpp's graphs have them."""

from __future__ import annotations

from functools import lru_cache

from qwen_advisor.model import TextDecoder
from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Widths of the tensors of one decoder, in float32 bytes per token where nothing else is said."""

    hidden: int
    query: int
    key: int
    feed_forward: int  # dense layers
    vocabulary: int
    heads: int
    head_dim: int
    kind: str  # "qk_norm", "bias" (Qwen1.5 to 2.5), "fused" (Qwen1), "gated" (with linear attention)
    rope_sections: bool  # four positions per token instead of one
    deepstack: int = 0  # levels of visual features that are fed into the first layers
    experts: int = 0
    experts_used: int = 0
    expert_width: int = 0
    shared_width: int = 0
    normalised_routing: bool = True
    next_style: bool = False  # Qwen3-Next: projections fused, keys repeated to the value heads
    key_width: int = 0  # linear attention: all key heads
    value_width: int = 0
    value_heads: int = 0
    conv_state: int = 0  # bytes per sequence
    recurrent_state: int = 0  # bytes per sequence
    interval: int = 1

    @property
    def position(self) -> int:
        """Bytes of the positions of one token: one integer, or four for rope by sections."""
        return 16 if self.rope_sections else 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one pass of the graph computes."""

    tokens: int
    sequences: int  # recurrent states in the batch
    outputs: int  # rows that get logits
    cells: int  # KV cells that attention looks at, per stream
    streams: int = 1  # KV streams: 1 for a unified cache
    flash_attention: bool = True
    rotate_k: bool = False  # quantized K and V are rotated (Hadamard) before they are stored
    rotate_v: bool = False
    cell_bytes: int = 0  # K and V of one cell of one layer, where staged
    unpacked: int = 0  # bytes per cell that flash attention unpacks to float16 beside its result

    @property
    def mask_bytes(self) -> int:
        """The attention mask: float16 with flash attention, else float32; one row per token."""
        return self.cells * self.tokens * (2 if self.flash_attention else 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """Weights of one layer that lie in main memory and are copied to the device for a large batch, in bytes.

    llama.cpp's scheduler runs a product with 32 rows or more on the device even where its weights are on the host
    (``op_offload``) and plans room for the copy in the device's compute buffer, one tensor at a time.
    """

    query: int = 0
    key: int = 0
    output: int = 0
    gate: int = 0  # dense gate or up projection, or all experts' gate projections
    down: int = 0
    cache: bool = False  # K and V of the layer lie on the host too


@lru_cache(maxsize=512)
def shape_of(text: TextDecoder, model_type: str, deepstack: int) -> Shape:
    """The widths of a decoder. ``deepstack`` is the number of visual levels (Qwen3-VL), 0 for others."""
    moe, linear = text.moe, text.linear_attention
    kind = "gated" if linear else "qk_norm" if text.qk_norm else "fused" if model_type == "qwen" else "bias"
    extra: dict[str, int] = {}
    if moe:
        extra |= {
            "experts": moe.num_experts,
            "experts_used": moe.num_experts_per_tok,
            "expert_width": 4 * moe.moe_intermediate_size,
            "shared_width": 4 * moe.shared_expert_intermediate_size,
        }
    if linear:
        keys = linear.linear_num_key_heads * linear.linear_key_head_dim
        values = linear.linear_num_value_heads * linear.linear_value_head_dim
        extra |= {
            "key_width": 4 * keys,
            "value_width": 4 * values,
            "value_heads": linear.linear_num_value_heads,
            "conv_state": 4 * (linear.linear_conv_kernel_dim - 1) * (2 * keys + values),
            "recurrent_state": 4 * values * linear.linear_value_head_dim,
            "interval": linear.full_attention_interval,
        }
    return Shape(
        hidden=4 * text.hidden_size,
        query=4 * text.num_attention_heads * text.head_dim,
        key=4 * text.num_key_value_heads * text.head_dim,
        feed_forward=4 * text.intermediate_size,
        vocabulary=4 * text.vocab_size,
        heads=text.num_attention_heads,
        head_dim=text.head_dim,
        kind=kind,
        rope_sections=deepstack > 0 or (linear is not None and not linear.fused_projections) or "vl" in model_type,
        deepstack=deepstack,
        normalised_routing=model_type != "qwen2_moe",
        next_style=linear is not None and linear.fused_projections,
        **extra,
    )
