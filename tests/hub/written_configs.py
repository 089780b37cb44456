"""``config.json`` as its repository writes it, from the catalogue's own architecture.

The layouts are those of transformers' ``Qwen2Config``, ``Qwen3NextConfig``, ``Qwen2VLConfig``, ``Qwen3VLConfig`` and
``Qwen3_5Config``: text and vision apart from Qwen3-VL on, text at the top before.
"""

from __future__ import annotations

from typing import Any

from qwen_advisor.model import Architecture, TextDecoder, VisionTower

NESTED = ("qwen3_vl", "qwen3_vl_moe", "qwen3_5", "qwen3_5_moe")
LINEAR = ("qwen3_next", "qwen3_5", "qwen3_5_moe", "qwen3_5_moe_text")


def config_of(shape: Architecture, *, context: int = 40960) -> dict[str, Any]:
    """The document."""
    assert shape.text is not None
    kind = shape.model_type
    text = _text(shape.text, kind) | {"max_position_embeddings": context}
    if kind in NESTED:
        document: dict[str, Any] = {
            "architectures": ["X"],
            "model_type": kind,
            "text_config": {**text, "model_type": f"{kind}_text"},
            "tie_word_embeddings": shape.text.tie_word_embeddings,
        }
        del document["text_config"]["tie_word_embeddings"]
    else:
        document = {"architectures": ["X"], "model_type": kind, **text}
    if shape.vision:
        document["vision_config"] = _vision(shape.vision)
    return document


def _text(text: TextDecoder, kind: str) -> dict[str, Any]:
    written: dict[str, Any] = {
        "num_hidden_layers": text.num_hidden_layers,
        "hidden_size": text.hidden_size,
        "num_attention_heads": text.num_attention_heads,
        "num_key_value_heads": text.num_key_value_heads,
        "vocab_size": text.vocab_size,
        "tie_word_embeddings": text.tie_word_embeddings,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-6,
        "sliding_window": 131072,
        "use_sliding_window": False,
    }
    if not kind.startswith("qwen2"):
        written |= {"head_dim": text.head_dim, "attention_bias": False}
    if text.intermediate_size:
        written["intermediate_size"] = text.intermediate_size
    if text.moe:
        moe = text.moe
        written |= {
            "num_experts": moe.num_experts,
            "num_experts_per_tok": moe.num_experts_per_tok,
            "moe_intermediate_size": moe.moe_intermediate_size,
            "decoder_sparse_step": moe.decoder_sparse_step,
            "mlp_only_layers": list(moe.mlp_only_layers),
        }
        if moe.shared_expert_intermediate_size:
            written["shared_expert_intermediate_size"] = moe.shared_expert_intermediate_size
    if text.linear_attention:
        linear = text.linear_attention
        written |= {name: getattr(linear, name) for name in linear.__slots__ if name.startswith("linear_")}
        written["full_attention_interval"] = linear.full_attention_interval
        if kind != "qwen3_next":
            written |= {"layer_types": list(text.layer_types), "attn_output_gate": linear.attn_output_gate}
    if text.mtp_num_hidden_layers and kind != "qwen3_next":
        written["mtp_num_hidden_layers"] = text.mtp_num_hidden_layers
    return written


def _vision(vision: VisionTower) -> dict[str, Any]:
    written: dict[str, Any] = {
        "depth": vision.depth,
        "num_heads": vision.num_heads,
        "patch_size": vision.patch_size,
        "spatial_merge_size": vision.spatial_merge_size,
        "temporal_patch_size": vision.temporal_patch_size,
    }
    if vision.kind == "qwen2_vl":
        return written | {
            "embed_dim": vision.hidden_size,
            "hidden_size": vision.out_hidden_size,
            "mlp_ratio": 4,
            "in_chans": 3,
        }
    written |= {
        "hidden_size": vision.hidden_size,
        "intermediate_size": vision.intermediate_size,
        "out_hidden_size": vision.out_hidden_size,
    }
    if vision.kind == "qwen2_5_vl":
        return written | {
            "in_chans": 3,
            "window_size": vision.window_size,
            "fullatt_block_indexes": list(vision.fullatt_block_indexes),
        }
    return written | {
        "in_channels": 3,
        "num_position_embeddings": vision.num_position_embeddings,
        "deepstack_visual_indexes": list(vision.deepstack_visual_indexes),
    }


def preprocessor_of(vision: VisionTower | None) -> dict[str, Any] | None:
    """``preprocessor_config.json``: pixels by name up to Qwen2.5-VL, as edges of a size from Qwen3-VL on."""
    if vision is None or vision.min_pixels is None:
        return None
    if vision.kind == "qwen3_vl":
        return {"size": {"shortest_edge": vision.min_pixels, "longest_edge": vision.max_pixels}}
    return {"min_pixels": vision.min_pixels, "max_pixels": vision.max_pixels}
