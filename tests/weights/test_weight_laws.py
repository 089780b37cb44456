"""Laws that hold for any shape and every format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.footprint import Footprint
from qwen_advisor.model import Architecture, Moe, TextDecoder
from qwen_advisor.weights import footprint, layers

Weigh = Callable[..., Footprint]
_QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_ORDERED = [  # ever more bits, where rows fill blocks of 256
    ("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_M", "IQ3_XXS", "IQ3_S", "IQ4_XS"),
    ("Q3_K_S", "Q3_K_M", "Q3_K_L"),
    ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "F16", "F32"),
    ("Q2_K", "Q3_K_S", "Q4_K_S", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "BF16-GGUF"),
    ("Q4_K_S", "Q4_K_M", "Q4_K_L"),
    ("Q5_K_S", "Q5_K_M", "Q5_K_L"),
    ("MLX-3bit", "MLX-4bit", "MLX-5bit", "MLX-6bit", "MLX-8bit", "MLX-bf16"),
    ("NF4", "INT8", "BF16"),
    ("AWQ", "GPTQ-Int4", "GPTQ-Int8", "BF16"),
    ("UD-IQ1_M", "UD-IQ2_M", "UD-Q2_K_XL", "UD-Q3_K_XL", "UD-Q4_K_XL", "UD-Q5_K_XL", "UD-Q6_K_XL", "UD-Q8_K_XL"),
]


@st.composite
def decoders(draw: st.DrawFn, *, short_rows: bool = True) -> TextDecoder:
    """A language model of any proportions, with ``short_rows`` some whose rows fill no blocks of 256."""
    heads = draw(st.sampled_from([1, 2, 4, 8]))
    moe = None
    if draw(st.booleans()):
        moe = Moe(
            num_experts=draw(st.sampled_from([4, 8, 60, 128])),
            num_experts_per_tok=draw(st.integers(1, 4)),
            moe_intermediate_size=draw(st.sampled_from([256, 768, 704] if short_rows else [256, 768])),
            shared_expert_intermediate_size=draw(st.sampled_from([0, 512])),
        )
    return TextDecoder(
        num_hidden_layers=draw(st.integers(1, 96)),
        hidden_size=draw(st.sampled_from([256, 1024, 2560, 896] if short_rows else [256, 1024, 2560])),
        intermediate_size=draw(st.sampled_from([512, 2816, 4864])),
        num_attention_heads=heads * draw(st.sampled_from([1, 2, 4, 7] if short_rows else [4, 8])),
        num_key_value_heads=heads,
        head_dim=draw(st.sampled_from([64, 128])),
        vocab_size=draw(st.sampled_from([1024, 151_936])),
        tie_word_embeddings=draw(st.booleans()),
        qk_norm=draw(st.booleans()),
        moe=moe,
    )


def _made(text: TextDecoder) -> Architecture:
    return Architecture(id="any", model_type="qwen3_moe" if text.moe else "qwen3", text=text)


@_QUIET
@given(
    text=decoders(), fmt=st.sampled_from(["Q2_K", "Q4_K_M", "IQ3_M", "IQ4_XS", "MXFP4_MOE", "AWQ", "MLX-6bit", "FP8"])
)
def test_splits_sum_to_the_whole(catalog: Catalog, text: TextDecoder, fmt: str) -> None:
    found = footprint(_made(text), catalog.formats[fmt], catalog.block_types)
    each = layers(_made(text), catalog.formats[fmt], catalog.block_types)
    assert len(each) == found.layers == text.num_hidden_layers
    assert sum(layer.dense for layer in each) == found.layers_dense
    assert sum(layer.experts for layer in each) == found.layers_experts
    assert sum(found.by_type.values()) == found.tensor_bytes
    assert all(0 < size <= found.by_type[kind] for kind, size in found.repack.items())
    assert found.file_bytes >= found.tensor_bytes
    assert (found.layers_experts > 0) == (text.moe is not None)


@_QUIET
@given(text=decoders(), fmt=st.sampled_from(["Q2_K", "Q3_K_M", "Q4_K_M", "Q8_0", "AWQ", "MLX-4bit", "BF16"]))
def test_more_layers_take_more_bytes(catalog: Catalog, text: TextDecoder, fmt: str) -> None:
    more = replace(text, num_hidden_layers=text.num_hidden_layers + 1)
    small, large = (footprint(_made(t), catalog.formats[fmt], catalog.block_types) for t in (text, more))
    assert large.file_bytes > small.file_bytes
    assert large.parameters > small.parameters


@_QUIET
@given(text=decoders(short_rows=False), names=st.sampled_from(_ORDERED[:8]))
def test_more_bits_take_more_bytes(catalog: Catalog, text: TextDecoder, names: tuple[str, ...]) -> None:
    found = [footprint(_made(text), catalog.formats[name], catalog.block_types).tensor_bytes for name in names]
    assert found == sorted(found)


def test_short_rows_turn_the_order_over(weigh: Weigh) -> None:
    # 339 MB and 338 MB, https://ollama.com/library/qwen2.5/tags: rows of 896 take larger types in Q2_K than in Q3_K_S
    q2_k, q3_k_s = (weigh("qwen2-0.5b", name).file_bytes for name in ("Q2_K", "Q3_K_S"))
    assert (round(q2_k / 1e6), round(q3_k_s / 1e6)) == (339, 338)


@pytest.mark.parametrize("names", _ORDERED, ids=lambda names: names[0])
@pytest.mark.parametrize("architecture", ["qwen3-8b", "qwen3-30b-a3b", "qwen3.5-9b"])
def test_families_are_ordered_on_real_models(weigh: Weigh, architecture: str, names: tuple[str, ...]) -> None:
    if names[0] == "UD-IQ1_M" and architecture == "qwen3.5-9b":
        names = names[1:]  # unsloth made none of it
    found = [weigh(architecture, name).tensor_bytes for name in names]
    assert found == sorted(found)
    assert found[0] < found[-1]


@_QUIET
@given(text=decoders())
def test_gguf_and_16_bit_count_the_same_weights(catalog: Catalog, text: TextDecoder) -> None:
    weights = {
        footprint(_made(text), catalog.formats[name], catalog.block_types).parameters
        for name in ("Q4_K_M", "F32", "BF16", "MLX-8bit")
    }
    assert len(weights) == 1


@_QUIET
@given(text=decoders())
def test_a_stored_head_adds_itself(catalog: Catalog, text: TextDecoder) -> None:
    tied = replace(text, tie_word_embeddings=True)
    without, stored = (
        footprint(_made(tied), catalog.formats["F16"], catalog.block_types, variant=frozenset(words))
        for words in ((), ("stored-head",))
    )
    assert stored.tensor_bytes - without.tensor_bytes == 2 * text.vocab_size * text.hidden_size


def test_splits_sum_to_the_whole_of_the_whole_catalogue(catalog: Catalog) -> None:
    for architecture in catalog.architectures.values():
        for fmt in catalog.formats.values():
            try:
                found = footprint(architecture, fmt, catalog.block_types)
            except UsageError:  # what it says is test_weight_faults.py's
                continue
            assert sum(found.by_type.values()) == found.tensor_bytes, (architecture.id, fmt.name)
            each = layers(architecture, fmt, catalog.block_types)
            assert sum(layer.dense for layer in each) == found.layers_dense, (architecture.id, fmt.name)
            assert sum(layer.experts for layer in each) == found.layers_experts, (architecture.id, fmt.name)
            assert (found.basis == "exact") == (fmt.kind == "float" or fmt.container == "gguf") or fmt.publisher_mix
