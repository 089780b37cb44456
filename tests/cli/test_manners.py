"""Streams, formats and exit codes: data on stdout, talk on stderr, the contract's code at the end."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import jsonschema
import pytest
import yaml

from qwen_advisor import api, errors
from qwen_advisor.render.schema import json_schema

Say = Callable[..., Any]
RAM = ("--ram", "16G")


@pytest.mark.usefixtures("answering")
class TestFormats:
    def test_table_is_for_people(self, say: Say) -> None:
        said = say("recommend", *RAM)
        assert said.code == 0
        assert said.out.startswith("Use Qwen/Qwen3-Coder-30B-A3B-Instruct, quantized to Q4_K_M, with llama.cpp\n")
        assert said.err == "warning: bandwidth of main memory is assumed\n"

    @pytest.mark.parametrize(
        "words", [("--json",), ("--format", "json"), ("--format=json",), ("--json", "--format", "json")]
    )
    def test_json_is_the_schema_s_whole_document(self, words: tuple[str, ...], say: Say) -> None:
        said = say("recommend", *RAM, *words)
        jsonschema.validate(json.loads(said.out), json_schema("recommend-1"))

    def test_yaml_holds_the_same_as_json(self, say: Say) -> None:
        assert yaml.safe_load(say("recommend", *RAM, "--format", "yaml").out) == json.loads(
            say("recommend", *RAM, "--json").out
        )

    def test_csv_has_a_row_per_answer(self, say: Say) -> None:
        rows = list(csv.DictReader(io.StringIO(say("recommend", *RAM, "--format", "csv").out)))
        assert [row["model"] for row in rows] == ["Qwen/Qwen3-Coder-30B-A3B-Instruct", "Qwen/Qwen3-8B"]
        assert rows[1]["largest_context_tokens"] == ""

    def test_id_and_quiet_are_one_line(self, say: Say) -> None:
        for words in (("--format", "id"), ("-q",), ("--quiet",)):
            assert say("recommend", *RAM, *words).out == "Qwen/Qwen3-Coder-30B-A3B-Instruct\n"

    def test_quiet_says_nothing_on_stderr(self, say: Say) -> None:
        assert say("recommend", *RAM, "-q").err == ""

    def test_markdown_is_a_report(self, say: Say) -> None:
        assert say("recommend", *RAM, "--format", "markdown").out.startswith("## Use Qwen/")

    @pytest.mark.parametrize("form", ["table", "json", "yaml", "csv", "markdown", "id", "env"])
    def test_estimate_has_every_format(self, form: str, say: Say) -> None:
        said = say("estimate", "Qwen3-8B", *RAM, "--format", form)
        assert said.code == 0
        assert "Qwen/Qwen3-8B" in said.out
        if form == "json":
            jsonschema.validate(json.loads(said.out), json_schema("estimate-1"))

    def test_options_that_add_nothing_are_named(self, say: Say) -> None:
        said = say("recommend", *RAM, "--format", "id", "--explain", "--top", "3")
        assert said.out == "Qwen/Qwen3-Coder-30B-A3B-Instruct\n"
        assert "warning: --explain adds nothing to --format id" in said.err
        assert "warning: --top changes nothing for --format id" in said.err


class TestNothingFits:
    @pytest.fixture(autouse=True)
    def _nothing(self, monkeypatch: pytest.MonkeyPatch, hand: ModuleType) -> None:
        monkeypatch.setattr(api, "recommend", lambda *_, **__: hand.NOTHING)

    def test_json_is_still_whole_and_the_code_is_3(self, say: Say) -> None:
        said = say("recommend", *RAM, "--json")
        assert said.code == 3
        document = json.loads(said.out)
        jsonschema.validate(document, json_schema("recommend-1"))
        assert document["recommendations"] == []
        assert len(document["rejected"]) == 3
        assert "error: nothing fits code on 24.0 GiB RAM, 16 cores; nearest is Qwen/Qwen3-32B" in said.err
        assert "hint: an RTX 3090 would let Qwen/Qwen3.6-27B in" in said.err

    def test_table_explains(self, say: Say) -> None:
        said = say("recommend", *RAM)
        assert said.code == 3
        assert said.out.startswith("Nothing fits: 3 models were ruled out\n")
        assert "What would lift it\n  - an RTX 3090" in said.out

    @pytest.mark.parametrize("form", ["id", "env"])
    def test_one_line_formats_print_no_line(self, form: str, say: Say) -> None:
        said = say("recommend", *RAM, "--format", form)
        assert (said.code, said.out) == (3, "")


USAGE = [
    ("recommend", "--task", "coding", *RAM),
    ("recommend", "--nonsense", *RAM),
    ("recommend", "extra", *RAM),
    ("recommend", "--task"),
    ("recommend", "--prefer", "fastest", *RAM),
    ("recommend", "--thinking", "maybe", *RAM),
    ("recommend", "--context", "many", *RAM),
    ("recommend", "--context", "-5", *RAM),
    ("recommend", "--prompt-tokens", "0", *RAM),
    ("recommend", "--concurrency", "0", *RAM),
    ("recommend", "--concurrency", "two", *RAM),
    ("recommend", "--min-speed", "-1", *RAM),
    ("recommend", "--min-speed", "nan", *RAM),
    ("recommend", "--min-speed", "fast", *RAM),
    ("recommend", "--engine", "vlm", *RAM),
    ("recommend", "--quant", "Q4_K_X", *RAM),
    ("recommend", "--license", "mitt", *RAM),
    ("recommend", "--language", "klingon", *RAM),
    ("recommend", "--max-download", "-8G", *RAM),
    ("recommend", "--family", "Quen3", *RAM),
    ("recommend", "--released-after", "yesterday", *RAM),
    ("recommend", "--released-after", "2025-13-01", *RAM),
    ("recommend", "--top", "0", *RAM),
    ("recommend", "--ram", "lots"),
    ("recommend", "--ram", "-16G"),
    ("recommend", "--ram", "16X"),
    ("recommend", "--format", "xml", *RAM),
    ("recommend", "--hardware", "no-such-file.yaml"),
    ("recommend", "--catalog-extra", "no-such-directory", *RAM),
    ("estimate",),
    ("estimate", "Qwen/Qwen99-1B", *RAM),
    ("estimate", "Qwen3-8B", "--kv-type", "q9", *RAM),
    ("estimate", "Qwen3-8B", "--parallel", "0", *RAM),
    ("estimate", "Qwen3-8B", "--gpu-layers", "-1", *RAM),
    ("estimate", "Qwen3-8B", "--engine", "vllm", "--ubatch", "256", *RAM),
    ("estimate", "Qwen3-8B", "--engine", "vllm", "--gpu-layers", "10", *RAM),
    ("estimat", "Qwen3-8B"),
    ("--nonsense",),
]


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_bad_input_gets_a_sentence_a_next_step_and_code_2(words: tuple[str, ...], say: Say) -> None:
    said = say(*words)
    assert said.code == 2
    assert said.out == ""
    first, *rest = said.err.splitlines()
    assert first.startswith("error: ")
    assert any(line.startswith("hint: ") for line in rest), said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_bad_input_is_json_under_json(words: tuple[str, ...], say: Say) -> None:
    if words[0] == "recommend" and words[-1] == "--task":
        pytest.skip("--json would be the task")
    said = say(*words, "--json")
    assert said.code == 2
    document = json.loads(said.out)
    jsonschema.validate(document, json_schema("error-1"))
    assert document["error"]["code"] == "usage"
    assert document["error"]["exit_code"] == 2
    assert document["error"]["message"] in said.err


@pytest.mark.parametrize(
    ("words", "suggestion"),
    [
        (("recommend", "--task", "coed", *RAM), "code"),
        (("recommend", "--engine", "vlm", *RAM), "vllm"),
        (("recommend", "--quant", "Q4_KM", *RAM), "Q4_K_M"),
        (("recommend", "--family", "qwen-3", *RAM), "Qwen3"),
        (("estimate", "Qwen3-8", *RAM), "Qwen/Qwen3-8B"),
    ],
    ids=str,
)
def test_a_misspelt_name_gets_the_nearest(words: tuple[str, ...], suggestion: str, say: Say) -> None:
    said = say(*words, "--json")
    assert suggestion in json.loads(said.out)["error"]["suggestions"]
    assert f"{suggestion}" in said.err


@pytest.mark.parametrize(
    ("words", "nearest"), [(("recomend",), "recommend"), (("recommend", "--contxt", "8k"), "--context")], ids=str
)
def test_a_misspelt_verb_or_option_gets_the_nearest(words: tuple[str, ...], nearest: str, say: Say) -> None:
    said = say(*words)
    assert said.code == 2
    assert nearest in said.err


@pytest.mark.parametrize(
    ("error", "code", "name"),
    [
        (
            errors.CatalogError("the catalogue is invalid", faults=("a.yaml:1: no id", "b.yaml:2: no id")),
            4,
            "catalog_invalid",
        ),
        (errors.ProbeError("no machine could be read", hint="describe one"), 5, "no_machine"),
        (errors.NetworkError("the Hub does not answer"), 6, "network"),
        (errors.AdvisorError("the answer could not be written"), 1, "fault"),
        (KeyError("layers"), 1, "fault"),
    ],
    ids=str,
)
def test_each_fault_has_its_code(
    error: Exception, code: int, name: str, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(api, "recommend", fail)
    said = say("recommend", *RAM, "--json")
    assert said.code == code
    document = json.loads(said.out)
    jsonschema.validate(document, json_schema("error-1"))
    assert document["error"]["code"] == name
    assert "Traceback" not in said.err
    for fault in getattr(error, "faults", ()):
        assert f"  {fault}\n" in said.err
        assert fault in document["error"]["details"]


def test_a_stranger_is_reported_with_the_way_to_report_it(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "recommend", lambda *_, **__: 1 / 0)
    said = say("recommend", *RAM)
    assert said.code == 1
    assert "error: the program failed: ZeroDivisionError: division by zero" in said.err
    assert "QWEN_ADVISOR_DEBUG=1" in said.err


def test_debug_keeps_the_traceback(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "recommend", lambda *_, **__: 1 / 0)
    monkeypatch.setenv("QWEN_ADVISOR_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        say("recommend", *RAM)


def test_interrupt_is_quiet_and_130(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "recommend", interrupt)
    said = say("recommend", *RAM, "--json")
    assert (said.code, said.out, said.err) == (130, "", "")


@pytest.mark.usefixtures("answering")
class TestWithoutAVerb:
    def test_bare_call_recommends_and_says_what_to_ask_next(self, say: Say) -> None:
        said = say()
        assert said.code == 0
        assert said.out.startswith("Use Qwen/")
        assert "hint: ask for a task or another machine: qwen-advisor recommend --task code --ram 16G\n" in said.err

    def test_options_without_a_verb_are_those_of_recommend(self, say: Say) -> None:
        assert json.loads(say("--json", *RAM).out)["schema"] == "qwen-advisor/recommend/1"

    def test_version_and_help_stay_themselves(self, say: Say) -> None:
        assert say("--version").out.startswith("qwen-advisor 0.")
        assert "inspect-hardware" in say("--help").out
        assert say("-h").out == say("--help").out


def test_every_verb_shows_two_examples_that_parse(say: Say) -> None:
    for verb in ("recommend", "estimate", "inspect-hardware"):
        text = say(verb, "--help").out
        examples = [line.strip() for line in text.split("Examples:")[1].splitlines() if line.strip()]
        assert len(examples) >= 2, verb
        assert all(line.startswith(f"qwen-advisor {verb}") for line in examples)


def test_help_is_plain(say: Say) -> None:
    said = say("recommend", "--help")
    assert said.code == 0
    assert "\x1b" not in said.out
    assert "╭" not in said.out
    for option in (
        "--task",
        "--context",
        "--min-speed",
        "--ram",
        "--gpu",
        "--device",
        "--hardware",
        "--nodes",
        "--explain",
    ):
        assert option in said.out
