"""Documents and rows as text that a program reads: JSON, YAML, CSV, Markdown tables, shell variables."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from qwen_advisor.advice import Plan
from qwen_advisor.errors import UsageError

Cell = str | int | float | bool | None
_ENTITY = re.compile(r"&(?=#?\w+;)")


def document_text(document: Mapping[str, Any], form: Literal["json", "yaml"]) -> str:
    """The document in one of the two formats that hold all of it."""
    return json_text(document) if form == "json" else yaml_text(document)


def json_text(document: Mapping[str, Any]) -> str:
    """The document as indented JSON, keys in their own order."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        # A byte of the command line that is no UTF-8 comes as half a surrogate pair, which only an escape can hold.
        text = json.dumps(document, indent=2, allow_nan=False)
    return text + "\n"


def yaml_text(document: Mapping[str, Any]) -> str:
    """The document as YAML, keys in their own order."""
    import yaml  # noqa: PLC0415  only this format pays for it

    # By way of JSON, so that tuples and shared references become plain lists and mappings without anchors.
    plain = json.loads(json.dumps(document, allow_nan=False))
    return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=10_000))


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Rows under a header, as RFC 4180 has it but with plain newlines; what is not known is an empty field."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return out.getvalue()


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[Cell]], *, right: Iterable[int] = ()) -> str:
    """A table of GitHub's Markdown; the columns ``right`` are aligned to the right."""
    numbers = frozenset(right)
    rule = ["---:" if i in numbers else "---" for i in range(len(header))]
    lines = [list(header), rule, *([_escape(_plain(cell)) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def env_text(variables: Mapping[str, str]) -> str:
    """``NAME=value`` lines that a shell may ``eval`` and that ``$GITHUB_ENV`` reads alike.

    Raises:
        UsageError: a value holds a control character, with which one line could smuggle in another.
    """
    for name, value in variables.items():
        if any(not char.isprintable() for char in value):
            raise UsageError(
                f"{name} would hold a control character: {value!r}",
                hint="correct the catalogue entry that it comes from, or ask for --json",
            )
    # An empty value needs no quotes in a shell, and $GITHUB_ENV would take them for the value.
    return "".join(f"{name}={shlex.quote(value) if value else ''}\n" for name, value in variables.items())


def variables(plan: Plan, context: int) -> str:
    """The plan as the shell variables that scripts rely on. Of a split file, the first part is the one to load."""
    artifact = plan.artifact
    return env_text(
        {
            "QWEN_ADVISOR_MODEL": plan.checkpoint.id,
            "QWEN_ADVISOR_QUANT": plan.format,
            "QWEN_ADVISOR_ENGINE": plan.settings.engine,
            "QWEN_ADVISOR_CONTEXT": str(context),
            "QWEN_ADVISOR_REPO": artifact.repo or "",
            "QWEN_ADVISOR_FILE": artifact.files[0] if artifact.files else "",
            "QWEN_ADVISOR_OLLAMA": artifact.ollama or "",
        }
    )


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell)


def one_line(text: str) -> str:
    """Text without what breaks a line, steers a terminal or turns its direction: shown as its code."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def markdown_text(text: str) -> str:
    """Text that stays text in Markdown: no tag, no entity, no link and no second line comes of it."""
    harmless = "".join(char if char.isprintable() else " " for char in text)
    return _ENTITY.sub("&amp;", harmless).replace("<", "&lt;").replace("](", "]\\(")


def _escape(text: str) -> str:
    return markdown_text(text.replace("\\", "\\\\").replace("|", "\\|"))
