"""The answer of ``check`` as SARIF 2.1.0, for code-scanning pages.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from qwen_advisor import __version__
from qwen_advisor.gate.verdict import Gate, Ruling, Verdict
from qwen_advisor.render.data import json_text

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"fail": "error", "warn": "warning"}


def sarif(gate: Gate) -> str:
    """One run with one result for each finding; rules that were applied are listed whether they found something or not.

    A finding lies in the policy or the lock that asks for it. Without either its place is the model's repository,
    because code-scanning pages take no result without a place.
    """
    found = [(verdict, item) for verdict in gate.verdicts for item in verdict.findings]
    applied = {item.rule: item.title for verdict in gate.verdicts for item in verdict.rulings}
    order = sorted(applied)
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "qwen-advisor",
                "version": __version__,
                "rules": [
                    {"id": name, "shortDescription": {"text": _plain(applied[name])}, "name": name} for name in order
                ],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(verdict, item, order.index(item.rule)) for verdict, item in found],
        "properties": {"passed": gate.passed, "catalogVersion": gate.catalog_version},
    }
    return json_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(verdict: Verdict, item: Ruling, index: int) -> dict[str, Any]:
    place = item.place
    region = {"region": {"startLine": place.line}} if place and place.line else {"region": {"startLine": 1}}
    nearest = f" It would hold with {' or '.join(item.nearest)}." if item.nearest else ""
    return {
        "ruleId": item.rule,
        "ruleIndex": index,
        "level": _LEVELS[item.level],
        "message": {"text": _plain(f"{verdict.model}: {item.message}.{nearest}")},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {
                        "uri": _uri(place.file) if place else quote(verdict.model, errors="backslashreplace")
                    },
                    **region,
                },
                "logicalLocations": [{"fullyQualifiedName": _plain(verdict.model), "kind": "resource"}],
            }
        ],
        # The same finding on the same model stays one alert, whatever its numbers.
        "partialFingerprints": {"modelAndRule/v1": _digits(verdict.model, item.rule)},
        "properties": {
            "model": verdict.model,
            "needed": item.needed,
            "available": item.available,
            "nearest": list(item.nearest),
        },
    }


def _uri(file: str) -> str:
    """A path as a URI reference: relative ones stay so, which is how a page finds them in the repository."""
    path = PurePath(file)
    quoted = quote(path.as_posix(), safe="/:" if path.drive else "/", errors="backslashreplace")
    return f"file://{'/' * bool(path.drive)}{quoted}" if path.is_absolute() else quoted


def _plain(text: str) -> str:
    """A plain text message: no control characters, and brackets that make no link (SARIF 3.11.6) or place (3.11.5)."""
    shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    for mark in "\\[]":
        shown = shown.replace(mark, f"\\{mark}")
    return shown.replace("{", "{{").replace("}", "}}")


def _digits(*told: str) -> str:
    return hashlib.sha256("\n".join(told).encode("utf-8", "backslashreplace")).hexdigest()[:32]
