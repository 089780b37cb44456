"""Axes: where a value lies between 0 and 1, and which round values are named along the way."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from qwen_advisor.quality import expected_score
from qwen_advisor.units import GIB
from qwen_advisor.values import dataclass

_PADDING = 0.07  # of the span, so that no mark lies on the frame
_MINUTE, _HOUR, _DAY = 60, 3600, 86400

_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
_LONG = tuple(hours * _HOUR for hours in (6, 12, 24, 48, 120, 240, 480, 1200, 2400))
_FEWER_SECONDS = (0.01, 0.1, 1, 10, 60, 600, 3600, 6 * _HOUR, _DAY, 10 * _DAY, 100 * _DAY)
_SIZES = tuple(GIB * 2**power for power in range(-6, 15))
_SCORES = (0.1, 0.5, 1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99, 99.5, 99.9)
_FEWER_SCORES = (0.1, 1, 10, 50, 90, 99, 99.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A direction of a chart. Ticks are (place between 0 and 1, words)."""

    title: str
    ticks: tuple[tuple[float, str], ...]
    place: Callable[[float], float]


def time_axis(title: str, values: Sequence[float], most: int) -> Axis:
    """Seconds on a logarithmic scale, with ``most`` ticks at most."""
    return _axis(title, values, math.log, (_SECONDS + _LONG, _FEWER_SECONDS), _time, most, least=math.log(4))


def size_axis(title: str, values: Sequence[float], most: int) -> Axis:
    """Bytes on a logarithmic scale."""
    thinner = tuple(_SIZES[::2]), tuple(_SIZES[::4])
    return _axis(title, values, math.log, (_SIZES, *thinner), _size, most, least=math.log(4))


def ability_axis(title: str, values: Sequence[float], most: int) -> Axis:
    """Logits, named by the share of an average benchmark that they solve: even steps of what ranks stay even."""
    steps = tuple(tuple(_logit(score) for score in scores) for scores in (_SCORES, _SCORES[::2], _FEWER_SCORES))
    return _axis(title, values, float, steps, lambda value: f"{expected_score(value):.3g}", most, least=1.0)


def _axis(
    title: str,
    values: Sequence[float],
    scale: Callable[[float], float],
    steps: Sequence[Sequence[float]],
    word: Callable[[float], str],
    most: int,
    *,
    least: float,
) -> Axis:
    scaled = [scale(value) for value in values]
    low, high = min(scaled), max(scaled)
    short = max(0.0, least - (high - low)) / 2
    low, high = low - short, high + short
    room = _PADDING * (high - low)
    low, span = low - room, high - low + 2 * room

    def place(value: float) -> float:
        return (scale(value) - low) / span

    inside = [[value for value in step if 0 <= place(value) <= 1] for step in steps]
    chosen = next((ticks for ticks in inside if len(ticks) <= most), inside[-1])
    while len(chosen) > most:
        chosen = chosen[::2]
    return Axis(title=title, ticks=tuple((place(value), word(value)) for value in chosen), place=place)


def _logit(score: float) -> float:
    return math.log(score / (100 - score))


def _time(seconds: float) -> str:
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"


def _size(size: float) -> str:
    return f"{size / GIB:g} GiB" if size >= GIB else f"{size * 1024 / GIB:g} MiB"
