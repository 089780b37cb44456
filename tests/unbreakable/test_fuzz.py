"""Whatever others write, it is read or refused in a sentence: no other exception, no hang, no memory out of bounds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz_targets import findings, targets

TARGETS = targets()
QUICK = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@pytest.mark.parametrize("name", TARGETS)
def test_a_value_or_one_of_our_errors(name: str) -> None:
    target = TARGETS[name]

    @settings(
        max_examples=target.examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=QUICK,
    )
    @given(data=st.data())
    def fuzz(data: Any) -> None:
        value = data.draw(target.inputs)
        findings(target, value)

    fuzz()
