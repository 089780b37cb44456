"""Laws of the order, and what each preference does."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from plans import plan, scored

from qwen_advisor.rank import Scored, dominates, frontier, rank

NUMBERS = st.tuples(
    st.floats(-3, 3), st.floats(0.5, 200), st.floats(1, 2000), st.integers(1 << 28, 1 << 38), st.floats(0.05, 1.0)
)
LISTS = st.lists(NUMBERS, min_size=1, max_size=8)


def _make(rows: list[tuple[float, float, float, int, float]]) -> list[Scored]:
    return [
        scored(value, plan(f"Qwen/M{i}", decode=decode, answer=answer, size=size, fill=fill))
        for i, (value, decode, answer, size, fill) in enumerate(rows)
    ]


@given(LISTS, st.randoms(use_true_random=False))
def test_input_order_never_changes_the_ranking(rows: list[tuple[float, float, float, int, float]], random) -> None:
    models = _make(rows)
    shuffled = list(models)
    random.shuffle(shuffled)
    assert [s.plan.checkpoint.id for s in rank(models)] == [s.plan.checkpoint.id for s in rank(shuffled)]


@given(LISTS)
def test_what_dominates_stands_above(rows: list[tuple[float, float, float, int, float]]) -> None:
    ranked = rank(_make(rows))
    assert len(ranked) == len(rows)
    for place, lower in enumerate(ranked):
        assert not any(dominates(below, lower) for below in ranked[place + 1 :])


@given(LISTS)
def test_the_frontier_is_never_empty_and_holds_the_ablest(rows: list[tuple[float, float, float, int, float]]) -> None:
    models = _make(rows)
    edge = frontier(models)
    best = max(round(m.able, 6) for m in models)
    assert any(m.plan.checkpoint.id in edge for m in models if round(m.able, 6) == best)


def test_terms_by_hand() -> None:
    """Waiting 30 s at a patience of 30 s costs 0.25 (ln 2)/2; 20 tokens/s at 20 comfortable ones 0.15 (ln 2)/2."""
    terms = scored(1.0, plan("Qwen/A"), loss=0.2).terms
    assert terms.ability == pytest.approx(1.0 - 0.25 * 0.1)
    assert terms.quantization_loss == 0.2
    assert terms.speed == pytest.approx(-0.2 * math.log(2))
    assert terms.headroom == 0
    assert terms.memory == pytest.approx(-0.02 * 0.5)
    assert terms.context == pytest.approx(0.01 * 2)
    assert terms.total == pytest.approx(0.975 - 0.2 - 0.2 * math.log(2) - 0.01 + 0.02)


@pytest.mark.parametrize(("fill", "expected"), [(0.5, 0.0), (0.9, 0.0), (0.95, -0.075), (1.0, -0.15), (1.2, -0.15)])
def test_headroom_counts_in_the_last_tenth(fill: float, expected: float) -> None:
    assert scored(0, plan("Qwen/A", fill=fill)).terms.headroom == pytest.approx(expected)


@pytest.mark.parametrize(
    ("prefer", "winner"), [("quality", "Qwen/Able"), ("speed", "Qwen/Quick"), ("memory", "Qwen/Small")]
)
def test_preferences_move_the_order(prefer: str, winner: str) -> None:
    able = plan("Qwen/Able", decode=8, answer=200, size=20 << 30, fill=0.9)
    quick = plan("Qwen/Quick", decode=120, answer=5, size=18 << 30, fill=0.8)
    small = plan("Qwen/Small", decode=40, answer=30, size=1 << 30, fill=0.05)
    models = [
        scored(1.2, able, prefer=prefer),
        scored(0.7, quick, prefer=prefer),
        scored(0.2, small, prefer=prefer),
    ]
    assert rank(models)[0].plan.checkpoint.id == winner


def test_ties_are_broken_by_name() -> None:
    models = [scored(1, plan("Qwen/B")), scored(1, plan("Qwen/A"))]
    assert [s.plan.checkpoint.id for s in rank(models)] == ["Qwen/A", "Qwen/B"]
