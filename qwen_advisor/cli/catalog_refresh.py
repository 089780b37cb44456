"""``qwen-advisor catalog refresh``: the catalogue held against the Hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qwen_advisor.catalog import config_directory, load_catalog
from qwen_advisor.cli import completion, talk
from qwen_advisor.cli.options import (
    CatalogExtraOption,
    Format,
    FormatOption,
    JsonOption,
    QuietOption,
    chosen_format,
)
from qwen_advisor.cli.output import emit, look
from qwen_advisor.cli.progress import Progress
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.names import resolve_model

if TYPE_CHECKING:
    from qwen_advisor.render.hub_shapes import CatalogRefreshDocument

_FORMS: tuple[Format, ...] = ("table", "json", "yaml", "csv", "markdown", "id")


def refresh(
    *,
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL]...",
            autocompletion=completion.models,
            help="Read these alone, in depth: models of the catalogue, or any repository on the Hub by OWNER/NAME.",
            show_default=False,
        ),
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write what is new into your own entries, marked unverified.")
    ] = False,
    catalog_extra: CatalogExtraOption = None,
    format_given: FormatOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Ask the Hub which official models are new, changed, moved or gone, and propose entries for the new ones.

    It uses the network. It reads config.json and the headers of weight files, never the weights. What --write adds is
    used from then on; it stands in the catalog folder of the config directory.
    """
    form = chosen_format(format_given, as_json=as_json, quiet=quiet, allowed=_FORMS)
    catalog = load_catalog(extra=catalog_extra or ())
    from qwen_advisor.hub import huggingface  # noqa: PLC0415  the other verbs of catalog use no network
    from qwen_advisor.hub.refresh import refresh as ask  # noqa: PLC0415
    from qwen_advisor.render import refresh as render  # noqa: PLC0415

    progress = Progress(quiet=quiet)
    try:
        found = ask(catalog, [_named(catalog, name) for name in models or ()], progress)
    finally:
        progress.end()
    notes = list(found.notes)
    written: list[Path] = []
    if write:
        from qwen_advisor.hub.overlay import write as write_entries  # noqa: PLC0415

        written, left_out = write_entries(catalog, found.proposals, config_directory() / "catalog")
        notes += left_out
    answer = render.document(catalog, found, huggingface.endpoint(), written, notes)
    if not quiet:
        for note in notes:
            talk.warn(note)
        if found.proposals and not write:
            talk.hint("add what is new to your own entries: qwen-advisor catalog refresh --write")
    emit(render.identifiers(found.changes) if form == "id" else _text(answer, form), form)


def _named(catalog: Catalog, name: str) -> str:
    """The repository that is meant; one that the catalogue lacks has to be named in full."""
    try:
        return resolve_model(catalog, name).id
    except UsageError:
        if name.count("/") == 1:
            return name
        raise


def _text(answer: CatalogRefreshDocument, form: Format) -> str:
    from qwen_advisor.render import refresh as render  # noqa: PLC0415

    match form:
        case "json" | "yaml":
            from qwen_advisor.render.data import document_text  # noqa: PLC0415

            return document_text(answer, form)
        case "csv":
            return render.csv(answer)
        case "markdown":
            from qwen_advisor.render.markdown import markdown  # noqa: PLC0415

            return markdown(render.report(answer))
        case _:
            from qwen_advisor.render.paint import paint  # noqa: PLC0415

            return paint(render.report(answer), look())
