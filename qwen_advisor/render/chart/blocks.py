"""The charts of a report for people: the pictures, and a table that says what each sign stands for."""

from __future__ import annotations

from qwen_advisor.advice import Advice, Weighed
from qwen_advisor.quality import expected_score
from qwen_advisor.render import words
from qwen_advisor.render.chart.panels import SHOWN, label, panels
from qwen_advisor.render.chart.pictures import pictures
from qwen_advisor.render.report import Block, Grid, Lines
from qwen_advisor.units import gib


def charts(advice: Advice, *, width: int | None, narrow: bool, full_names: bool) -> tuple[Block, ...]:
    """Ability against speed and against memory, in as many columns as there are."""
    shown = advice.weighed[:SHOWN]
    headings = ("of 100", "answer after", "tokens/s", "memory")
    if narrow:
        legend = Grid(
            title="In the charts",
            headings=("", "model", *headings),
            rows=tuple(_narrow_row(item, full_names=full_names) for item in shown),
            right=frozenset({2, 3, 4, 5}),
        )
    else:
        legend = Grid(
            title="In the charts",
            headings=("", "model", "setting", *headings, "outdone by"),
            rows=tuple(
                (label(item.rank), *_named(item, full_names=full_names), *_numbers(item), _above(item, full_names))
                for item in shown
            ),
            right=frozenset({3, 4, 5, 6}),
        )
    return (*pictures(panels(advice), width), legend, Lines(title="", lines=_reading(advice, len(shown))))


def _narrow_row(item: Weighed, *, full_names: bool) -> tuple[str, ...]:
    """The same in fewer columns."""
    model, setting = _named(item, full_names=full_names)
    above = _above(item, full_names)
    cell = f"{model}\n{setting}" + (f"\noutdone by {above}" if above else "")
    return (label(item.rank), cell, *_numbers(item))


def _named(item: Weighed, *, full_names: bool) -> tuple[str, str]:
    plan = item.plan
    thinks = "" if plan.thinking == "none" else f", thinking {plan.thinking}"
    return plan.checkpoint.id if full_names else words.short(plan.checkpoint.id), f"{plan.format}{thinks}"


def _numbers(item: Weighed) -> tuple[str, ...]:
    plan = item.plan
    return (
        f"{expected_score(item.able):.0f}",
        words.seconds(plan.speed.time_to_answer),
        words.figure(plan.speed.decode.expected),
        gib(plan.memory.total),
    )


def _above(item: Weighed, full_names: bool) -> str:
    above = item.dominated_by or ""
    return above if full_names else words.short(above)


def _reading(advice: Advice, shown: int) -> tuple[str, ...]:
    if not shown:
        return ()
    lines = ["upper left is better; the dots join what no other model beats in both directions of a chart"]
    if any(item.dominated_by for item in advice.weighed[:shown]):
        lines.append("outdone: another is at least as able, as fast and as small, and better in one of the three")
    if len(advice.weighed) > shown:
        lines.append(f"and {len(advice.weighed) - shown} more that score less")
    return tuple(lines)
