"""The answer of ``fleet``: row by row as JSON, YAML or CSV, or whole as a report."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Literal

from qwen_advisor.facts import Catalog
from qwen_advisor.fleet import Answered, Fault, Nothing, Pick, Summary
from qwen_advisor.render import words
from qwen_advisor.render.data import Cell, csv_text, yaml_text
from qwen_advisor.render.documents import four_digits, rate_json, requirements_json
from qwen_advisor.render.fleet_shapes import FleetMachineShape, FleetPickShape, FleetSummaryShape
from qwen_advisor.render.report import Block, Grid, Lines, Report
from qwen_advisor.task import Requirements
from qwen_advisor.units import gib

_COLUMNS = (
    "line",
    "name",
    "status",
    "model",
    "quantization",
    "engine",
    "thinking",
    "context_tokens",
    "placement",
    "memory_bytes",
    "budget_bytes",
    "decode_tokens_per_second_low",
    "decode_tokens_per_second",
    "decode_tokens_per_second_high",
    "time_to_first_token_seconds",
    "time_to_answer_seconds",
    "ability",
    "standard_error",
    "license",
    "repo",
    "file",
    "ollama",
    "message",
)
_SHOWN = 20  # machines without a pick, and rows at fault, that a report names


class JsonRows:
    """The JSON document in parts: what comes before the machines, each machine on a line, the summary."""

    def __init__(self, catalog: Catalog, requirements: Requirements) -> None:
        """Take what stands above the machines."""
        self._head = _head(catalog, requirements)
        self._begun = False

    def head(self) -> str:
        """Up to the list of machines."""
        return json.dumps(self._head, indent=2, allow_nan=False)[:-2] + ',\n  "machines": ['

    def row(self, answered: Answered) -> str:
        """One machine."""
        comma, self._begun = ("," if self._begun else ""), True
        return f"{comma}\n    {json.dumps(machine_document(answered), allow_nan=False)}"

    def tail(self, summary: Summary, *, complete: bool) -> str:
        """From the end of the list on."""
        document = json.dumps(summary_document(summary, complete=complete), indent=2, allow_nan=False)
        return '\n  ],\n  "summary": ' + document.replace("\n", "\n  ") + "\n}\n"


class YamlRows:
    """The same document as YAML."""

    def __init__(self, catalog: Catalog, requirements: Requirements) -> None:
        """Take what stands above the machines."""
        self._head = _head(catalog, requirements)
        self._begun = False

    def head(self) -> str:
        """Up to the list of machines."""
        return yaml_text(self._head)

    def row(self, answered: Answered) -> str:
        """One machine."""
        key, self._begun = ("" if self._begun else "machines:\n"), True
        return key + yaml_text({"machines": [machine_document(answered)]}).partition("\n")[2]

    def tail(self, summary: Summary, *, complete: bool) -> str:
        """From the end of the list on."""
        empty = "" if self._begun else "machines: []\n"
        return empty + yaml_text({"summary": summary_document(summary, complete=complete)})


class CsvRows:
    """One row per machine, numbers in full."""

    def head(self) -> str:
        """The names of the columns."""
        return csv_text(_COLUMNS, [])

    def row(self, answered: Answered) -> str:
        """One machine."""
        return csv_text(_cells(answered), [])

    def tail(self, summary: Summary, *, complete: bool) -> str:  # noqa: ARG002  a table of rows has no summary
        """Nothing more."""
        return ""


def machine_document(answered: Answered) -> FleetMachineShape:
    """One machine of the JSON document."""
    answer = answered.answer
    return {
        "line": answered.line,
        "name": answered.name,
        "status": _status(answered),
        "pick": _pick(answer) if isinstance(answer, Pick) else None,
        "message": None if isinstance(answer, Pick) else answer.message,
        "hint": answer.hint if isinstance(answer, Fault) else None,
    }


def summary_document(summary: Summary, *, complete: bool) -> FleetSummaryShape:
    """The summary of the JSON document, the commonest pick first."""
    return {
        "machines": summary.machines,
        "answered": summary.answered,
        "nothing_fits": summary.nothing,
        "faults": summary.faults,
        "different": summary.different,
        "complete": complete,
        "picks": [
            {"model": model, "quantization": quantization, "engine": engine, "machines": count}
            for (model, quantization, engine), count in _common(summary)
        ],
    }


def report(answered: Iterable[Answered], summary: Summary, *, complete: bool, full_names: bool = False) -> Report:
    """How many have a pick, which picks there are, and each machine with its own."""
    rows, nothing, faults = [], [], []
    for item in answered:
        answer = item.answer
        if isinstance(answer, Pick):
            rows.append(_shown(item.name, answer, full_names=full_names))
        elif isinstance(answer, Nothing):
            nothing.append(f"{item.name}: {answer.message}")
        else:
            faults.append(f"line {item.line}, {item.name or 'no name'}: {answer.message}")
    headline = f"{summary.answered:,} of {summary.machines:,} machines have a pick"
    if not complete:
        headline += "; interrupted, the rest was not asked"
    blocks: tuple[Block, ...] = (
        Grid(
            title="Picks",
            headings=("machines", "model", "quant", "engine"),
            rows=tuple(
                (f"{count:,}", model if full_names else words.short(model), quantization, engine)
                for (model, quantization, engine), count in _common(summary)
            ),
            right=frozenset({0}),
        ),
        Grid(
            title="Machines",
            headings=("machine", "model", "quant", "engine", "context", "memory", "tokens/s"),
            rows=tuple(rows),
            right=frozenset({4, 5}),
        ),
        _some("Nothing fits", nothing),
        _some("Rows at fault", faults),
    )
    return Report(headline=headline, good=summary.answered > 0, blocks=blocks)


def _head(catalog: Catalog, requirements: Requirements) -> dict[str, object]:
    return {
        "schema": "qwen-advisor/fleet/1",
        "catalog": {"version": catalog.version, "models": len(catalog.models)},
        "requirements": requirements_json(requirements),
    }


def _common(summary: Summary) -> list[tuple[tuple[str, str, str], int]]:
    return sorted(summary.picks.items(), key=lambda item: (-item[1], item[0]))


def _some(title: str, lines: list[str]) -> Lines:
    shown = tuple(lines[:_SHOWN])
    if len(lines) > len(shown):
        shown += (f"and {len(lines) - len(shown):,} more, which --json and --format csv list",)
    return Lines(title=title, lines=shown)


def _shown(name: str, pick: Pick, *, full_names: bool) -> tuple[str, ...]:
    model = pick.model if full_names else words.short(pick.model)
    memory = f"{gib(pick.memory)}"
    return (name, model, pick.quantization, pick.engine, words.tokens(pick.context), memory, words.rate(pick.decode))


def _status(answered: Answered) -> Literal["ok", "nothing_fits", "fault"]:
    match answered.answer:
        case Pick():
            return "ok"
        case Nothing():
            return "nothing_fits"
        case Fault():
            return "fault"


def _pick(pick: Pick) -> FleetPickShape:
    return {
        "model": pick.model,
        "quantization": pick.quantization,
        "engine": pick.engine,
        "thinking": pick.thinking,
        "context_tokens": pick.context,
        "placement": pick.mode,
        "memory_bytes": pick.memory,
        "budget_bytes": pick.budget,
        "decode_tokens_per_second": rate_json(pick.decode),
        "time_to_first_token_seconds": four_digits(pick.first_token),
        "time_to_answer_seconds": four_digits(pick.answer),
        "ability": round(pick.ability, 4),
        "standard_error": round(pick.standard_error, 4),
        "license": pick.license,
        "repo": pick.repo,
        "file": pick.file,
        "ollama": pick.ollama,
        "notes": list(pick.notes),
    }


def _cells(answered: Answered) -> tuple[str, ...]:
    answer = answered.answer
    start: tuple[Cell, ...] = (answered.line, answered.name, _status(answered))
    if not isinstance(answer, Pick):
        cells: tuple[Cell, ...] = (*start, *(None,) * (len(_COLUMNS) - len(start) - 1), answer.message)
    else:
        cells = (
            *start,
            answer.model,
            answer.quantization,
            answer.engine,
            answer.thinking,
            answer.context,
            answer.mode,
            answer.memory,
            answer.budget,
            four_digits(answer.decode.low),
            four_digits(answer.decode.expected),
            four_digits(answer.decode.high),
            four_digits(answer.first_token),
            four_digits(answer.answer),
            round(answer.ability, 4),
            round(answer.standard_error, 4),
            answer.license,
            answer.repo,
            answer.file,
            answer.ollama,
            "; ".join(answer.notes),
        )
    return tuple("" if cell is None else str(cell) for cell in cells)
