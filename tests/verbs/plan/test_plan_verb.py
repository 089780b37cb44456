"""``plan`` as it is typed: every format, every exit code, and nonsense answered by one sentence."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from qwen_advisor.sizing import TIERS

Say = Callable[..., Any]


def test_a_table_names_the_machine_first(say: Say) -> None:
    said = say("plan", "qwen3:8b")
    assert (said.code, said.err) == (0, "")
    first, *rest = said.out.splitlines()
    assert first.startswith("For Qwen/Qwen3-8B take ")
    text = "\n".join(rest)
    for wanted in (
        "least",
        "sensible",
        "comfortable",
        "The smallest of each class",
        "Memory at 8,192 tokens",
        "Q4_K_M",
    ):
        assert wanted in text
    assert "Run it on" in text
    assert "llama-server" in text


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_documents_fit_the_schema(form: str, say: Say, fits_schema: Say) -> None:
    said = say("plan", "Qwen3-0.6B", "--format", form)
    document = said.json if form == "json" else yaml.safe_load(said.out)
    fits_schema("plan-1", document)
    assert said.code == 0
    assert document["model"]["id"] == "Qwen/Qwen3-0.6B"
    assert document["tiers"]["least"]["speed"]["decode_tokens_per_second"]["expected"] >= 5
    assert [item["class"] for item in document["classes"]][:2] == ["pc", "board"]


def test_rows_hold_each_class_and_tier(say: Say) -> None:
    rows = list(csv.DictReader(io.StringIO(say("plan", "Qwen3-0.6B", "--format", "csv").out)))
    assert {row["tier"] for row in rows} == set(TIERS)
    assert all(int(row["memory_total_bytes"]) > 0 for row in rows)
    assert all(float(row["decode_tokens_per_second"]) > 0 for row in rows)


def test_short_forms(say: Say) -> None:
    assert say("plan", "Qwen3-0.6B", "-q").out == "Qwen/Qwen3-0.6B\n"
    env = say("plan", "Qwen3-0.6B", "--format", "env").out
    assert env.startswith("QWEN_ADVISOR_MODEL=Qwen/Qwen3-0.6B\n")
    assert "QWEN_ADVISOR_CONTEXT=8192\n" in env
    assert say("plan", "Qwen3-0.6B", "--format", "markdown").out.startswith("## For Qwen/Qwen3-0.6B take ")


def test_options_reach_the_answer(say: Say) -> None:
    document = say(
        "plan", "Qwen3-8B", "--quant", "fp8", "--engine", "VLLM", "--context", "32k", "--concurrency", "32",
        "--min-speed", "20", "--prompt-tokens", "2000", "--output-tokens", "300", "--task", "code", "--json",
    ).json  # fmt: skip
    asked = document["requirements"]
    assert asked["context_tokens"] == 32768
    assert (asked["prompt_tokens"], asked["output_tokens"], asked["concurrency"]) == (2000, 300, 32)
    assert (asked["engines"], asked["quantizations"], asked["task"]) == (["vllm"], ["FP8"], "code")
    assert document["goals"]["least_speed_tokens_per_second"] == 20
    assert [row["quantization"] for row in document["formats"]] == ["FP8"]
    sensible = document["tiers"]["sensible"]
    assert (sensible["engine"], sensible["quantization"]) == ("vllm", "FP8")
    assert sensible["settings"]["parallel"] == 32
    assert sensible["accelerators"]


def test_nothing_that_holds_it_is_an_answer(say: Say, fits_schema: Say) -> None:
    said = say("plan", "Qwen3-8B", "--context", "2m", "--json")
    assert said.code == 3
    fits_schema("plan-1", said.json)
    assert said.json["rejected"]["rule"] == "T107"
    assert said.json["tiers"] == {"least": None, "sensible": None, "comfortable": None}
    assert said.err.startswith("error: no machine of the catalogue runs Qwen/Qwen3-8B")
    table = say("plan", "Qwen3-8B", "--min-speed", "100000")
    assert table.code == 3
    assert table.out.startswith("No machine of the catalogue runs Qwen/Qwen3-8B so\n")
    for form in ("id", "env"):
        quiet = say("plan", "Qwen3-8B", "--min-speed", "100000", "--format", form)
        assert (quiet.code, quiet.out) == (3, "")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Missing argument 'MODEL'"),
        (("Qwen3-8",), "no model is called"),
        (("",), "the model's name is empty"),
        (("Qwen3-8B", "--quant", "Q9_X"), "there is no quantization 'Q9_X'"),
        (("Qwen3-8B", "--engine", "tensorflow"), "there is no engine 'tensorflow'"),
        (("Qwen3-8B", "--task", "cooking"), "there is no task 'cooking'"),
        (("Qwen3-8B", "--context", "0"), "not a number of tokens"),
        (("Qwen3-8B", "--context", "-5"), "not a number of tokens"),
        (("Qwen3-8B", "--context", "32GB"), "not a number of tokens"),
        (("Qwen3-8B", "--concurrency", "0"), "Invalid value for '--concurrency'"),
        (("Qwen3-8B", "--min-speed", "-1"), "--min-speed must be above 0"),
        (("Qwen3-8B", "--min-speed", "nan"), "--min-speed must be above 0"),
        (("Qwen3-8B", "--prompt-tokens", "9000", "--context", "4096"), "do not go into a context"),
        (("Qwen3-8B", "--ram", "16G"), "No such option"),
        (("Qwen3-8B", "--format", "pdf"), "Invalid value for '--format'"),
        (("Qwen3-8B", "--json", "-q"), "contradict each other"),
    ],
)
def test_nonsense_gets_a_sentence_and_exit_code_2(words: tuple[str, ...], sentence: str, say: Say) -> None:
    said = say("plan", *words)
    assert said.code == 2
    assert sentence.lower() in said.err.lower()
    assert "hint: " in said.err
    assert said.out == "" or "--json" in words


def test_faults_are_objects_under_json(say: Say) -> None:
    said = say("plan", "Qwen3-8", "--json")
    assert said.code == 2
    assert said.json["error"]["code"] == "usage"
    assert said.json["error"]["suggestions"]


def test_nothing_of_this_machine_is_read(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    from qwen_advisor import api  # noqa: PLC0415  looked up at each call

    def read(*_: object, **__: object) -> None:
        raise AssertionError("this machine was looked at")

    monkeypatch.setattr(api, "detect", read)
    assert say("plan", "Qwen3-0.6B", "-q").code == 0


def test_an_embedding_model_is_timed_by_what_it_reads(say: Say) -> None:
    said = say("plan", "Qwen3-Embedding-0.6B")
    assert "reads " in said.out
    assert "a request is read within" in said.out
    assert "decodes" not in said.out


def test_the_same_call_gives_the_same_bytes(say: Say) -> None:
    assert say("plan", "Qwen3-4B", "--json").out == say("plan", "Qwen3-4B", "--json").out
