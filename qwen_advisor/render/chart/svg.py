"""Charts as SVG: one panel for a page, or a picture of its own with a legend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qwen_advisor.advice import Advice
from qwen_advisor.render import words
from qwen_advisor.render.chart.panels import Mark, Panel, panels, sentence
from qwen_advisor.render.markup import Markup, element, joined

WIDTH, HEIGHT = 520, 360  # of a panel, in the units of its viewBox
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 24, 40, 56  # margins around its frame
_RADIUS = 10.0
_LINE = 20  # height of a line of the legend
_NS = "http://www.w3.org/2000/svg"

# Colours by role; the page sets the same names, a picture of its own carries these.
STYLE = """
text { font: 13px system-ui, sans-serif; fill: var(--ink); }
text.title { font-weight: 600; font-size: 15px; }
.frame { fill: none; stroke: var(--line); }
.grid { stroke: var(--line); stroke-dasharray: 2 4; }
.stairs { fill: none; stroke: var(--accent); stroke-width: 2; }
.error { stroke: var(--accent); stroke-width: 2; opacity: 0; }
.mark circle { fill: var(--ground); stroke: var(--muted); stroke-width: 1.5; }
.mark text { text-anchor: middle; dominant-baseline: central; font-size: 12px; }
.mark.frontier circle { fill: var(--accent); stroke: var(--ground); }
.mark.frontier text { fill: var(--on-accent); font-weight: 600; }
"""
LIGHT = "--ground:#fff;--ink:#1c2024;--muted:#5c6670;--line:#cfd6dc;--accent:#0b5cad;--on-accent:#fff"
DARK = "--ground:#15181c;--ink:#e8ecef;--muted:#a4afb9;--line:#3a434c;--accent:#7cb8f2;--on-accent:#10151a"


def panel_svg(panel: Panel, name: str) -> Markup:
    """One panel. ``name`` sets its ids apart from those of other panels on the page."""
    return element(
        "svg",
        element("title", panel.title, id=f"{name}-title"),
        element("desc", description(panel), id=f"{name}-desc"),
        _drawn(panel, links=True),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="group",
        aria_labelledby=f"{name}-title {name}-desc",
        class_="panel",
    )


def drawing(advice: Advice, headline: str) -> str:
    """All panels and a legend as one SVG file; empty of panels where nothing was weighed."""
    shown = panels(advice)
    width = max(1, len(shown)) * WIDTH
    lines = [sentence(item) for item in advice.weighed[: len(shown[0].marks)]] if shown else ["nothing fits"]
    top = 34
    below = top + (HEIGHT if shown else 0)
    height = below + _LINE * (len(lines) + 1)
    body = [
        element("style", Markup(f"svg{{{LIGHT}}}@media(prefers-color-scheme:dark){{svg{{{DARK}}}}}{STYLE}")),
        element("title", headline),
        element("desc", " ".join(description(panel) for panel in shown) or "nothing fits"),
        element("rect", width=width, height=height, fill="var(--ground)"),
        element("text", headline, x=12, y=24, class_="title"),
        *(
            element("g", _drawn(panel, links=False), transform=f"translate({index * WIDTH} {top})")
            for index, panel in enumerate(shown)
        ),
        *(element("text", line, x=12, y=below + _LINE * number) for number, line in enumerate(lines, start=1)),
    ]
    picture = element("svg", *body, xmlns=_NS, viewBox=f"0 0 {width} {height}", width=width, height=height, role="img")
    return f"{picture}\n"


def description(panel: Panel) -> str:
    """The panel in words, for who does not see it."""
    best = ", ".join(f"{mark.rank} {words.short(mark.model)}" for mark in panel.marks if mark.frontier)
    return (
        f"{panel.title}: {panel.y.title} upwards, {panel.x.title} to the right, so that upper left is better. "
        f"Nothing beats in ability, speed and memory at once: {best}."
    )


def _drawn(panel: Panel, *, links: bool) -> Markup:
    left, right, top, bottom = _LEFT, WIDTH - _RIGHT, _TOP, HEIGHT - _BOTTOM
    return joined(
        element("text", panel.title, x=left, y=16, class_="title"),
        element("text", f"{panel.y.title}; upper left is better", x=left, y=33),
        _ticks(panel),
        element("rect", x=left, y=top, width=right - left, height=bottom - top, class_="frame"),
        element("polyline", points=" ".join(f"{_x(x):.2f},{_y(y):.2f}" for x, y in panel.stairs), class_="stairs"),
        _marks(panel.marks, links=links),
        element("text", panel.x.title, x=(left + right) / 2, y=HEIGHT - 16, text_anchor="middle"),
    )


def _ticks(panel: Panel) -> Iterator[Markup]:
    bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    for place, word in panel.y.ticks:
        yield element("line", x1=_LEFT, x2=right, y1=_y(place), y2=_y(place), class_="grid")
        yield element("text", word, x=_LEFT - 6, y=_y(place), text_anchor="end", dominant_baseline="central")
    for place, word in panel.x.ticks:
        yield element("line", x1=_x(place), x2=_x(place), y1=_TOP, y2=bottom, class_="grid")
        yield element("text", word, x=_x(place), y=bottom + 18, text_anchor="middle")


def _marks(marks: Sequence[Mark], *, links: bool) -> Iterator[Markup]:
    """Best last, so that it lies on top."""
    for mark in reversed(marks):
        x, y = _x(mark.x), _y(mark.y)
        low, high = max(0.0, mark.low), min(1.0, mark.high)
        drawn = (
            element("title", mark.words),
            element("line", x1=x, x2=x, y1=_y(low), y2=_y(high), class_="error"),
            element("circle", cx=x, cy=y, r=_RADIUS),
            element("text", str(mark.rank), x=x, y=y),
        )
        kind = "mark frontier" if mark.frontier else "mark"
        if links:
            yield element(
                "a", *drawn, href=f"#model-{mark.rank}", data_model=mark.rank, class_=kind, aria_label=mark.words
            )
        else:
            yield element("g", *drawn, class_=kind)


def _x(place: float) -> float:
    return _LEFT + place * (WIDTH - _LEFT - _RIGHT)


def _y(place: float) -> float:
    return HEIGHT - _BOTTOM - place * (HEIGHT - _TOP - _BOTTOM)
