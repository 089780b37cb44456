"""The OpenAI-compatible protocol, as far as measuring needs it: what is sent, and what the pieces of an answer say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, get_args

from qwen_advisor.bench.records import ServerTimings
from qwen_advisor.values import dataclass

Api = Literal["chat", "completions"]
PATHS: dict[Api, str] = {"chat": "/v1/chat/completions", "completions": "/v1/completions"}
Extras = Literal["all", "standard", "none"]
EXTRAS: tuple[Extras, ...] = get_args(Extras)
_MOST_TOKENS = 1 << 31

# Fields in which servers stream a reasoning model's thoughts: llama.cpp, vLLM, SGLang; newer vLLM and Ollama.
_THOUGHTS = ("reasoning_content", "reasoning")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request."""

    text: str
    most_tokens: int
    to_the_end: bool = False  # all of ``most_tokens``, whatever the model would stop at
    think: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What one event of a streamed answer brings."""

    text: str = ""
    thoughts: str = ""
    stopped: str = ""
    prompt_tokens: int | None = None
    cached_tokens: int = 0
    output_tokens: int | None = None
    timings: ServerTimings | None = None
    error: str = ""


def body(question: Question, model: str, api: Api, extras: Extras = "all") -> dict[str, Any]:
    """The document to send, with ``extras`` that only some servers know: all, those of OpenAI's own API, or none."""
    document: dict[str, Any] = {
        "model": model,
        "max_tokens": question.most_tokens,
        "temperature": 0,
        "stream": True,
    }
    if api == "chat":
        document["messages"] = [{"role": "user", "content": question.text}]
    else:
        document["prompt"] = question.text
    if extras == "none":
        return document
    document["stream_options"] = {"include_usage": True}
    if extras == "standard":
        return document
    document["cache_prompt"] = False  # llama.cpp
    if question.to_the_end:
        document["ignore_eos"] = True  # llama.cpp, vLLM, SGLang
    if not question.think and api == "chat":
        document["chat_template_kwargs"] = {"enable_thinking": False}  # llama.cpp, vLLM, SGLang
    return document


def read_piece(data: str) -> Piece:
    """What the data of one event says; numbers that cannot be are taken for not said.

    Raises:
        ValueError: it is no JSON object.
    """
    try:
        document = json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError("no JSON object")  # noqa: TRY004  one kind of fault for whoever asked
    if document.get("error"):
        return Piece(error=error_text(document) or "an error without a message")
    choice = _first(document.get("choices"))
    delta = _mapping(choice.get("delta"))
    usage = _mapping(document.get("usage"))
    details = _mapping(usage.get("prompt_tokens_details"))
    return Piece(
        text=_text(delta.get("content")) or _text(choice.get("text")),
        thoughts=next((_text(delta.get(name)) for name in _THOUGHTS if delta.get(name)), ""),
        stopped=_text(choice.get("finish_reason")),
        prompt_tokens=_count(usage.get("prompt_tokens")),
        cached_tokens=_count(details.get("cached_tokens")) or 0,
        output_tokens=_count(usage.get("completion_tokens")),
        timings=read_timings(_mapping(document.get("timings"))),
    )


def read_timings(timings: Mapping[str, Any]) -> ServerTimings | None:
    """The ``timings`` of llama.cpp, whose times are milliseconds; None where they are not whole."""
    prompt, output = _count(timings.get("prompt_n")), _count(timings.get("predicted_n"))
    prompt_ms, output_ms = _positive(timings.get("prompt_ms")), _positive(timings.get("predicted_ms"))
    if prompt is None or output is None or prompt_ms is None or output_ms is None:
        return None
    return ServerTimings(
        prompt_tokens=prompt,
        prompt_seconds=prompt_ms / 1000,
        output_tokens=output,
        output_seconds=output_ms / 1000,
        drafted=_count(timings.get("draft_n")) or 0,
        accepted=_count(timings.get("draft_n_accepted")) or 0,
    )


def error_text(document: Any) -> str:
    """The message of an error, in any of the forms that servers give it; empty where there is none."""
    if not isinstance(document, dict):
        return ""
    error = document.get("error", document)
    if isinstance(error, str):
        return error
    said = _mapping(error)
    return next((_text(said.get(name)) for name in ("message", "detail", "error") if _text(said.get(name))), "")


def _first(value: Any) -> Mapping[str, Any]:
    return _mapping(value[0]) if isinstance(value, list) and value else {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_TOKENS else None


def _positive(value: Any) -> float | None:
    fine = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _MOST_TOKENS
    return float(value) if fine else None
