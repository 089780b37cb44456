"""The answer of ``pull``: as a document, as a report, as rows, as shell variables."""

from __future__ import annotations

from qwen_advisor.render import words
from qwen_advisor.render.data import csv_text, env_text
from qwen_advisor.render.hub_shapes import PullDocument
from qwen_advisor.render.report import Facts, Grid, Lines, Report

_COLUMNS = ("repo", "file", "bytes", "sha256", "state", "bytes_present", "path")
_STATES = {"present": "here", "partial": "begun", "missing": "to fetch", "fetched": "fetched"}


def report(answer: PullDocument) -> Report:
    """What was fetched, or would be, file by file."""
    name = f"{answer['model']} in {answer['quantization']}"
    missing = answer["missing_bytes"]
    if answer["dry_run"]:
        headline = f"{name}: {words.gigabytes(missing)} to fetch" if missing else f"{name}: everything is here"
    else:
        headline = f"{name} is here"
    rows = tuple(
        (each["file"], words.gigabytes(each["bytes"]), _state(each["state"], each["bytes_present"], each["bytes"]))
        for each in answer["files"]
    )
    pairs = [
        ("from", _source(answer)),
        ("to", answer["destination"]),
        ("for", answer["engine"]),
        ("files", f"{len(answer['files'])}, together {words.gigabytes(answer['bytes'])}"),
        ("disk", f"{words.gigabytes(answer['free_bytes'])} free"),
        ("give the engine", answer["path"] or ""),
    ]
    return Report(
        headline=headline,
        good=True,
        blocks=(
            Facts(pairs=tuple((label, value) for label, value in pairs if value)),
            Grid(title="Files", headings=("file", "size", "state"), rows=rows, right=frozenset({1})),
            Lines(title="Notes", lines=tuple(answer["notes"])),
        ),
    )


def _source(answer: PullDocument) -> str:
    if answer["source"] == "ollama":
        return f"Ollama, {answer['ollama']}"
    place = "Hugging Face" if answer["source"] == "huggingface" else "ModelScope"
    return f"{answer['repo']} on {place}, {answer['revision']}"


def _state(state: str, have: int, size: int) -> str:
    return f"{_STATES[state]}, {100 * have // size} %" if state == "partial" else _STATES[state]


def csv(answer: PullDocument) -> str:
    """A row for each file."""
    return csv_text(
        _COLUMNS,
        [
            (
                answer["repo"],
                each["file"],
                each["bytes"],
                each["sha256"],
                each["state"],
                each["bytes_present"],
                each["path"],
            )
            for each in answer["files"]
        ],
    )


def identifier(answer: PullDocument) -> str:
    """One line: the repository, or Ollama's tag."""
    return f"{answer['repo'] or answer['ollama']}\n"


def environment(answer: PullDocument) -> str:
    """What a script goes on with."""
    return env_text(
        {
            "QWEN_ADVISOR_MODEL": answer["model"],
            "QWEN_ADVISOR_QUANT": answer["quantization"],
            "QWEN_ADVISOR_ENGINE": answer["engine"],
            "QWEN_ADVISOR_REPO": answer["repo"] or "",
            "QWEN_ADVISOR_REVISION": answer["revision"] or "",
            "QWEN_ADVISOR_PATH": answer["path"] or "",
            "QWEN_ADVISOR_OLLAMA": answer["ollama"] or "",
        }
    )
