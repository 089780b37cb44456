"""The sampling values and switches of the catalogue, against the cards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qwen_advisor.catalog import validate
from qwen_advisor.facts import Catalog

SMALL = Path(__file__).parents[1] / "loader" / "small"


@pytest.mark.parametrize(
    ("model", "thinking", "use", "values"),
    [
        # Each row as the model's card on the Hub has it.
        ("Qwen/Qwen3-8B", "on", "general", {"temperature": 0.6, "top_p": 0.95, "top_k": 20, "min_p": 0.0}),
        ("Qwen/Qwen3-8B", "off", "general", {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "min_p": 0.0}),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", "off", "code", {"temperature": 0.7, "top_p": 0.8}),
        ("Qwen/Qwen3-30B-A3B-Thinking-2507", "on", "general", {"temperature": 0.6, "top_p": 0.95}),
        ("Qwen/Qwen3-Coder-480B-A35B-Instruct", "off", "code", {"temperature": 0.7, "repetition_penalty": 1.05}),
        ("Qwen/Qwen3-Coder-Next", "off", "code", {"temperature": 1.0, "top_p": 0.95, "top_k": 40}),
        ("Qwen/Qwen3.5-27B", "on", "general", {"temperature": 1.0, "top_p": 0.95, "presence_penalty": 1.5}),
        ("Qwen/Qwen3.5-27B", "on", "code", {"temperature": 0.6, "presence_penalty": 0.0}),
        ("Qwen/Qwen3.5-27B", "off", "general", {"temperature": 0.7, "top_p": 0.8, "presence_penalty": 1.5}),
        ("Qwen/Qwen3.5-0.8B", "off", "general", {"temperature": 1.0, "top_p": 1.0, "presence_penalty": 2.0}),
        ("Qwen/Qwen3.6-27B", "on", "general", {"temperature": 1.0, "presence_penalty": 0.0}),
        ("Qwen/Qwen3.8-27B", "off", "general", {"temperature": 0.7, "top_p": 0.8, "presence_penalty": 1.5}),
        ("Qwen/Qwen3-VL-8B-Instruct", "off", "vision", {"temperature": 0.7, "top_p": 0.8, "presence_penalty": 1.5}),
        ("Qwen/Qwen3-VL-8B-Instruct", "off", "general", {"temperature": 1.0, "top_k": 40, "presence_penalty": 2.0}),
        ("Qwen/QwQ-32B", "on", "math", {"temperature": 0.6, "top_p": 0.95, "min_p": 0.0}),
        ("Qwen/Qwen2.5-72B-Instruct", "off", "general", {"temperature": 0.7, "top_k": 20, "repetition_penalty": 1.05}),
    ],
)
def test_values_of_the_cards(catalog: Catalog, model: str, thinking: Any, use: str, values: dict[str, float]) -> None:
    asked = catalog.sampling_of(model)
    assert asked is not None
    mode = asked.mode(thinking, use)
    assert mode is not None
    assert {name: getattr(mode, name) for name in values} == values


def test_switches_are_those_of_the_templates(catalog: Catalog) -> None:
    """Qwen3 of April 2025 heeds words in the message; later hybrids only the option; checkpoints apart have neither."""

    def switches(model: str) -> set[str]:
        asked = catalog.sampling_of(model)
        assert asked is not None
        return set(asked.switches)

    assert switches("Qwen/Qwen3-8B") == {"enable_thinking", "soft"}
    assert switches("Qwen/Qwen3.5-9B") == {"enable_thinking"}
    assert switches("Qwen/Qwen3.8-27B") == {"enable_thinking", "preserve_thinking", "reasoning_effort"}
    assert switches("Qwen/Qwen3-4B-Instruct-2507") == set()


def test_switches_and_states_agree_with_the_checkpoints(catalog: Catalog) -> None:
    for entry in catalog.sampling.values():
        for name in entry.models:
            model = catalog.models[name]
            assert ("enable_thinking" in entry.switches) == (model.thinking == "hybrid"), name
            states = {"hybrid": {"on", "off"}, "always": {"on"}, "none": {"off"}}[model.thinking or "none"]
            assert {mode.thinking for mode in entry.modes} <= states, name


def test_every_hybrid_and_thinking_model_is_known(catalog: Catalog) -> None:
    missing = {
        name
        for name, model in catalog.models.items()
        if model.thinking == "hybrid" and catalog.sampling_of(name) is None
    }
    assert missing == set()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("Acme/Tiny-1", "Acme/Tiny-9", "is not among the models"),
        ("temperature: 0.7", "temperature: 7.0", "must lie between 0 and 2"),
        ("  sources:\n    - https://huggingface.co/Acme/Tiny-1\n", "", "gives no source"),
        ("thinking: 'off'", "thinking: maybe", "thinking"),
    ],
)
def test_faults_are_found(tmp_path: Path, old: str, new: str, fault: str) -> None:
    import shutil  # noqa: PLC0415  one test's need

    root = Path(shutil.copytree(SMALL, tmp_path / "catalog"))
    path = root / "sampling.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    assert any(fault in str(each) for each in validate(root))
