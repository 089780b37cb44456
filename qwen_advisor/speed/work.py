"""What one token costs in bytes and operations: pure counts, no rates, closed forms only."""

from __future__ import annotations

from qwen_advisor.footprint import Footprint
from qwen_advisor.model import Moe, TextDecoder
from qwen_advisor.values import dataclass

# Bytes per cached value: ggml block sizes (block bytes / values), and one byte for FP8.
KV_BYTES = {
    "f32": 4.0,
    "f16": 2.0,
    "bf16": 2.0,
    "q8_0": 34 / 32,
    "q5_1": 24 / 32,
    "q5_0": 22 / 32,
    "q4_1": 20 / 32,
    "q4_0": 18 / 32,
    "iq4_nl": 18 / 32,
    "fp8": 1.0,
}
_STATE_VALUE_BYTES = 4.0  # every engine keeps the recurrent state in float32


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Counts of one decoder, per token unless the name says otherwise. Bytes, operations, layers."""

    layers: int
    hidden: int
    attention_layers: int
    linear_layers: int
    moe_layers: int
    dense_weights: float  # matrix weights that every token passes, head excluded
    expert_weights: float  # weights of the routed experts that one token is sent to
    head_weights: float
    attention_flops: float  # per query token and cached token: scores and weighted sum
    kv_values: float  # cached values per token
    state_bytes: float  # recurrent state of one sequence, read and written once per token
    delta_flops: float  # state update and read of the linear attention layers
    experts: int = 1
    experts_used: int = 1
    attention_budget: int | None = None  # sparse attention: tokens that one query looks at
    index_values: float = 0.0  # sparse attention: values of the index read per cached token

    def attended(self, depth: float) -> float:
        """Cached tokens that one query at ``depth`` looks at."""
        return depth if self.attention_budget is None else min(depth, float(self.attention_budget))

    def cached_values(self, depth: float) -> float:
        """Cached values that one query at ``depth`` reads: keys and values of what it looks at, and the index."""
        return self.kv_values * self.attended(depth) + self.index_values * depth

    def attended_pairs(self, depth: int, tokens: int) -> float:
        """Pairs of query and key of ``tokens`` causal queries that begin at ``depth``."""
        end = depth + tokens
        budget = self.attention_budget
        if budget is None or end <= budget:
            return tokens * (depth + end) / 2.0
        if depth >= budget:
            return float(tokens) * budget
        return (budget - depth) * (depth + budget) / 2.0 + (end - budget) * float(budget)


def _moe_layers(text: TextDecoder, moe: Moe) -> int:
    """How many layers have experts: every ``decoder_sparse_step``-th, but for those named dense."""
    step = max(1, moe.decoder_sparse_step)
    named = sum(1 for index in moe.mlp_only_layers if index < text.num_hidden_layers and (index + 1) % step == 0)
    return text.num_hidden_layers // step - named


def work(text: TextDecoder) -> Work:
    """Count the work of one token by the shapes of ``config.json``.

    Two operations per weight; softmax attention takes 4 x heads x head_dim operations per cached token and layer
    (scores and weighted sum); a gated delta rule layer reads and writes its state of
    value heads x key_dim x value_dim once and takes about 8 operations per element of it
    (decay, read, outer product, add: arXiv 2412.06464).
    """
    layers, hidden, linear = text.num_hidden_layers, text.hidden_size, text.linear_attention
    query = text.num_attention_heads * text.head_dim
    cached = 2 * text.num_key_value_heads * text.head_dim
    gate = 1
    linear_layers, state, linear_weights = 0, 0.0, 0.0
    if linear is not None:
        gate = 2 if linear.attn_output_gate else 1
        linear_layers = layers - layers // linear.full_attention_interval
        keys = linear.linear_num_key_heads * linear.linear_key_head_dim
        values = linear.linear_num_value_heads * linear.linear_value_head_dim
        state = float(linear.linear_num_value_heads * linear.linear_key_head_dim * linear.linear_value_head_dim)
        linear_weights = hidden * (2 * keys + 3 * values + 2 * linear.linear_num_value_heads)
    attention_layers = layers - linear_layers
    sparse = text.sparse_attention
    index = 0.0
    if sparse is not None:
        index = attention_layers * sparse.indexer_kv_heads * sparse.indexer_head_dim / sparse.indexer_compress_ratio
    dense = attention_layers * hidden * ((gate + 1) * query + cached) + linear_layers * linear_weights
    experts = 0.0
    moe, moe_layers = text.moe, 0
    if moe is not None:
        moe_layers = _moe_layers(text, moe)
        experts = moe_layers * 3.0 * hidden * moe.moe_intermediate_size * moe.num_experts_per_tok
        dense += moe_layers * hidden * (3 * moe.shared_expert_intermediate_size + moe.num_experts)
    dense += (layers - moe_layers) * 3 * hidden * text.intermediate_size
    return Work(
        layers=layers,
        hidden=hidden,
        attention_layers=attention_layers,
        linear_layers=linear_layers,
        moe_layers=moe_layers,
        dense_weights=dense,
        expert_weights=experts,
        head_weights=float(hidden * text.vocab_size) if text.lm_head else 0.0,
        attention_flops=4.0 * query * attention_layers,
        kv_values=float(cached * attention_layers),
        state_bytes=2.0 * _STATE_VALUE_BYTES * state * linear_layers,
        delta_flops=8.0 * state * linear_layers,
        experts=moe.num_experts if moe else 1,
        experts_used=moe.num_experts_per_tok if moe else 1,
        attention_budget=sparse.indexer_budget if sparse else None,
        index_values=index,
    )


def distinct_experts(count: Work, tokens: float) -> float:
    """Expected share of all experts that ``tokens`` tokens touch, each choosing its own: 1 - (1 - k/E)^tokens."""
    return 1.0 - (1.0 - count.experts_used / count.experts) ** tokens if count.experts > 1 else 1.0


def head_bytes(footprint: Footprint) -> int:
    """Bytes of the output head, which is the embedding where the two are tied."""
    return (footprint.token_embedding if footprint.tied else footprint.output) + footprint.output_norm
