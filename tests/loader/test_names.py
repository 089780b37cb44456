"""What a checkpoint may be called, and what is suggested for a name that is not known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_advisor.catalog import load_catalog
from qwen_advisor.errors import UsageError
from qwen_advisor.names import closest, resolve_model


@pytest.mark.parametrize(
    "name",
    [
        "Qwen/Qwen3-8B",
        "qwen/qwen3-8b",
        "Qwen3-8B",
        "QWEN3-8b",
        " qwen3-8b ",
        "qwen3:8b",
        "Qwen3:8B",
        "qwen3:8b-q4_K_M",
        "qwen3:8b-Q4_k_m",
        "Qwen/Qwen3-8B-GGUF",
        "qwen3-8b-awq",
        "unsloth/Qwen3-8B-GGUF",
        "https://huggingface.co/Qwen/Qwen3-8B",
        "https://huggingface.co/Qwen/Qwen3-8B/",
        "https://huggingface.co/Qwen/Qwen3-8B/tree/main",
        "hf.co/qwen/qwen3-8b",
        "qwen3:latest",
        "qwen3",
    ],
)
def test_every_way_to_call_one_model(name: str) -> None:
    assert resolve_model(load_catalog(), name).id == "Qwen/Qwen3-8B"


# ollama.com/library/qwen3 moved these short tags to the models of July 2025.
@pytest.mark.parametrize(
    ("tag", "model"),
    [
        ("qwen3:4b", "Qwen/Qwen3-4B-Thinking-2507"),
        ("qwen3:30b", "Qwen/Qwen3-30B-A3B-Thinking-2507"),
        ("qwen3:235b", "Qwen/Qwen3-235B-A22B-Thinking-2507"),
        ("qwen3-vl:8b", "Qwen/Qwen3-VL-8B-Thinking"),
        ("qwen:72b-text", "Qwen/Qwen1.5-110B"),
    ],
)
def test_tags_that_mean_another_model_than_they_say(tag: str, model: str) -> None:
    assert resolve_model(load_catalog(), tag).id == model


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("Qwen3-8", "Qwen/Qwen3-8B"),
        ("Qwen/Qwen3-8", "Qwen/Qwen3-8B"),
        ("qwen3-8v", "Qwen/Qwen3-8B"),
        ("Qwen/Qwen3.8B", "Qwen/Qwen3-8B"),
        ("qwen3:8", "qwen3:8b"),
        ("qwen-3-coder-30b-a3b-instruct", "Qwen/Qwen3-Coder-30B-A3B-Instruct"),
        ("Qwen2.5-Coder-7B-Instuct", "Qwen/Qwen2.5-Coder-7B-Instruct"),
        ("QwQ-3B", "Qwen/QwQ-32B"),
    ],
)
def test_a_misspelt_name_gets_the_nearest(name: str, suggestion: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_model(load_catalog(), name)
    assert caught.value.exit_code == 2
    assert suggestion in caught.value.suggestions
    assert len(caught.value.suggestions) <= 3


@pytest.mark.parametrize("name", ["", "  ", "gpt-5", "\x00", "'; DROP", "x" * 10_000, "llama3:70b"])
def test_what_is_no_name_of_ours(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_model(load_catalog(), name)
    assert caught.value.hint


def test_every_name_of_every_entry_is_its_own() -> None:
    catalog = load_catalog()
    for model in catalog.models.values():
        assert resolve_model(catalog, model.id) is model
        assert resolve_model(catalog, model.id.rpartition("/")[2].upper()) is model
    for model in catalog.models.values():
        for tag in model.ollama:
            assert resolve_model(catalog, tag.tag) is model


def test_closest_is_best_first() -> None:
    assert closest("cod", ["chat", "decode", "code"]) == ("code", "decode")
    assert closest("CHAT", ["chat"]) == ("chat",)
    assert closest("zzz", ["chat", "code"]) == ()
    assert closest("", ["chat"]) == ()
    assert closest("a", ["ab1", "ab2", "ab3", "ab4"]) == ("ab1", "ab2", "ab3")


@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=8))
def test_closest_names_known_names_only(text: str, names: list[str]) -> None:
    found = closest(text, names)
    assert set(found) <= set(names)
    assert len(found) <= 3
    if text and text in names:
        assert found[0].casefold() == text.casefold()
