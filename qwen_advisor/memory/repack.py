"""Weights that llama.cpp's CPU backend lays out anew for its kernels.

The rules are those of ``ggml_repack_get_optimal_repack_type`` (``ggml/src/ggml-cpu/repack.cpp``, build 11549): a
matrix is repacked by its type and by what the processor can do, where its rows come in whole groups.
"""

from __future__ import annotations

from qwen_advisor.footprint import Footprint
from qwen_advisor.machine import Cpu
from qwen_advisor.model import TextDecoder

_AVX2 = frozenset({"Q4_0", "Q4_K", "IQ4_NL", "MXFP4"})
_AVX512 = frozenset({"Q2_K"})
_DOTPROD = frozenset({"Q4_0", "Q4_K", "Q5_K", "Q6_K", "Q8_0", "IQ4_NL", "MXFP4"})
_MATMUL_INT8 = frozenset({"Q4_0", "Q4_K", "Q5_K", "Q6_K", "Q8_0"})
_HEAD_BYTES = {"Q4_0": 18 / 32, "Q4_K": 144 / 256, "Q5_K": 176 / 256, "Q6_K": 210 / 256, "Q8_0": 34 / 32}


def repacked_types(cpu: Cpu) -> frozenset[str]:
    """Tensor types that this processor's kernels want repacked.

    Without known features, x86-64 is taken to have AVX2 and Arm to have the dot product instructions, which every
    such processor sold for a personal computer in the last decade has.
    """
    features = set(cpu.features)
    types: frozenset[str] = frozenset()
    if cpu.arch == "x86_64":
        if not features or "avx2" in features:
            types |= _AVX2
        if "avx512f" in features and "avx512bw" in features:
            types |= _AVX512
    elif cpu.arch == "arm64":
        if not features or features & {"asimddp", "dotprod"}:
            types |= _DOTPROD
        if features & {"i8mm"}:
            types |= _MATMUL_INT8
    return types


def repacked_bytes(footprint: Footprint, text: TextDecoder, cpu: Cpu) -> int:
    """Bytes of weights that are repacked, a tied head included where its type is one of those."""
    types = repacked_types(cpu)
    size = sum(count for name, count in footprint.repack.items() if name in types)
    if footprint.tied and text.lm_head:
        per_weight = footprint.token_embedding / (text.vocab_size * text.hidden_size)
        if any(abs(per_weight - _HEAD_BYTES.get(name, -1)) < 1e-6 for name in types):
            size += footprint.token_embedding
    return size
