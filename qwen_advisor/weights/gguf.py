"""Bytes of a GGUF file: the tensors of the architecture, each in the type that the mix gives it."""

from __future__ import annotations

from collections.abc import Mapping

from qwen_advisor.footprint import Footprint, LayerWeights
from qwen_advisor.model import Architecture
from qwen_advisor.quantization import BlockType, Format
from qwen_advisor.weights.gguf_file import OUTSIDE, GgufFile, Sum
from qwen_advisor.weights.gguf_header import header_bytes
from qwen_advisor.weights.gguf_settings import open_file
from qwen_advisor.weights.publisher_mixes import Model, learned_bits

_TABLE = "per_layer_token_embd.weight"


def footprint(
    architecture: Architecture, fmt: Format, types: Mapping[str, BlockType], variant: frozenset[str]
) -> Footprint:
    """The footprint of a GGUF file; see `qwen_advisor.weights.footprint`."""
    file, text = open_file(architecture, fmt, types, variant)
    stored = "stored-head" in variant
    head, lookups, output = _head(file, stored=stored, has_head=text.lm_head)
    body, mtp = file.body(), file.mtp_block()
    from qwen_advisor.weights.projector import PROJECTOR_TYPES, projector  # noqa: PLC0415  for footprints only

    kind = next((PROJECTOR_TYPES[word] for word in variant if word in PROJECTOR_TYPES), "F16")
    mmproj = projector(architecture, types, kind)
    header = header_bytes(
        text,
        architecture.model_type,
        vocab_size=next(matrix.rows for matrix in file.tensors.head.matrices if matrix.role == "token_embd"),
        one_input="ssm-in" in variant,
        mtp=file.mtp is not None,
        stored_head=stored,
    )
    moe = text.moe
    plain = Footprint(
        format=fmt.name,
        token_embedding=lookups,
        output=output,
        output_norm=head.dense - lookups - output,
        layers_dense=body.dense,
        layers_experts=body.experts,
        layers=text.num_hidden_layers,
        experts_used=moe.num_experts_per_tok / moe.num_experts if moe else 1.0,
        mtp=mtp.dense + mtp.experts,
        vision=mmproj.vision,
        audio=mmproj.audio,
        file_bytes=header + head.dense + body.dense + body.experts + mtp.dense + mtp.experts,
        projector_bytes=mmproj.file_bytes,
        parameters=head.weights + body.weights + mtp.weights,
        by_type=dict(head.by_type + body.by_type + mtp.by_type),
        repack={name: size for name, size in (head.repack + body.repack).items() if size},
    )
    if not fmt.publisher_mix:
        return plain
    bits = learned_bits(fmt, text, variant)
    return Model(fmt, text, bits, body, mtp).footprint(plain, header)


def _head(file: GgufFile, *, stored: bool, has_head: bool) -> tuple[Sum, int, int]:
    """What lies outside the layers: its sum, and of it the tables that are looked up and the head."""
    head = file.block(file.tensors.head, OUTSIDE)
    sizes = {matrix.name: file.matrix(matrix) for matrix in file.tensors.head.matrices}
    if stored:
        kind, size = sizes["output.weight"] = file.matrix(file.tensors.stored_head)
        head.add(Sum(dense=size, weights=file.tensors.stored_head.weights))
        head.by_type[kind] += size
        head.repack[kind] += size
    output = sizes["output.weight"][1] if "output.weight" in sizes else 0
    tables = ["token_embd.weight", _TABLE]
    # A tied embedding is loaded a second time, as the matrix of the head: the one table that may be repacked.
    looked_up_only = tables if output or not has_head else [_TABLE]
    for name in looked_up_only:
        if name in sizes and sizes[name][0] in head.repack:
            head.repack[sizes[name][0]] -= sizes[name][1]
    return head, sum(sizes[name][1] for name in tables if name in sizes), output


def layers(
    architecture: Architecture, fmt: Format, types: Mapping[str, BlockType], variant: frozenset[str]
) -> tuple[LayerWeights, ...]:
    """Each decoder layer of a GGUF file; see `qwen_advisor.weights.layers`."""
    file, text = open_file(architecture, fmt, types, variant)
    if fmt.publisher_mix:
        bits = learned_bits(fmt, text, variant)
        return Model(fmt, text, bits, file.body(), file.mtp_block()).layers(file.layers())
    return tuple(LayerWeights(dense=layer.dense, experts=layer.experts) for layer in file.layers())
