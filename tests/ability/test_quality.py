"""Abilities that experts would sign, and laws of what quantization takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_advisor.catalog import load_catalog
from qwen_advisor.quality import ability_in_language, expected_score, find_ability, quantization_loss

CATALOG = load_catalog()
FORMATS = ("Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0")


def value(model: str, scale: str, thinking: str = "off") -> float:
    ability = find_ability(CATALOG.abilities, f"Qwen/{model}", scale, thinking)
    assert ability is not None
    return ability.value


@pytest.mark.parametrize(
    ("better", "worse", "scale", "thinking"),
    [
        # a newer generation of the same size class
        ("Qwen3.8-27B", "Qwen3.5-27B", "code", "on"),
        ("Qwen3.5-9B", "Qwen3-8B", "code", "on"),
        ("Qwen3.5-4B", "Qwen3-4B", "math", "on"),
        ("Qwen3-8B", "Qwen2.5-7B-Instruct", "chat", "off"),
        ("Qwen3.6-35B-A3B", "Qwen3-30B-A3B", "code", "on"),
        # a larger model of the same generation
        ("Qwen3.5-27B", "Qwen3.5-9B", "reasoning", "on"),
        ("Qwen3.5-9B", "Qwen3.5-4B", "chat", "on"),
        ("Qwen3.5-4B", "Qwen3.5-2B", "code", "on"),
        ("Qwen3.5-2B", "Qwen3.5-0.8B", "chat", "off"),
        ("Qwen2.5-Coder-32B-Instruct", "Qwen2.5-Coder-7B-Instruct", "code", "off"),
        # lines at what they are for
        ("Qwen2.5-Coder-7B-Instruct", "Qwen2.5-7B-Instruct", "code", "off"),
        ("Qwen2.5-Math-7B-Instruct", "Qwen2.5-7B-Instruct", "math", "off"),
        ("Qwen3.5-9B", "Qwen3-VL-8B-Instruct", "vision", "off"),
    ],
)
def test_orders_that_an_expert_signs(better: str, worse: str, scale: str, thinking: str) -> None:
    assert value(better, scale, thinking) > value(worse, scale, thinking)


@pytest.mark.parametrize("model", ["Qwen3-8B", "Qwen3.5-9B", "Qwen3.5-27B", "Qwen3-32B"])
def test_thinking_helps_at_mathematics(model: str) -> None:
    assert value(model, "math", "on") > value(model, "math", "off")


def test_every_general_model_has_a_place_at_chat() -> None:
    missing = [
        model.id
        for model in CATALOG.models.values()
        if model.kind in ("instruct", "hybrid", "thinking")
        and model.line in ("general", "reasoning")
        and model.special_purpose is None
        and model.id not in CATALOG.abilities["chat"]
    ]
    assert not missing


@pytest.mark.parametrize("scale", sorted(CATALOG.abilities))
def test_every_ability_is_sane(scale: str) -> None:
    """Within bounds, with an error, and with evidence exactly where it is called published."""
    for name, settings in CATALOG.abilities[scale].items():
        assert name in CATALOG.models
        for ability in settings:
            assert -8 < ability.value < 8
            assert 0 < ability.standard_error < 3
            assert ability.published or not ability.evidence
            assert len(ability.evidence) <= 4
            for evidence in ability.evidence:
                assert evidence.source
                assert 0 <= evidence.weight <= 1


def test_embedding_models_have_no_place_at_chat() -> None:
    assert find_ability(CATALOG.abilities, "Qwen/Qwen3-Embedding-8B", "chat", "off") is None
    assert find_ability(CATALOG.abilities, "Qwen/Qwen3-Embedding-8B", "embedding", "off") is not None


def test_a_language_moves_an_ability_half_way() -> None:
    plain = find_ability(CATALOG.abilities, "Qwen/Qwen3-8B", "chat", "on")
    english = ability_in_language(CATALOG.abilities, "Qwen/Qwen3-8B", "chat", "on", "en")
    assert plain == english
    spoken = find_ability(CATALOG.abilities, "Qwen/Qwen3-8B", "language-de", "on")
    german = ability_in_language(CATALOG.abilities, "Qwen/Qwen3-8B", "chat", "on", "de")
    assert plain is not None
    assert spoken is not None
    assert german is not None
    assert german.value == pytest.approx((plain.value + spoken.value) / 2)


@given(st.floats(-30, 30), st.floats(-30, 30))
def test_expected_scores_rise_with_ability(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= expected_score(low) <= expected_score(high) <= 100
    assert expected_score(0.0) == 50


def loss(fmt: str, *, bits: float, parameters: int = 8_000_000_000, moe: bool = False, kv_type: str = "f16") -> float:
    found, error = quantization_loss(
        CATALOG.quantization_loss,
        fmt=CATALOG.formats[fmt],
        bits_per_weight=bits,
        total_parameters=parameters,
        moe=moe,
        scale="code",
        kv_type=kv_type,
    )
    assert found >= 0
    assert error >= 0
    return found


@given(st.floats(2.0, 9.0), st.floats(2.0, 9.0), st.sampled_from(FORMATS))
def test_fewer_bits_never_lose_less(one: float, other: float, fmt: str) -> None:
    few, many = sorted((one, other))
    assert loss(fmt, bits=few) >= loss(fmt, bits=many)


@given(st.integers(500_000_000, 10**12), st.integers(500_000_000, 10**12))
def test_small_models_lose_more(one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert loss("Q4_K_M", bits=4.8, parameters=small) >= loss("Q4_K_M", bits=4.8, parameters=large)


def test_whole_numbers_lose_nothing_and_a_smaller_cache_something() -> None:
    assert loss("BF16", bits=16) == 0
    plain = loss("Q8_0", bits=8.5)
    assert plain < loss("Q8_0", bits=8.5, kv_type="q8_0") < loss("Q8_0", bits=8.5, kv_type="q4_0")


def test_an_unknown_cache_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing is known"):
        loss("Q8_0", bits=8.5, kv_type="q3_0")
