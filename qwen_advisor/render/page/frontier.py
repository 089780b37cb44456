"""The chart of the page, which the table under it and two sliders drive, and which stands without a script too."""

from __future__ import annotations

from qwen_advisor.advice import Advice, Weighed
from qwen_advisor.quality import expected_score
from qwen_advisor.render import words
from qwen_advisor.render.chart import panel_svg, panels
from qwen_advisor.render.markup import Markup, element, joined
from qwen_advisor.render.page.frame import row, table
from qwen_advisor.units import gib

_HEADINGS = ("", "model", "setting", "expected score", "answer after", "tokens/s", "memory", "outdone by")


def frontier(advice: Advice) -> Markup:
    """Both panels, the controls, what is pointed at in words, and the table."""
    shown = panels(advice)
    if not shown:
        return element("p", "Nothing was weighed.")
    count = len(shown[0].marks)
    return joined(
        element(
            "p",
            "Each circle is a model at its best setting here. Upper left is better. The line joins what no other model "
            "beats in both directions; filled circles are beaten by none in ability, speed and memory at once.",
        ),
        element(
            "div",
            _slider("answer within", "seconds"),
            _slider("memory at most", "bytes"),
            element("label", element("input", type="checkbox", id="frontier-only"), " only what nothing outdoes"),
            class_="controls",
            hidden=True,
            role="group",
            aria_label="Narrow the chart",
        ),
        element(
            "div",
            *(panel_svg(panel, f"panel-{index}") for index, panel in enumerate(shown)),
            class_="panels",
        ),
        element("output", "", id="pointed", aria_live="polite"),
        table("Every model that was weighed", _HEADINGS, [_row(item) for item in advice.weighed[:count]]),
    )


def _slider(words_: str, name: str) -> Markup:
    return element(
        "label",
        f"{words_} ",
        element("output", "any", for_=f"most-{name}"),
        element("input", type="range", id=f"most-{name}", data_by=name, min="0", max="0", value="0", step="1"),
    )


def _row(item: Weighed) -> Markup:
    plan = item.plan
    thinks = "" if plan.thinking == "none" else f", thinking {plan.thinking}"
    cells = (
        str(item.rank),
        plan.checkpoint.id,
        f"{plan.format}, {plan.settings.engine}{thinks}",
        f"{expected_score(item.able):.0f}",
        words.seconds(plan.speed.time_to_answer),
        words.rate(plan.speed.decode),
        gib(plan.memory.total),
        words.short(item.dominated_by or ""),
    )
    return row(
        _HEADINGS,
        cells,
        id=f"model-{item.rank}",
        tabindex="-1",
        data_model=item.rank,
        data_seconds=f"{plan.speed.time_to_answer:.6g}",
        data_seconds_words=words.seconds(plan.speed.time_to_answer),
        data_bytes=plan.memory.total,
        data_bytes_words=gib(plan.memory.total),
        class_="frontier" if item.frontier else None,
    )
