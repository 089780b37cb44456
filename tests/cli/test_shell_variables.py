"""``--format env``: what a shell evaluates and what $GITHUB_ENV reads are the same values."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_advisor.errors import UsageError
from qwen_advisor.render import recommend
from qwen_advisor.render.data import env_text

NAMES = (
    "QWEN_ADVISOR_MODEL",
    "QWEN_ADVISOR_QUANT",
    "QWEN_ADVISOR_ENGINE",
    "QWEN_ADVISOR_CONTEXT",
    "QWEN_ADVISOR_REPO",
    "QWEN_ADVISOR_FILE",
    "QWEN_ADVISOR_OLLAMA",
)
needs_sh = pytest.mark.skipif(shutil.which("sh") is None, reason="no POSIX shell")


def test_variables_are_those_of_the_contract_in_its_order(hand: ModuleType) -> None:
    lines = recommend.environment(hand.ADVICE).splitlines()
    assert tuple(line.split("=")[0] for line in lines) == NAMES
    assert lines[0] == "QWEN_ADVISOR_MODEL=Qwen/Qwen3-Coder-30B-A3B-Instruct"
    assert lines[3] == "QWEN_ADVISOR_CONTEXT=8192"


def test_what_is_not_known_is_empty_without_quotes(hand: ModuleType) -> None:
    bare = hand.plan(artifact=replace(hand.plan().artifact, repo=None, files=(), ollama=None))
    advice = replace(hand.ADVICE, recommendations=(hand.recommendation(1, bare, 1.0, 100.0),))
    assert recommend.environment(advice).splitlines()[4:] == [f"{name}=" for name in NAMES[4:]]


def test_context_is_that_of_one_request(hand: ModuleType) -> None:
    shared = hand.plan(settings=replace(hand.plan().settings, context=32768, parallel=4))
    advice = replace(hand.ADVICE, recommendations=(hand.recommendation(1, shared, 1.0, 100.0),))
    assert "QWEN_ADVISOR_CONTEXT=8192\n" in recommend.environment(advice)


@needs_sh
@pytest.mark.parametrize(
    "value", ["plain", "two words", "$(touch pwned)", "`id`", "a'b\"c", "a;b", "~", "", "x=y", "#c"]
)
def test_eval_gives_back_the_value_and_runs_nothing(value: str) -> None:
    script = env_text({"A": value}) + 'printf %s "$A"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout == value


@given(st.text(alphabet=st.characters(categories=("Cc", "Zl", "Zp", "Cf", "Ll")), min_size=1, max_size=8))
def test_one_variable_is_one_line_or_refused(value: str) -> None:
    if value.isprintable():
        text = env_text({"A": value})
        assert text.splitlines() == [text[:-1]]
        assert text.startswith("A=")
    else:
        with pytest.raises(UsageError, match="control character"):
            env_text({"A": value})


@pytest.mark.parametrize("value", ["a\nB=1", "a\rB=1", "\x00", "\x1b[0m", "a\u2028b"])
def test_line_breaks_cannot_smuggle_a_variable_in(value: str) -> None:
    with pytest.raises(UsageError):
        env_text({"A": value})
