"""``config.json`` as an architecture. Pure; a ``model_type`` that is not known raises rather than being guessed at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from qwen_advisor.errors import CatalogError
from qwen_advisor.model import Architecture, LinearAttention, Moe, TextDecoder, VisionTower

_DENSE = frozenset({"qwen2", "qwen3", "qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_5"})
_MIXED = frozenset({"qwen2_moe", "qwen3_moe", "qwen3_next", "qwen3_vl_moe", "qwen3_5_moe", "qwen3_5_moe_text"})
_LINEAR = frozenset({"qwen3_next", "qwen3_5", "qwen3_5_moe", "qwen3_5_moe_text"})
_BIASED = frozenset({"qwen2", "qwen2_moe", "qwen2_vl", "qwen2_5_vl"})  # on Q, K and V, and no norm on Q and K
_VISION: dict[str, Literal["qwen2_vl", "qwen2_5_vl", "qwen3_vl"]] = {
    "qwen2_vl": "qwen2_vl",
    "qwen2_5_vl": "qwen2_5_vl",
    "qwen3_vl": "qwen3_vl",
    "qwen3_vl_moe": "qwen3_vl",
    "qwen3_5": "qwen3_vl",
    "qwen3_5_moe": "qwen3_vl",
}
_LARGEST = 1 << 32  # of any one field; a vocabulary of 4 billion is none
_LAYERS = ("num_hidden_layers", "mtp_num_hidden_layers", "depth")
_MOST_LAYERS = 10_000  # the largest has 94; a list is made of them
_INTERVAL = 4  # what transformers' Qwen3NextConfig takes where nothing is said
KNOWN = _DENSE | _MIXED


def architecture_of(
    config: Mapping[str, Any],
    *,
    id: str,  # noqa: A002  the entry's own word
    source: str,
    preprocessor: Mapping[str, Any] | None = None,
    tensors: Iterable[str] | None = None,
    headless: bool = False,
) -> Architecture:
    """The architecture that a ``config.json`` describes.

    Args:
        config: the document.
        id: what the entry is to be called.
        source: where the document stands.
        preprocessor: ``preprocessor_config.json``, which bounds the pixels of an image.
        tensors: names of the weights, where their headers were read: they show what is stored of the drafting block,
            which ``config.json`` of Qwen3-Next says nothing of.
        headless: whether the model ships no head, as embedding models do.

    Raises:
        CatalogError: the ``model_type`` is not known, or a field is missing or impossible.
    """
    kind = config.get("model_type")
    if not isinstance(kind, str) or kind not in KNOWN:
        raise CatalogError(
            f"model_type {str(kind)[:40]!r} is not one that can be read",
            hint=f"write its entry by hand; known are {', '.join(sorted(KNOWN))}",
        )
    nested = config.get("text_config")
    fields = _Fields(nested if isinstance(nested, Mapping) else config, "text_config" if nested else "")
    tied = config.get("tie_word_embeddings", fields.values.get("tie_word_embeddings", False))
    layers = fields.count("num_hidden_layers")
    heads, hidden = fields.count("num_attention_heads"), fields.count("hidden_size")
    mixed = kind in _MIXED and bool(fields.values.get("num_experts"))
    text = TextDecoder(
        num_hidden_layers=layers,
        hidden_size=hidden,
        intermediate_size=fields.count("intermediate_size", 0 if mixed else None),
        num_attention_heads=heads,
        num_key_value_heads=fields.count("num_key_value_heads", heads),
        head_dim=fields.count("head_dim", hidden // heads),
        vocab_size=fields.count("vocab_size"),
        tie_word_embeddings=tied is True,
        attention_bias=kind in _BIASED or fields.values.get("attention_bias") is True,
        qk_norm=kind not in _BIASED,
        sliding_window=_window(fields),
        moe=_moe(fields) if mixed else None,
        linear_attention=_linear(fields, layers, kind) if kind in _LINEAR else None,
        mtp_num_hidden_layers=_drafting(fields, tensors),
        lm_head=not headless,
    )
    seeing = config.get("vision_config") if kind in _VISION else None
    return Architecture(
        id=id,
        model_type=kind,
        text=text,
        vision=_vision(seeing, _VISION[kind], preprocessor or {}) if isinstance(seeing, Mapping) else None,
        sources=(source,),
    )


def _window(fields: _Fields) -> int | None:
    return fields.count("sliding_window") if fields.values.get("use_sliding_window") is True else None


def _moe(fields: _Fields) -> Moe:
    return Moe(
        num_experts=fields.count("num_experts"),
        num_experts_per_tok=fields.count("num_experts_per_tok"),
        moe_intermediate_size=fields.count("moe_intermediate_size"),
        shared_expert_intermediate_size=fields.count("shared_expert_intermediate_size", 0),
        decoder_sparse_step=fields.count("decoder_sparse_step", 1),
        mlp_only_layers=fields.counts("mlp_only_layers"),
    )


def _linear(fields: _Fields, layers: int, kind: str) -> LinearAttention:
    interval = fields.count("full_attention_interval", _INTERVAL)
    said = fields.values.get("layer_types")
    regular = ["full_attention" if (i + 1) % interval == 0 else "linear_attention" for i in range(min(layers, 10_000))]
    if said is not None and said != regular:
        raise CatalogError("its layer_types follow no rule that an entry can say", hint="write its entry by hand")
    return LinearAttention(
        full_attention_interval=interval,
        linear_num_key_heads=fields.count("linear_num_key_heads"),
        linear_num_value_heads=fields.count("linear_num_value_heads"),
        linear_key_head_dim=fields.count("linear_key_head_dim"),
        linear_value_head_dim=fields.count("linear_value_head_dim"),
        linear_conv_kernel_dim=fields.count("linear_conv_kernel_dim"),
        attn_output_gate=fields.values.get("attn_output_gate", True) is True,
        fused_projections=kind == "qwen3_next",
    )


def _drafting(fields: _Fields, tensors: Iterable[str] | None) -> int:
    """Layers of the drafting block: those that are stored, or those that are said."""
    if tensors is None:
        return fields.count("mtp_num_hidden_layers", 0)
    parts = (name.split(".") for name in tensors)
    return len({part[2] for part in parts if part[:2] == ["mtp", "layers"] and len(part) > 2})


def _vision(
    config: Mapping[str, Any], kind: Literal["qwen2_vl", "qwen2_5_vl", "qwen3_vl"], preprocessor: Mapping[str, Any]
) -> VisionTower:
    fields = _Fields(config, "vision_config")
    first = kind == "qwen2_vl"  # whose config calls the width embed_dim, and the language model's hidden_size
    width = fields.count("embed_dim") if first else fields.count("hidden_size")
    size = preprocessor.get("size")
    edges = _Fields(size if isinstance(size, Mapping) else {}, "size")
    limits = _Fields(preprocessor, "preprocessor_config")
    return VisionTower(
        kind=kind,
        depth=fields.count("depth"),
        hidden_size=width,
        intermediate_size=width * fields.count("mlp_ratio", 4) if first else fields.count("intermediate_size"),
        num_heads=fields.count("num_heads"),
        patch_size=fields.count("patch_size", 14 if first else None),
        out_hidden_size=fields.count("hidden_size") if first else fields.count("out_hidden_size"),
        spatial_merge_size=fields.count("spatial_merge_size", 2),
        temporal_patch_size=fields.count("temporal_patch_size", 2),
        in_channels=fields.count("in_channels", fields.count("in_chans", 3)),
        num_position_embeddings=fields.count("num_position_embeddings", 0),
        deepstack_visual_indexes=fields.counts("deepstack_visual_indexes"),
        window_size=fields.count("window_size") if kind == "qwen2_5_vl" else None,
        fullatt_block_indexes=fields.counts("fullatt_block_indexes"),
        min_pixels=limits.count("min_pixels", edges.count("shortest_edge", 0)) or None,
        max_pixels=limits.count("max_pixels", edges.count("longest_edge", 0)) or None,
    )


class _Fields:
    """Fields of one object, each held against what a count may be."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self.values = values
        self._where = f"{where}." if where else ""

    def count(self, name: str, default: int | None = None) -> int:
        value = self.values.get(name)
        if value is None and default is not None:
            return default
        if type(value) is not int or not 0 <= value < _LARGEST or (value == 0 and default != 0):
            raise CatalogError(f"{self._where}{name} is {ascii(value)[:40]}, which is no count")
        if name in _LAYERS and value > _MOST_LAYERS:
            raise CatalogError(f"{self._where}{name} is {value}, more than any model has")
        return value

    def counts(self, name: str) -> tuple[int, ...]:
        value = self.values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or len(value) > 10_000 or not all(type(v) is int and v >= 0 for v in value):
            raise CatalogError(f"{self._where}{name} is no list of counts")
        return tuple(value)
