"""Vision towers of the four designs."""

from __future__ import annotations

from typing import assert_never

from qwen_advisor.model import VisionTower
from qwen_advisor.parameters.tensors import Group, Tensor, linear, norm, placed


def vision_tower(vision: VisionTower, prefix: str) -> list[Tensor]:
    """Every weight of the tower: patches, positions, blocks, merger or resampler."""
    match vision.kind:
        case "qwen_vl":
            return placed(_first_generation(vision), prefix, "vision")
        case "qwen2_vl" | "qwen2_5_vl" | "qwen3_vl":
            block = placed(_block(vision), "blocks.{layer}.", "vision", layers=vision.depth)
            return placed([*_patches(vision), *block, *_merger(vision)], prefix, "vision")
    assert_never(vision.kind)


def _patches(vision: VisionTower) -> list[Tensor]:
    """A convolution over space and time; only the latest design adds a bias and learned positions."""
    patch = (vision.temporal_patch_size, vision.patch_size, vision.patch_size)
    shape = (vision.hidden_size, vision.in_channels, *patch)
    tensors = [Tensor(name="patch_embed.proj.weight", shape=shape, group="patch_embedding")]
    if vision.kind == "qwen3_vl":
        tensors.append(Tensor(name="patch_embed.proj.bias", shape=(vision.hidden_size,), group="patch_embedding"))
    if vision.num_position_embeddings:
        positions = (vision.num_position_embeddings, vision.hidden_size)
        tensors.append(Tensor(name="pos_embed.weight", shape=positions, group="position_embedding"))
    return tensors


def _block(vision: VisionTower) -> list[Tensor]:
    """Source: transformers ``Qwen2VLVisionBlock``, ``Qwen2_5_VLVisionBlock``, ``Qwen3VLVisionBlock``."""
    width, intermediate = vision.hidden_size, vision.intermediate_size
    layer_norm = vision.kind != "qwen2_5_vl"
    tensors = [
        *norm("norm1", width, bias=layer_norm),
        *norm("norm2", width, bias=layer_norm),
        *_linear("attn.qkv", 3 * width, width),
        *_linear("attn.proj", width, width),
    ]
    if vision.kind == "qwen2_5_vl":
        tensors += _linear("mlp.gate_proj", intermediate, width)
        tensors += _linear("mlp.up_proj", intermediate, width)
        return tensors + _linear("mlp.down_proj", width, intermediate)
    first, second = ("mlp.linear_fc1", "mlp.linear_fc2") if vision.kind == "qwen3_vl" else ("mlp.fc1", "mlp.fc2")
    return tensors + _linear(first, intermediate, width) + _linear(second, width, intermediate)


def _merger(vision: VisionTower) -> list[Tensor]:
    """Joins neighbouring patches into one token; deepstack adds one merger for each layer that it taps."""
    joined, out = vision.hidden_size * vision.spatial_merge_size**2, vision.out_hidden_size
    if vision.kind != "qwen3_vl":
        return [
            *norm("merger.ln_q", vision.hidden_size, bias=vision.kind == "qwen2_vl"),
            *_linear("merger.mlp.0", joined, joined, "merger"),
            *_linear("merger.mlp.2", out, joined, "merger"),
        ]
    layers = [*_linear("linear_fc1", joined, joined, "merger"), *_linear("linear_fc2", out, joined, "merger")]
    deep = [*norm("norm", joined, bias=True), *layers]
    return [
        *placed([*norm("norm", vision.hidden_size, bias=True), *layers], "merger.", "vision"),
        *placed(deep, "deepstack_merger_list.{layer}.", "vision", layers=len(vision.deepstack_visual_indexes)),
    ]


def _first_generation(vision: VisionTower) -> list[Tensor]:
    """OpenCLIP ViT-bigG and a cross-attention resampler. Source: ``visual.py`` of Qwen-VL."""
    width, out, queries = vision.hidden_size, vision.out_hidden_size, vision.n_queries or 0
    block = [
        *norm("ln_1", width, bias=True),
        *norm("ln_2", width, bias=True),
        *_linear("attn.in_proj", 3 * width, width),
        *_linear("attn.out_proj", width, width),
        *_linear("mlp.c_fc", vision.intermediate_size, width),
        *_linear("mlp.c_proj", width, vision.intermediate_size),
    ]
    patch = (width, vision.in_channels, vision.patch_size, vision.patch_size)
    return [
        Tensor(name="conv1.weight", shape=patch, group="patch_embedding"),
        # 256 positions whatever the image size: visual.py resizes them.
        Tensor(name="positional_embedding", shape=(256, width), group="position_embedding"),
        *norm("ln_pre", width, bias=True),
        *placed(block, "transformer.resblocks.{layer}.", "vision", layers=vision.depth),
        Tensor(name="attn_pool.pos_embed", shape=(queries, out), group="resampler"),
        Tensor(name="attn_pool.query", shape=(queries, out), group="resampler"),
        *linear("attn_pool.kv_proj", out, width, "resampler"),
        Tensor(name="attn_pool.attn.in_proj_weight", shape=(3 * out, out), group="resampler"),
        Tensor(name="attn_pool.attn.in_proj_bias", shape=(3 * out,), group="resampler"),
        *_linear("attn_pool.attn.out_proj", out, out, "resampler"),
        *norm("attn_pool.ln_q", out, bias=True),
        *norm("attn_pool.ln_kv", out, bias=True),
        *norm("ln_post", out, bias=True),
        Tensor(name="proj", shape=(out, out), group="resampler"),
    ]


def _linear(name: str, rows: int, columns: int, group: Group | None = None) -> list[Tensor]:
    """A linear layer with bias, as all of these towers have them."""
    kind: Group = group or ("attention" if name.startswith("attn.") else "feed_forward")
    return linear(name, rows, columns, kind, bias=True)
