"""SARIF and JUnit: well formed, complete, and harmless whatever a name holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from qwen_advisor.api import machine_for
from qwen_advisor.facts import Catalog
from qwen_advisor.gate.answer import gate_of_models
from qwen_advisor.gate.verdict import Gate, Place, Ruling
from qwen_advisor.render import check as render
from qwen_advisor.render.check_junit import junit
from qwen_advisor.render.check_sarif import sarif
from qwen_advisor.render.look import Look
from qwen_advisor.render.markdown import markdown
from qwen_advisor.render.paint import paint

Say = Callable[..., Any]
SCHEMA = json.loads((Path(__file__).parent / "sarif-2.1.0-subset.json").read_text("utf-8"))
POLICY = "licenses: [mit]\nmax_parameters: 4B\nmin_context: 8k\n"
WORDS = ("check", "Qwen3-8B", "Qwen3-0.6B", "--ram", "16G", "--policy", "ci/my policy.yaml")

HOSTILE = (
    "a\x1b]0;evil\x07b",
    "<script>alert(1)</script>",
    "]]><failure>x</failure>",
    '" onload="x',
    "&amp; &#0; \x00\x08\ufffe\ud800",
    "[click](https://example.org) {0} {{x}}",
    "../../etc/passwd",
    "line\nbreak\r\n::error::x",
    "\u202eright to left",
)


@pytest.fixture
def documents(say: Say) -> Callable[..., tuple[dict[str, Any], str, str]]:
    """One call as JSON, SARIF and JUnit."""
    Path("ci").mkdir()
    Path("ci/my policy.yaml").write_text(POLICY, "utf-8")

    def run(*words: str) -> tuple[dict[str, Any], str, str]:
        return (
            json.loads(say(*words, "--json").out),
            say(*words, "--format", "sarif").out,
            say(*words, "--format", "junit").out,
        )

    return run


def test_sarif_holds_every_finding_at_its_line(documents: Callable[..., tuple[dict[str, Any], str, str]]) -> None:
    answer, text, _ = documents(*WORDS)
    log = json.loads(text)
    jsonschema.validate(log, SCHEMA)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    found = [(m["id"], f["rule"], f["level"], f["line"]) for m in answer["models"] for f in m["findings"]]
    levels = {"error": "fail", "warning": "warn"}
    shown = []
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        of_policy = result["ruleId"].startswith("P1")
        assert physical["artifactLocation"]["uri"] == (
            "ci/my%20policy.yaml" if of_policy else result["properties"]["model"]
        )
        line = physical["region"]["startLine"] if of_policy else None
        shown.append((result["properties"]["model"], result["ruleId"], levels[result["level"]], line))
    assert shown == found
    assert ("Qwen/Qwen3-8B", "P112", "fail", 2) in shown
    fingerprints = [json.dumps(result["partialFingerprints"]) for result in run["results"]]
    assert len(set(fingerprints)) == len(fingerprints)


def test_a_fingerprint_does_not_depend_on_numbers(say: Say) -> None:
    def prints(ram: str) -> list[dict[str, str]]:
        log = json.loads(say("check", "Qwen3-32B", "--ram", ram, "--format", "sarif").out)
        return [r["partialFingerprints"] for r in log["runs"][0]["results"] if r["ruleId"] == "M101"]

    assert prints("16G") == prints("8G") != []


def test_a_model_without_findings_has_none_in_sarif(say: Say) -> None:
    said = say("check", "Qwen3.5-4B", "--gpu", "RTX 4090", "--quant", "BF16", "--format", "sarif")
    assert said.code == 0
    log = json.loads(said.out)
    jsonschema.validate(log, SCHEMA)
    assert [r for r in log["runs"][0]["results"] if r["level"] == "error"] == []


def test_junit_has_a_suite_for_each_model_and_a_case_for_each_rule(
    documents: Callable[..., tuple[dict[str, Any], str, str]],
) -> None:
    answer, _, text = documents(*WORDS)
    root = ET.fromstring(text)  # noqa: S314  our own
    assert root.tag == "testsuites"
    assert [suite.get("name") for suite in root] == ["Qwen/Qwen3-8B", "Qwen/Qwen3-0.6B"]
    for suite, model in zip(root, answer["models"], strict=True):
        failed = sorted(f["rule"] for f in model["findings"] if f["level"] == "fail")
        cases = suite.findall("testcase")
        assert sorted(c.get("name", "").split()[0] for c in cases if c.find("failure") is not None) == failed
        assert len(cases) == len(model["findings"]) + len(model["rules_passed"]) == int(suite.get("tests", "0"))
        assert int(suite.get("failures", "-1")) == len(failed)
        assert suite.get("errors") == suite.get("skipped") == "0"
    for name in ("tests", "failures"):
        assert int(root.get(name, "-1")) == sum(int(suite.get(name, "0")) for suite in root)
    failure = root.find(".//testcase[@line='2']/failure")
    assert failure is not None
    assert failure.get("type") == "P112"
    assert "needed: 8190735360" in (failure.text or "")


@pytest.fixture(scope="module")
def gate(catalog: Catalog) -> Gate:
    """An answer that fails."""
    from datetime import date  # noqa: PLC0415

    machine = machine_for(catalog, ram="16G")
    return gate_of_models(catalog, machine, [catalog.models["Qwen/Qwen3-32B"]], {}, today=date(2026, 1, 1))


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_stay_text(name: str, gate: Gate) -> None:
    nasty = Ruling(
        rule="P101",
        title=name,
        level="fail",
        message=name,
        nearest=(name,),
        place=Place(file=name, line=3),
    )
    (verdict,) = gate.verdicts
    hostile = replace(gate, policy=name, verdicts=(replace(verdict, model=name, rulings=(nasty, *verdict.rulings)),))
    log = json.loads(sarif(hostile))
    jsonschema.validate(log, SCHEMA)
    message = log["runs"][0]["results"][0]["message"]["text"]
    assert message.isprintable()
    assert "](" not in message.replace("\\]", "")
    root = ET.fromstring(junit(hostile))  # noqa: S314  our own
    assert [element.tag for element in root.iter("failure")] == ["failure"] * len((*verdict.findings[:1], nasty))
    assert not [element for element in root.iter() if element.tag in ("script", "x")]
    assert "\x1b" not in junit(hostile)
    assert "\x1b" not in sarif(hostile)
    rows = render.csv(hostile)
    assert name in rows or '"' in rows
    assert "<script" not in markdown(render.report(hostile))
    table = paint(render.report(hostile), Look(width=100, colour=False, ascii_only=False))
    assert all(char.isprintable() or char == "\n" for char in table)
