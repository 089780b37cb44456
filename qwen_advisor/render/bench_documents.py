"""The answer of ``bench`` for programs: a document, or rows."""

from __future__ import annotations

from qwen_advisor.bench.history import Average
from qwen_advisor.bench.holding import Comparison, Held
from qwen_advisor.bench.outcome import Outcome
from qwen_advisor.bench.records import Level, Spread
from qwen_advisor.render import words
from qwen_advisor.render.bench_shapes import (
    AverageShape,
    BenchDocument,
    HeldRateShape,
    HeldShape,
    LevelShape,
    PredictedShape,
    SpreadShape,
)
from qwen_advisor.render.data import Cell, csv_text
from qwen_advisor.render.documents import error_document, four_digits
from qwen_advisor.render.health import memory_document


def document(outcome: Outcome) -> BenchDocument:
    """The measurement, for a program."""
    measured = outcome.measurement
    server = measured.server
    return {
        "schema": "qwen-advisor/bench/1",
        "at": measured.at,
        "server": {
            "url": server.url,
            "model": server.model,
            "engine": server.engine,
            "version": server.version,
            "quantization": server.quantization,
            "context_tokens": server.context,
            "slots": server.slots,
            "local": server.local,
        },
        "load": {
            "prompt_tokens": measured.prompt_tokens,
            "output_tokens": measured.output_tokens,
            "runs": measured.runs,
        },
        "levels": [_level(level, comparison) for level, comparison in outcome.levels],
        "memory": memory_document(measured.memory),
        "prediction": _predicted(outcome),
        "history": None
        if outcome.history is None
        else {
            "file": str(outcome.history),
            "averages": [
                average_document(level.concurrency, found)
                for level, found in zip(measured.levels, outcome.averages, strict=True)
            ],
        },
        "calibration": {phase: four_digits(factor) for phase, factor in outcome.stored.items()},
        "notes": [*measured.notes, *outcome.notes],
        "error": error_document(measured.fault)["error"] if measured.fault else None,
    }


def _level(level: Level, comparison: Comparison | None) -> LevelShape:
    return {
        "concurrency": level.concurrency,
        "requests": level.requests,
        "seconds": four_digits(level.seconds),
        "prompt_tokens": level.prompt_tokens,
        "output_tokens": level.output_tokens,
        "time_to_first_token_seconds": _spread(level.time_to_first_token),
        "inter_token_seconds": _spread(level.inter_token) if level.inter_token else None,
        "decode_tokens_per_second": _spread(level.decode) if level.decode else None,
        "prefill_tokens_per_second": _spread(level.prefill) if level.prefill else None,
        "throughput_tokens_per_second": four_digits(level.throughput),
        "server_decode_tokens_per_second": _digits(level.server_decode),
        "server_prefill_tokens_per_second": _digits(level.server_prefill),
        "speculated_tokens_accepted": _digits(level.accepted_share),
        "prediction": _held(comparison) if comparison else None,
    }


def _spread(spread: Spread) -> SpreadShape:
    return {
        "count": spread.count,
        "mean": four_digits(spread.mean),
        "minimum": four_digits(spread.minimum),
        "p50": four_digits(spread.p50),
        "p90": four_digits(spread.p90),
        "p99": four_digits(spread.p99),
        "maximum": four_digits(spread.maximum),
    }


def _held(comparison: Comparison) -> HeldShape:
    return {
        "decode": _held_rate(comparison.decode) if comparison.decode else None,
        "prefill": _held_rate(comparison.prefill) if comparison.prefill else None,
        "throughput": _held_rate(comparison.throughput),
        "time_to_first_token_seconds": four_digits(comparison.first_token_predicted),
        "basis": comparison.basis,
    }


def _held_rate(held: Held) -> HeldRateShape:
    return {
        "measured": four_digits(held.measured),
        "predicted": {
            "low": four_digits(held.predicted.low),
            "expected": four_digits(held.predicted.expected),
            "high": four_digits(held.predicted.high),
        },
        "ratio": four_digits(held.ratio),
        "within": held.within,
    }


def _predicted(outcome: Outcome) -> PredictedShape | None:
    if not outcome.estimates:
        return None
    plan = outcome.estimates[0]
    return {
        "model": plan.checkpoint.id,
        "quantization": plan.format,
        "engine": plan.settings.engine,
        "mode": plan.placement.mode,
        "hardware": words.machine(plan.machine),
    }


def average_document(concurrency: int, found: Average) -> AverageShape:
    """Means over several measurements."""
    return {
        "concurrency": concurrency,
        "measurements": found.measurements,
        "time_to_first_token_seconds": four_digits(found.time_to_first_token_seconds),
        "inter_token_seconds": _digits(found.inter_token_seconds),
        "decode_tokens_per_second": _digits(found.decode_tokens_per_second),
        "prefill_tokens_per_second": _digits(found.prefill_tokens_per_second),
        "throughput_tokens_per_second": four_digits(found.throughput_tokens_per_second),
    }


def _digits(value: float | None) -> float | None:
    return None if value is None else four_digits(value)


_COLUMNS = (
    "at",
    "url",
    "model",
    "quantization",
    "engine",
    "concurrency",
    "requests",
    "prompt_tokens",
    "output_tokens",
    "time_to_first_token_seconds_p50",
    "time_to_first_token_seconds_p99",
    "inter_token_seconds_p50",
    "inter_token_seconds_p99",
    "decode_tokens_per_second",
    "prefill_tokens_per_second",
    "throughput_tokens_per_second",
    "server_decode_tokens_per_second",
    "server_prefill_tokens_per_second",
    "predicted_decode_tokens_per_second",
    "predicted_prefill_tokens_per_second",
    "predicted_throughput_tokens_per_second",
)


def csv(outcome: Outcome) -> str:
    """One row for each level, numbers in full."""
    return csv_text(_COLUMNS, [_row(outcome, level, comparison) for level, comparison in outcome.levels])


def _row(outcome: Outcome, level: Level, comparison: Comparison | None) -> tuple[Cell, ...]:
    server = outcome.measurement.server
    decode = comparison.decode if comparison else None
    prefill = comparison.prefill if comparison else None
    return (
        outcome.measurement.at,
        server.url,
        outcome.model or server.model,
        outcome.quantization or server.quantization,
        server.engine,
        level.concurrency,
        level.requests,
        level.prompt_tokens,
        level.output_tokens,
        four_digits(level.time_to_first_token.p50),
        four_digits(level.time_to_first_token.p99),
        _digits(level.inter_token.p50) if level.inter_token else None,
        _digits(level.inter_token.p99) if level.inter_token else None,
        _digits(level.decode.mean) if level.decode else None,
        _digits(level.prefill.mean) if level.prefill else None,
        four_digits(level.throughput),
        _digits(level.server_decode),
        _digits(level.server_prefill),
        four_digits(decode.predicted.expected) if decode else None,
        four_digits(prefill.predicted.expected) if prefill else None,
        four_digits(comparison.throughput.predicted.expected) if comparison else None,
    )
