"""What was asked, resolved: defaults of the task, names without case, suggestions, impossible numbers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_advisor.catalog import load_catalog
from qwen_advisor.errors import UsageError
from qwen_advisor.requirements import resolve

CATALOG = load_catalog()


def test_defaults_come_from_the_task() -> None:
    asked, profile = resolve(CATALOG, task="agent"), CATALOG.tasks["agent"]
    assert (asked.context, asked.prompt_tokens, asked.output_tokens) == (
        profile.context,
        profile.prompt_tokens,
        profile.output_tokens,
    )
    assert resolve(CATALOG).task == "chat"


@pytest.mark.parametrize(
    ("asked", "field", "expected"),
    [
        ({"task": "CODE"}, "task", "code"),
        ({"engines": ["LLAMA.CPP", "vLLM"]}, "engines", ("llama.cpp", "vllm")),
        ({"quantizations": ["q4_k_m", "gptq-int4"]}, "quantizations", ("Q4_K_M", "GPTQ-Int4")),
        ({"license": "Apache-2.0"}, "license", "apache-2.0"),
        ({"license": "PERMISSIVE"}, "license", "permissive"),
        ({"family": "qwen3.5"}, "family", "Qwen3.5"),
        ({"language": "de-AT"}, "language", "de"),
        ({"language": "German"}, "language", "de"),
        ({"released_after": "2026-01-31"}, "released_after", "2026-01-31"),
        ({"prefer": "Speed"}, "prefer", "speed"),
        ({"context": 2048}, "prompt_tokens", 512),
        ({"context": 600}, "output_tokens", 300),
        ({"prompt_tokens": 20000}, "context", 20400),
    ],
)
def test_words_are_understood(asked: dict[str, Any], field: str, expected: object) -> None:
    assert getattr(resolve(CATALOG, **asked), field) == expected


@pytest.mark.parametrize(
    ("asked", "suggestion"),
    [
        ({"task": "coding"}, "code"),
        ({"engines": ["llamacpp"]}, "llama.cpp"),
        ({"quantizations": ["Q4_KM"]}, "Q4_K_M"),
        ({"family": "Qwen3.55"}, "Qwen3.5"),
        ({"license": "apache2"}, "apache-2.0"),
        ({"language": "germann"}, "german"),
        ({"prefer": "fast"}, None),
        ({"thinking": "maybe"}, None),
        ({"released_after": "yesterday"}, None),
        ({"context": 0}, None),
        ({"concurrency": -1}, None),
        ({"top": 0}, None),
        ({"min_speed": float("nan")}, None),
        ({"min_speed": float("inf")}, None),
        ({"min_speed": -3.0}, None),
        ({"max_download": 0}, None),
        ({"context": 1000, "prompt_tokens": 900, "output_tokens": 200}, None),
    ],
)
def test_nonsense_gets_a_sentence(asked: dict[str, Any], suggestion: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(CATALOG, **asked)
    assert caught.value.exit_code == 2
    assert caught.value.message
    assert (
        suggestion is None
        or suggestion in (s.lower() for s in caught.value.suggestions)
        or suggestion in (caught.value.suggestions)
    )


@given(st.text(max_size=40))
def test_any_word_is_known_or_refused(word: str) -> None:
    for name in ("task", "license", "language", "family", "released_after", "prefer", "thinking"):
        message = ""
        try:
            resolve(CATALOG, **{name: word})
        except UsageError as error:
            message = error.message
        assert "\x1b" not in message
