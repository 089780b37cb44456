"""Bytes of weights: an architecture in a format, whole and by layer.

GGUF sizes follow llama.cpp's rules tensor by tensor; the other formats follow what their publishers'
configurations quantize and what they leave in 16 bit.
"""

from __future__ import annotations

from collections.abc import Mapping

from qwen_advisor.footprint import Footprint, LayerWeights
from qwen_advisor.model import Architecture
from qwen_advisor.quantization import BlockType, Format
from qwen_advisor.weights import gguf
from qwen_advisor.weights.variants import VARIANTS

__all__ = ["VARIANTS", "footprint", "layers"]


def footprint(
    architecture: Architecture,
    fmt: Format,
    block_types: Mapping[str, BlockType],
    *,
    variant: frozenset[str] = frozenset(),
) -> Footprint:
    """All weights of an architecture in a format, in bytes.

    Args:
        architecture: the model's shape.
        fmt: the quantization.
        block_types: ggml's tensor types by name, for GGUF.
        variant: how a GGUF file differs from what today's tools write; words of `VARIANTS`.

    Raises:
        UsageError: a word of ``variant`` is unknown or means nothing for the format, or the format cannot hold the
            architecture.
        CatalogError: the format or its types are not described well enough to count.
    """
    if fmt.container == "gguf":
        return gguf.footprint(architecture, fmt, block_types, variant)
    from qwen_advisor.weights import repository  # noqa: PLC0415  an answer in GGUF needs none of its counting

    return repository.footprint(architecture, fmt, variant)


def layers(
    architecture: Architecture,
    fmt: Format,
    block_types: Mapping[str, BlockType],
    *,
    variant: frozenset[str] = frozenset(),
) -> tuple[LayerWeights, ...]:
    """Each decoder layer in bytes, first to last; arguments, errors and totals are those of `footprint`."""
    if fmt.container == "gguf":
        return gguf.layers(architecture, fmt, block_types, variant)
    from qwen_advisor.weights import repository  # noqa: PLC0415  as above

    return repository.layers(architecture, fmt, variant)
