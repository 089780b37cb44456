"""From a format and a variant to what the rules of the mixes ask about a file."""

from __future__ import annotations

from collections.abc import Mapping

from qwen_advisor.errors import CatalogError, UsageError
from qwen_advisor.model import Architecture, TextDecoder
from qwen_advisor.quantization import BlockType, Format
from qwen_advisor.weights import bartowski_mixes, ollama_mixes, unsloth_mixes
from qwen_advisor.weights.gguf_file import GgufFile
from qwen_advisor.weights.gguf_mixes import DEFAULT_TYPE, Rules, Setting, default_type, wanted_type
from qwen_advisor.weights.gguf_places import layout
from qwen_advisor.weights.gguf_tensors import Decoder, decoder
from qwen_advisor.weights.variants import checked

_RULES: dict[str, Rules] = {
    "bartowski-2025": bartowski_mixes.type_2025,
    "bartowski-2026": bartowski_mixes.type_2026,
    "unsloth": unsloth_mixes.type_unsloth,
    "ollama": ollama_mixes.type_ollama,
    "pure": default_type,
}
_MTP = {"mtp": "", "mtp-Q8_0": "Q8_0", "mtp-Q4_0": "Q4_0"}
_OLD_RULES = frozenset({"old-qkv-rule", "ssm-in", "bartowski-2025"})  # made before March 2026
_WITH_IMATRIX = frozenset({"imatrix", "bartowski-2025", "bartowski-2026", "unsloth"})


def open_file(
    architecture: Architecture, fmt: Format, types: Mapping[str, BlockType], variant: frozenset[str]
) -> tuple[GgufFile, TextDecoder]:
    """The file of an architecture in a mix, and the language model that it holds.

    Raises:
        UsageError: the architecture is no language model, or a word of the variant means nothing for it.
        CatalogError: the format names no mix of llama-quantize.
    """
    checked(variant)
    text = architecture.text
    if text is None:
        raise UsageError(f"{architecture.id} is no language model, so there is no GGUF file of it", hint="ask for BF16")
    if fmt.mix not in DEFAULT_TYPE:
        raise CatalogError(
            f"{fmt.name} names no mix of llama-quantize ({fmt.mix!r})", hint="see catalog/quantizations.yaml"
        )
    _check_meaning(architecture.id, text, variant)
    one_input = "ssm-in" in variant
    tensors = decoder(text, architecture.model_type, one_input=one_input, folded_rows=_folded_rows(architecture))
    setting = _setting(architecture, text, fmt, variant, tensors)
    places = layout(
        text, architecture.model_type, one_input=one_input, mtp=setting.mtp, old_qkv_rule=setting.old_qkv_rule
    )
    rules = next((_RULES[word] for word in variant if word in _RULES), wanted_type)
    return GgufFile(tensors, places, setting, types, rules), text


def _folded_rows(architecture: Architecture) -> int:
    """Rows of the text embedding of a text-to-speech model, whose own decoder speaks in codes."""
    if architecture.model_type != "qwen3_tts":
        return 0
    tables = [part for part in architecture.components if part.name == "text_embedding"]
    return sum(weight.shape[0] for table in tables for weight in table.weights)


def _check_meaning(name: str, text: TextDecoder, variant: frozenset[str]) -> None:
    linear = text.linear_attention
    if "group-128" in variant:
        raise UsageError("group-128 is said of MLX repositories, not of GGUF files")
    if "stored-head" in variant and not (text.tie_word_embeddings and text.lm_head):
        raise UsageError(f"{name} has no tied head, so stored-head means nothing for it")
    if not text.mtp_num_hidden_layers and not variant.isdisjoint(_MTP):
        raise UsageError(f"{name} has no multi-token-prediction block")
    if "ollama" in variant and not linear:
        raise UsageError(f"{name} has no linear attention, for which Ollama had rules of its own")
    if "ssm-in" in variant and not (linear and linear.fused_projections):
        raise UsageError(f"{name} was never converted with one input matrix for its linear attention")


def _setting(
    architecture: Architecture, text: TextDecoder, fmt: Format, variant: frozenset[str], tensors: Decoder
) -> Setting:
    mtp = next((word for word in variant if word in _MTP), None)
    tied = "stored-head" not in variant and not tensors.head.count("output")
    named = [("token_embd.weight", fmt.embedding_type), ("output.weight", fmt.output_type)]
    if "unsloth" in variant and fmt.embedding_type:  # its Q2_K_L gives the embedding Q4_K, where there is a head beside
        named = [] if tied else [("token_embd.weight", "Q4_K")]
    return Setting(
        mix=fmt.mix,
        tied=tied,
        grouping=text.num_attention_heads // text.num_key_value_heads,
        experts=text.moe.num_experts if text.moe else 0,
        softmax_layers=sum(kind != "linear_attention" for kind in text.layer_types) + (mtp is not None),
        # src/models/qwen2.cpp: 80 layers make a "70B", whatever their width
        seventy_b=architecture.model_type == "qwen2" and text.num_hidden_layers == 80,
        imatrix=not variant.isdisjoint(_WITH_IMATRIX),
        old_qkv_rule=not variant.isdisjoint(_OLD_RULES),
        old_fallback="old-fallback" in variant,
        mtp=mtp is not None,
        mtp_type=_MTP[mtp] if mtp else "",
        values_f16="attention-values-f16" in variant,
        overrides=tuple((name, kind) for name, kind in named if kind),
    )
