"""``why-not`` as it is typed: every format, and nonsense answered by one sentence."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
import yaml

Say = Callable[..., Any]
ASKED = ("why-not", "Qwen3.6-35B-A3B", "--ram", "16G", "--task", "code")


def test_a_table_says_which_rule_and_by_how_much(say: Say) -> None:
    said = say(*ASKED)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("Qwen/Qwen3.6-35B-A3B is ruled out: ")
    for wanted in ("(M101)", "too much at its nearest setting", "24 GiB of RAM instead of 16.0 GiB (--ram 24G)"):
        assert wanted in " ".join(said.out.split())


def test_a_table_says_which_terms(say: Say) -> None:
    said = say("why-not", "Qwen3.5-2B", "--ram", "16G")
    assert said.code == 0
    assert "Terms of the score, in spreads of ability" in said.out
    for wanted in ("behind Qwen/", "ability", "lead of the winner", "sum"):
        assert wanted in said.out


def test_the_first_is_told_so(say: Say) -> None:
    first = say("recommend", "--ram", "16G", "-q").out.strip()
    said = say("why-not", first, "--ram", "16G")
    assert said.out.splitlines()[0] == f"{first} is the first answer"


@pytest.mark.parametrize("form", ["json", "yaml"])
@pytest.mark.parametrize("model", ["Qwen3.6-35B-A3B", "Qwen3-8B", "Qwen3.5-2B"])
def test_documents_fit_the_schema(form: str, model: str, say: Say, fits_schema: Say) -> None:
    said = say("why-not", model, "--ram", "16G", "--format", form)
    document = said.json if form == "json" else yaml.safe_load(said.out)
    fits_schema("why-not-1", document)
    assert said.code == 0
    assert document["model"]["id"] == f"Qwen/{model}"
    assert document["changes"]


def test_rows_and_short_forms(say: Say) -> None:
    rows = list(csv.DictReader(io.StringIO(say(*ASKED, "--format", "csv").out)))
    assert rows
    assert {row["effect"] for row in rows} <= {"runs", "first"}
    winner = say("recommend", "--ram", "16G", "--task", "code", "-q").out
    assert say(*ASKED, "-q").out == winner
    assert say(*ASKED, "--format", "env").out.startswith(f"QWEN_ADVISOR_MODEL={winner}")
    assert say(*ASKED, "--format", "markdown").out.startswith("## Qwen/Qwen3.6-35B-A3B is ruled out")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Missing argument 'MODEL'"),
        (("Qwen3-8",), "no model is called"),
        (("Qwen3-8B", "Qwen3-4B"), "unexpected extra argument"),
        (("Qwen3-8B", "--task", "x"), "there is no task 'x'"),
        (("Qwen3-8B", "--family", "Llama"), "there is no family 'Llama'"),
        (("Qwen3-8B", "--released-after", "soon"), "is not a date"),
        (("Qwen3-8B", "--context", "many"), "not a number of tokens"),
        (("Qwen3-8B", "--concurrency", "-1"), "--concurrency"),
        (("Qwen3-8B", "--device", "toaster"), "toaster"),
        (("Qwen3-8B", "--json", "--format", "csv"), "contradict each other"),
    ],
)
def test_nonsense_gets_a_sentence_and_exit_code_2(words: tuple[str, ...], sentence: str, say: Say) -> None:
    described = words if "--device" in words else (*words, "--ram", "16G")
    said = say("why-not", *described)
    assert said.code == 2
    assert sentence.lower() in said.err.lower()
    assert "hint: " in said.err


def test_it_says_the_same_twice(say: Say) -> None:
    assert say(*ASKED, "--json").out == say(*ASKED, "--json").out
