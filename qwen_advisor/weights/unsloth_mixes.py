"""The mixes as unsloth makes them under their plain names; the ``UD-*`` mixes are not derivable and are modelled.

From exact sizes of its files: IQ4_XS keeps the embedding in Q4_K; in hybrids the gates of the linear attention stay in
Q8_0 and its output projection takes one step more than the mix (Qwen3.5-9B Q4_K_M 5,680,522,464, Q5_K_M
6,577,841,376, IQ4_XS 5,168,653,536 bytes; https://huggingface.co/unsloth/Qwen3.5-9B-GGUF). Where the
multi-token-prediction block is in the file, these gates are F32 and that block's input projection is Q8_0
(Qwen3.5-0.8B, all mixes but Q8_0 within 60 kB; https://huggingface.co/unsloth/Qwen3.5-0.8B-MTP-GGUF).
"""

from __future__ import annotations

from qwen_advisor.weights.gguf_mixes import DEFAULT_TYPE, Setting, wanted_type
from qwen_advisor.weights.gguf_places import Place
from qwen_advisor.weights.gguf_tensors import Matrix

_STEP_UP = {
    "Q2_K": "Q3_K",
    "Q3_K": "Q4_K",
    **dict.fromkeys(("Q4_0", "Q4_1", "Q4_K", "IQ4_XS", "IQ4_NL"), "Q5_K"),
    "Q5_K": "Q6_K",
    "Q6_K": "Q8_0",
}


def type_unsloth(matrix: Matrix, setting: Setting, at: Place, number: int) -> str:
    """The type under unsloth's changes."""
    default = DEFAULT_TYPE[setting.mix]
    if matrix.role == "token_embd" and setting.mix == "IQ4_XS" and not setting.tied:
        return "Q4_K"
    if matrix.name in {"ssm_alpha.weight", "ssm_beta.weight"}:
        return "F32" if setting.mtp and setting.mix != "Q8_0" else "Q8_0"
    if matrix.name == "nextn.eh_proj.weight":
        return "Q8_0"
    if matrix.name == "ssm_out.weight":
        return _STEP_UP.get(default, default)
    return wanted_type(matrix, setting, at, number)
