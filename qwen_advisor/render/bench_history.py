"""What was measured before, as ``bench --history`` shows it."""

from __future__ import annotations

from collections.abc import Sequence

from qwen_advisor.bench.history import Entry, average
from qwen_advisor.render import words
from qwen_advisor.render.bench import MEANS, average_cells
from qwen_advisor.render.bench_documents import average_document
from qwen_advisor.render.bench_shapes import AverageShape, BenchHistoryDocument
from qwen_advisor.render.data import csv_text
from qwen_advisor.render.report import Facts, Grid, Report

Past = Sequence[tuple[Entry, ...]]


def report(past: Past, file: str, last: int) -> Report:
    """Means over the last measurements of each thing."""
    rows = tuple(
        (
            _thing(group[-1]),
            f"{group[-1].prompt_tokens} + {group[-1].output_tokens}",
            str(group[-1].concurrency),
            group[-1].at[:10],
            *average_cells(found),
        )
        for group in past
        if (found := average(group)) is not None
    )
    headings = ("model", "tokens", "at once", "last on", *MEANS)
    return Report(
        headline=f"Means of up to {last} measurements each" if rows else "Nothing was measured yet",
        good=bool(rows),
        blocks=(
            Facts(pairs=(("kept in", file),)),
            Grid(title="", headings=headings, rows=rows, right=frozenset({2, *range(4, 10)})),
        ),
    )


def _thing(entry: Entry) -> str:
    """What was measured, in two lines where the second is known."""
    how = " on ".join(part for part in (entry.quantization, entry.engine) if part)
    return f"{words.short(entry.model)}\n{how}".rstrip()


def document(past: Past, file: str, last: int) -> BenchHistoryDocument:
    """The same for a program."""
    return {
        "schema": "qwen-advisor/bench-history/1",
        "file": file,
        "last": last,
        "measured": [
            {
                "model": group[-1].model,
                "quantization": group[-1].quantization,
                "engine": group[-1].engine,
                "prompt_tokens": group[-1].prompt_tokens,
                "output_tokens": group[-1].output_tokens,
                "first_at": group[0].at,
                "last_at": group[-1].at,
                "average": average_document(group[-1].concurrency, found),
            }
            for group in past
            if (found := average(group)) is not None
        ],
    }


_COLUMNS = (
    "model",
    "quantization",
    "engine",
    "prompt_tokens",
    "output_tokens",
    "first_at",
    "last_at",
)


def csv(past: Past) -> str:
    """One row for each thing that was measured."""
    groups = document(past, "", 0)["measured"]
    means = tuple(AverageShape.__annotations__)
    rows = [
        (*(group[name] for name in _COLUMNS), *(group["average"][name] for name in means))  # type: ignore[literal-required]
        for group in groups
    ]
    return csv_text((*_COLUMNS, *means), rows)
