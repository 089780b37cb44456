"""Charts: where marks lie, what the stairs join, which values are named, and how wide they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_advisor import api
from qwen_advisor.advice import Advice
from qwen_advisor.cli import main
from qwen_advisor.render.chart import charts, panels, pictures
from qwen_advisor.render.chart.scales import Axis, ability_axis, size_axis, time_axis
from qwen_advisor.render.report import Grid, Picture
from qwen_advisor.units import GIB, MIB

Numbers = list[tuple[float, float, int]]  # ability, seconds to an answer, bytes
NUMBERS = st.lists(
    st.tuples(st.floats(-4, 5), st.floats(1e-3, 1e5), st.integers(64 * MIB, 4096 * GIB)), min_size=1, max_size=40
)


def advice_of(hand: ModuleType, rows: Numbers) -> Advice:
    """Advice that weighed one model for each row."""
    first = hand.ADVICE.weighed[0]
    part = first.plan.memory.parts[0]
    weighed = tuple(
        replace(
            first,
            rank=place,
            plan=replace(
                first.plan,
                checkpoint=replace(first.plan.checkpoint, id=f"Qwen/M{place}"),
                memory=replace(first.plan.memory, parts=(replace(part, bytes=size),)),
                speed=replace(first.plan.speed, time_to_answer=seconds),
            ),
            ability=replace(first.ability, value=ability),
            quantization_loss=0.0,
        )
        for place, (ability, seconds, size) in enumerate(rows, start=1)
    )
    return replace(hand.ADVICE, weighed=weighed)


@given(rows=NUMBERS)
def test_marks_lie_in_the_frame_and_keep_their_order(rows: Numbers, hand: ModuleType) -> None:
    speed, memory = panels(advice_of(hand, rows))
    for panel, values in ((speed, [row[1] for row in rows]), (memory, [float(row[2]) for row in rows])):
        assert all(0 < mark.x < 1 and 0 < mark.y < 1 for mark in panel.marks)
        assert all(mark.low <= mark.y <= mark.high for mark in panel.marks)
        placed = sorted(zip(values, panel.marks, strict=True), key=lambda item: item[0])
        assert all(left[1].x <= right[1].x for left, right in pairwise(placed))


@given(rows=NUMBERS)
def test_nothing_lies_above_and_left_of_the_stairs(rows: Numbers, hand: ModuleType) -> None:
    for panel in panels(advice_of(hand, rows)):
        assert all(left[0] <= right[0] and left[1] <= right[1] for left, right in pairwise(panel.stairs))
        for mark in panel.marks:
            roof = max((y for x, y in panel.stairs if x <= mark.x), default=math.inf)
            assert mark.y <= roof + 1e-12


def test_stairs_by_hand(hand: ModuleType) -> None:
    """1 is abler and later than 2; 3 is later than 2 and less able, so the stairs pass it by."""
    speed, _ = panels(advice_of(hand, [(2.0, 60.0, GIB), (1.0, 10.0, GIB), (0.5, 20.0, GIB)]))
    one, two, _ = speed.marks
    assert speed.stairs == ((two.x, two.y), (one.x, two.y), (one.x, one.y))


@pytest.mark.parametrize(
    ("axis", "named"),
    [
        (time_axis("t", [0.5, 200.0], 6), ["1 s", "10 s", "1 min"]),
        (time_axis("t", [20.0, 400.0], 6), ["20 s", "30 s", "1 min", "2 min", "5 min"]),
        (time_axis("t", [30.0, 30.0], 6), ["20 s", "30 s", "1 min"]),
        (time_axis("t", [3600.0, 400_000.0], 6), ["1 h", "6 h", "1 d"]),
        (size_axis("m", [512 * MIB, 9 * GIB], 6), ["512 MiB", "1 GiB", "2 GiB", "4 GiB", "8 GiB"]),
        (ability_axis("a", [0.0, 3.0], 8), ["50", "60", "70", "80", "90", "95"]),
        (ability_axis("a", [-7.0, 7.0], 8), ["0.1", "1", "10", "50", "90", "99", "99.9"]),
    ],
)
def test_axes_name_round_values(axis: Axis, named: list[str]) -> None:
    words = [word for _, word in axis.ticks]
    assert words == named


@given(st.lists(st.floats(1e-3, 1e9), min_size=1, max_size=9), st.integers(3, 8))
def test_every_axis_names_something_and_not_too_much(values: list[float], most: int) -> None:
    for axis in (time_axis("t", values, most), size_axis("m", [v * MIB for v in values], most)):
        assert len(axis.ticks) <= most
        assert all(0 <= place <= 1 for place, _ in axis.ticks)
        assert all(left[0] < right[0] for left, right in pairwise(axis.ticks))


@given(rows=NUMBERS, width=st.integers(36, 220))
def test_pictures_are_no_wider_than_the_terminal_and_hide_no_mark(rows: Numbers, width: int, hand: ModuleType) -> None:
    made = panels(advice_of(hand, rows))
    drawn = pictures(made, width)
    assert len(drawn) == (1 if width >= 100 else 2)
    lines = [line for picture in drawn for line in (picture.title, *picture.lines)]
    assert max(map(len, lines)) <= width
    inside = "".join(line.partition("│")[2] or line.partition("┤")[2] for line in lines)
    for mark in made[0].marks:
        assert inside.count(mark.label) >= 2, mark


@pytest.mark.parametrize("width", [1, 20, 35])
def test_where_there_is_no_room_the_table_stays(width: int, hand: ModuleType) -> None:
    blocks = charts(hand.ADVICE, width=width, narrow=True, full_names=False)
    assert not [block for block in blocks if isinstance(block, Picture)]
    assert [block.rows[0][0] for block in blocks if isinstance(block, Grid)] == ["1"]


def test_the_frontier_is_set_off(hand: ModuleType) -> None:
    first, second = pictures(panels(hand.ADVICE), 80)
    for picture in (first, second):
        assert {picture.lines[row][column] for row, column in picture.strong} == {"1", "2"}
    (both,) = pictures(panels(hand.ADVICE), 160)
    assert sorted(both.lines[row][column] for row, column in both.strong) == ["1", "1", "2", "2"]


def test_nothing_weighed_draws_nothing(hand: ModuleType) -> None:
    assert panels(hand.NOTHING) == ()
    assert pictures((), 80) == ()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, hand: ModuleType) -> Callable[..., dict[str, object]]:
    """Run a call and return what it asked of the Python interface."""
    seen: dict[str, object] = {}

    def answer(*_: object, **wanted: object) -> Advice:
        seen.update(wanted)
        return hand.ADVICE

    monkeypatch.setattr(api, "recommend", answer)

    def run(*words: str) -> dict[str, object]:
        assert main(["recommend", "--ram", "16G", *words]) == 0
        return seen

    return run


def test_a_chart_weighs_every_model(
    asked: Callable[..., dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked("--chart")["everything"] is True
    assert "Ability against memory" in capsys.readouterr().out
    assert asked()["everything"] is False


@pytest.mark.parametrize("form", ["csv", "id", "env"])
def test_a_chart_that_has_no_place_is_named(
    form: str, asked: Callable[..., dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    asked("--chart", "--format", form)
    assert f"warning: --chart adds nothing to --format {form}" in capsys.readouterr().err


def test_markdown_fences_the_chart(asked: Callable[..., dict[str, object]], capsys: pytest.CaptureFixture[str]) -> None:
    asked("--chart", "--format", "markdown")
    assert "```text\nAbility against speed\n" in capsys.readouterr().out
