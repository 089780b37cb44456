"""``estimate`` with a context that the model does not reach, or reaches by an extension only: it is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Say = Callable[..., Any]


@pytest.mark.parametrize(
    ("model", "context", "parallel", "notes"),
    [
        # Qwen3-8B's card: 32,768 natively, 131,072 with YaRN
        ("Qwen3-8B", "32768", "1", []),
        ("Qwen3-8B", "32769", "1", ["32,769 tokens go beyond its native 32,768: needs yarn factor 4"]),
        ("Qwen3-8B", "128k", "1", ["131,072 tokens go beyond its native 32,768: needs yarn factor 4"]),
        ("Qwen3-8B", "8M", "1", ["8,388,608 tokens go beyond the 131,072 that Qwen/Qwen3-8B reaches"]),
        ("Qwen3-8B", "128k", "4", []),  # four slots of 32,768
        # Qwen2.5-0.5B's config: 32,768, and its card names no extension
        ("Qwen2.5-0.5B", "33000", "1", ["33,000 tokens go beyond the 32,768 that Qwen/Qwen2.5-0.5B reaches"]),
    ],
)  # fmt: skip
def test_what_goes_beyond_the_model_is_said(
    model: str, context: str, parallel: str, notes: list[str], say: Say
) -> None:
    said = say("estimate", model, "--ram", "64G", "--context", context, "--parallel", parallel, "--json")
    assert said.code == 0
    assert said.json["notes"] == notes
    assert said.err == "".join(f"warning: {note}\n" for note in notes)


def test_the_native_context_and_a_quiet_call_say_nothing(say: Say) -> None:
    assert say("estimate", "Qwen3-8B", "--ram", "64G", "--json").json["notes"] == []
    assert say("estimate", "Qwen3-8B", "--ram", "64G", "--context", "8M", "-q").err == ""
