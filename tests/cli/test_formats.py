"""Every verb in every format: what it prints is that format and holds the same answer, or it says that it cannot."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from qwen_advisor.cli.app import VERBS
from qwen_advisor.cli.options import FORMATS
from qwen_advisor.render.schema import json_schema

Say = Callable[..., Any]

ALL = tuple(FORMATS)
DATA = ("table", "json", "yaml", "csv", "markdown")
NOBODY = "http://127.0.0.1:9"  # the port of the discard service, at which nothing listens


@dataclass(frozen=True)
class Verb:
    """A call of one verb: what it can print, what its exit code is, and what `--quiet` prints."""

    words: tuple[str, ...]
    formats: tuple[str, ...]
    quiet: str | None  # a pattern of the whole output; None where there is no `--quiet`
    codes: tuple[int, ...] = (0,)


ONE_MODEL = r"Qwen/[\w.-]+\n"
RAM = ("--ram", "16G")
CALLS: dict[str, Verb] = {
    "recommend": Verb(("recommend", "--task", "code", *RAM), ALL, ONE_MODEL),
    "recommend, where nothing fits": Verb(
        ("recommend", "--task", "code", "--ram", "1G", "--min-speed", "500"), ALL, "", (3,)
    ),
    "inspect-hardware": Verb(("inspect-hardware", *RAM), (*DATA, "id"), r"16\.0 GiB RAM, 8 cores\n"),
    "estimate": Verb(("estimate", "Qwen3-8B", *RAM), ALL, "Qwen/Qwen3-8B\n"),
    "compare": Verb(("compare", "Qwen3-8B", "Qwen3-4B", *RAM), ALL, ONE_MODEL),
    "plan": Verb(("plan", "Qwen3-0.6B", "--quant", "Q4_K_M", "--engine", "llama.cpp"), ALL, "Qwen/Qwen3-0.6B\n"),
    "why-not": Verb(("why-not", "Qwen3-0.6B", *RAM), ALL, r".*\n"),
    "check": Verb(("check", "Qwen3-8B", *RAM), (*ALL, "sarif", "junit"), "Qwen/Qwen3-8B\n"),
    "check, what does not pass": Verb(("check", "Qwen3-32B", *RAM), (*ALL, "sarif", "junit"), "", (3,)),
    "finetune": Verb(("finetune", "Qwen3-8B", "--gpu", "RTX 4090"), ALL, r".+\n"),
    "fleet": Verb(("fleet", "inventory.csv"), DATA, r"(?s).*"),
    "settings": Verb(("settings",), (*DATA, "env"), None),
    "health": Verb(("health", "--url", NOBODY), (*DATA, "id", "prometheus"), "unhealthy\n", (9,)),
    "catalog list": Verb(("catalog", "list", "--family", "Qwen3"), (*DATA, "id"), rf"({ONE_MODEL})+"),
    "catalog search": Verb(("catalog", "search", "coder"), (*DATA, "id"), rf"({ONE_MODEL})+"),
    "catalog search, without a hit": Verb(("catalog", "search", "zzzz"), (*DATA, "id"), "", (3,)),
    "catalog show": Verb(("catalog", "show", "qwen3:8b"), (*DATA, "id"), "Qwen/Qwen3-8B\n"),
    "catalog validate": Verb(("catalog", "validate", "own"), DATA, "", (4,)),
}
# Verbs that these calls leave out, and why.
ELSEWHERE = {
    "bench": "measures a server; tests/bench",
    "pull": "fetches from the network; tests/hub",
    "prompt": "prints requests, each in its own format; its tests",
    "launch": "prints configuration files, each in its own format; tests of launching",
    "report": "writes a page; its tests look at it",
    "mcp": "speaks a protocol on stdout; tests/mcp",
}


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventory.csv").write_text("name,ram\nolder,8G\nnewer,16G\n", "utf-8")
    (tmp_path / "own" / "models").mkdir(parents=True)
    (tmp_path / "own" / "models" / "a.yaml").write_text("id: [\n", "utf-8")


def _cases() -> list[tuple[str, str]]:
    return [(name, form) for name in CALLS for form in sorted({*ALL, *CALLS[name].formats})]


@pytest.mark.parametrize(("name", "form"), _cases(), ids=lambda value: value)
def test_a_verb_prints_the_format_that_was_asked_for(name: str, form: str, say: Say) -> None:
    call = CALLS[name]
    said = say(*call.words, "--format", form)
    if form not in call.formats:
        assert (said.code, said.out) == (2, "")
        assert "format" in said.err
        assert all(allowed in said.err for allowed in call.formats)
        return
    assert said.code in call.codes, said.err
    assert "Traceback" not in said.err
    assert "\x1b" not in said.out
    assert said.out == "" or said.out.endswith("\n")
    _CHECKS[form](said.out, call, say)


def _json(out: str, _: Verb, __: Say) -> None:
    document = json.loads(out)
    name = document["schema"].removeprefix("qwen-advisor/").replace("/", "-")
    jsonschema.validate(document, json_schema(name))


def _yaml(out: str, call: Verb, say: Say) -> None:
    assert _timeless(yaml.safe_load(out)) == _timeless(json.loads(say(*call.words, "--json").out))


def _timeless(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "at"}


def _csv(out: str, _: Verb, __: Say) -> None:
    header, *rows = list(csv.reader(io.StringIO(out)))
    assert len(set(header)) == len(header)
    assert all(re.fullmatch(r"[a-z0-9_]+", column) for column in header)
    assert {len(row) for row in rows} <= {len(header)}


def _markdown(out: str, call: Verb, _: Say) -> None:
    assert out.startswith("## ") or (out == "" and call.codes == (3,))


def _table(out: str, call: Verb, _: Say) -> None:
    assert out or call.codes == (3,)


def _id(out: str, _: Verb, __: Say) -> None:
    assert all(line.isprintable() and line.strip() == line != "" for line in out.splitlines())


def _env(out: str, _: Verb, __: Say) -> None:
    for line in out.splitlines():
        name, value = line.split("=", 1)
        assert re.fullmatch(r"QWEN_ADVISOR_[A-Z_]+", name)
        assert len(shlex.split(value)) <= 1


def _sarif(out: str, _: Verb, __: Say) -> None:
    assert json.loads(out)["version"] == "2.1.0"


def _junit(out: str, _: Verb, __: Say) -> None:
    assert out.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ')


def _prometheus(out: str, _: Verb, __: Say) -> None:
    assert out.startswith("# HELP ")


_CHECKS: dict[str, Callable[[str, Verb, Say], None]] = {
    "table": _table,
    "json": _json,
    "yaml": _yaml,
    "csv": _csv,
    "markdown": _markdown,
    "id": _id,
    "env": _env,
    "sarif": _sarif,
    "junit": _junit,
    "prometheus": _prometheus,
}


@pytest.mark.parametrize("name", CALLS, ids=str)
def test_quiet_prints_what_a_script_needs_and_no_more(name: str, say: Say) -> None:
    call = CALLS[name]
    said = say(*call.words, "-q")
    if call.quiet is None:
        assert said.code == 2
        return
    assert said.code in call.codes, said.err
    assert re.fullmatch(call.quiet, said.out)
    assert "hint: " not in said.err or said.code != 0
    assert "warning: " not in said.err


@pytest.mark.parametrize("name", CALLS, ids=str)
def test_json_and_another_format_contradict_each_other(name: str, say: Say) -> None:
    said = say(*CALLS[name].words, "--json", "--format", "csv")
    assert said.code == 2
    assert json.loads(said.out)["error"]["code"] == "usage"


def test_no_verb_is_forgotten() -> None:
    called = {name.partition(",")[0].split()[0] for name in CALLS}
    assert called | set(ELSEWHERE) == set(VERBS)
    assert not called & set(ELSEWHERE)
