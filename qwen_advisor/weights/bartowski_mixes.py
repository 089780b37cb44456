"""The mixes as bartowski makes them: llama.cpp's rules with changes of his own for mixtures of experts and hybrids.

Sources: https://github.com/bartowski1182/llama.cpp, branch ``quant_types``, at commit f609de5a2 (2025, mixtures of
experts only) and at its head (2026). His files are made with an importance matrix. The types of Qwen3-Next's one
input matrix follow from the sizes of https://huggingface.co/bartowski/Qwen_Qwen3-Next-80B-A3B-Instruct-GGUF.
"""

from __future__ import annotations

from qwen_advisor.weights.gguf_mixes import DEFAULT_TYPE, FINE_TWO_BIT, TWO_BIT, Setting, wanted_type
from qwen_advisor.weights.gguf_places import Place
from qwen_advisor.weights.gguf_tensors import Matrix

_EXPERT_DOWN_2025 = {
    "Q2_K": "Q3_K",
    "Q3_K_M": "Q4_K",
    "Q3_K_L": "Q5_K",
    "Q4_K_S": "Q5_K",
    "Q4_K_M": "Q6_K",
    "Q5_K_M": "Q6_K",
    "Q4_0": "Q4_1",
    "Q5_0": "Q5_1",
    "IQ3_S": "Q4_K",
    "IQ3_M": "Q4_K",
    "IQ3_XS": "IQ3_S",
    "IQ3_XXS": "IQ3_S",
}
_OUTER_EXPERTS_2025 = {
    "IQ2_M": "IQ3_XXS",
    "IQ2_S": "IQ2_S",
    "IQ2_XS": "IQ2_S",
    "IQ2_XXS": "IQ2_XS",
    "IQ1_M": "IQ2_XXS",
    "IQ1_S": "IQ1_M",
}
_INNER_EXPERTS_2025 = {
    "IQ2_M": "IQ2_XS",
    "IQ2_S": "IQ2_XXS",
    "IQ2_XS": "IQ2_XXS",
    "IQ2_XXS": "IQ1_M",
    "IQ1_M": "IQ1_S",
    "IQ1_S": "IQ1_S",
}
_SHARED_2025 = {"Q4_K_M": "Q6_K", "Q5_K_S": "Q6_K", "Q5_K_M": "Q8_0"}
_OUTPUT_2025 = frozenset(
    {"Q2_K", "IQ3_XS", "IQ3_XXS", "Q3_K_S", "Q3_K_M", "IQ4_NL", "Q4_K_S", "Q4_K_M", "IQ3_S", "IQ3_M", "IQ4_XS"}
)
_INPUT_2025 = {
    **dict.fromkeys(("Q2_K", "IQ3_XXS"), "Q4_K"),
    **dict.fromkeys(("Q3_K_S", "Q3_K_M", "Q3_K_L", "IQ3_XS", "IQ3_S", "IQ3_M"), "Q5_K"),
    **dict.fromkeys(("IQ4_XS", "IQ4_NL", "Q4_K_S"), "Q5_K"),
    "Q4_0": "Q5_0",
    **dict.fromkeys(("Q4_K_M", "Q5_K_M"), "Q6_K"),
    "Q6_K": "Q8_0",
}


def _is_shared(matrix: Matrix) -> bool:
    return "_shexp" in matrix.name


def type_2025(matrix: Matrix, setting: Setting, at: Place, number: int) -> str:
    """The type under the rules of 2025; a model without experts gets llama.cpp's own."""
    mix, role = setting.mix, matrix.role
    default = DEFAULT_TYPE[mix]
    if setting.experts < 8 or role in {"token_embd", "output"} or mix == "MXFP4_MOE":
        return wanted_type(matrix, setting, at, number)
    if mix in TWO_BIT:
        if role == "attn_k":
            return "Q4_K"
        if matrix.depth > 1:
            return _OUTER_EXPERTS_2025[mix] if at.outer else _INNER_EXPERTS_2025[mix]
        if _is_shared(matrix):
            return "Q6_K" if at.more_bits else default
        if role == "attn_output":
            return "Q5_K" if mix in FINE_TWO_BIT else "Q4_K"
        return default if role == "ffn_down" else wanted_type(matrix, setting, at, number)
    if role == "attn_k":
        return "Q8_0"
    if _is_shared(matrix):
        return "Q8_0" if at.more_bits else _SHARED_2025.get(mix, "Q5_K")
    if role == "ffn_down" and matrix.depth > 1:
        return _EXPERT_DOWN_2025.get(mix, default) if at.more_bits else default
    if role == "attn_output":
        return "Q5_K" if mix in _OUTPUT_2025 else default
    if matrix.name == "ssm_in.weight":
        return _INPUT_2025.get(mix, default)
    return wanted_type(matrix, setting, at, number)


_EXPERT_DOWN_2026 = _EXPERT_DOWN_2025 | {
    "Q6_K": "Q8_0",
    "IQ3_S": "Q5_K",
    "IQ3_M": "Q5_K",
    "IQ3_XS": "Q4_K",
    "IQ3_XXS": "Q4_K",
}
_OUTER_DOWN_2026 = _OUTER_EXPERTS_2025 | {"IQ2_M": "IQ3_S", "IQ2_S": "IQ3_XXS"}
_SHARED_2026 = {
    **dict.fromkeys(("IQ3_M", "IQ3_S", "IQ3_XS", "IQ3_XXS", "Q2_K", "Q2_K_S"), "Q4_K"),
    "Q4_0": "Q5_0",
    "Q4_1": "Q5_1",
    **dict.fromkeys(("Q4_K_S", "Q3_K_L", "Q3_K_M", "Q3_K_S"), "Q5_K"),
    **dict.fromkeys(("Q4_K_M", "Q5_K_S"), "Q6_K"),
    **dict.fromkeys(("Q5_K_M", "Q6_K", "Q8_0"), "Q8_0"),
}
_FUSED_2026 = {
    "Q2_K": "Q4_K",
    **dict.fromkeys(("Q3_K_S", "Q3_K_M", "Q3_K_L", "IQ3_XXS", "IQ3_XS", "IQ3_S", "IQ3_M", "Q4_K_S"), "Q5_K"),
    **dict.fromkeys(("Q4_K_M", "Q5_K_S"), "Q6_K"),
    **dict.fromkeys(("Q5_K_M", "Q6_K"), "Q8_0"),
}
_OUTPUT_EXPERTS_2026 = {
    **dict.fromkeys(("Q2_K", "IQ3_XS", "IQ3_XXS", "Q4_K_S", "Q3_K_S", "Q3_K_M"), "Q4_K"),
    **dict.fromkeys(("IQ4_NL", "Q4_K_M", "IQ3_S", "IQ3_M", "IQ4_XS", "Q5_K_S"), "Q5_K"),
    "Q5_K_M": "Q6_K",
    "Q6_K": "Q8_0",
}
_OUTPUT_DENSE_2026 = {
    "Q2_K": "Q3_K",
    "IQ3_XXS": "IQ3_S",
    "IQ3_XS": "IQ3_S",
    **dict.fromkeys(("Q3_K_M", "Q3_K_L", "IQ3_M", "Q4_K_S"), "Q4_K"),
    **dict.fromkeys(("Q4_K_M", "Q5_K_S"), "Q5_K"),
    "Q5_K_M": "Q6_K",
    "Q6_K": "Q8_0",
}
_KEYS_DENSE_2026 = {"Q6_K": "Q8_0", "Q5_K_M": "Q6_K", "Q4_K_M": "Q5_K"}


def _value_2026(setting: Setting, at: Place) -> str:
    mix, grouped = setting.mix, setting.grouping >= 4
    if setting.experts >= 8:
        return "Q8_0"
    kind = DEFAULT_TYPE[mix]
    if mix in {"Q2_K", "Q2_K_S"}:
        kind = "Q4_K" if grouped else "Q3_K"
    elif mix in {"IQ3_XXS", "IQ3_XS", "IQ3_S"}:
        kind = "Q4_K" if grouped else kind
    elif mix in {"IQ3_M", "Q3_K_L"}:
        kind = "Q5_K"
    elif mix == "Q3_K_M":
        kind = "Q5_K" if at.own_more_bits else "Q4_K"
    elif mix in {"IQ4_NL", "IQ4_XS"}:
        kind = "Q6_K" if grouped else kind
    elif at.own_more_bits:
        kind = {"Q4_K_M": "Q6_K", "Q5_K_M": "Q6_K", "Q4_K_S": "Q5_K", "Q6_K": "Q8_0"}.get(mix, kind)
    return "Q5_K" if setting.seventy_b and kind in {"Q3_K", "Q4_K"} else kind


def _two_bit_2026(matrix: Matrix, setting: Setting, at: Place) -> str:
    mix, role = setting.mix, matrix.role
    default = DEFAULT_TYPE[mix]
    fine = mix in FINE_TWO_BIT
    if role == "attn_v":
        return "Q6_K" if at.own_more_bits else "Q4_K"
    if role == "attn_qkv":
        if setting.experts >= 8:
            return "Q6_K" if at.own_more_bits else "Q4_K"
        return "Q4_K" if at.own_more_bits else default
    if matrix.name == "ssm_out.weight":
        return "Q4_K" if at.own_more_bits else default
    if role == "attn_k" or (role == "attn_q" and (setting.experts >= 8 or setting.softmax_layers >= 8)):
        return "Q4_K"
    if _is_shared(matrix):
        return "Q8_0" if at.more_bits else "Q4_K"
    if matrix.depth > 1:
        return _OUTER_DOWN_2026[mix] if role == "ffn_down" and at.outer else default
    if role in {"ffn_down", "ffn_gate", "ffn_up"}:
        if at.first_sixteenth:
            return "Q6_K" if role == "ffn_down" else "Q4_K"
        return ("IQ3_S" if fine else "Q2_K") if at.first_eighth else default
    if role == "attn_output":
        if setting.experts >= 8:
            return "Q5_K" if fine else "Q4_K"
        return "IQ3_S" if fine else ("IQ2_XXS" if mix in {"IQ1_S", "IQ1_M"} else default)
    return default


def type_2026(matrix: Matrix, setting: Setting, at: Place, number: int) -> str:
    """The type under the rules of 2026, for any model."""
    mix, role = setting.mix, matrix.role
    default = DEFAULT_TYPE[mix]
    if role in {"token_embd", "output"}:
        return wanted_type(matrix, setting, at, number)
    if matrix.name in {"ssm_alpha.weight", "ssm_beta.weight", "ssm_ba.weight"}:
        return "F32"
    if mix == "MXFP4_MOE":
        return wanted_type(matrix, setting, at, number)
    if mix in TWO_BIT:
        return _two_bit_2026(matrix, setting, at)
    if matrix.name == "ssm_out.weight":
        return "Q8_0" if at.own_more_bits else default
    if role == "attn_v":
        return _value_2026(setting, at)
    if role == "attn_q":
        return ("Q8_0" if mix in {"Q6_K", "Q8_0"} else "Q6_K") if at.own_more_bits else default
    if role == "attn_k":
        return "Q8_0" if setting.experts >= 8 else _KEYS_DENSE_2026.get(mix, default)
    if _is_shared(matrix):
        return "Q8_0" if at.more_bits else _SHARED_2026.get(mix, default)
    if matrix.depth > 1:
        if mix in {"Q4_0", "Q5_0"}:
            bumped = role == "ffn_down" and at.first_eighth
        else:
            bumped = role == "ffn_down" and at.more_bits
        return _EXPERT_DOWN_2026.get(mix, default) if bumped else default
    if role == "attn_output":
        return (_OUTPUT_EXPERTS_2026 if setting.experts >= 8 else _OUTPUT_DENSE_2026).get(mix, default)
    if role == "attn_qkv":
        return _FUSED_2026.get(mix, default)
    return wanted_type(matrix, setting, at, number)
