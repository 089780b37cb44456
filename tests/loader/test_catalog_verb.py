"""``qwen-advisor catalog`` as it is typed: what it prints, in every format, and with which exit code."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from qwen_advisor.catalog import published_schemas
from qwen_advisor.cli import main

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setenv("COLUMNS", "120")

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["catalog", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def small_call(call: Call, small: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setenv("QWEN_ADVISOR_CATALOG", str(small))
    return call


def fits(document: Any, schema: str) -> None:
    """The document has every field of its published schema and none beside."""
    closed = json.loads(published_schemas()[schema].read_text("utf-8"))
    for part in (closed, *closed.get("$defs", {}).values()):
        part["additionalProperties"] = False
    jsonschema.Draft202012Validator(closed).validate(document)


LIST_120 = """\
2 of 2 models

Model        Parameters  Kind               Context  License     Released    Family  Superseded by
Acme/Tiny-2        138K  instruct            32,768  apache-2.0  2025-07-29  Tiny
Acme/Tiny-1        138K  hybrid    32,768 (131,072)  apache-2.0  2025-04-29  Tiny    Acme/Tiny-2

  - everything about one: qwen-advisor catalog show MODEL
"""
LIST_80 = """\
2 of 2 models

Model        Size  Context  License     Released
Acme/Tiny-2  138K   32,768  apache-2.0  2025-07-29
Acme/Tiny-1  138K   32,768  apache-2.0  2025-04-29

  - everything about one: qwen-advisor catalog show MODEL
"""
SHOW = """\
Acme/Tiny-1: 138K

  Family         Tiny, general
  Kind           hybrid
  Released       2025-04-29
  Superseded by  Acme/Tiny-2
  Parameters     138,112
  Context        32,768 tokens; 131,072 by yarn factor 4
  Input, output  text → text
  Thinking       can be switched, on by default
  Tool calling   no source says
  License        Apache License 2.0: Use, change and sell it; keep the notice.
  Architecture   qwen3; 2 layers; 4 heads, 2 for keys and values

Quantizations
Format  Computed  On disk  Difference  Official  Repository
BF16     0.00 GB                       yes       Acme/Tiny-1
Q8_0     0.00 GB  0.00 GB  +126,224 B  yes       Acme/Tiny-1-GGUF

Engines
Engine     From version  Remark
llama.cpp  b5401

Ollama
Tag          Quantization  Remark
tiny:latest  Q8_0
tiny:1       not known

Sources
  - https://example.org/tiny-1
"""


def test_list_for_people(small_call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    assert small_call("list") == (0, LIST_120, "")
    monkeypatch.setenv("COLUMNS", "80")
    assert small_call("list") == (0, LIST_80, "")


def test_show_for_people(small_call: Call) -> None:
    assert small_call("show", "tiny-1") == (0, SHOW, "")


def test_list_for_programs(small_call: Call) -> None:
    code, out, err = small_call("list", "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    fits(document, "catalog-list-1")
    assert [each["model"]["id"] for each in document["models"]] == ["Acme/Tiny-2", "Acme/Tiny-1"]
    assert document["catalog"]["models"] == 2
    assert document["models"][1]["context_extended_tokens"] == 131072
    assert yaml.safe_load(small_call("list", "--format", "yaml")[1]) == document
    rows = list(csv.DictReader(io.StringIO(small_call("list", "--format", "csv")[1])))
    assert rows[1]["parameters_total"] == "138112"
    assert rows[0]["superseded_by"] == ""
    assert small_call("list", "-q")[1] == "Acme/Tiny-2\nAcme/Tiny-1\n"
    markdown = small_call("list", "--format", "markdown")[1]
    assert "| Acme/Tiny-1 | 138K | hybrid | 32,768 (131,072) |" in markdown


def test_show_for_programs(small_call: Call) -> None:
    code, out, _ = small_call("show", "TINY:latest", "--json")
    document = json.loads(out)
    assert code == 0
    fits(document, "catalog-show-1")
    for name, entry in (("models", document["entry"]), ("architectures", document["architecture"])):
        schema = json.loads(published_schemas()[f"catalog-{name}"].read_text("utf-8"))
        jsonschema.Draft202012Validator(schema).validate(entry)
    assert document["engines"] == [{"name": "llama.cpp", "min_version": "b5401", "note": ""}]
    q8 = next(each for each in document["quantizations"] if each["name"] == "Q8_0")
    assert q8["downloads"][0]["bytes"] == 150000
    assert q8["downloads"][0]["files"] == ["tiny-1-q8_0.gguf"]
    assert document["abilities"] == [
        {"scale": "chat", "thinking": "on", "ability": 0.25, "standard_error": 0.1, "published": True}
    ]
    assert small_call("show", "tiny-1", "--format", "id")[1] == "Acme/Tiny-1\n"
    assert small_call("show", "tiny-1", "--format", "markdown")[1].startswith("## Acme/Tiny-1: 138K\n")


def test_an_unknown_model_gets_suggestions(small_call: Call) -> None:
    code, out, err = small_call("show", "tiny-3")
    assert (code, out) == (2, "")
    assert "did you mean Acme/Tiny-1 or Acme/Tiny-2?" in err
    code, out, _ = small_call("show", "tiny-3", "--json")
    assert code == 2
    assert json.loads(out)["error"]["suggestions"] == ["Acme/Tiny-1", "Acme/Tiny-2"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--task", "caht"], "there is no task 'caht'"),
        (["--family", "tinny"], "there is no family 'tinny'"),
        (["--license", "mti"], "there is no license 'mti'"),
        (["--min-size", "big"], "--min-size: 'big' is not a number of parameters"),
        (["--max-size", "-1"], "--max-size: '-1' is not a number of parameters"),
        (["--released-after", "yesterday"], "'yesterday' is not a date"),
        (["--released-before", "2025-02-30"], "--released-before: '2025-02-30' is not a date"),
        (["--format", "env"], "--format env cannot hold this answer"),
        (["--json", "--format", "csv"], "contradict each other"),
        (["--catalog-extra", "/nowhere/at/all"], "--catalog-extra names /nowhere/at/all, which is not a directory"),
    ],
)
def test_a_wrong_filter_is_said(small_call: Call, words: list[str], said: str) -> None:
    code, out, err = small_call("list", *words)
    assert (code, out if "--json" not in words else "") == (2, "")
    assert said in err


def test_nothing_found_is_exit_code_3_and_an_empty_answer(small_call: Call) -> None:
    assert small_call("list", "--min-size", "1T")[:2] == (3, "")
    code, out, err = small_call("search", "no", "such", "word", "--json")
    assert code == 3
    assert json.loads(out)["models"] == []
    assert "nothing in the catalogue says 'no such word'" in err


def test_search_takes_several_words(small_call: Call) -> None:
    assert small_call("search", "TINY", "hybrid", "-q") == (0, "Acme/Tiny-1\n", "")


def test_validate_says_every_fault(small_call: Call, small: Path) -> None:
    assert small_call("validate", str(small)) == (0, f"no fault in {small}\n", "")
    assert small_call("validate") == (0, f"no fault in {small}\n", "")
    for name in ("tiny-1", "tiny-2"):
        path = small / f"models/{name}.yaml"
        path.write_text(path.read_text("utf-8").replace("line: general", "lime: general"), "utf-8")
    code, out, err = small_call("validate", str(small))
    assert code == 4
    assert out.splitlines() == [
        f"{small}/models/tiny-1.yaml:1:1: lacks line",
        f"{small}/models/tiny-1.yaml:4:1: lime: is not a known field; line?",
        f"{small}/models/tiny-2.yaml:1:1: lacks line",
        f"{small}/models/tiny-2.yaml:4:1: lime: is not a known field; line?",
    ]
    assert err == f"error: 4 faults in {small}\n"
    code, out, _ = small_call("validate", str(small), "--json")
    document = json.loads(out)
    fits(document, "catalog-validate-1")
    assert code == 4
    assert document["valid"] is False
    assert [fault["line"] for fault in document["faults"]] == [1, 4, 1, 4]


def test_validate_takes_one_file(small_call: Call, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = small / "models/tiny-1.yaml"
    path.write_text(path.read_text("utf-8").replace("architecture: tiny", "architecture: none"), "utf-8")
    assert small_call("validate", str(small / "models/tiny-2.yaml"))[0] == 0
    assert small_call("validate", str(path))[:2] == (
        4,
        f"{path}:2:1: architecture: 'none' is not among the architectures\n",
    )
    monkeypatch.chdir(small)
    assert small_call("validate", "models/tiny-1.yaml")[0] == 4
    (small / "README.md").write_text("no entry", "utf-8")
    code, _, err = small_call("validate", "README.md")
    assert code == 2
    assert "no catalogue has a file such as README.md" in err
    assert small_call("validate", "nothing.yaml")[0] == 2


def test_validate_checks_own_entries_too(small_call: Call, small: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "ranking.yaml").write_text("risk_aversion: 1\nrisk_aversion: 2\n", "utf-8")
    code, out, err = small_call("validate", "--catalog-extra", str(own))
    assert (code, out) == (4, f"{own}/ranking.yaml:2:1: key 'risk_aversion' stands here again; first on line 1\n")
    assert err == f"error: 1 fault in {small}, {own}\n"


def test_a_broken_catalogue_is_exit_code_4_everywhere(small_call: Call, small: Path) -> None:
    (small / "ranking.yaml").write_text("a: [", "utf-8")
    for words in (["list"], ["show", "tiny-1"], ["search", "tiny"]):
        code, out, err = small_call(*words)
        assert (code, out) == (4, "")
        assert "ranking.yaml:2" in err


def test_schemas_are_listed_and_printed(call: Call) -> None:
    code, out, _ = call("schema")
    assert code == 0
    assert {"recommend-1", "catalog-models", "catalog-show-1"} <= set(out.split())
    code, out, _ = call("schema", "catalog-models")
    assert (code, json.loads(out)["$defs"]["Checkpoint"]["additionalProperties"]) == (0, False)
    code, _, err = call("schema", "catalog-modles")
    assert code == 2
    assert "did you mean catalog-models" in err
