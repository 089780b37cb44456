"""The answer of ``bench`` as a report: what was measured, beside what was predicted and what was measured before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qwen_advisor.bench.history import Average
from qwen_advisor.bench.holding import Held
from qwen_advisor.bench.outcome import Outcome
from qwen_advisor.bench.records import Level, Server, Spread
from qwen_advisor.render import words
from qwen_advisor.render.report import Block, Facts, Grid, Lines, Report
from qwen_advisor.units import gib

_NUMBERS = frozenset(range(1, 10))


def report(outcome: Outcome) -> Report:
    """What was measured, beside the prediction, beside what was measured before."""
    measured = outcome.measurement
    server = measured.server
    blocks: tuple[Block, ...] = (
        Facts(pairs=tuple(_facts(outcome, server))),
        _measured(measured.levels),
        *_beside(outcome),
        _averages(outcome),
        Lines(title="Notes", lines=(*measured.notes, *outcome.notes)),
    )
    return Report(
        headline=f"{_named(outcome)}{_first(measured.levels)}",
        good=measured.fault is None,
        blocks=blocks,
    )


def _first(levels: Sequence[Level]) -> str:
    """How fast the first level was."""
    if not levels:
        return ""
    level = levels[0]
    decode = f"decodes {words.figure(level.decode.mean)} tokens/s" if level.decode else "answers"
    wait = f", first token after {words.seconds(level.time_to_first_token.mean)}"
    return f" {decode}{wait}" + (f", {level.concurrency} at once" if level.concurrency > 1 else "")


def _named(outcome: Outcome) -> str:
    server = outcome.measurement.server
    name = f"{outcome.model} {outcome.quantization or ''}".strip() if outcome.model else server.model
    return f"{name} on {server.engine}" if server.engine else name


def _facts(outcome: Outcome, server: Server) -> Iterator[tuple[str, str]]:
    measured = outcome.measurement
    version = f", {server.engine} {server.version}" if server.version else ""
    yield "server", f"{server.url}, model {server.model}{version}"
    first = next(iter(measured.levels), None)
    asked = f"{words.tokens(measured.prompt_tokens)} tokens of prompt, {words.tokens(measured.output_tokens)} of output"
    if first is not None and first.prompt_tokens is not None:
        asked += f" (counted: {first.prompt_tokens:,.0f} and {first.output_tokens:,.0f})"
    yield "load", f"{asked}, {measured.runs} run{'s' * (measured.runs != 1)}"
    if measured.memory is not None:
        gpu = f", {gib(measured.memory.gpu)} on GPUs" if measured.memory.gpu else ""
        yield "memory", f"{gib(measured.memory.resident)} resident in {measured.memory.process}{gpu}"
    if outcome.estimates:
        plan = outcome.estimates[0]
        yield "predicted", f"for {words.machine(plan.machine)}, {words.whereabouts(plan.placement)}"
    if outcome.stored:
        told = ", ".join(f"{phase} × {factor:.3g}" for phase, factor in outcome.stored.items())
        yield "calibrated", f"{told}; recommend and estimate use it on this machine, --forget takes it back"
    if outcome.history is not None:
        yield "history", str(outcome.history)


def _measured(levels: Sequence[Level]) -> Grid:
    headings = (
        "at once",
        "first token s",
        "between tokens ms",
        "decode tok/s",
        "prefill tok/s",
        "all tok/s",
        "by server's clock",
    )
    rows = tuple(
        (
            str(level.concurrency),
            _times(level.time_to_first_token),
            _times(level.inter_token, 1000),
            _rates(level.decode),
            _rates(level.prefill),
            words.figure(level.throughput),
            " / ".join(
                "-" if value is None else words.figure(value) for value in (level.server_decode, level.server_prefill)
            ),
        )
        for level in levels
    )
    title = "Measured: times as p50 / p90 / p99, rates as mean (least to most); server's: decode / prefill"
    return Grid(title=title, headings=headings, rows=rows)


def _times(spread: Spread | None, scale: float = 1.0) -> str:
    """Most waits are no longer than these."""
    if spread is None:
        return "-"
    return " / ".join(words.figure(scale * value) for value in (spread.p50, spread.p90, spread.p99))


def _rates(spread: Spread | None) -> str:
    if spread is None:
        return "-"
    if spread.count == 1:
        return words.figure(spread.mean)
    return f"{words.figure(spread.mean)} ({words.figure(spread.minimum)}–{words.figure(spread.maximum)})"


def _beside(outcome: Outcome) -> Iterator[Grid]:
    compared = [comparison for _, comparison in outcome.levels if comparison is not None]
    if not compared:
        return
    rows = tuple(
        (str(item.concurrency), name, words.figure(held.measured), words.rate(held.predicted), _judged(held))
        for item in compared
        for name, held in (
            ("first token s", item.first_token),
            ("decode tok/s", item.decode),
            ("prefill tok/s", item.prefill),
            ("all tok/s", item.throughput),
        )
        if held is not None
    )
    basis = "with factors of this machine" if compared[0].basis == "calibrated" else "from this hardware's figures"
    yield Grid(
        title=f"Beside the prediction, {basis}",
        headings=("at once", "", "measured", "predicted (range)", "measured over predicted"),
        rows=rows,
        right=frozenset({2}),
    )


def _judged(held: Held) -> str:
    return f"{held.ratio:.2f}, {'within' if held.within else 'outside'} the range"


def _averages(outcome: Outcome) -> Grid:
    rows = tuple(
        (str(level.concurrency), *average_cells(found))
        for level, found in zip(outcome.measurement.levels, outcome.averages, strict=bool(outcome.averages))
        if found.measurements > 1
    )
    return Grid(title="Mean of the last measurements alike", headings=("at once", *MEANS), rows=rows, right=_NUMBERS)


MEANS = ("measurements", "first token s", "between tokens ms", "decode tok/s", "prefill tok/s", "all tok/s")


def average_cells(found: Average) -> tuple[str, ...]:
    """Means, under `MEANS`."""
    return (
        str(found.measurements),
        words.figure(found.time_to_first_token_seconds),
        "-" if found.inter_token_seconds is None else words.figure(1000 * found.inter_token_seconds),
        "-" if found.decode_tokens_per_second is None else words.figure(found.decode_tokens_per_second),
        "-" if found.prefill_tokens_per_second is None else words.figure(found.prefill_tokens_per_second),
        words.figure(found.throughput_tokens_per_second),
    )
