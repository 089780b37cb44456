"""``compare`` as it is typed: every format, every exit code, and nonsense answered by one sentence."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
import yaml

Say = Callable[..., Any]
TWO = ("compare", "Qwen3.5-9B", "Qwen3.5-4B", "--ram", "16G")


def test_a_table_stands_side_by_side(say: Say) -> None:
    said = say(*TWO)
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0].endswith(" is the first choice of 2")
    heading = next(line for line in lines if "Qwen3.5-4B" in line and "Qwen3.5-9B" in line)
    assert heading.index("Qwen3.5-") > 5
    for wanted in ("number 1", "number 2", "quality", "±", "context here", "license", "What wins where"):
        assert wanted in said.out


def test_many_models_stand_below_each_other(say: Say) -> None:
    said = say("compare", "Qwen3-0.6B", "Qwen3-1.7B", "Qwen3-4B", "Qwen3-8B", "Qwen3-32B", "--ram", "16G")
    assert said.code == 0
    rows = [line for line in said.out.splitlines() if line.startswith(("1 ", "2 ", "3 ", "4 "))]
    assert len(rows) == 4
    assert "Not in the running" in said.out


@pytest.mark.parametrize("columns", ["80", "120"])
def test_no_line_is_wider_than_the_terminal(columns: str, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    said = say("compare", "Qwen3-0.6B", "Qwen3-1.7B", "Qwen3-4B", "Qwen3-8B", "Qwen3-32B", "--ram", "16G")
    assert max(map(len, said.out.splitlines())) <= int(columns)


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_documents_fit_the_schema(form: str, say: Say, fits_schema: Say) -> None:
    said = say("compare", "Qwen3.5-4B", "Qwen3-Coder-480B-A35B-Instruct", "--ram", "16G", "--format", form)
    document = said.json if form == "json" else yaml.safe_load(said.out)
    fits_schema("compare-1", document)
    assert said.code == 0
    first, last = document["models"]
    assert (first["rank"], first["standing"], first["rejection"]) == (1, "runs", None)
    assert (last["rank"], last["standing"], last["recommendation"]) == (None, "ruled_out", None)
    assert last["rejection"]["needed"] > last["rejection"]["available"]


def test_the_recommendation_is_the_one_of_recommend(say: Say) -> None:
    mine = say(*TWO, "--task", "chat", "--json").json["models"][0]["recommendation"]
    theirs = say("recommend", "--ram", "16G", "--top", "9", "--json").json["recommendations"]
    same = next(item for item in theirs if item["model"]["id"] == mine["model"]["id"])
    for field in ("quantization", "engine", "memory", "speed", "quality", "terms", "placement", "launch"):
        assert mine[field] == same[field]


def test_rows_and_short_forms(say: Say) -> None:
    rows = list(csv.DictReader(io.StringIO(say(*TWO, "--format", "csv").out)))
    assert [row["rank"] for row in rows] == ["1", "2"]
    winner = rows[0]["model"]
    assert say(*TWO, "-q").out == f"{winner}\n"
    assert say(*TWO, "--format", "env").out.startswith(f"QWEN_ADVISOR_MODEL={winner}\n")
    assert say(*TWO, "--format", "markdown").out.startswith(f"## {winner} is the first choice of 2")


def test_none_that_runs_is_an_answer(say: Say, fits_schema: Say) -> None:
    said = say("compare", "Qwen3-32B", "Qwen3-Coder-480B-A35B-Instruct", "--ram", "4G", "--json")
    assert said.code == 3
    fits_schema("compare-1", said.json)
    assert [m["standing"] for m in said.json["models"]] == ["ruled_out", "ruled_out"]
    assert "none of the 2 models runs" in said.err
    table = say("compare", "Qwen3-32B", "Qwen3-14B", "--ram", "4G")
    assert (table.code, table.out.splitlines()[0]) == (3, "None of them runs")
    assert say("compare", "Qwen3-32B", "Qwen3-14B", "--ram", "4G", "-q").out == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Missing argument 'MODEL...'"),
        (("Qwen3-8",), "no model is called"),
        (("Qwen3-8B", "Qwen3-8B"), "named twice"),
        (("Qwen3-8B", "qwen3:8b"), "named twice"),
        (("Qwen3-8B", "--task", "x"), "there is no task 'x'"),
        (("Qwen3-8B", "--ram", "much"), "--ram"),
        (("Qwen3-8B", "--gpu", "RTX 99"), "RTX 99"),
        (("Qwen3-8B", "--license", "mine"), "there is no license 'mine'"),
        (("Qwen3-8B", "--language", "qq"), "language"),
        (("Qwen3-8B", "--prefer", "luck"), "--prefer"),
        (("Qwen3-8B", "--max-download", "0"), "--max-download"),
        (("Qwen3-8B", "--min-speed", "0"), "--min-speed must be above 0"),
    ],
)
def test_nonsense_gets_a_sentence_and_exit_code_2(words: tuple[str, ...], sentence: str, say: Say) -> None:
    described = words if "--ram" in words or "--gpu" in words else (*words, "--ram", "16G")
    said = say("compare", *described)
    assert said.code == 2
    assert sentence.lower() in said.err.lower()
    assert "hint: " in said.err
    assert said.out == ""
