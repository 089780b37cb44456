"""Which type every matrix gets under each mix of ``llama-quantize``.

The rules are those of ``src/llama-quant.cpp`` of llama.cpp build 11549
(``llama_tensor_get_type_impl``, ``tensor_type_fallback``; https://github.com/ggml-org/llama.cpp), for the
architectures of the Qwen family only. They go by the role of a matrix and by where in the stack its layer lies.
"""

from __future__ import annotations

from collections.abc import Callable

from qwen_advisor.values import dataclass
from qwen_advisor.weights.gguf_places import Place
from qwen_advisor.weights.gguf_tensors import Matrix, Role

# llama_ftype_get_default_type
DEFAULT_TYPE = {
    "Q2_K": "Q2_K",
    "Q2_K_S": "Q2_K",
    "Q3_K_S": "Q3_K",
    "Q3_K_M": "Q3_K",
    "Q3_K_L": "Q3_K",
    "Q4_0": "Q4_0",
    "Q4_1": "Q4_1",
    "Q5_0": "Q5_0",
    "Q5_1": "Q5_1",
    "Q4_K_S": "Q4_K",
    "Q4_K_M": "Q4_K",
    "Q5_K_S": "Q5_K",
    "Q5_K_M": "Q5_K",
    "Q6_K": "Q6_K",
    "Q8_0": "Q8_0",
    "IQ1_S": "IQ1_S",
    "IQ1_M": "IQ1_M",
    "IQ2_XXS": "IQ2_XXS",
    "IQ2_XS": "IQ2_XS",
    "IQ2_S": "IQ2_XS",
    "IQ2_M": "IQ2_S",
    "IQ3_XXS": "IQ3_XXS",
    "IQ3_XS": "IQ3_S",
    "IQ3_S": "IQ3_S",
    "IQ3_M": "IQ3_S",
    "IQ4_XS": "IQ4_XS",
    "IQ4_NL": "IQ4_NL",
    "MXFP4_MOE": "MXFP4",
    "BF16": "BF16",
    "F16": "F16",
    "F32": "F32",
}

_UNQUANTIZED = frozenset({"BF16", "F16", "F32"})
TWO_BIT = frozenset({"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M"})
FINE_TWO_BIT = frozenset({"IQ2_S", "IQ2_M"})
_BLOCKS_OF_256 = frozenset(
    {
        *("Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S"),
        *("IQ3_XXS", "IQ3_S", "IQ4_XS"),
    }
)
# tensor_type_fallback: where a row does not fill blocks of 256 weights
_FALLBACK = {"Q2_K": "Q4_0", "Q3_K": "Q4_0", "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}

# Types by role where they depend on nothing else; what is not named keeps the default type of the mix.
_BY_ROLE: dict[tuple[str, Role], str] = {
    ("Q3_K_L", "attn_v"): "Q5_K",
    ("IQ3_M", "attn_v"): "Q4_K",
    ("Q2_K", "ffn_down"): "Q3_K",
    ("Q3_K_L", "ffn_down"): "Q5_K",
    ("Q2_K", "attn_output"): "Q3_K",
    ("Q3_K_M", "attn_output"): "Q4_K",
    ("Q3_K_L", "attn_output"): "Q5_K",
    ("IQ3_M", "attn_output"): "Q4_K",
    ("IQ3_XXS", "attn_output"): "IQ3_S",
    ("IQ2_S", "attn_output"): "IQ3_S",
    ("IQ2_M", "attn_output"): "IQ3_S",
    ("IQ1_S", "attn_output"): "IQ2_XXS",
    ("IQ1_M", "attn_output"): "IQ2_XXS",
    ("IQ3_XS", "attn_q"): "IQ3_XXS",
    ("IQ3_XS", "attn_k"): "IQ3_XXS",
    ("IQ3_XXS", "attn_q"): "IQ2_S",
    ("IQ3_XXS", "attn_k"): "IQ2_S",
    ("IQ2_XXS", "token_embd"): "Q2_K",
    ("IQ2_XS", "token_embd"): "Q2_K",
    ("IQ1_S", "token_embd"): "Q2_K",
    ("IQ1_M", "token_embd"): "Q2_K",
    ("IQ2_S", "token_embd"): "IQ3_S",
    ("IQ2_M", "token_embd"): "IQ3_S",
    ("IQ3_XXS", "token_embd"): "IQ3_S",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What a mix asks about the model and about how the file was made."""

    mix: str
    tied: bool  # the file holds no output.weight
    grouping: int  # query heads per key-value head
    experts: int
    softmax_layers: int  # layers with softmax attention, an MTP block among them
    seventy_b: bool  # llama.cpp takes the model for its "70B" type
    imatrix: bool = False
    old_qkv_rule: bool = False
    old_fallback: bool = False
    mtp: bool = False
    mtp_type: str = ""  # of all matrices of the MTP block, where they were pinned
    values_f16: bool = False
    float_type: str = "BF16"  # of the converted file, for matrices that are never quantized
    overrides: tuple[tuple[str, str], ...] = ()  # tensor name -> type, as ``--tensor-type`` sets it


def _attention_value(setting: Setting, at: Place) -> str:
    """attn_v, and since the tensor categories of 2026 fused attn_qkv too."""
    mix = setting.mix
    kind = DEFAULT_TYPE[mix]
    grouped = setting.grouping >= 4
    if mix in TWO_BIT:
        if grouped or setting.experts >= 4:
            return "Q4_K"
        return "IQ3_S" if mix in FINE_TWO_BIT else "Q2_K"
    if mix == "Q2_K":
        kind = "Q4_K" if grouped else "Q3_K"
    elif mix == "IQ3_XXS":
        kind = "Q4_K" if grouped else ("IQ3_XXS" if setting.imatrix else "IQ3_S")
    elif mix in {"Q2_K_S", "IQ3_XS", "IQ3_S"} and grouped:
        kind = "Q4_K"
    elif mix == "Q3_K_M":
        kind = "Q5_K" if at.value_first_2 else "Q4_K"
    elif mix in {"IQ4_NL", "IQ4_XS"} and grouped:
        kind = "Q5_K"
    elif mix in {"Q4_K_M", "Q5_K_M"} and at.value_more_bits:
        kind = "Q6_K"
    elif mix == "Q4_K_S" and at.value_first_4:
        kind = "Q5_K"
    else:
        kind = _BY_ROLE.get((mix, "attn_v"), kind)
    if setting.seventy_b and kind in {"Q3_K", "Q4_K"}:
        return "Q5_K"
    return kind


def _fused_attention(setting: Setting, at: Place) -> str:
    """attn_qkv: as attn_v today; before that refactoring by a rule of its own."""
    if not setting.old_qkv_rule:
        return _attention_value(setting, at)
    old = {"Q3_K_M": "Q4_K", "Q3_K_L": "Q4_K", "IQ3_M": "Q4_K", "Q4_K_M": "Q5_K", "Q5_K_M": "Q6_K"}
    return old.get(setting.mix, DEFAULT_TYPE[setting.mix])


def _down(setting: Setting, at: Place, number: int) -> str:
    mix = setting.mix
    if mix in TWO_BIT:
        if number < at.early_downs:
            return "IQ3_S" if mix in FINE_TWO_BIT else "Q2_K"
    elif mix == "Q3_K_M":
        return "Q5_K" if at.first_sixteenth else "Q4_K"
    elif mix in {"Q4_K_M", "Q5_K_M"}:
        if at.more_bits:
            return "Q6_K"
    elif mix == "IQ3_XXS" and not setting.imatrix:
        return "Q4_K" if at.first_eighth else "Q3_K"
    elif at.first_eighth:
        if mix in {"Q2_K_S", "IQ3_M"}:
            return "Q4_K"
        if mix == "Q4_K_S" or (mix in {"IQ4_NL", "IQ4_XS"} and not setting.imatrix):
            return "Q5_K"
        if mix in {"Q4_0", "Q5_0"} and setting.imatrix:
            return "Q4_1" if mix == "Q4_0" else "Q5_1"
    return _BY_ROLE.get((mix, "ffn_down"), DEFAULT_TYPE[mix])


def _head(setting: Setting, cols: int) -> str:
    """The output matrix, or the embedding where it serves as one."""
    kind = DEFAULT_TYPE[setting.mix]
    if kind == "MXFP4" or cols % (256 if kind in _BLOCKS_OF_256 else 32):
        return "Q8_0"
    if setting.mix in TWO_BIT or setting.mix == "IQ3_XXS":
        return "Q5_K"
    return kind if kind == "Q8_0" else "Q6_K"


def wanted_type(matrix: Matrix, setting: Setting, at: Place, number: int) -> str:
    """What ``llama_tensor_get_type_impl`` asks for, whether or not the rows fill its blocks."""
    mix, role = setting.mix, matrix.role
    if role == "output" or (role == "token_embd" and setting.tied):
        return _head(setting, matrix.cols)
    if mix == "MXFP4_MOE":
        return "MXFP4" if matrix.depth > 1 else "Q8_0"
    if role == "attn_v":
        return _attention_value(setting, at)
    if role == "attn_qkv":
        return _fused_attention(setting, at)
    if role == "ffn_down":
        return _down(setting, at, number)
    if mix == "IQ3_XS" and role in {"ffn_gate", "ffn_up"} and at.middle:
        return "IQ3_XXS"
    return _BY_ROLE.get((mix, role), DEFAULT_TYPE[mix])


def default_type(matrix: Matrix, setting: Setting, at: Place, number: int) -> str:  # noqa: ARG001
    """The default type of the mix for every matrix, as ``llama-quantize --pure`` gives it."""
    return DEFAULT_TYPE[setting.mix]


Rules = Callable[[Matrix, Setting, Place, int], str]


def matrix_type(matrix: Matrix, setting: Setting, at: Place, number: int = 0, rules: Rules = wanted_type) -> str:
    """The ggml type that ``llama-quantize`` gives ``matrix``; ``number`` counts ffn_down matrices in its block."""
    mix = setting.mix
    if mix in _UNQUANTIZED:
        return mix
    if matrix.role == "kept":
        return setting.float_type
    if matrix.role == "attn_v" and setting.values_f16:
        return "F16"
    kind = next((kind for name, kind in setting.overrides if name == matrix.name), None)
    kind = kind or rules(matrix, setting, at, number)
    if matrix.cols % (256 if kind in _BLOCKS_OF_256 else 32):
        fallback = _FALLBACK.get(kind, "IQ4_NL") if kind in _BLOCKS_OF_256 else kind
        if kind == "Q3_K" and setting.old_fallback:
            fallback = "Q4_1"
        return "F16" if matrix.cols % 32 else fallback
    return kind
