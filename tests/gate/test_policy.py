"""Policies: every key lets in and keeps out, every finding names the line, every fault of a file is told."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.gate.policy import Policy
from qwen_advisor.gate.policy_file import parse_policy
from qwen_advisor.gate.policy_rules import POLICY_RULES

Say = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]

# Qwen3-8B: Apache-2.0, released 2025-04-29, 8.19e9 parameters, 32,768 tokens native and 131,072 with YaRN (its model
# card), 5,027,783,488 bytes in Q4_K_M (Qwen/Qwen3-8B-GGUF). On a CPU with 16 GiB it runs in Q4_K_M with llama.cpp.
EIGHT = ("Qwen3-8B", "--ram", "16G", "--today", "2026-01-01")
# (what is broken, its rule, its line, needed, available), and the same key with what lets it in
KEYS: list[tuple[str, str, int, float | None, float | None, str]] = [
    ("licenses: [mit]", "P101", 1, None, None, "licenses: [permissive]"),
    ("families:\n- Qwen2.5", "P102", 1, None, None, "families: [qwen3]"),
    ("forbidden_families:\n- Qwen2.5\n- qwen3", "P103", 3, None, None, "forbidden_families: [Qwen2.5]"),
    ("models: [Qwen/Qwen3-14B]", "P104", 1, None, None, "models: [Qwen/Qwen3-*]"),
    ("forbidden_models:\n- '*-72B*'\n- '*/qwen3-8*'", "P105", 3, None, None, "forbidden_models: ['*Coder*']"),
    ("quantizations: [FP8]", "P106", 1, None, None, "quantizations: [Q4_K_M, FP8]"),
    ("forbidden_quantizations: ['*']", "P107", 1, None, None, "forbidden_quantizations: [Q2_*, IQ*]"),
    ("min_bits: 16.5", "P108", 1, 16.5, None, "min_bits: 4.5"),
    ("engines: [vllm]", "P109", 1, None, None, "engines: [llama.cpp]"),
    (
        "forbidden_engines:\n- vllm\n- llama.cpp\n- ollama\n- lmstudio\n- transformers\n- openvino\n- onnxruntime",
        "P110",
        3,
        None,
        None,
        "forbidden_engines: [vllm]",
    ),
    ("min_ability:\n  code: 9.5", "P111", 2, 9.5, None, "min_ability: {code: -9.5}"),
    (
        "min_ability:\n  chat: Qwen3-0.6B\n  code: Qwen3-235B-A22B",
        "P111",
        3,
        None,
        None,
        "min_ability: {code: qwen3:8b}",
    ),
    ("max_parameters: 4B", "P112", 1, 8_190_735_360, 4e9, "max_parameters: 8.2B"),
    ("max_active_parameters: 3B", "P113", 1, 8_190_735_360, 3e9, "max_active_parameters: 9B"),
    ("max_download: 1G", "P114", 1, None, 2**30, "max_download: 5G"),
    ("max_memory: 1G", "P115", 1, None, 2**30, "max_memory: 12G"),
    ("max_age_days: 246", "P116", 1, 247, 246, "max_age_days: 247"),
    ("released_after: 2025-04-29", "P117", 1, None, None, "released_after: 2025-04-28"),
    ("min_context: 256k", "P118", 1, 262144, 131072, "min_context: 40k"),
    ("min_speed: 200", "P119", 1, 200, None, "min_speed: 2"),
    ("languages: [xx]", "", 1, None, None, "languages: [de, ja]"),
    ("official_files: false\nmax_age_days: 1", "P116", 2, None, None, "official_files: true"),
    ("allow_superseded: false", "P123", 1, None, None, "allow_superseded: true"),
]


@pytest.mark.parametrize(("text", "rule", "line", "needed", "available", "lets_in"), KEYS, ids=[k[0] for k in KEYS])
def test_a_key_keeps_out_and_lets_in(
    text: str,
    rule: str,
    line: int,
    needed: float | None,
    available: float | None,
    lets_in: str,
    say: Say,
    tmp_path: Path,
) -> None:
    if rule:
        code, failures = _checked(say, tmp_path, text, *EIGHT)
        assert code == 3
        (failure,) = [f for f in failures if f["rule"] == rule]
        assert (failure["file"], failure["line"]) == ("policy.yaml", line)
        assert needed is None or failure["needed"] == needed
        assert available is None or failure["available"] == available
        assert failure["message"]
    code, failures = _checked(say, tmp_path, lets_in, *EIGHT)
    assert (code, failures) == (0, [])


def test_languages_and_tools_are_what_the_makers_say(say: Say, tmp_path: Path) -> None:
    """Qwen2.5 names 29 languages, Qwen3 119, Swahili among them; the old chat models called no tools."""
    old = ("Qwen2.5-7B-Instruct", "--ram", "16G")
    _, failures = _checked(say, tmp_path, "languages:\n- de\n- sw", *old)
    assert [(f["rule"], f["line"]) for f in failures] == [("P120", 3)]
    _, failures = _checked(say, tmp_path, "tools: true", "Qwen2-Math-7B-Instruct", "--ram", "16G")
    assert [f["rule"] for f in failures] == ["P121"]
    assert _checked(say, tmp_path, "tools: true\nlanguages: [sw]", *EIGHT) == (0, [])


def test_official_files_keep_out_what_only_others_quantize(say: Say, tmp_path: Path) -> None:
    """Qwen publishes GGUF of Qwen3 and none of Qwen3.5, which in 16 bit takes more than 16 GiB."""
    _, failures = _checked(say, tmp_path, "tools: true\nofficial_files: true", "Qwen3.5-9B", "--ram", "16G")
    assert [(f["rule"], f["line"]) for f in failures] == [("P122", 2)]


def _checked(say: Say, where: Path, text: str, *words: str) -> tuple[int, list[dict[str, Any]]]:
    (where / "policy.yaml").write_text(text, "utf-8")
    said = say("check", *words, "--policy", "policy.yaml", "--json")
    assert said.code in (0, 3), said.err
    findings = json.loads(said.out)["models"][0]["findings"]
    return said.code, [f for f in findings if f["level"] == "fail"]


# Limits: the key, the figure of the answer that it bounds, and which side of the figure still passes.
LIMITS: list[tuple[str, Callable[[dict[str, Any]], float], str]] = [
    ("max_parameters", lambda m: m["model"]["parameters_total"] / 1e9, "most"),
    ("max_active_parameters", lambda m: m["model"]["parameters_active"] / 1e9, "most"),
    ("max_download", lambda m: m["choice"]["artifact"]["bytes"], "most"),
    ("max_memory", lambda m: m["choice"]["memory"]["total_bytes"], "most"),
    ("min_context", lambda m: m["choice"]["largest_context_tokens"], "least"),
]


@pytest.mark.parametrize(("key", "figure", "side"), LIMITS, ids=[row[0] for row in LIMITS])
def test_a_limit_lets_in_the_figure_itself_and_nothing_beyond(
    key: str, figure: Callable[[dict[str, Any]], float], side: str, say: Say, tmp_path: Path
) -> None:
    """With one quantization that may be taken, so that no other is taken instead, and a context that is asked for."""
    words = ("Qwen3-8B", "--ram", "16G", "--context", "4096", "--quant", "Q4_K_M", "--engine", "llama.cpp")
    value = figure(json.loads(say("check", *words, "--json").out)["models"][0])
    whole = isinstance(value, int)
    unit = "B" if key in ("max_download", "max_memory") else ""
    beyond = value + (-1 if side == "most" else 1) * (1 if whole else 1e-9)
    shown, past = (f"{v}" if whole else f"{v:.9f}" for v in (value, beyond))
    assert _checked(say, tmp_path, f"{key}: {shown}{unit}", *words) == (0, [])
    code, failures = _checked(say, tmp_path, f"{key}: {past}{unit}", *words)
    assert (code, len(failures)) == (3, 1)
    assert failures[0]["needed"] != failures[0]["available"]


def test_every_violated_rule_is_one_finding(say: Say, tmp_path: Path) -> None:
    text = "licenses: [mit]\nmax_parameters: 1B\nmax_age_days: 1\nmin_speed: 500\nfamilies: [Qwen2.5]\n"
    _, failures = _checked(say, tmp_path, text, *EIGHT)
    assert sorted((f["rule"], f["line"]) for f in failures) == [
        ("P101", 1),
        ("P102", 5),
        ("P112", 2),
        ("P116", 3),
        ("P119", 4),
    ]


def test_another_quantization_is_taken_before_a_model_is_kept_out(say: Say, tmp_path: Path) -> None:
    """Left alone Qwen3-8B runs in Q4_K_M here; where that is forbidden, in one that is let in."""
    (tmp_path / "policy.yaml").write_text("forbidden_quantizations: [Q4_K_M]\n", "utf-8")
    said = say("check", *EIGHT, "--policy", "policy.yaml", "--json")
    assert said.code == 0
    assert json.loads(said.out)["models"][0]["choice"]["quantization"] not in ("Q4_K_M", None)
    (tmp_path / "policy.yaml").write_text("min_bits: 8\n", "utf-8")
    said = say("check", *EIGHT, "--policy", "policy.yaml", "--json")
    assert json.loads(said.out)["models"][0]["choice"]["quantization"] == "Q8_0"


def test_another_engine_is_taken_before_a_model_is_kept_out(say: Say, tmp_path: Path) -> None:
    """Left alone a server for many requests on such a card is vLLM."""
    words = ("check", "Qwen3-8B", "--gpu", "RTX 4090", "--concurrency", "8", "--json")
    assert json.loads(say(*words).out)["models"][0]["choice"]["engine"] == "vllm"
    for text in ("engines: [llama.cpp]", "forbidden_engines: [vllm, sglang, transformers, ollama, lmstudio]"):
        (tmp_path / "policy.yaml").write_text(text, "utf-8")
        said = say(*words, "--policy", "policy.yaml")
        assert said.code == 0, said.err
        assert json.loads(said.out)["models"][0]["choice"]["engine"] == "llama.cpp"


def test_the_context_of_the_policy_is_asked_for_where_nobody_asks(say: Say, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("min_context: 32k\n", "utf-8")
    said = say("check", *EIGHT, "--policy", "policy.yaml", "--json")
    assert json.loads(said.out)["models"][0]["requirements"]["context_tokens"] == 32768


WAIVED = """\
max_age_days: 30
licenses: [mit]
exceptions:
- model: qwen3:8b
  rules: [max_age_days]
  reason: measured and approved
  until: 2026-01-01
"""


@pytest.mark.parametrize(("today", "level"), [("2026-01-01", "warn"), ("2026-01-02", "fail")])
def test_an_exception_holds_until_its_last_day(today: str, level: str, say: Say, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(WAIVED, "utf-8")
    said = say("check", "Qwen3-8B", "--ram", "16G", "--today", today, "--policy", "policy.yaml", "--json")
    found = {f["rule"]: f for f in json.loads(said.out)["models"][0]["findings"]}
    assert found["P116"]["level"] == level
    assert found["P101"]["level"] == "fail"  # no exception names this rule
    assert ("measured and approved" in found["P116"]["message"]) == (level == "warn")


FAULTS: list[tuple[str, list[str]]] = [
    ("", ["is empty"]),
    ("- a\n", ["a mapping is expected"]),
    ("licences: [mit]\n", ["policy.yaml:1:1: licences: is not a known field; licenses?"]),
    ("licenses: mit\n", ["policy.yaml:1", "a list is expected"]),
    ("licenses: []\n", ["policy.yaml:1", "is empty: leave the key out"]),
    ("licenses:\n- mit\n- apache\n", ["policy.yaml:3", "'apache' is not known"]),
    ("families: [Qwen9]\n", ["'Qwen9' is not known"]),
    ("models: [Qwen3-8]\n", ["policy.yaml:1", "no model is called"]),
    ("models: ['Qwen/[ab]']\n", ["is no pattern"]),
    ("quantizations: [Q4_KM]\n", ["Q4_K_M"]),
    ("engines: [vlm]\n", ["'vlm' is not known; vllm?"]),
    ("min_ability:\n  chat: 1\n  coding: 1\n", ["policy.yaml:3", "is not a known task"]),
    ("min_ability: {code: true}\n", ["a number or a model is expected"]),
    ("min_ability: {code: Qwen3-8}\n", ["no model is called 'Qwen3-8'; Qwen/Qwen3-8B"]),
    ("max_parameters: lots\n", ["policy.yaml:1", "is not a number of parameters"]),
    ("max_download: 10X\n", ["is not a size"]),
    ("max_age_days: 1.5\n", ["a whole number is expected"]),
    ("max_age_days: 0\n", ["must be above zero"]),
    ("max_age_days: yes\n", ["a whole number is expected"]),
    ("released_after: soon\n", ["is not a date"]),
    ("min_context: -5\n", ["is not a number of tokens"]),
    ("languages: [klingon]\n", ["is not known"]),
    ("tools: 1\n", ["true or false is expected"]),
    ("tools: true\ntools: false\n", ["policy.yaml:2", "stands here again; first on line 1"]),
    ("a: &x [1]\nb: *x\n", ["anchor &x is not read"]),
    ("exceptions:\n- model: Qwen3-8B\n  rules: [max_age]\n  reason: ''\n", ["max_age_days?", "say why"]),
    ("exceptions:\n- model: Qwen3-8B\n  rules: [max_age_days]\n", ["lacks reason"]),
    (
        "licenses: [apache]\nmax_download: x\nlanguages: [xx]\n",
        ["3 faults", "policy.yaml:1", "policy.yaml:2", "policy.yaml:3"],
    ),
    ("\x00", ["policy.yaml:1"]),
    ("a: [" * 100, ["nested deeper"]),
]


@pytest.mark.parametrize(("text", "said_of_it"), FAULTS, ids=[f[0][:40] for f in FAULTS])
def test_a_faulty_policy_ends_with_2_and_says_every_fault(
    text: str, said_of_it: list[str], say: Say, tmp_path: Path
) -> None:
    (tmp_path / "policy.yaml").write_text(text, "utf-8")
    said = say("check", "Qwen3-8B", "--ram", "16G", "--policy", "policy.yaml")
    assert (said.code, said.out) == (2, "")
    for words in said_of_it:
        assert words in said.err
    assert "Traceback" not in said.err


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))))
def test_no_bytes_break_the_reader(catalog: Catalog, data: bytes) -> None:
    with contextlib.suppress(UsageError):
        assert isinstance(parse_policy(data, "policy.yaml", catalog), Policy)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([rule.key for rule in POLICY_RULES]),
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.lists(st.text(max_size=8))
        ),
        max_size=4,
    )
)
def test_no_value_breaks_the_reader(catalog: Catalog, document: dict[str, Any]) -> None:
    with contextlib.suppress(UsageError):
        assert isinstance(parse_policy(json.dumps(document).encode(), "policy.yaml", catalog), Policy)


def test_today_is_the_day_of_the_clock_where_nobody_says(say: Say, tmp_path: Path) -> None:
    """One day more than the age of the model today lets it in, its age less one does not."""
    age = (date.today() - date(2025, 4, 29)).days  # noqa: DTZ011  a day of slack on both sides
    assert _checked(say, tmp_path, f"max_age_days: {age + 1}", "Qwen3-8B", "--ram", "16G") == (0, [])
    _, failures = _checked(say, tmp_path, f"max_age_days: {age - 2}", "Qwen3-8B", "--ram", "16G")
    assert [f["rule"] for f in failures] == ["P116"]


def test_every_key_is_documented() -> None:
    page = (ROOT / "docs" / "reference" / "policy.md").read_text("utf-8")
    for rule in POLICY_RULES:
        assert f"`{rule.key}`" in page, rule.key
        assert rule.__name__ in page, rule.__name__
    assert "`exceptions`" in page


def test_ids_and_keys_are_unique() -> None:
    assert (
        len({rule.__name__ for rule in POLICY_RULES}) == len({rule.key for rule in POLICY_RULES}) == len(POLICY_RULES)
    )
