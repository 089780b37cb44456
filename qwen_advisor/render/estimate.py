"""The answer of ``estimate``: as a report, as a row, as shell variables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from qwen_advisor.advice import Estimate
from qwen_advisor.engines import launch
from qwen_advisor.machine import Machine
from qwen_advisor.plan import Memory, MemoryPart
from qwen_advisor.render import words
from qwen_advisor.render.data import Cell, csv_text, variables
from qwen_advisor.render.documents import four_digits
from qwen_advisor.render.report import Block, Commands, Facts, Grid, Lines, Report
from qwen_advisor.units import gib

_BAR = 24  # cells of a full bar

_COLUMNS = (
    "model",
    "quantization",
    "engine",
    "context_tokens",
    "parallel",
    "kv_cache_type",
    "file_bytes",
    "projector_bytes",
    "fits",
    "largest_context_tokens",
    "weights_bytes",
    "kv_cache_bytes",
    "recurrent_state_bytes",
    "compute_buffer_bytes",
    "runtime_overhead_bytes",
    "total_bytes",
    "device_bytes",
    "host_bytes",
    "budget_bytes",
    "decode_tokens_per_second_low",
    "decode_tokens_per_second",
    "decode_tokens_per_second_high",
    "prefill_tokens_per_second_low",
    "prefill_tokens_per_second",
    "prefill_tokens_per_second_high",
    "bound",
    "basis",
)


def report(estimate: Estimate) -> Report:
    """Whether it fits, the parts of the memory by pool, the speed, and how to run it."""
    settings = estimate.settings
    how = launch(estimate.plan, nodes=estimate.machine.nodes)
    verdict = "fits" if estimate.fits else "does not fit"
    headline = f"{estimate.checkpoint.id} {estimate.format} on {settings.engine} {verdict}"
    blocks: tuple[Block, ...] = (
        Facts(pairs=_facts(estimate)),
        *_pools(estimate),
        Lines(title="Notes", lines=(*estimate.notes, *estimate.speed.notes)),
        Commands(title="Run it", steps=how.steps, notes=how.notes) if estimate.fits else Lines(title="", lines=()),
    )
    return Report(headline=headline, good=estimate.fits, blocks=blocks)


def identifier(estimate: Estimate) -> str:
    """One line with the model's repository."""
    return f"{estimate.checkpoint.id}\n"


def environment(estimate: Estimate) -> str:
    """The setting as shell variables."""
    return variables(estimate.plan, estimate.settings.context)


def csv(estimate: Estimate) -> str:
    """One row, numbers in full, so that the rows of several calls make one table."""
    memory, speed, settings = estimate.memory, estimate.speed, estimate.settings
    row: tuple[Cell, ...] = (
        estimate.checkpoint.id,
        estimate.format,
        settings.engine,
        settings.context,
        settings.parallel,
        settings.kv_type,
        estimate.file_bytes,
        estimate.projector_bytes,
        estimate.fits,
        estimate.largest_context,
        memory.group("weights"),
        memory.group("kv_cache"),
        memory.group("recurrent_state"),
        memory.group("compute_buffer"),
        memory.group("runtime_overhead"),
        memory.total,
        memory.device,
        memory.host,
        estimate.budget,
        four_digits(speed.decode.low),
        four_digits(speed.decode.expected),
        four_digits(speed.decode.high),
        four_digits(speed.prefill.low),
        four_digits(speed.prefill.expected),
        four_digits(speed.prefill.high),
        speed.bound,
        speed.basis,
    )
    return csv_text(_COLUMNS, [row])


def _facts(estimate: Estimate) -> tuple[tuple[str, str], ...]:
    settings, speed = estimate.settings, estimate.speed
    slots = f"{settings.parallel} requests at once" if settings.parallel > 1 else "one request at a time"
    context = f"{words.tokens(settings.context)} tokens, {slots}, KV cache {settings.kv_type}"
    if estimate.largest_context is not None:
        context += f"; at most {words.tokens(estimate.largest_context)} would fit"
    files = words.gigabytes(estimate.file_bytes)
    if estimate.projector_bytes:
        files += f" and a projector of {words.gigabytes(estimate.projector_bytes)}"
    memory = f"{words.used(estimate.memory.total, estimate.budget)}, {words.whereabouts(estimate.placement)}"
    if estimate.memory.reclaimable:
        memory += f"; {gib(estimate.memory.reclaimable)} of it the system may drop again"
    return (
        ("on", words.machine(estimate.machine)),
        ("memory", memory),
        ("context", context),
        (
            "decode",
            (
                f"{words.rate(speed.decode)} tokens/s over {words.tokens(settings.output_tokens)} tokens"
                f" after a prompt of {words.tokens(settings.prompt_tokens)}, bound by {speed.bound}"
            ),
        ),
        (
            "prefill",
            f"{words.rate(speed.prefill)} tokens/s, first token after {words.seconds(speed.time_to_first_token)}",
        ),
        ("basis", f"speed is {BASIS[speed.basis]}"),
        ("files", files),
    )


BASIS = {
    "roofline": "reckoned from bandwidth and arithmetic of this hardware",
    "calibrated": "reckoned with factors measured on this machine",
    "measured": "measured on this machine",
}


def _pools(estimate: Estimate) -> Iterator[Grid]:
    """One table per pool; a bar shows each part's share of the pool."""
    for title, room, parts in by_pool(estimate.machine, estimate.memory):
        taken = sum(part.bytes for part in parts)
        rows: list[tuple[str, ...]] = [
            (part.name.replace("_", " "), gib(part.bytes), words.bar(part.bytes, room, _BAR), part.basis)
            for part in sorted(parts, key=lambda part: -part.bytes)
            if part.bytes
        ]
        rows.append(("total", gib(taken), words.bar(taken, room, _BAR), f"{100 * taken / room:.0f} % of {gib(room)}"))
        yield Grid(title=title, headings=("", "size", "share", "basis"), rows=tuple(rows), right=frozenset({1}))


def by_pool(machine: Machine, memory: Memory) -> Iterator[tuple[str, int, tuple[MemoryPart, ...]]]:
    """Title, budget and parts of each pool; accelerators that hold the same stand together."""
    parts = memory.parts
    host = tuple(part for part in parts if part.pool == "host")
    if host:
        yield "Main memory", max(1, machine.memory.budget), host
    alike: dict[tuple[object, ...], list[tuple[MemoryPart, ...]]] = {}
    for index in sorted({part.device or 0 for part in parts if part.pool == "device"}):
        mine = tuple(part for part in parts if part.pool == "device" and (part.device or 0) == index)
        card = machine.accelerators[index % len(machine.accelerators)]
        key = (card.name, card.budget, *((part.name, part.bytes) for part in mine))
        alike.setdefault(key, []).append(mine)
    for (name, budget, *_), several in alike.items():
        title = f"{len(several)} × {name}, each" if len(several) > 1 else f"{name}"
        yield title, max(1, cast("int", budget)), several[0]
