"""Options that several verbs share, and how their words are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, TypeVar, cast, get_args

import typer

from qwen_advisor.cli import preferences
from qwen_advisor.errors import UsageError

Format = Literal["table", "json", "yaml", "csv", "markdown", "id", "env"]
FORMATS: tuple[Format, ...] = get_args(Format)

FormatOption = Annotated[
    Format | None, typer.Option("--format", help="How the answer is written; a table if not said.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="One line, the winner's repository; no hints, no warnings.")
]
CatalogExtraOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--catalog-extra",
        metavar="DIR",
        help="A directory of your own catalogue entries; each adds one or replaces one whole. Repeatable.",
        show_default=False,
    ),
]

T = TypeVar("T")


def read(option: str, parse: Callable[[str], T], text: str | None) -> T | None:
    """Parse the text given for ``option``; ``None`` where it was not given.

    Raises:
        UsageError: what ``parse`` says, with the option's name in front.
    """
    if text is None:
        return None
    try:
        return parse(text)
    except UsageError as error:
        raise UsageError(f"{option}: {error.message}", hint=error.hint, suggestions=error.suggestions) from None


def chosen_format(
    given: Format | None, *, as_json: bool = False, quiet: bool = False, allowed: tuple[Format, ...] = FORMATS
) -> Format:
    """The one format that ``--format``, ``--json`` and ``--quiet`` agree on.

    Raises:
        UsageError: they contradict each other, or the format says nothing about this answer.
    """
    wishes = [wish for wish in (given, "json" if as_json else None, "id" if quiet else None) if wish is not None]
    wish = wishes[0] if wishes else cast("Format", preferences.default_format(allowed))
    if len(set(wishes)) > 1:
        flags = [f"--format {given}"] * (given is not None) + ["--json"] * as_json + ["--quiet"] * quiet
        raise UsageError(f"{' and '.join(flags)} contradict each other", hint="give one of them")
    if wish not in allowed:
        raise UsageError(f"--format {wish} cannot hold this answer", hint=f"choose one of {', '.join(allowed)}")
    return wish
