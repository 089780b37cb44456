"""Kinds of stored weights: what a kernel has to unpack decides how much of the hardware it reaches."""

from __future__ import annotations

from collections.abc import Mapping

from qwen_advisor.errors import CatalogError
from qwen_advisor.footprint import Footprint
from qwen_advisor.speed.work import Work

_OF_TYPE = {
    "float": ("F32", "F16", "BF16"),
    "q8": ("Q8_0",),
    "q4": ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_NL", "MXFP4", "NVFP4"),
    "k": ("Q4_K", "Q5_K", "Q6_K"),
    "k-low": ("Q2_K", "Q3_K"),
    "iq4": ("IQ4_XS",),
    "iq-low": ("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "TQ1_0", "TQ2_0"),
}
_KIND = {name: kind for kind, names in _OF_TYPE.items() for name in names}
_WHOLE = {"float": "float", "fp8": "fp8", "fp4": "fp4", "int8": "int8", "mlx": "mlx"}
KINDS = (*_OF_TYPE, "w4", "w8", "bnb4", "bnb8", "fp8", "fp4", "int8", "mlx")

# llama.cpp repacks these into blocks of rows for wide registers; the others go through the plain dot product.
REPACKED = frozenset({"float", "q8", "q4", "k", "w4", "w8", "int8"})

Shares = tuple[tuple[str, float], ...]


def shares(footprint: Footprint, count: Work, format_kind: str) -> Shares:
    """Share of the stored bytes by kind, in the words that efficiencies are kept under.

    Raises:
        CatalogError: the kind of format, or a tensor type of a GGUF file, is not one whose speed was looked at.
    """
    if format_kind == "gguf-mix":
        sizes: dict[str, int] = {}
        for name, size in footprint.by_type.items():
            if name not in _KIND:
                raise CatalogError(f"no speed is known for tensors of type {name!r}")
            sizes[_KIND[name]] = sizes.get(_KIND[name], 0) + size
        total = sum(sizes.values())
        return tuple((kind, size / total) for kind, size in sizes.items())
    if format_kind in ("weight-only", "bitsandbytes"):
        stored = footprint.layers_dense + footprint.layers_experts
        weights = count.dense_weights + count.expert_weights * count.experts / count.experts_used
        prefix = "w" if format_kind == "weight-only" else "bnb"
        return ((prefix + ("8" if stored * 8 > 6 * weights else "4"), 1.0),)
    if format_kind not in _WHOLE:
        raise CatalogError(f"no speed is known for formats of the kind {format_kind!r}")
    return ((_WHOLE[format_kind], 1.0),)


def reach(portions: Shares, efficiency: Mapping[str, float], plain: float = 1.0) -> float:
    """Efficiency of a mixture: the harmonic mean, for each kind takes its own time.

    ``plain`` is the share that kinds without a repacked layout reach of the others' rate.
    """
    if plain == 1.0:
        return 1.0 / sum(share / efficiency[kind] for kind, share in portions)
    return 1.0 / sum(share / efficiency[kind] / (1.0 if kind in REPACKED else plain) for kind, share in portions)
