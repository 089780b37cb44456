"""From answers to figures: pure arithmetic over arrival times and token counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import floor

from qwen_advisor.bench.records import Answer, Level, ServerTimings, Spread


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the ordered values lie, linear between neighbours (Hyndman and Fan's type 7).

    Raises:
        ValueError: there is no value.
    """
    if not ordered:
        raise ValueError("a percentile of nothing")
    place = share * (len(ordered) - 1)
    below = floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def spread(values: Iterable[float]) -> Spread | None:
    """Mean and percentiles; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    return Spread(
        count=len(ordered),
        mean=sum(ordered) / len(ordered),
        minimum=ordered[0],
        p50=percentile(ordered, 0.5),
        p90=percentile(ordered, 0.9),
        p99=percentile(ordered, 0.99),
        maximum=ordered[-1],
    )


def decode_rate(answer: Answer) -> float | None:
    """Tokens per second after the first; None for an answer that came in one piece.

    The first token ends the prefill. Where pieces hold several tokens, the first piece holds its share of them.
    """
    pieces = len(answer.arrivals)
    if pieces < 2:
        return None
    seconds = answer.finished - answer.arrivals[0]
    return answer.output_tokens * (1 - 1 / pieces) / seconds if seconds > 0 else None


def prefill_rate(answer: Answer) -> float | None:
    """Tokens of the prompt per second until the first token, as the client sees it; cached tokens are not counted."""
    if answer.prompt_tokens is None or answer.arrivals[0] <= 0:
        return None
    fresh = answer.prompt_tokens - answer.cached_tokens
    return fresh / answer.arrivals[0] if fresh > 0 else None


def gaps(answer: Answer) -> list[float]:
    """Seconds between pieces of text."""
    return [later - earlier for earlier, later in pairwise(answer.arrivals)]


def level(concurrency: int, answers: Sequence[Answer]) -> Level:
    """The figures of all answers that were asked for with so many at once.

    Raises:
        ValueError: there is no answer.
    """
    first = spread(answer.arrivals[0] for answer in answers)
    if first is None:
        raise ValueError("no answer to sum up")
    began = min(answer.began for answer in answers)
    seconds = max(answer.began + answer.finished for answer in answers) - began
    prompts = [answer.prompt_tokens for answer in answers if answer.prompt_tokens is not None]
    timings = [answer.timings for answer in answers if answer.timings is not None]
    drafted = sum(item.drafted for item in timings)
    return Level(
        concurrency=concurrency,
        requests=len(answers),
        seconds=seconds,
        prompt_tokens=sum(prompts) / len(prompts) if prompts else None,
        output_tokens=sum(answer.output_tokens for answer in answers) / len(answers),
        time_to_first_token=first,
        inter_token=spread(gap for answer in answers for gap in gaps(answer)),
        decode=spread(_known(decode_rate(answer) for answer in answers)),
        prefill=spread(_known(prefill_rate(answer) for answer in answers)),
        throughput=sum(answer.output_tokens for answer in answers) / seconds if seconds > 0 else 0.0,
        server_decode=_mean(_server_decode(item) for item in timings),
        server_prefill=_mean(_server_prefill(item) for item in timings),
        accepted_share=sum(item.accepted for item in timings) / drafted if drafted else None,
    )


def _server_decode(timings: ServerTimings) -> float | None:
    """By its own clock, which llama.cpp starts at the first token (b11549, ``server_slot_stats::n_gen_steps``)."""
    steps = timings.output_tokens - 1
    return steps / timings.output_seconds if steps > 0 and timings.output_seconds > 0 else None


def _server_prefill(timings: ServerTimings) -> float | None:
    if timings.prompt_tokens <= 0 or timings.prompt_seconds <= 0:
        return None
    return timings.prompt_tokens / timings.prompt_seconds


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _mean(values: Iterable[float | None]) -> float | None:
    known = _known(values)
    return sum(known) / len(known) if known else None
