"""Gated residual streams and the hashed n-gram embedding of ``qwen4_exp``.

Source: transformers ``modeling_qwen4_exp.py`` (``Qwen4ExpTextGatedResidual``, ``Qwen4ExpTextPLELayer``).
"""

from __future__ import annotations

from qwen_advisor.model import HyperConnections, NgramEmbedding
from qwen_advisor.parameters.tensors import Tensor, linear, norm


def mixer(name: str, hyper: HyperConnections, hidden: int) -> list[Tensor]:
    """Reads one hidden state out of the streams, through a low-rank gate."""
    streams = hyper.hc_count * hidden
    return [
        *norm(f"{name}.hc_norm", streams),
        *linear(f"{name}.input_mix_weight_down", hyper.hc_lowrank, streams, "hyper_connection"),
        *linear(f"{name}.input_mix_weight_up", streams, hyper.hc_lowrank, "hyper_connection"),
    ]


def hyper_connection(name: str, hyper: HyperConnections, hidden: int) -> list[Tensor]:
    """A mixer that also writes the block's output back, with one weight for each stream."""
    inject = linear(f"{name}.block_inject_weight", hyper.hc_count, hyper.hc_count * hidden, "hyper_connection")
    return mixer(name, hyper, hidden) + inject


def ngram_mixer(ngram: NgramEmbedding, hyper: HyperConnections, hidden: int) -> list[Tensor]:
    """Brings the looked-up n-gram embedding into the streams of one layer."""
    streams = hyper.hc_count * hidden
    kernel = (streams, 1, ngram.ple_conv_kernel_size)
    return [
        *linear("ple.key_proj", streams, ngram.ple_embed_dim, "ngram_mixer"),
        *linear("ple.value_proj", hidden, ngram.ple_embed_dim, "ngram_mixer"),
        *norm("ple.norm_key", streams),
        *norm("ple.norm_query", streams),
        *norm("ple.norm_conv", streams),
        Tensor(name="ple.conv1d.weight", shape=kernel, group="ngram_mixer"),
    ]


def ngram_table(ngram: NgramEmbedding) -> list[Tensor]:
    """The table itself, in equal parts; of its rows one token reads ``(ngram_size - 1) * heads_per_ngram``."""
    name = "ple.ple_embedding.ngram_embedding.shard_{part}.weight"
    shape = (ngram.rows_per_part, ngram.head_dim)
    return [Tensor(name=name, shape=shape, count=ngram.split_ngram_parts, group="ngram_embedding")]
