"""What vLLM and SGLang count of themselves in the text for Prometheus: its growth over a level is their own clock."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from math import isfinite

from qwen_advisor.bench.records import Answer
from qwen_advisor.bench.wire import Wire
from qwen_advisor.errors import AdvisorError
from qwen_advisor.values import dataclass

_PATH = "/metrics"
_SECONDS = 10.0
_LOOKS, _PAUSE = 3, 0.2  # the last request may be counted a moment after it was answered
_SAMPLE = re.compile(r"^([a-z]+:[a-z0-9_]+)(?:\{[^\n]*\})? (\S+)$", re.MULTILINE)
# requests, tokens of prompts and of answers, seconds of reading, and of writing or of both.
# vLLM: vllm/v1/metrics/stats.py, ``update_from_finished_request``: from scheduled to the first token, from there to the
# last. SGLang (with --enable-metrics): from arrival to the first token, and to the end.
_NAMES: dict[str, tuple[str, str, str, str, str]] = {
    "vllm": (
        "vllm:request_decode_time_seconds_count",
        "vllm:prompt_tokens_total",
        "vllm:generation_tokens_total",
        "vllm:request_prefill_time_seconds_sum",
        "vllm:request_decode_time_seconds_sum",
    ),
    "sglang": (
        "sglang:e2e_request_latency_seconds_count",
        "sglang:prompt_tokens_total",
        "sglang:generation_tokens_total",
        "sglang:time_to_first_token_seconds_sum",
        "sglang:e2e_request_latency_seconds_sum",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a server has counted since its start, or between two looks."""

    requests: float
    prompt_tokens: float
    output_tokens: float
    prefill_seconds: float
    decode_seconds: float

    @property
    def decode(self) -> float | None:
        """Tokens per second after the first of each request, over all requests."""
        steps = self.output_tokens - self.requests
        return steps / self.decode_seconds if steps > 0 and self.decode_seconds > 0 else None

    @property
    def prefill(self) -> float | None:
        """Tokens of prompts per second, over all requests."""
        return self.prompt_tokens / self.prefill_seconds if self.prompt_tokens and self.prefill_seconds > 0 else None


def read_counts(text: str, engine: str) -> Counts | None:
    """The counts of an engine that has such, summed over its models and workers; None where one of them is missing."""
    names = _NAMES[engine]
    found: dict[str, float] = {}
    for name, number in _SAMPLE.findall(text):
        if name in names:
            try:
                found[name] = found.get(name, 0.0) + float(number)
            except ValueError:
                return None
    if set(found) != set(names) or not all(isfinite(value) and value >= 0 for value in found.values()):
        return None
    requests, prompts, outputs, reading, rest = (found[name] for name in names)
    return Counts(
        requests=requests,
        prompt_tokens=prompts,
        output_tokens=outputs,
        prefill_seconds=reading,
        decode_seconds=rest - reading if engine == "sglang" else rest,
    )


def look(wire: Wire, engine: str | None) -> Counts | None:
    """What the server has counted until now; None where it does not tell."""
    if engine not in _NAMES:
        return None
    try:
        reply = wire.get(_PATH, timeout=_SECONDS)
    except AdvisorError:
        return None
    return read_counts(reply.body.decode("utf-8", "replace"), engine) if reply.status == 200 else None


def growth(wire: Wire, engine: str | None, before: Counts | None, answers: Sequence[Answer]) -> Counts | None:
    """What the server has counted of these answers; None where it does not tell, or has answered others meanwhile."""
    if before is None:
        return None
    for turn in range(_LOOKS):
        if turn:
            time.sleep(_PAUSE)
        after = look(wire, engine)
        if after is None:
            return None
        grown = Counts(
            requests=after.requests - before.requests,
            prompt_tokens=after.prompt_tokens - before.prompt_tokens,
            output_tokens=after.output_tokens - before.output_tokens,
            prefill_seconds=after.prefill_seconds - before.prefill_seconds,
            decode_seconds=after.decode_seconds - before.decode_seconds,
        )
        if (grown.requests, grown.output_tokens) == (len(answers), sum(answer.output_tokens for answer in answers)):
            return grown
    return None
