"""The answer of ``health``: as a report, as a line of a watch, as a document, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterator

from qwen_advisor.bench.health import EXIT_CODES, CheckName, Health, Limits, Verdict
from qwen_advisor.bench.records import MemoryUse
from qwen_advisor.render import words
from qwen_advisor.render.bench_shapes import HealthDocument, ProcessMemoryShape
from qwen_advisor.render.data import Cell, csv_text
from qwen_advisor.render.documents import four_digits
from qwen_advisor.render.report import Grid, Lines, Report
from qwen_advisor.units import MIB

_MARKS = {True: "ok", False: "NOT OK", None: "not known"}


def report(health: Health, limits: Limits) -> Report:
    """The verdict, every check beside its threshold, and what to do."""
    rows = tuple(
        (check.name.replace("_", " "), _MARKS[check.passed], _threshold(check.name, limits), check.message)
        for check in health.checks
    )
    return Report(
        headline=f"{health.verdict.capitalize()}: {_whose(health)}",
        good=health.verdict == "healthy",
        blocks=(
            Grid(title="Checks", headings=("", "", "threshold", ""), rows=rows),
            Lines(title="What to do", lines=health.recommendations),
        ),
    )


def line(health: Health) -> str:
    """One check of a watch."""
    first, whole = health.value("answer"), health.value("response_time")
    rate, grown = health.value("generation_rate"), health.value("memory_growth")
    parts = [f"{health.at}  {health.verdict:<9}"]
    if first is not None:
        parts.append(f"first token {words.seconds(first)}")
    if whole is not None:
        parts.append(f"answer {words.seconds(whole)}")
    if rate is not None:
        parts.append(f"{words.figure(rate)} tokens/s")
    if grown is not None:
        parts.append(f"memory +{grown / MIB:,.0f} MiB")
    parts += [check.message for check in health.checks if check.passed is False]
    return "  ".join(parts) + "\n"


_COLUMNS = (
    "at",
    "url",
    "model",
    "engine",
    "verdict",
    "exit_code",
    "time_to_first_token_seconds",
    "response_seconds",
    "generation_tokens_per_second",
    "memory_growth_bytes",
)


def csv(health: Health, *, header: bool = True) -> str:
    """One row, so that the looks of a watch make one table; only the first of them needs a header."""
    grown = health.value("memory_growth")
    row: tuple[Cell, ...] = (
        health.at,
        health.url,
        health.model,
        health.engine,
        health.verdict,
        EXIT_CODES[health.verdict],
        _digits(health.value("answer")),
        _digits(health.value("response_time")),
        _digits(health.value("generation_rate")),
        None if grown is None else round(grown),
    )
    text = csv_text(_COLUMNS, [row])
    return text if header else text.split("\n", 1)[1]


def document(health: Health, limits: Limits) -> HealthDocument:
    """One check, for a program."""
    grown = health.value("memory_growth")
    return {
        "schema": "qwen-advisor/health/1",
        "at": health.at,
        "url": health.url,
        "model": health.model,
        "engine": health.engine,
        "verdict": health.verdict,
        "exit_code": EXIT_CODES[health.verdict],
        "measured": {
            "time_to_first_token_seconds": _digits(health.value("answer")),
            "response_seconds": _digits(health.value("response_time")),
            "generation_tokens_per_second": _digits(health.value("generation_rate")),
            "memory_growth_bytes": None if grown is None else round(grown),
        },
        "thresholds": {
            "response_seconds": limits.response_seconds,
            "generation_tokens_per_second": limits.tokens_per_second,
            "memory_growth_bytes": limits.growth,
        },
        "checks": [
            {
                "name": check.name,
                "passed": check.passed,
                "message": check.message,
                "recommendation": check.recommendation if check.passed is False else None,
            }
            for check in health.checks
        ],
        "memory": memory_document(health.memory),
        "recommendations": list(health.recommendations),
    }


def memory_document(memory: MemoryUse | None) -> ProcessMemoryShape | None:
    """Memory of a server's processes, for a program."""
    if memory is None:
        return None
    return {
        "process": memory.process,
        "resident_bytes": memory.resident,
        "private_bytes": memory.private,
        "gpu_bytes": memory.gpu,
    }


_VERDICTS: tuple[Verdict, ...] = ("healthy", "degraded", "unhealthy")
_GAUGES: dict[CheckName, tuple[str, str]] = {
    "answer": ("time_to_first_token_seconds", "Seconds to the first token of a trivial answer."),
    "response_time": ("response_seconds", "Seconds until the trivial answer was complete."),
    "generation_rate": ("generation_tokens_per_second", "Tokens generated per second after the first."),
    "memory_growth": ("memory_growth_bytes", "Bytes by which the server grew."),
}


def prometheus(health: Health) -> str:
    """One check in Prometheus' text format (version 0.0.4). What is not known has no sample."""
    labels = f'url="{_label(health.url)}",model="{_label(health.model or "")}"'
    return "".join(
        f"# HELP {name} {text}\n# TYPE {name} gauge\n"
        + "".join(f"{name}{{{labels}{more}}} {value:.17g}\n" for more, value in samples)
        for name, text, samples in _metrics(health)
        if samples
    )


def _metrics(health: Health) -> Iterator[tuple[str, str, list[tuple[str, float]]]]:
    """Name, explanation and samples, each with the labels it has beside those of the endpoint."""
    prefix = "qwen_advisor_endpoint_"
    yield (
        f"{prefix}health",
        "1 for the verdict, 0 for the others.",
        [(f',verdict="{verdict}"', float(health.verdict == verdict)) for verdict in _VERDICTS],
    )
    yield (
        f"{prefix}check_passed",
        "Whether a check passed.",
        [(f',check="{item.name}"', float(item.passed)) for item in health.checks if item.passed is not None],
    )
    for check, (name, text) in _GAUGES.items():
        value = health.value(check)
        yield prefix + name, text, [] if value is None else [("", value)]
    memory = health.memory
    yield (
        f"{prefix}resident_memory_bytes",
        "Resident memory of the server's processes.",
        [("", float(memory.resident))] if memory else [],
    )
    yield (
        f"{prefix}gpu_memory_bytes",
        "Memory of the server's processes on NVIDIA GPUs.",
        [("", float(memory.gpu))] if memory and memory.gpu is not None else [],
    )
    yield f"{prefix}checked_timestamp_seconds", "When it was looked at, in Unix time.", [("", health.timestamp)]


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _threshold(name: CheckName, limits: Limits) -> str:
    match name:
        case "response_time":
            return f"at most {limits.response_seconds:g} s"
        case "generation_rate":
            return f"at least {limits.tokens_per_second:g} tokens/s"
        case "memory_growth":
            return f"at most {limits.growth / MIB:,.0f} MiB"
        case _:
            return ""


def _whose(health: Health) -> str:
    model = f"{health.model} at " if health.model else ""
    engine = f" ({health.engine})" if health.engine else ""
    return f"{model}{health.url}{engine}"


def _digits(value: float | None) -> float | None:
    return None if value is None else four_digits(value)
