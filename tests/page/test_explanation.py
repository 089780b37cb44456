"""What ``--explain`` says, sentence by sentence, from values that are made by hand."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from qwen_advisor.advice import Rejection, Rival, Terms
from qwen_advisor.render.explain import change, changes, explanation, ruled_out, signed, term_values
from qwen_advisor.render.report import Grid, Lines


def rival(**changed: object) -> Rival:
    values = {"model": "Qwen/B", "behind": 0.25, "abler": 0.35, "abler_in_errors": 1.2, "faster": None, "prefers": ()}
    return Rival(**(values | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {},
            "Qwen/B is 0.25 behind; first if it were 0.35 abler (1.2 standard errors); no speed would put it first",
        ),
        (
            {"abler_in_errors": 0.31, "faster": 1.46},
            (
                "Qwen/B is 0.25 behind; first if it were 0.35 abler (0.3 standard errors: as good as tied)"
                " or 1.5 times as fast"
            ),
        ),
        (
            {"faster": 1.01},
            "Qwen/B is 0.25 behind; first if it were 0.35 abler (1.2 standard errors) or a little faster",
        ),
        ({"faster": 40.0}, "Qwen/B is 0.25 behind; first if it were 0.35 abler (1.2 standard errors)"),
        (
            {"faster": 2.0, "prefers": ("speed", "memory")},
            (
                "Qwen/B is 0.25 behind; first if it were 0.35 abler (1.2 standard errors) or 2 times as fast;"
                " first with --prefer speed or --prefer memory"
            ),
        ),
    ],
)
def test_what_would_put_it_first(changed: dict[str, object], sentence: str) -> None:
    assert change(rival(**changed)) == sentence


@pytest.mark.parametrize(
    ("number", "shown"), [(0.126, "+0.13"), (-0.5, "-0.50"), (0.004, "0"), (-0.004, "0"), (-0.0, "0")]
)
def test_terms_have_a_sign_unless_they_are_nothing(number: float, shown: str) -> None:
    assert signed(number) == shown


def test_terms_add_up_to_the_sum() -> None:
    terms = Terms(
        ability=1.0, quantization_loss=0.2, speed=-0.3, headroom=-0.1, context=0.05, memory=-0.02, other=-0.01
    )
    assert sum(term_values(terms)) == pytest.approx(terms.total)


def test_the_grid_shows_every_term_and_the_sum(hand: ModuleType) -> None:
    grid = next(block for block in explanation(hand.ADVICE, full_names=True) if isinstance(block, Grid))
    assert grid.headings[1:8] == ("ability", "quantized", "speed", "headroom", "context", "memory", "other")
    assert grid.rows[0][1:3] == ("+1.88", "-0.04")
    assert grid.rows[0][-2:] == ("+2.39", "100")


def test_where_no_preference_changes_the_first_that_is_said(hand: ModuleType) -> None:
    same = replace(hand.ADVICE, rivals=(rival(),))
    assert list(changes(same))[-1] == (
        "no other --prefer would change the first: it stays Qwen/Qwen3-Coder-30B-A3B-Instruct"
    )
    assert list(changes(replace(hand.ADVICE, recommendations=()))) == []


def test_a_lifted_model_is_named(hand: ModuleType) -> None:
    first, second = hand.ADVICE.recommendations
    lower = replace(first, terms=replace(first.terms, speed=-9.0))
    said = next(changes(replace(hand.ADVICE, recommendations=(lower, second))))
    assert said.startswith("Qwen/Qwen3-Coder-30B-A3B-Instruct stands above Qwen/Qwen3-8B, whose sum is higher")


def test_near_misses_come_first_and_older_models_together() -> None:
    """5 of 4 lacks a quarter, 133 of 22 six times; the machine's verdict comes before that of a rule on models."""
    said = ruled_out(
        (
            Rejection(model="Qwen/Old-1", rule="T109", message="superseded by Qwen/New"),
            Rejection(model="Qwen/Base", rule="T101", message="a base model"),
            Rejection(model="Qwen/Large", rule="M101", message="needs 133", needed=133, available=22),
            Rejection(model="Qwen/Old-2", rule="T109", message="superseded by Qwen/New"),
            Rejection(model="Qwen/Slow", rule="S102", message="decodes 4", needed=5, available=4),
        )
    )
    assert said == (
        Lines(
            title="Ruled out",
            lines=("Qwen/Slow: decodes 4 (S102)", "Qwen/Large: needs 133 (M101)", "Qwen/Base: a base model (T101)"),
        ),
        Lines(
            title="Older models (T109), which --family brings back",
            lines=("superseded by Qwen/New: Old-1, Old-2",),
        ),
    )
