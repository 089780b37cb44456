"""Token mixers of one decoder layer: softmax attention, Gated DeltaNet, the indexer of sparse attention."""

from __future__ import annotations

from qwen_advisor.model import LinearAttention, SparseAttention, TextDecoder
from qwen_advisor.parameters.tensors import Tensor, linear, norm


def attention(text: TextDecoder) -> list[Tensor]:
    """Softmax attention. Only Q, K and V carry a bias; an output gate doubles the rows of ``q_proj``.

    Source: transformers ``Qwen2Attention``, ``Qwen3Attention``, ``Qwen3NextAttention``.
    """
    queries = text.num_attention_heads * text.head_dim
    keys = text.num_key_value_heads * text.head_dim
    gated = text.linear_attention is not None and text.linear_attention.attn_output_gate
    bias = text.attention_bias
    tensors = [
        *linear("self_attn.q_proj", queries * (2 if gated else 1), text.hidden_size, "attention", bias=bias),
        *linear("self_attn.k_proj", keys, text.hidden_size, "attention", bias=bias),
        *linear("self_attn.v_proj", keys, text.hidden_size, "attention", bias=bias),
        *linear("self_attn.o_proj", text.hidden_size, queries, "attention"),
    ]
    if text.qk_norm:
        tensors += norm("self_attn.q_norm", text.head_dim) + norm("self_attn.k_norm", text.head_dim)
    if text.sparse_attention:
        tensors += _indexer(text.sparse_attention, text.hidden_size)
    return tensors


def first_generation_attention(text: TextDecoder) -> list[Tensor]:
    """Attention of Qwen 1: one fused projection with bias. Source: ``modeling_qwen.py`` of the repositories."""
    queries = text.num_attention_heads * text.head_dim
    fused = queries + 2 * text.num_key_value_heads * text.head_dim
    return [
        *linear("attn.c_attn", fused, text.hidden_size, "attention", bias=text.attention_bias),
        *linear("attn.c_proj", text.hidden_size, queries, "attention"),
    ]


def _indexer(sparse: SparseAttention, hidden: int) -> list[Tensor]:
    """Scores blocks of keys, so that attention reads a budget of them. Source: ``Qwen4ExpTextQSAIndexer``."""
    rows = (sparse.indexer_n_heads + sparse.indexer_kv_heads) * sparse.indexer_head_dim
    return [
        *linear("self_attn.indexer.index_qk_proj", rows, hidden, "indexer"),
        *norm("self_attn.indexer.q_layernorm", sparse.indexer_head_dim),
        *norm("self_attn.indexer.k_layernorm", sparse.indexer_head_dim),
    ]


def linear_attention(linear_part: LinearAttention, hidden: int) -> list[Tensor]:
    """Gated DeltaNet. Qwen3-Next stores two fused input projections, later models four.

    Source: transformers ``Qwen3NextGatedDeltaNet``, ``Qwen3_5GatedDeltaNet``.
    """
    heads = linear_part.linear_num_value_heads
    keys = linear_part.linear_num_key_heads * linear_part.linear_key_head_dim
    values = heads * linear_part.linear_value_head_dim
    if linear_part.fused_projections:
        projections = [("in_proj_qkvz", 2 * keys + 2 * values), ("in_proj_ba", 2 * heads)]
    else:
        projections = [
            ("in_proj_qkv", 2 * keys + values),
            ("in_proj_z", values),
            ("in_proj_b", heads),
            ("in_proj_a", heads),
        ]
    kernel = (2 * keys + values, 1, linear_part.linear_conv_kernel_dim)
    return [
        *(t for name, rows in projections for t in linear(f"linear_attn.{name}", rows, hidden, "linear_attention")),
        Tensor(name="linear_attn.conv1d.weight", shape=kernel, group="linear_attention"),
        Tensor(name="linear_attn.dt_bias", shape=(heads,), group="linear_attention"),
        Tensor(name="linear_attn.A_log", shape=(heads,), group="linear_attention"),
        *norm("linear_attn.norm", linear_part.linear_value_head_dim),
        *linear("linear_attn.out_proj", hidden, values, "linear_attention"),
    ]
