"""What is named as the nearest setting: figures that never promise more, and factors that stay with their hardware."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_advisor.api import machine_for
from qwen_advisor.facts import Catalog
from qwen_advisor.gate import nearest
from qwen_advisor.gate.fitting import judge
from qwen_advisor.requirements import resolve


@given(st.floats(min_value=1e-3, max_value=1e6))
def test_a_speed_is_rounded_down_to_two_digits(value: float) -> None:
    rounded = nearest._rounded_down(value)
    assert rounded <= value < rounded * 1.12
    assert float(f"{rounded:.2g}") == pytest.approx(rounded)


@given(st.integers(min_value=1, max_value=10**6), st.integers(min_value=2, max_value=10**6), st.sampled_from([1, 256]))
def test_the_largest_that_passes_is_found(limit: int, asked: int, step: int) -> None:
    if asked <= limit:
        return
    found = nearest._most(1, asked, step, lambda number: number <= limit)
    assert 1 <= found <= limit
    assert limit - found < 2 * step


def test_what_was_measured_on_one_card_is_not_promised_of_another(catalog: Catalog) -> None:
    """In Q4_K_M an RTX 3060 decodes about 60 tokens/s of Qwen3-8B, an RTX 4090 about 130 (360 against 1008 GB/s)."""
    wanted = resolve(catalog, min_speed=200, engines=("llama.cpp",), quantizations=("Q4_K_M",))
    machine, model = machine_for(catalog, gpu="RTX 3060 12GB"), catalog.models["Qwen/Qwen3-8B"]

    def named(factor: float) -> tuple[str, ...]:
        measured = {("llama.cpp", "gguf-mix", "gpu"): {"decode": factor}}
        judged = judge(catalog, machine, wanted, model, task_stated=False, calibration=measured)
        (failure,) = [ruling for ruling in judged.rulings if ruling.level == "fail"]
        assert failure.rule == "S101"
        return tuple(change for change in failure.nearest if not change.startswith("--"))

    assert named(2.0) == named(1.0)
