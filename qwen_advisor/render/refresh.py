"""The answer of ``catalog refresh``: as a document, as a report, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qwen_advisor.facts import Catalog
from qwen_advisor.hub.overlay import entry
from qwen_advisor.hub.refresh import Change, Refreshed
from qwen_advisor.render.data import csv_text
from qwen_advisor.render.hub_shapes import CatalogRefreshDocument
from qwen_advisor.render.report import Facts, Grid, Lines, Report

_COLUMNS = ("what", "repo", "field", "catalog", "hub")
_SIGNS = {"new": "+", "changed": "~", "gone": "-", "moved": "→", "closed": "-", "unread": "?"}


def document(
    catalog: Catalog, answer: Refreshed, source: str, written: Sequence[Path], notes: Sequence[str]
) -> CatalogRefreshDocument:
    """Everything, the proposed entries whole."""
    return {
        "schema": "qwen-advisor/catalog-refresh/1",
        "catalog": {"version": catalog.version, "models": len(catalog.models)},
        "source": source,
        "listed": answer.listed,
        "changes": [
            {"what": c.what, "repo": c.repo, "field": c.field, "catalog": c.here, "hub": c.there}
            for c in answer.changes
        ],
        "proposals": [
            {
                "model": entry(each.checkpoint),
                "architecture": None if each.architecture is None else entry(each.architecture),
                "checks": list(each.checks),
            }
            for each in answer.proposals
        ],
        "written": [str(path) for path in written],
        "notes": list(notes),
    }


def report(answer: CatalogRefreshDocument) -> Report:
    """The differences as a table, and what was checked of what is new."""
    count = len(answer["changes"])
    headline = f"{count} difference{'s' * (count != 1)} between the catalogue and the Hub"
    rows = tuple(
        (_SIGNS[each["what"]], each["what"], each["repo"], each["field"], each["catalog"], each["hub"])
        for each in answer["changes"]
    )
    listed = answer["listed"]
    return Report(
        headline=headline if count else "The catalogue agrees with the Hub",
        good=not count,
        blocks=(
            Facts(
                pairs=(
                    ("catalogue", f"{answer['catalog']['version']}, {answer['catalog']['models']} models"),
                    ("asked", f"{answer['source']}{f', which lists {listed} repositories' if listed else ''}"),
                )
            ),
            Grid(title="Differences", headings=("", "what", "repository", "field", "catalogue", "Hub"), rows=rows),
            Lines(
                title="Checked",
                lines=tuple(f"{p['model']['id']}: {check}" for p in answer["proposals"] for check in p["checks"]),
            ),
            Lines(
                title="To be verified",
                lines=tuple(
                    f"{p['model']['id']}: {doubt}" for p in answer["proposals"] for doubt in p["model"]["unverified"]
                ),
            ),
            Lines(title="Written", lines=tuple(answer["written"])),
            Lines(title="Notes", lines=tuple(answer["notes"])),
        ),
    )


def csv(answer: CatalogRefreshDocument) -> str:
    """A row for each difference."""
    return csv_text(
        _COLUMNS,
        [(each["what"], each["repo"], each["field"], each["catalog"], each["hub"]) for each in answer["changes"]],
    )


def identifiers(changes: Sequence[Change]) -> str:
    """A line for each new repository."""
    return "".join(f"{each.repo}\n" for each in changes if each.what == "new")
