"""Bytes of a repository outside GGUF: what the format's schemes quantize, and what they leave in 16 bit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import get_args

from qwen_advisor.errors import CatalogError, UsageError
from qwen_advisor.footprint import Footprint, LayerWeights
from qwen_advisor.model import Architecture, TextDecoder
from qwen_advisor.parameters import Group, Part, Tensor, inventory
from qwen_advisor.quantization import Format, Scheme
from qwen_advisor.values import dataclass, replace
from qwen_advisor.weights.variants import checked

_KEPT = "bf16"
_KEPT_BYTES = 2
_GROUPS = frozenset[str](get_args(Group))
_PARTS = frozenset[str](get_args(Part))


@dataclass(frozen=True, slots=True)
class _Row:
    """Rows of equal tensors with what they take."""

    tensor: Tensor
    type: str
    size: int


def _columns(tensor: Tensor, text: TextDecoder | None) -> int:
    """Input features of a matrix, along which groups are formed; some repositories store experts transposed."""
    rows, columns = tensor.shape[-2:]
    if tensor.group == "experts" and text is not None:
        transposed = rows == text.hidden_size if tensor.name.endswith("gate_up_proj") else columns == text.hidden_size
        return rows if transposed and columns != rows else columns
    return columns


def _is_matrix(tensor: Tensor) -> bool:
    if tensor.group == "experts":
        return True
    return len(tensor.shape) == 2 and tensor.name.endswith("weight")


def _scheme_for(tensor: Tensor, schemes: list[Scheme], columns: int) -> Scheme | None:
    for scheme in schemes:
        if tensor.part not in scheme.parts or tensor.group not in scheme.groups:
            continue
        if any(fragment in tensor.name for fragment in scheme.excluding):
            continue
        fits = scheme.group_size == 0 or scheme.flat or columns % scheme.group_size == 0
        return scheme if fits else None
    return None


def _schemes(architecture: Architecture, fmt: Format, variant: frozenset[str]) -> list[Scheme]:
    """The schemes said of this model type, or else those said of all."""
    named = [scheme for scheme in fmt.schemes if architecture.model_type in scheme.model_types]
    schemes = named or [scheme for scheme in fmt.schemes if not scheme.model_types]
    if "group-128" in variant:
        return [replace(scheme, group_size=128) for scheme in schemes]
    return schemes


def _stored(tensor: Tensor, schemes: list[Scheme], text: TextDecoder | None) -> _Row:
    columns = _columns(tensor, text) if _is_matrix(tensor) else 0
    scheme = _scheme_for(tensor, schemes, columns) if columns else None
    if scheme is None:
        return _Row(tensor, _KEPT, tensor.parameters * _KEPT_BYTES)
    rows = tensor.parameters // columns  # of all matrices that the row stands for
    if scheme.flat:
        blocks = -(-tensor.parameters // scheme.group_size)
    else:
        groups = -(-columns // scheme.group_size) if scheme.group_size else 1
        blocks = groups * -(-rows // scheme.block_rows)
    bits = tensor.parameters * scheme.bits + blocks * (scheme.scale_bits + scheme.offset_bits)
    matrices = tensor.count * (tensor.shape[0] if len(tensor.shape) == 3 else 1)
    bits += matrices * columns * scheme.column_bits
    return _Row(tensor, scheme.type, round(bits / 8))


def _rows(architecture: Architecture, fmt: Format, variant: frozenset[str]) -> Iterator[_Row]:
    text, schemes = architecture.text, _schemes(architecture, fmt, variant)
    for tensor in inventory(architecture):
        if tensor.part not in fmt.drops:
            yield _stored(tensor, schemes, text)
    if fmt.stores_tied_head and text is not None and text.lm_head and text.tie_word_embeddings:
        head = Tensor(name="lm_head.weight", shape=(text.vocab_size, text.hidden_size), group="head")
        yield _stored(head, schemes, text)


def _check(architecture: Architecture, fmt: Format, variant: frozenset[str]) -> None:
    meant = {"group-128"} if fmt.container == "mlx" and fmt.schemes else set()
    if checked(variant) - meant:
        raise UsageError(f"{', '.join(sorted(variant - meant))} is not said of {fmt.name}")
    if fmt.kind == "gguf-mix" or not (fmt.schemes or fmt.kind == "float"):
        raise CatalogError(
            f"{fmt.name} does not say what it stores", hint="give it schemes in catalog/quantizations.yaml"
        )
    for scheme in fmt.schemes:
        unknown = sorted({*scheme.groups} - _GROUPS | {*scheme.parts, *fmt.drops} - _PARTS)
        if unknown:
            raise CatalogError(f"{fmt.name} speaks of {', '.join(unknown)}, which are no groups or parts of tensors")
    if architecture.text is None and fmt.schemes:
        raise UsageError(f"{architecture.id} is no language model, {fmt.name} is not made of it", hint="ask for BF16")


def _layer_counts(text: TextDecoder) -> dict[str, list[bool]]:
    """Which layers a row of the inventory applies to, by the part of the layer that its name tells."""
    linear = [kind == "linear_attention" for kind in text.layer_types]
    moe = [text.is_moe_layer(index) for index in range(text.num_hidden_layers)]
    ngram = text.ngram_embedding.ple_layer_ids if text.ngram_embedding else ()
    return {
        "linear": linear,
        "softmax": [not is_linear for is_linear in linear],
        "moe": moe,
        "dense": [not is_moe for is_moe in moe],
        "ngram": [index + 1 in ngram for index in range(text.num_hidden_layers)],
        "all": [True] * text.num_hidden_layers,
    }


def _applies_to(tensor: Tensor) -> str:
    name = tensor.name.rpartition("{layer}.")[2]
    if name.startswith("linear_attn."):
        return "linear"
    if name.startswith(("self_attn.", "attn.")):
        return "softmax"
    if tensor.group in {"experts", "router", "shared_expert"}:
        return "moe"
    if name.startswith("mlp."):
        return "dense"
    return "ngram" if name.startswith("ple.") else "all"


def footprint(architecture: Architecture, fmt: Format, variant: frozenset[str]) -> Footprint:
    """The footprint of a repository; see `qwen_advisor.weights.footprint`."""
    _check(architecture, fmt, variant)
    text = architecture.text
    place: Counter[str] = Counter()
    by_type: Counter[str] = Counter()
    parameters = 0
    for row in _rows(architecture, fmt, variant):
        tensor = row.tensor
        parameters += tensor.parameters
        by_type[row.type] += row.size
        place[_where(tensor)] += row.size
    total = sum(place.values())
    return Footprint(
        format=fmt.name,
        token_embedding=place["token_embedding"],
        output=place["output"],
        output_norm=place["output_norm"],
        layers_dense=place["dense"],
        layers_experts=place["experts"],
        layers=text.num_hidden_layers if text else 0,
        experts_used=text.moe.num_experts_per_tok / text.moe.num_experts if text and text.moe else 1.0,
        mtp=place["mtp"],
        vision=place["vision"],
        audio=place["audio"],
        other=place["component"],
        file_bytes=parameters * _KEPT_BYTES if fmt.quantized_on_load else total,
        parameters=parameters,
        by_type=dict(by_type),
        basis="exact" if fmt.kind == "float" else "measured model",
    )


def _where(tensor: Tensor) -> str:
    if tensor.part == "ngram_embedding" or tensor.group == "token_embedding":
        return "token_embedding"
    if tensor.part != "language_model":
        return tensor.part
    if tensor.group == "head":
        return "output"
    if "{layer}" not in tensor.name:
        return "output_norm"
    return "experts" if tensor.group == "experts" else "dense"


def layers(architecture: Architecture, fmt: Format, variant: frozenset[str]) -> tuple[LayerWeights, ...]:
    """Each decoder layer of a repository; see `qwen_advisor.weights.layers`."""
    _check(architecture, fmt, variant)
    text = architecture.text
    if text is None:
        return ()
    which = _layer_counts(text)
    dense, experts = [0] * text.num_hidden_layers, [0] * text.num_hidden_layers
    for row in _rows(architecture, fmt, variant):
        place = _where(row.tensor)
        if place not in {"dense", "experts"}:
            continue
        applies = which[_applies_to(row.tensor)]
        into = experts if place == "experts" else dense
        share, rest = divmod(row.size, sum(applies))
        for index in (index for index, yes in enumerate(applies) if yes):
            into[index] += share + (1 if rest > 0 else 0)
            rest -= 1
    return tuple(LayerWeights(dense=d, experts=e) for d, e in zip(dense, experts, strict=True))
