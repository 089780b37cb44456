"""Ability against speed and against memory, with what nothing else beats in both: as text and as SVG."""

from __future__ import annotations

from qwen_advisor.render.chart.blocks import charts
from qwen_advisor.render.chart.panels import Axis, Mark, Panel, panels
from qwen_advisor.render.chart.pictures import pictures
from qwen_advisor.render.chart.svg import drawing, panel_svg

__all__ = ["Axis", "Mark", "Panel", "charts", "drawing", "panel_svg", "panels", "pictures"]
