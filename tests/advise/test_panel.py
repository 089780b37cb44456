"""Scenarios with the answers that an expert accepts and those that are wrong; the data stand in panel.yaml."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from qwen_advisor.api import load_catalog, machine_for, recommend
from qwen_advisor.units import parse_size

PANEL: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("panel.yaml").read_text(encoding="utf-8"))

NEAR = 50  # an answer below half the winner's score is no rival of it


def _among(model: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(model.rpartition("/")[2], pattern) for pattern in patterns)


@pytest.mark.parametrize("scenario", PANEL, ids=lambda s: s["name"])
def test_an_expert_would_sign(scenario: dict[str, Any]) -> None:
    catalog = load_catalog()
    ask = dict(scenario["ask"])
    if "max_download" in ask:
        ask["max_download"] = parse_size(ask["max_download"])
    advice = recommend(machine=machine_for(catalog, **scenario["machine"]), catalog=catalog, **ask)
    first = [r.plan.checkpoint.id for r in advice.recommendations[:3] if r.score >= NEAR]
    assert first, f"nothing fits: {[(r.model, r.message) for r in advice.rejected][:5]}"
    assert _among(first[0], scenario["accept"]), f"{first}: {scenario['why']}"
    assert not [m for m in first if _among(m, scenario["wrong"])], f"{first}: {scenario['why']}"


def test_the_panel_is_broad() -> None:
    """At least 60 scenarios, every task among them, each with a reason; names are unique."""
    assert len(PANEL) >= 60
    assert {s["ask"]["task"] for s in PANEL} == set(load_catalog().tasks)
    assert all(s["why"] and s["accept"] and s["wrong"] for s in PANEL)
    assert len({s["name"] for s in PANEL}) == len(PANEL)


def test_patterns_name_real_models() -> None:
    """Each accepted pattern matches a checkpoint, so that a misspelt one cannot hide."""
    names = [m.rpartition("/")[2] for m in load_catalog().models]
    patterns = {p for s in PANEL for p in (*s["accept"], *s["wrong"])}
    assert not [p for p in patterns if not any(fnmatchcase(n, p) for n in names)]
