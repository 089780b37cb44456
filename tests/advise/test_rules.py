"""Each rule: one case that it lets pass and one that it rules out, with the numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from qwen_advisor.api import load_catalog, machine_for
from qwen_advisor.candidates import candidates, hardware_class
from qwen_advisor.machine import InstalledEngine
from qwen_advisor.requirements import resolve
from qwen_advisor.rules import CANDIDATE_RULES, CHECKPOINT_RULES, PLAN_RULES, Question
from qwen_advisor.rules.candidate import D101, E101, E102, E103, E104, E105, Q101, version_key
from qwen_advisor.rules.checkpoint import L101, T101, T102, T103, T104, T105, T106, T107, T108, T109

CATALOG = load_catalog()


def question(machine: dict[str, Any] | None = None, **asked: Any) -> Question:
    requirements = resolve(CATALOG, **asked)
    return Question(
        catalog=CATALOG,
        machine=machine_for(CATALOG, **(machine or {"ram": "16G"})),
        requirements=requirements,
        profile=CATALOG.tasks[requirements.task],
    )


@pytest.mark.parametrize(
    ("rule", "asked", "passes", "fails"),
    [
        (T101, {"task": "chat"}, "Qwen/Qwen3.5-9B", "Qwen/Qwen3-8B-Base"),
        (T101, {"task": "chat"}, "Qwen/Qwen3.5-9B", "Qwen/Qwen3-Embedding-8B"),
        (T101, {"task": "vision"}, "Qwen/Qwen3-VL-8B-Instruct", "Qwen/Qwen3-8B"),
        (T102, {}, "Qwen/Qwen3.5-9B", "Qwen/WebWorld-8B"),
        (T103, {"family": "Qwen3"}, "Qwen/Qwen3-8B", "Qwen/Qwen3.5-9B"),
        (T104, {"released_after": "2026-01-01"}, "Qwen/Qwen3.5-9B", "Qwen/Qwen3-8B"),
        (T105, {"tools": True}, "Qwen/Qwen3.5-9B", "Qwen/Qwen2.5-VL-7B-Instruct"),
        (T106, {"thinking": "on"}, "Qwen/Qwen3.5-9B", "Qwen/Qwen2.5-7B-Instruct"),
        (T106, {"thinking": "off"}, "Qwen/Qwen3.5-9B", "Qwen/QwQ-32B"),
        (T107, {"context": 200000}, "Qwen/Qwen3.5-9B", "Qwen/Qwen3-8B"),
        (T108, {"language": "sw"}, "Qwen/Qwen3.5-9B", "Qwen/Qwen2.5-7B-Instruct"),
        (T109, {}, "Qwen/Qwen3.5-9B", "Qwen/Qwen2.5-7B-Instruct"),
        (L101, {"license": "permissive"}, "Qwen/Qwen3.5-9B", "Qwen/Qwen2.5-72B-Instruct"),
        (L101, {"license": "apache-2.0"}, "Qwen/Qwen3.5-9B", "Qwen/Qwen2.5-3B-Instruct"),
    ],
)
def test_checkpoint_rules(rule: type, asked: dict[str, Any], passes: str, fails: str) -> None:
    asking = question(**asked)
    assert rule.check(CATALOG.models[passes], asking) is None
    finding = rule.check(CATALOG.models[fails], asking)
    assert finding is not None
    assert (finding.rule, finding.verdict) == (rule.__name__, "fail")
    assert finding.message


def test_a_successor_that_does_not_qualify_supersedes_nobody() -> None:
    """Asked for its family, or where the successor fails another rule, the older model stays."""
    old = CATALOG.models["Qwen/Qwen2.5-7B-Instruct"]
    assert T109.check(old, question()) is not None
    assert T109.check(old, question(family="Qwen2.5")) is None


def _candidate(model: str, engine: str, fmt: str) -> Any:
    found = candidates(CATALOG, CATALOG.models[model], (CATALOG.engines[engine],), (fmt,))
    return next(iter(found))


GPU = {"gpu": "RTX 4090"}


@pytest.mark.parametrize(
    ("rule", "machine", "asked", "passes", "fails"),
    [
        (
            E101,
            GPU,
            {},
            ("Qwen/Qwen3-8B", "vllm", "AWQ"),
            ("Qwen/Qwen3-TTS-12Hz-1.7B-Base", "vllm", "BF16"),
        ),
        (
            E102,
            {"device": "Mac mini M4 16GB"},
            {},
            ("Qwen/Qwen3-8B", "mlx", "MLX-4bit"),
            ("Qwen/Qwen3-8B", "vllm", "AWQ"),
        ),
        (E103, {"gpu": "GTX 1060 6GB"}, {}, ("Qwen/Qwen3-8B", "llama.cpp", "Q4_K_M"), ("Qwen/Qwen3-8B", "vllm", "AWQ")),
        (E103, {"gpu": "RTX 3090"}, {}, ("Qwen/Qwen3-8B", "vllm", "FP8"), ("Qwen/Qwen3-8B", "vllm", "NVFP4")),
        (
            E104,
            GPU,
            {"task": "audio"},
            ("Qwen/Qwen2.5-Omni-7B", "llama.cpp", "Q4_K_M"),
            ("Qwen/Qwen2.5-VL-7B-Instruct", "ollama", "Q4_K_M"),
        ),
        (
            Q101,
            GPU,
            {"quantizations": ["Q8_0"]},
            ("Qwen/Qwen3-8B", "llama.cpp", "Q8_0"),
            ("Qwen/Qwen3-8B", "llama.cpp", "Q4_K_M"),
        ),
        (
            D101,
            GPU,
            {"max_download": 6_000_000_000},
            ("Qwen/Qwen3-8B", "llama.cpp", "Q4_K_M"),
            ("Qwen/Qwen3-8B", "llama.cpp", "Q8_0"),
        ),
    ],
)
def test_candidate_rules(rule: type, machine: dict[str, Any], asked: dict[str, Any], passes: Any, fails: Any) -> None:
    asking = question(machine, **asked)
    assert rule.check(_candidate(*passes), asking) is None
    finding = rule.check(_candidate(*fails), asking)
    assert finding is not None
    assert (finding.rule, finding.verdict) == (rule.__name__, "fail")


@pytest.mark.parametrize(
    ("version", "passes"), [("0.5.0", False), ("0.17.0", False), ("0.17.1", True), ("0.32.0", True), (None, True)]
)
def test_an_old_engine_does_not_know_a_new_model(version: str | None, passes: bool) -> None:
    """Ollama runs Qwen3.5 from 0.17.1."""
    asking = question()
    installed = replace(asking.machine, engines=(InstalledEngine(name="ollama", version=version),))
    finding = E105.check(_candidate("Qwen/Qwen3.5-9B", "ollama", "Q4_K_M"), replace(asking, machine=installed))
    assert (finding is None) is passes


@pytest.mark.parametrize(
    ("version", "key"),
    [("b5401", (5401,)), ("0.4.6.post1", (0, 4, 6, 1)), ("0.11.0+cu128", (0, 11, 0)), ("5.23.0 (main)", (5, 23, 0))],
)
def test_versions_compare_by_their_numbers(version: str, key: tuple[int, ...]) -> None:
    assert version_key(version) == key


@pytest.mark.parametrize(
    ("machine", "concurrency", "expected"),
    [
        ({"ram": "16G"}, 1, "cpu"),
        ({"gpu": "RTX 4090"}, 1, "nvidia"),
        ({"gpu": "RTX 4090"}, 4, "nvidia-server"),
        ({"gpu": "H100 SXM"}, 1, "nvidia-server"),
        ({"gpu": "RX 7900 XTX"}, 1, "amd"),
        ({"gpu": "MI300X"}, 1, "amd-server"),
        ({"gpu": "Arc B580"}, 1, "intel"),
        ({"device": "Mac mini M4 16GB"}, 1, "apple"),
        ({"device": "DGX Spark"}, 1, "unified"),
    ],
)
def test_hardware_classes(machine: dict[str, Any], concurrency: int, expected: str) -> None:
    assert hardware_class(machine_for(CATALOG, **machine), concurrency) == expected


def test_every_rule_has_an_id_a_sentence_and_a_reason() -> None:
    rules = (*CHECKPOINT_RULES, *CANDIDATE_RULES, *PLAN_RULES)
    assert len({rule.__name__ for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.__doc__
        assert rule.__doc__.endswith(".")
        assert rule.reason
