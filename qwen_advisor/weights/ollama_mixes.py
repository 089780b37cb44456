"""The mixes as Ollama's own quantizer made them for hybrids (Qwen3-Next, Qwen3.5, Qwen3.6) in early 2026.

Source: ``server/quantization.go`` of https://github.com/ollama/ollama at commit da70c3222. Since May 2026 it calls
``llama-quantize``.
"""

from __future__ import annotations

from qwen_advisor.weights.gguf_mixes import Setting, wanted_type
from qwen_advisor.weights.gguf_places import Place
from qwen_advisor.weights.gguf_tensors import Matrix

_FINER = frozenset({"attn_v.weight", "ffn_down_exps.weight", "ffn_down_shexp.weight"})
_AS_THE_MIX = frozenset({"attn_q", "attn_k", "attn_qkv", "attn_output"})


def type_ollama(matrix: Matrix, setting: Setting, at: Place, number: int) -> str:
    """The type under Ollama's rules; only Q4_K_M and Q4_K_S have any of their own."""
    if setting.mix in {"Q4_K_M", "Q4_K_S"}:
        if matrix.name in _FINER:
            return "Q6_K"
        if matrix.role in _AS_THE_MIX:
            return "Q4_K"
    return wanted_type(matrix, setting, at, number)
