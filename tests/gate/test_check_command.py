"""``check``: what fits passes, what does not is refused with the rule, the numbers and the nearest setting."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
import yaml

from qwen_advisor.render.schema import json_schema

Say = Callable[..., Any]

# What each call must end with, and the rule that must be among its failures. The models are dense and of 2025, so that
# their sizes do not change: Qwen3-8B in Q4_K_M is a file of 5.03e9 bytes (Qwen/Qwen3-8B-GGUF).
GATES: list[tuple[tuple[str, ...], int, str | None]] = [
    (("qwen3:8b", "--ram", "16G"), 0, None),
    (("Qwen/Qwen3-8B", "--ram", "16G", "--context", "16k", "--quant", "Q4_K_M", "--engine", "llama.cpp"), 0, None),
    (("Qwen3-8B", "--ram", "16G", "--license", "permissive", "--tools", "--language", "de"), 0, None),
    (("Qwen3-8B", "--ram", "16G", "--license", "apache-2.0"), 0, None),
    (("Qwen3-Embedding-0.6B", "--ram", "8G"), 0, None),
    (("Qwen3-32B", "--ram", "16G"), 3, "M101"),
    (("Qwen3-8B", "--ram", "16G", "--quant", "BF16"), 3, "M101"),
    (("Qwen3-8B", "--ram", "8G", "--context", "128k"), 3, "M101"),
    (("Qwen3-8B", "--ram", "16G", "--context", "256k"), 3, "T107"),
    (("Qwen3-8B", "--ram", "16G", "--min-speed", "100"), 3, "S101"),
    (("Qwen3-8B", "--ram", "16G", "--max-download", "2G"), 3, "D101"),
    (("Qwen3-8B", "--ram", "16G", "--engine", "mlx"), 3, "E102"),
    (("Qwen3-8B", "--ram", "16G", "--family", "Qwen2.5"), 3, "T103"),
    (("Qwen3-8B", "--ram", "16G", "--released-after", "2026-01-01"), 3, "T104"),
    (("Qwen2.5-3B-Instruct", "--ram", "16G", "--license", "permissive"), 3, "L101"),
    (("Qwen2.5-7B-Instruct", "--ram", "16G", "--thinking", "on"), 3, "T106"),
    (("Qwen3-Embedding-0.6B", "--ram", "16G", "--task", "chat"), 3, "T101"),
    (("Qwen3-32B", "--ram", "32G", "--task", "code"), 3, "S102"),
    (("Qwen3-8B", "Qwen3-32B", "--ram", "16G"), 3, "M101"),
]


@pytest.mark.parametrize(
    ("words", "code", "rule"), GATES, ids=lambda value: " ".join(value) if type(value) is tuple else str(value)
)
def test_exit_code_and_rule(words: tuple[str, ...], code: int, rule: str | None, say: Say) -> None:
    said = say("check", *words, "--json")
    assert said.code == code, said.err
    document = json.loads(said.out)
    jsonschema.validate(document, json_schema("check-1"))
    assert document["passed"] is (code == 0)
    failed = [f for model in document["models"] for f in model["findings"] if f["level"] == "fail"]
    assert [f["rule"] for f in failed if f["rule"] == rule] == ([rule] if rule else [])
    assert all(
        model["passed"] is not any(f["level"] == "fail" for f in model["findings"]) for model in document["models"]
    )
    if rule:
        assert failed[0]["message"] in said.err


def test_a_model_fits_without_a_task_where_it_is_only_slow(say: Say) -> None:
    """The default speed of a task counts for those who ask for the task."""
    assert say("check", "Qwen3-32B", "--ram", "32G").code == 0
    assert say("check", "Qwen3-32B", "--ram", "32G", "--task", "chat").code == 3


def test_what_check_refuses_recommend_rules_out_for_the_same_reason(say: Say) -> None:
    words = ("--task", "code", "--ram", "16G", "--family", "Qwen3")
    rejected = {r["model"]: r for r in json.loads(say("recommend", *words, "--explain", "--json").out)["rejected"]}
    for model in ("Qwen/Qwen3-32B", "Qwen/Qwen3-14B", "Qwen/Qwen3-235B-A22B"):
        checked = json.loads(say("check", model, *words, "--json").out)["models"][0]
        failures = {(f["rule"], f["message"]) for f in checked["findings"] if f["level"] == "fail"}
        assert (rejected[model]["rule"], rejected[model]["message"]) in failures


NEAREST: list[tuple[tuple[str, ...], str]] = [
    (("Qwen3-8B", "--ram", "8G", "--context", "128k"), "--context "),
    (("Qwen3-8B", "--ram", "16G", "--quant", "BF16"), "--quant "),
    (("Qwen3-8B", "--ram", "16G", "--min-speed", "100"), "--min-speed "),
    (("Qwen3-8B", "--ram", "16G", "--max-download", "2G"), "--max-download "),
    (("Qwen3-8B", "--ram", "16G", "--engine", "mlx"), "--engine "),
    (("Qwen3-8B", "--gpu", "RTX 3060 12GB", "--engine", "vllm", "--concurrency", "64"), "--concurrency "),
    (("Qwen3-8B", "--ram", "16G", "--context", "256k"), "--context 131072"),
    (("Qwen3-8B", "--ram", "16G", "--family", "Qwen2.5"), "--family Qwen3"),
    (("Qwen3-8B", "--ram", "16G", "--released-after", "2026-01-01"), "--released-after 2025-04-28"),
    (("Qwen2.5-3B-Instruct", "--ram", "16G", "--license", "permissive"), "--license qwen-research"),
    (("Qwen2.5-7B-Instruct", "--ram", "16G", "--thinking", "on"), "--thinking auto"),
]


@pytest.mark.parametrize(
    ("words", "begins"), NEAREST, ids=lambda value: " ".join(value) if type(value) is tuple else value
)
def test_the_nearest_setting_that_is_named_does_hold(words: tuple[str, ...], begins: str, say: Say) -> None:
    """Every option that is named lifts the rule that named it, when it is put in the place of what was asked."""
    failures = _failures(say, words)
    changes = [(f["rule"], change) for f in failures for change in f["nearest"]]
    assert any(change.startswith(begins) for _, change in changes), changes
    for rule, change in changes:
        if change.startswith("--"):
            option, value = change.split(" ", 1)
            assert rule not in {f["rule"] for f in _failures(say, _with(words, option, value))}, change


def test_more_memory_that_is_named_is_enough(say: Say) -> None:
    (failure,) = _failures(say, ("Qwen3-32B", "--ram", "16G"))
    assert failure["needed"] > failure["available"] > 0
    ram = next(change for change in failure["nearest"] if change.endswith("GiB of RAM"))
    card = failure["nearest"][-1]
    assert _failures(say, ("Qwen3-32B", "--ram", ram.removesuffix(" of RAM"))) == []
    assert _failures(say, ("Qwen3-32B", "--ram", "16G", "--gpu", card.removeprefix("NVIDIA GeForce "))) == []


def test_the_longest_context_that_is_named_is_the_longest(say: Say) -> None:
    words = ("Qwen3-8B", "--ram", "8G", "--quant", "Q4_K_M", "--engine", "llama.cpp", "--context")
    change = next(c for c in _failures(say, (*words, "120000"))[0]["nearest"] if c.startswith("--context"))
    longest = int(change.split()[1])
    assert _failures(say, (*words, str(longest))) == []
    assert _failures(say, (*words, str(longest + 512))) != []


def _failures(say: Say, words: tuple[str, ...]) -> list[dict[str, Any]]:
    said = say("check", *words, "--json")
    assert said.code in (0, 3), said.err
    return [f for model in json.loads(said.out)["models"] for f in model["findings"] if f["level"] == "fail"]


def _with(words: tuple[str, ...], option: str, value: str) -> tuple[str, ...]:
    listed = list(words)
    if option in listed:
        at = listed.index(option)
        listed[at : at + 2] = [option, value]
        return tuple(listed)
    return (*words, option, value)


def test_every_format_tells_the_same(say: Say) -> None:
    words = ("check", "Qwen3-8B", "Qwen3-32B", "--ram", "16G")
    document = json.loads(say(*words, "--json").out)
    assert yaml.safe_load(say(*words, "--format", "yaml").out) == document
    rows = list(csv.DictReader(io.StringIO(say(*words, "--format", "csv").out)))
    findings = [(m["id"], f["rule"]) for m in document["models"] for f in m["findings"]]
    assert [(row["model"], row["rule"]) for row in rows] == findings
    assert say(*words, "-q").out == say(*words, "--format", "id").out == "Qwen/Qwen3-8B\n"
    environment = say(*words, "--format", "env").out
    assert "QWEN_ADVISOR_MODEL=Qwen/Qwen3-8B\n" in environment
    assert environment.count("\n") == 7
    for form in ("table", "markdown"):
        out = say(*words, "--format", form).out
        assert "1 of 2 models pass" in out
        assert "(M101)" in out


def test_a_model_named_twice_is_checked_once(say: Say) -> None:
    assert len(json.loads(say("check", "Qwen3-8B", "qwen3:8b", "--ram", "16G", "--json").out)["models"]) == 1


def test_without_a_task_a_model_counts_for_what_it_was_made_for(say: Say) -> None:
    """An embedding model, a coder, and a model of 4,096 tokens (Qwen2.5-Math) whose task wants more by default."""
    for model, task, context in (
        ("Qwen3-Embedding-0.6B", "embedding", None),
        ("Qwen2.5-Coder-7B-Instruct", "code", None),
        ("Qwen2.5-Math-7B-Instruct", "math", 4096),
    ):
        said = say("check", model, "--ram", "32G", "--json")
        assert said.code == 0, said.err
        asked = json.loads(said.out)["models"][0]["requirements"]
        assert asked["task"] == task
        assert context is None or asked["context_tokens"] == context
    assert say("check", "Qwen2.5-Math-7B-Instruct", "--ram", "32G", "--task", "math").code == 3


def test_an_engine_that_is_nobodys_first_choice_serves_a_gate(say: Say) -> None:
    """Transformers on a CPU: recommend looks so far for models that have nothing else."""
    said = say("check", "Qwen3-8B", "--ram", "64G", "--quant", "BF16", "--engine", "transformers", "--json")
    choice = json.loads(said.out)["models"][0]["choice"]
    assert (choice["engine"], choice["quantization"]) == ("transformers", "BF16")


def test_warnings_fail_under_strict_alone(say: Say) -> None:
    words = ("check", "Qwen3-8B", "--ram", "16G", "--json")
    plain, strict = say(*words), say(*words, "--strict")
    assert (plain.code, strict.code) == (0, 3)
    levels = [[(f["rule"], f["level"]) for f in json.loads(s.out)["models"][0]["findings"]] for s in (plain, strict)]
    assert levels[0] == [(rule, "warn") for rule, _ in levels[1]]
    assert {level for _, level in levels[1]} == {"fail"}


WRONG: list[tuple[tuple[str, ...], str]] = [
    (("check",), "no model is named"),
    (("check", "--ram", "16G"), "no model is named"),
    (("check", "Qwen3-8", "--ram", "16G"), "no model is called"),
    (("check", "Qwen3-8B", "--lock", "x.json"), "brings its own model"),
    (("check", "--lock", "x.json", "--context", "8k"), "brings its own model"),
    (("check", "--lock", "nowhere.json"), "cannot be read"),
    (("check", "Qwen3-8B", "--policy", "nowhere.yaml", "--ram", "16G"), "cannot be read"),
    (("check", "Qwen3-8B", "--ram", "16G", "--format", "sarif", "--json"), "contradict"),
    (("check", "Qwen3-8B", "--ram", "16G", "--today", "soon"), "is not a date"),
    (("check", "Qwen3-8B", "--ram", "16G", "--context", "lots"), "--context:"),
]


@pytest.mark.parametrize(
    ("words", "sentence"), WRONG, ids=lambda value: " ".join(value) if type(value) is tuple else value
)
def test_a_call_that_is_off_ends_with_2(words: tuple[str, ...], sentence: str, say: Say) -> None:
    said = say(*words)
    assert said.code == 2
    assert said.out == "" or "--json" in words
    assert sentence in said.err
    assert "hint: " in said.err
    assert "Traceback" not in said.err


def test_verbose_tells_what_was_loaded_and_keeps_stdout_clean(say: Say) -> None:
    for verb in (("check", "Qwen3-8B"), ("estimate", "Qwen3-8B"), ("recommend", "--task", "code")):
        quiet, verbose = say(*verb, "--ram", "16G", "--json"), say(*verb, "--ram", "16G", "--json", "--verbose")
        assert verbose.out == quiet.out
        told = [line for line in verbose.err.splitlines() if line.startswith("qwen-advisor: ")]
        assert len(told) >= 3
        assert "217 models" in told[0] or " models" in told[0]
        assert "described" in told[1]
        assert all(line.endswith(" ms)") for line in told)
        assert "qwen-advisor: " not in quiet.err
