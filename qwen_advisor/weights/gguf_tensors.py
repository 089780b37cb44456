"""Which tensors a GGUF file of a Qwen decoder holds, as llama.cpp's converter writes them.

Names and shapes are those of ``conversion/qwen*.py`` and ``src/models/qwen*.cpp`` of llama.cpp build 11549
(https://github.com/ggml-org/llama.cpp). Vectors, norms, routers and convolutions stay F32; matrices are what
a mix decides about.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from qwen_advisor.model import LinearAttention, TextDecoder
from qwen_advisor.values import dataclass

Role = Literal[
    "token_embd",
    "output",
    "attn_q",
    "attn_k",
    "attn_v",
    "attn_qkv",
    "attn_output",
    "ffn_gate",
    "ffn_up",
    "ffn_down",
    "other",
    "kept",  # never quantized: stays in the 16-bit type of the converted file
]


@dataclass(frozen=True, slots=True)
class Matrix:
    """A tensor that may be quantized: ``depth`` matrices (experts) of ``rows`` rows of ``cols`` weights."""

    name: str
    role: Role
    cols: int
    rows: int
    depth: int = 1

    @property
    def weights(self) -> int:
        """Number of weights."""
        return self.cols * self.rows * self.depth


@dataclass(frozen=True, slots=True)
class Vector:
    """A tensor that is always F32; ``dims`` is its number of dimensions in the file."""

    name: str
    weights: int
    dims: int = 1


@dataclass(frozen=True, slots=True)
class Block:
    """The tensors of one layer, or those outside the layers."""

    matrices: tuple[Matrix, ...]
    vectors: tuple[Vector, ...]

    @property
    def tensors(self) -> int:
        """Number of tensors."""
        return len(self.matrices) + len(self.vectors)

    def count(self, role: Role) -> int:
        """Number of matrices of a role."""
        return sum(matrix.role == role for matrix in self.matrices)


@dataclass(frozen=True, slots=True)
class Decoder:
    """All tensors of a decoder: the distinct kinds of block, and which kind each layer is."""

    head: Block  # token_embd, output, output_norm and what else lies outside the layers
    kinds: tuple[Block, ...]
    kind_of_layer: tuple[int, ...]
    mtp: Block | None  # the NextN block where the checkpoint has one
    stored_head: Matrix  # output.weight as a tied checkpoint may have it written out


def _attention(text: TextDecoder, *, fused: bool, gate: bool) -> tuple[list[Matrix], list[Vector]]:
    hidden, width = text.hidden_size, text.num_attention_heads * text.head_dim
    kv_width = text.num_key_value_heads * text.head_dim
    vectors: list[Vector] = []
    if fused:
        matrices = [Matrix("attn_qkv.weight", "attn_qkv", hidden, width + 2 * kv_width)]
        if text.attention_bias:
            vectors.append(Vector("attn_qkv.bias", width + 2 * kv_width))
    else:
        matrices = [
            Matrix("attn_q.weight", "attn_q", hidden, width * (2 if gate else 1)),
            Matrix("attn_k.weight", "attn_k", hidden, kv_width),
            Matrix("attn_v.weight", "attn_v", hidden, kv_width),
        ]
        if text.attention_bias:
            vectors += [
                Vector("attn_q.bias", width),
                Vector("attn_k.bias", kv_width),
                Vector("attn_v.bias", kv_width),
            ]
    matrices.append(Matrix("attn_output.weight", "attn_output", width, hidden))
    if text.qk_norm:
        vectors += [Vector("attn_q_norm.weight", text.head_dim), Vector("attn_k_norm.weight", text.head_dim)]
    if text.sparse_attention is not None:
        sparse = text.sparse_attention
        matrices += [
            Matrix("indexer.q_proj.weight", "kept", hidden, sparse.indexer_n_heads * sparse.indexer_head_dim),
            Matrix("indexer.k_proj.weight", "kept", hidden, sparse.indexer_kv_heads * sparse.indexer_head_dim),
        ]
        vectors += [
            Vector("indexer.q_norm.weight", sparse.indexer_head_dim),
            Vector("indexer.k_norm.weight", sparse.indexer_head_dim),
        ]
    return matrices, vectors


def _linear_attention(hidden: int, linear: LinearAttention, *, one_input: bool) -> tuple[list[Matrix], list[Vector]]:
    heads = linear.linear_num_value_heads
    keys = linear.linear_num_key_heads * linear.linear_key_head_dim
    values = heads * linear.linear_value_head_dim
    if linear.fused_projections:
        gates = [Matrix("ssm_ba.weight", "other", hidden, 2 * heads)]
    else:
        gates = [
            Matrix("ssm_alpha.weight", "other", hidden, heads),
            Matrix("ssm_beta.weight", "other", hidden, heads),
        ]
    inputs = [
        Matrix("attn_qkv.weight", "attn_qkv", hidden, 2 * keys + values),
        Matrix("attn_gate.weight", "other", hidden, values),
    ]
    if one_input:
        inputs = [Matrix("ssm_in.weight", "other", hidden, 2 * keys + 2 * values)]
    matrices = [
        *inputs,
        *gates,
        Matrix("ssm_out.weight", "other", values, hidden),
    ]
    vectors = [
        Vector("ssm_conv1d.weight", linear.linear_conv_kernel_dim * (2 * keys + values), 2),
        Vector("ssm_dt.bias", heads),
        Vector("ssm_a", heads),
        Vector("ssm_norm.weight", linear.linear_value_head_dim),
    ]
    return matrices, vectors


def _feed_forward(text: TextDecoder, *, moe: bool) -> tuple[list[Matrix], list[Vector]]:
    hidden = text.hidden_size
    if not moe or text.moe is None:
        inner = text.intermediate_size
        return [
            Matrix("ffn_gate.weight", "ffn_gate", hidden, inner),
            Matrix("ffn_up.weight", "ffn_up", hidden, inner),
            Matrix("ffn_down.weight", "ffn_down", inner, hidden),
        ], []
    experts, inner = text.moe.num_experts, text.moe.moe_intermediate_size
    shared = text.moe.shared_expert_intermediate_size
    matrices = [
        Matrix("ffn_gate_exps.weight", "ffn_gate", hidden, inner, experts),
        Matrix("ffn_up_exps.weight", "ffn_up", hidden, inner, experts),
        Matrix("ffn_down_exps.weight", "ffn_down", inner, hidden, experts),
    ]
    vectors = [Vector("ffn_gate_inp.weight", hidden * experts, 2)]
    if shared:
        matrices += [
            Matrix("ffn_gate_shexp.weight", "ffn_gate", hidden, shared),
            Matrix("ffn_up_shexp.weight", "ffn_up", hidden, shared),
            Matrix("ffn_down_shexp.weight", "ffn_down", shared, hidden),
        ]
        vectors.append(Vector("ffn_gate_inp_shexp.weight", hidden))
    return matrices, vectors


def _hyper_connections(text: TextDecoder) -> tuple[list[Matrix], list[Vector]]:
    if text.hyper_connections is None:
        return [], []
    streams = text.hyper_connections.hc_count
    wide, low = streams * text.hidden_size, text.hyper_connections.hc_lowrank
    matrices: list[Matrix] = []
    vectors: list[Vector] = []
    for part in ("attn", "ffn"):
        # The quantizer goes by names, so that hc_ffn_up and hc_ffn_down are taken for feed-forward matrices.
        up: Role = "ffn_up" if part == "ffn" else "other"
        down: Role = "ffn_down" if part == "ffn" else "other"
        matrices += [
            Matrix(f"hc_{part}_down.weight", down, wide, low),
            Matrix(f"hc_{part}_up.weight", up, low, wide),
            Matrix(f"hc_{part}_inject.weight", "other", wide, streams),
        ]
        vectors.append(Vector(f"hc_{part}_norm.weight", wide))
    return matrices, vectors


def _ngram(text: TextDecoder, index: int) -> tuple[list[Matrix], list[Vector]]:
    table, streams = text.ngram_embedding, text.hyper_connections
    if table is None or streams is None or index + 1 not in table.ple_layer_ids:  # ids count from 1
        return [], []
    hidden, wide = text.hidden_size, streams.hc_count * text.hidden_size
    matrices = [
        Matrix("ple_key.weight", "other", hidden, wide),
        Matrix("ple_value.weight", "other", hidden, hidden),
        Matrix("ple_conv1d.weight", "other", table.ple_conv_kernel_size, wide),
    ]
    return matrices, [Vector(f"ple_norm_{part}.weight", wide) for part in ("key", "query", "conv")]


def _layer(text: TextDecoder, index: int, *, linear: bool, fused: bool, one_input: bool = False) -> Block:
    gate = text.linear_attention is not None and text.linear_attention.attn_output_gate
    if linear and text.linear_attention is not None:
        attention = _linear_attention(text.hidden_size, text.linear_attention, one_input=one_input)
    else:
        attention = _attention(text, fused=fused, gate=gate)
    mtp = index >= text.num_hidden_layers
    parts = [
        attention,
        _feed_forward(text, moe=text.moe is not None if mtp else text.is_moe_layer(index)),
        _hyper_connections(text),
        _ngram(text, index),
    ]
    matrices = [matrix for part in parts for matrix in part[0]]
    vectors = [vector for part in parts for vector in part[1]]
    if text.hyper_connections is None:
        second = "ffn_norm.weight" if text.linear_attention is None else "post_attention_norm.weight"
        vectors += [Vector("attn_norm.weight", text.hidden_size), Vector(second, text.hidden_size)]
    return Block(tuple(matrices), tuple(vectors))


def _mtp(text: TextDecoder) -> Block:
    block = _layer(text, text.num_hidden_layers, linear=False, fused=False)
    hidden = text.hidden_size
    matrices = [*block.matrices, Matrix("nextn.eh_proj.weight", "other", 2 * hidden, hidden)]
    vectors = [*block.vectors, Vector("nextn.enorm.weight", hidden)]
    if text.hyper_connections is None:
        vectors += [Vector("nextn.hnorm.weight", hidden), Vector("nextn.shared_head_norm.weight", hidden)]
    else:
        wide, low = text.hyper_connections.hc_count * hidden, text.hyper_connections.hc_lowrank
        matrices += [
            Matrix("nextn.hc_head_down.weight", "other", wide, low),
            Matrix("nextn.hc_head_up.weight", "other", low, wide),
        ]
        vectors += [Vector("nextn.hnorm.weight", wide), Vector("nextn.hc_head_norm.weight", wide)]
    return Block(tuple(matrices), tuple(vectors))


def _head(text: TextDecoder, folded_rows: int) -> Block:
    hidden = text.hidden_size
    matrices = [Matrix("token_embd.weight", "token_embd", hidden, text.vocab_size + folded_rows)]
    vectors = [Vector("output_norm.weight", hidden)]
    if text.lm_head and not text.tie_word_embeddings:
        matrices.append(Matrix("output.weight", "output", hidden, text.vocab_size))
    if text.ngram_embedding is not None:
        table = text.ngram_embedding
        rows = table.split_ngram_parts * table.rows_per_part
        matrices.append(Matrix("per_layer_token_embd.weight", "token_embd", table.head_dim, rows))
    if text.hyper_connections is not None:
        wide, low = text.hyper_connections.hc_count * hidden, text.hyper_connections.hc_lowrank
        matrices += [
            Matrix("output_hc_down.weight", "other", wide, low),
            Matrix("output_hc_up.weight", "other", low, wide),
        ]
        vectors = [Vector("output_hc_norm.weight", wide)]
    return Block(tuple(matrices), tuple(vectors))


@lru_cache(maxsize=512)
def decoder(text: TextDecoder, model_type: str, *, one_input: bool = False, folded_rows: int = 0) -> Decoder:
    """The tensors of a language model.

    Args:
        text: its shape.
        model_type: the word of its configuration.
        one_input: linear attention has one input matrix, ``ssm_in``.
        folded_rows: rows of a text embedding that the converter joins to the codec's (``conversion/qwen3tts.py``).
    """
    kinds: dict[Block, int] = {}
    seen: dict[tuple[bool, bool, bool], int] = {}
    kind_of_layer: list[int] = []
    special = text.ngram_embedding.ple_layer_ids if text.ngram_embedding else ()
    fused = model_type == "qwen"
    for index, kind in enumerate(text.layer_types):
        linear = kind == "linear_attention"
        key = (linear, text.is_moe_layer(index), index + 1 in special)
        if key not in seen:
            block = _layer(text, index, linear=linear, fused=fused, one_input=one_input)
            seen[key] = kinds.setdefault(block, len(kinds))
        kind_of_layer.append(seen[key])
    return Decoder(
        head=_head(text, folded_rows),
        kinds=tuple(kinds),
        kind_of_layer=tuple(kind_of_layer),
        mtp=_mtp(text) if text.mtp_num_hidden_layers else None,
        stored_head=Matrix("output.weight", "output", text.hidden_size, text.vocab_size),
    )
