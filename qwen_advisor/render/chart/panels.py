"""What a chart shows, before anybody knows how it is drawn: every model that was weighed, at its best setting."""

from __future__ import annotations

import string
from collections.abc import Sequence

from qwen_advisor.advice import Advice, Weighed
from qwen_advisor.quality import expected_score
from qwen_advisor.render import words
from qwen_advisor.render.chart.scales import Axis, ability_axis, size_axis, time_axis
from qwen_advisor.units import gib
from qwen_advisor.values import dataclass

__all__ = ["Axis", "Mark", "Panel", "panels"]

_LABELS = string.digits[1:] + string.ascii_lowercase + string.ascii_uppercase
SHOWN = len(_LABELS)  # models that have a label of one character of their own
_TICKS, _ROWS = 6, 8  # most names along an axis
_LEAST_SECONDS = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One model in a panel; ``x`` and ``y`` lie between 0 and 1, ``low`` and ``high`` one standard error from ``y``."""

    label: str
    rank: int
    model: str
    words: str
    x: float
    y: float
    low: float
    high: float
    frontier: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One chart. ``stairs`` joins the models that nothing beats in both directions of this panel."""

    title: str
    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    stairs: tuple[tuple[float, float], ...]


def label(rank: int) -> str:
    """The sign of the model at that place of the ranking."""
    return _LABELS[rank - 1]


def panels(advice: Advice) -> tuple[Panel, ...]:
    """Ability against the time to a finished answer, and against memory; none where nothing was weighed.

    Time, and not the rate of decoding: a model that thinks decodes fast and answers late. It is what ranks.
    """
    shown = advice.weighed[:SHOWN]
    if not shown:
        return ()
    ability = ability_axis("expected score of 100", [item.able for item in shown], _ROWS)
    waits = [max(_LEAST_SECONDS, item.plan.speed.time_to_answer) for item in shown]
    sizes = [float(item.plan.memory.total) for item in shown]
    return (
        _panel("Ability against speed", time_axis("time to a whole answer", waits, _TICKS), ability, shown, waits),
        _panel("Ability against memory", size_axis("memory taken", sizes, _TICKS), ability, shown, sizes),
    )


def _panel(title: str, x: Axis, y: Axis, shown: Sequence[Weighed], values: Sequence[float]) -> Panel:
    marks = tuple(
        Mark(
            label=label(item.rank),
            rank=item.rank,
            model=item.plan.checkpoint.id,
            words=sentence(item),
            x=x.place(value),
            y=y.place(item.able),
            low=y.place(item.able - item.ability.standard_error),
            high=y.place(item.able + item.ability.standard_error),
            frontier=item.frontier,
        )
        for item, value in zip(shown, values, strict=True)
    )
    return Panel(title=title, x=x, y=y, marks=marks, stairs=_stairs(marks))


def sentence(item: Weighed) -> str:
    """One model in one line."""
    plan = item.plan
    thinks = {"on": ", thinking", "off": ", not thinking", "none": ""}[plan.thinking]
    dominated = f"; outdone by {words.short(item.dominated_by)}" if item.dominated_by else ""
    return (
        f"{item.rank}. {words.short(plan.checkpoint.id)}, {plan.format}, {plan.settings.engine}{thinks}: "
        f"{expected_score(item.able):.0f} of 100, answer after {words.seconds(plan.speed.time_to_answer)}, "
        f"{words.figure(plan.speed.decode.expected)} tokens/s, {gib(plan.memory.total)}{dominated}"
    )


def _stairs(marks: Sequence[Mark]) -> tuple[tuple[float, float], ...]:
    """Corners of the line above and left of which nothing lies."""
    corners: list[tuple[float, float]] = []
    for mark in sorted(marks, key=lambda m: (m.x, -m.y)):
        if not corners:
            corners.append((mark.x, mark.y))
        elif mark.y > corners[-1][1]:
            corners += [(mark.x, corners[-1][1]), (mark.x, mark.y)]
    return tuple(corners)
