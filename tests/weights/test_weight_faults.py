"""What is unknown or means nothing is refused, in one sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from qwen_advisor.errors import CatalogError, UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.footprint import Footprint
from qwen_advisor.quantization import Format, Scheme
from qwen_advisor.weights import VARIANTS, footprint, layers

Weigh = Callable[..., Footprint]


@pytest.mark.parametrize(
    ("architecture", "fmt", "words", "said"),
    [
        ("qwen3-8b", "Q4_K_M", ("own-mix",), "own-mix is not a known variant"),
        ("qwen3-8b", "AWQ", ("own-mix",), "own-mix is not a known variant"),
        ("qwen3-8b", "AWQ", ("imatrix",), "imatrix is not said of AWQ"),
        ("qwen3-8b", "Q4_K_M", ("group-128",), "MLX"),
        ("qwen3-8b", "Q4_K_M", ("stored-head",), "no tied head"),
        ("qwen3-8b", "Q4_K_M", ("mtp",), "no multi-token-prediction block"),
        ("qwen3-8b", "Q4_K_M", ("ssm-in",), "one input matrix"),
        ("qwen3-8b", "Q4_K_M", ("ollama",), "no linear attention"),
        ("qwen3.5-9b", "Q4_K_M", ("mtp", "mtp-Q8_0"), "not both mtp and mtp-Q8_0"),
        ("qwen3-8b", "Q4_K_M", ("pure", "unsloth"), "not both pure and unsloth"),
        ("qwen-image", "Q4_K_M", (), "no language model"),
        ("qwen-image", "AWQ", (), "no language model"),
        ("qwen-vl", "Q4_K_M", (), "no projector"),
        ("qwen2-7b", "UD-IQ4_XS", (), "no UD-IQ4_XS file of a model of this"),
        ("qwen3-8b", "UD-TQ1_0", (), "no UD-TQ1_0 file of a model of this kind"),
    ],
)
def test_refused(weigh: Weigh, architecture: str, fmt: str, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        weigh(architecture, fmt, *words)


def test_layers_refuse_what_the_footprint_refuses(catalog: Catalog) -> None:
    architecture, fmt = catalog.architectures["qwen3-8b"], catalog.formats["Q4_K_M"]
    with pytest.raises(UsageError, match="nothing is not a known variant") as raised:
        layers(architecture, fmt, catalog.block_types, variant=frozenset({"nothing"}))
    assert raised.value.hint is not None
    assert raised.value.hint.startswith("known are stored-head")


def test_a_mix_that_llama_quantize_does_not_know(catalog: Catalog) -> None:
    fmt = Format(name="Q9_K", container="gguf", bits=9, kind="gguf-mix", mix="Q9_K")
    with pytest.raises(CatalogError, match="no mix of llama-quantize"):
        footprint(catalog.architectures["qwen3-8b"], fmt, catalog.block_types)


def test_a_block_type_that_the_catalogue_lacks(catalog: Catalog) -> None:
    types = {name: block for name, block in catalog.block_types.items() if name != "Q6_K"}
    with pytest.raises(CatalogError, match="block type Q6_K is not known"):
        footprint(catalog.architectures["qwen3-8b"], catalog.formats["Q4_K_M"], types)


def test_a_format_that_does_not_say_what_it_stores(catalog: Catalog) -> None:
    fmt = Format(name="SomeQ", container="safetensors", bits=4, kind="weight-only")
    with pytest.raises(CatalogError, match="does not say what it stores"):
        footprint(catalog.architectures["qwen3-8b"], fmt, catalog.block_types)


def test_a_scheme_that_names_no_group_of_tensors(catalog: Catalog) -> None:
    scheme = Scheme(type="int4", bits=4, groups=("attentoin",))
    fmt = Format(name="SomeQ", container="safetensors", bits=4, kind="weight-only", schemes=(scheme,))
    with pytest.raises(CatalogError, match="attentoin"):
        footprint(catalog.architectures["qwen3-8b"], fmt, catalog.block_types)


def test_every_variant_is_explained_and_changes_something(weigh: Weigh) -> None:
    where = {
        "stored-head": ("qwen3-0.6b", "Q4_K_M"),
        "imatrix": ("qwen3-8b", "Q4_0"),
        "old-qkv-rule": ("qwen3.5-9b", "Q4_K_M"),
        "old-fallback": ("qwen-1_8b", "Q2_K"),
        "ssm-in": ("qwen3-next-80b-a3b", "Q4_K_M"),
        "pure": ("qwen3-8b", "Q4_K_M"),
        "attention-values-f16": ("qwen3-8b", "Q4_K_M"),
        "mtp": ("qwen3.5-9b", "Q4_K_M"),
        "mtp-Q8_0": ("qwen3.5-9b", "Q4_K_M"),
        "mtp-Q4_0": ("qwen3.5-9b", "Q8_0"),
        "bartowski-2025": ("qwen3-30b-a3b", "Q4_K_M"),
        "bartowski-2026": ("qwen3.5-9b", "Q4_K_M"),
        "unsloth": ("qwen3.5-9b", "Q4_K_M"),
        "ollama": ("qwen3.5-35b-a3b", "Q4_K_M"),
        "recipe-2026-08": ("qwen3.5-27b", "UD-Q4_K_XL"),
        "projector-BF16": ("qwen3-vl-8b", "Q4_K_M"),
        "projector-F32": ("qwen3-vl-8b", "Q4_K_M"),
        "projector-Q8_0": ("qwen3-vl-8b", "Q4_K_M"),
        "group-128": ("qwen3-8b", "MLX-4bit"),
    }
    assert where.keys() == VARIANTS.keys()
    for word, (architecture, fmt) in where.items():
        assert weigh(architecture, fmt, word) != weigh(architecture, fmt), word
