"""Every format of every answer, held against files that a person can read.

``UPDATE_GOLDENS=1 pytest tests/golden`` writes them anew; the diff is then what is reviewed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from qwen_advisor.render import estimate, recommend
from qwen_advisor.render.data import document_text
from qwen_advisor.render.documents import estimate_document, recommend_document
from qwen_advisor.render.look import Look
from qwen_advisor.render.markdown import markdown
from qwen_advisor.render.paint import paint

ANSWERS = Path(__file__).parent / "answers"


def recommend_at(
    width: int, *, explain: bool = False, chart: bool = False, colour: bool = False, ascii_only: bool = False
) -> Callable[[ModuleType], str]:
    look = Look(width=width, colour=colour, ascii_only=ascii_only)
    return lambda hand: paint(
        recommend.report(
            hand.ADVICE, narrow=look.narrow, full_names=False, explain=explain, chart=chart, width=look.width
        ),
        look,
    )


CASES: dict[str, Callable[[ModuleType], str]] = {
    "recommend-80.txt": recommend_at(80),
    "recommend-120.txt": recommend_at(120),
    "recommend-120-explain.txt": recommend_at(120, explain=True),
    "recommend-120-chart.txt": recommend_at(120, chart=True),
    "recommend-60-chart-ascii.txt": recommend_at(60, chart=True, ascii_only=True),
    "recommend-100-colour.ansi": recommend_at(100, colour=True),
    "recommend-piped.txt": lambda hand: paint(recommend.report(hand.ADVICE), Look()),
    "recommend-ascii.txt": lambda hand: paint(recommend.report(hand.ADVICE), Look(ascii_only=True)),
    "recommend.json": lambda hand: document_text(recommend_document(hand.ADVICE), "json"),
    "recommend.yaml": lambda hand: document_text(recommend_document(hand.ADVICE), "yaml"),
    "recommend.csv": lambda hand: recommend.csv(hand.ADVICE),
    "recommend.md": lambda hand: markdown(recommend.report(hand.ADVICE)),
    "recommend.id": lambda hand: recommend.identifier(hand.ADVICE),
    "recommend.env": lambda hand: recommend.environment(hand.ADVICE),
    "nothing-fits-100.txt": lambda hand: paint(recommend.report(hand.NOTHING), Look(width=100)),
    "nothing-fits.json": lambda hand: document_text(recommend_document(hand.NOTHING), "json"),
    "nothing-fits.csv": lambda hand: recommend.csv(hand.NOTHING),
    "nothing-fits.md": lambda hand: markdown(recommend.report(hand.NOTHING)),
    "nothing-fits.id": lambda hand: recommend.identifier(hand.NOTHING),
    "nothing-fits.env": lambda hand: recommend.environment(hand.NOTHING),
    "estimate-80.txt": lambda hand: paint(estimate.report(hand.ESTIMATE), Look(width=80)),
    "estimate-split-120.txt": lambda hand: paint(estimate.report(hand.SPLIT), Look(width=120)),
    "estimate-four-cards-100.txt": lambda hand: paint(estimate.report(hand.FOUR), Look(width=100)),
    "estimate.json": lambda hand: document_text(estimate_document(hand.ESTIMATE), "json"),
    "estimate.csv": lambda hand: estimate.csv(hand.ESTIMATE),
    "estimate.md": lambda hand: markdown(estimate.report(hand.ESTIMATE)),
    "estimate.env": lambda hand: estimate.environment(hand.ESTIMATE),
}


@pytest.mark.parametrize("name", CASES)
def test_answer_is_written_as_in_its_golden(name: str, hand: ModuleType) -> None:
    path = ANSWERS / name
    text = CASES[name](hand)
    if os.environ.get("UPDATE_GOLDENS"):
        path.write_text(text, "utf-8", newline="\n")
    assert visible(text) == visible(path.read_text("utf-8"))


def visible(text: str) -> str:
    """Without the styles and spaces at the end, in which versions of rich differ."""
    return re.sub(r"(?:\x1b\[[0-9;]*m|\s)+$", "", text)


def test_every_golden_is_looked_at() -> None:
    assert {path.name for path in ANSWERS.iterdir()} == set(CASES)


@pytest.mark.parametrize("name", [name for name in CASES if not name.endswith(".ansi")])
def test_no_escape_codes_where_none_were_asked_for(name: str, hand: ModuleType) -> None:
    assert "\x1b" not in CASES[name](hand)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_value_is_cut_off_at_any_width(width: int, hand: ModuleType) -> None:
    look = Look(width=width)
    text = paint(recommend.report(hand.ADVICE, narrow=look.narrow, full_names=True, explain=True), look)
    assert "…" not in text
    # A folded name is whole again once the breaks are taken out.
    assert "someone/Qwen3-Coder-30B-A3B-Instruct-GGUF" in "".join(text.split())
    prose = text.split("Run it")[0].splitlines()
    assert max(map(len, prose)) <= width


def test_ascii_output_is_ascii(hand: ModuleType) -> None:
    assert CASES["recommend-ascii.txt"](hand).isascii()
