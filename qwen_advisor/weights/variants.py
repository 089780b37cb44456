"""How a file may differ from what the tools of today write by default: a closed set of causes."""

from __future__ import annotations

from qwen_advisor.errors import UsageError

VARIANTS: dict[str, str] = {
    "stored-head": "a tied head is written out as output.weight",
    "imatrix": "quantized with an importance matrix",
    "old-qkv-rule": "quantized before March 2026, when fused attention had a rule of its own",
    "old-fallback": "quantized before February 2024, when rows too short for Q3_K took Q4_1",
    "ssm-in": "Qwen3-Next converted before 2026, with one input matrix for its linear attention",
    "pure": "every matrix in the default type of the mix",
    "attention-values-f16": "attn_v kept in F16, as Ollama's own converter did for Qwen3 in 2025",
    "mtp": "the multi-token-prediction block is in the file, quantized by the mix",
    "mtp-Q8_0": "so it is, with all its matrices in Q8_0",
    "mtp-Q4_0": "so it is, with all its matrices in Q4_0",
    "bartowski-2025": "bartowski's own rules of 2025, for mixtures of experts",
    "bartowski-2026": "bartowski's own rules of 2026",
    "unsloth": "unsloth's changes to the plain mixes",
    "ollama": "quantized by Ollama's own rules for hybrids, of early 2026",
    "recipe-2026-08": "unsloth's UD mixes as remade in August 2026",
    "projector-BF16": "vision and audio projector in BF16",
    "projector-F32": "vision and audio projector in F32",
    "projector-Q8_0": "vision and audio projector in Q8_0",
    "group-128": "MLX weights in groups of 128, as in Qwen's own repositories",
}
_ONE_OF = (
    frozenset({"mtp", "mtp-Q8_0", "mtp-Q4_0"}),
    frozenset({"pure", "bartowski-2025", "bartowski-2026", "unsloth", "ollama"}),
    frozenset({"projector-BF16", "projector-F32", "projector-Q8_0"}),
)


def checked(variant: frozenset[str]) -> frozenset[str]:
    """The variant itself.

    Raises:
        UsageError: a word in it is none of `VARIANTS`, or two of them exclude each other.
    """
    unknown = sorted(variant - VARIANTS.keys())
    if unknown:
        raise UsageError(
            f"{', '.join(unknown)} is not a known variant of a file", hint=f"known are {', '.join(VARIANTS)}"
        )
    for exclusive in _ONE_OF:
        both = sorted(variant & exclusive)
        if len(both) > 1:
            raise UsageError(f"a file is not both {' and '.join(both)}")
    return variant
