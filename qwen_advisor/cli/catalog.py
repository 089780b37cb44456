"""``qwen-advisor catalog``: what the advisor knows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from qwen_advisor.catalog import load_catalog, published_schemas
from qwen_advisor.cli import completion, talk
from qwen_advisor.cli.catalog_refresh import refresh
from qwen_advisor.cli.options import (
    CatalogExtraOption,
    Format,
    FormatOption,
    JsonOption,
    QuietOption,
    chosen_format,
    read,
)
from qwen_advisor.cli.output import emit, look
from qwen_advisor.downloads import quantizations
from qwen_advisor.errors import CatalogError, NothingFits, UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.model import Checkpoint
from qwen_advisor.names import closest, resolve_model
from qwen_advisor.render import catalog as render
from qwen_advisor.render.data import document_text
from qwen_advisor.render.report import Report

catalog_app = typer.Typer(
    help="The catalogue: every official open-weight checkpoint and what is known about it.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

_LISTS: tuple[Format, ...] = ("table", "json", "yaml", "csv", "markdown", "id")


@catalog_app.command("list")
def list_(
    *,
    task: Annotated[
        str | None,
        typer.Option(metavar="NAME", autocompletion=completion.tasks, help="Only models that answer this task."),
    ] = None,
    family: Annotated[
        str | None,
        typer.Option(metavar="NAME", autocompletion=completion.families, help="Only models of this family."),
    ] = None,
    license_wanted: Annotated[
        str, typer.Option("--license", metavar="permissive|any|SPDX", help="Only models under such a license.")
    ] = "any",
    min_size: Annotated[
        str | None, typer.Option(metavar="PARAMETERS", help="Fewest parameters, such as 4B or 500M.")
    ] = None,
    max_size: Annotated[str | None, typer.Option(metavar="PARAMETERS", help="Most parameters, such as 14B.")] = None,
    released_after: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only models released after this day, such as 2025-07-31.")
    ] = None,
    released_before: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only models released before this day.")
    ] = None,
    catalog_extra: CatalogExtraOption = None,
    format_given: FormatOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """List models, the newest first."""
    from qwen_advisor.listing import listed, parse_parameters  # noqa: PLC0415  judges, which other verbs need not
    from qwen_advisor.requirements import resolve  # noqa: PLC0415

    form = chosen_format(format_given, as_json=as_json, quiet=quiet, allowed=_LISTS)
    catalog = load_catalog(extra=catalog_extra or ())
    requirements = resolve(
        catalog, task=task or "chat", family=family, license=license_wanted, released_after=released_after
    )
    before = read("--released-before", lambda day: resolve(catalog, released_after=day), released_before)
    models = listed(
        catalog,
        requirements,
        by_task=task is not None,
        least=read("--min-size", parse_parameters, min_size),
        most=read("--max-size", parse_parameters, max_size),
        released_before=before.released_after if before else None,
    )
    _emit_list(catalog, models, form, nothing="no model of the catalogue meets all of this")


@catalog_app.command("search")
def search_(
    *,
    text: Annotated[
        list[str], typer.Argument(metavar="TEXT", help="Words that must all be said of a model, in any case.")
    ],
    catalog_extra: CatalogExtraOption = None,
    format_given: FormatOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Search names, tags, repositories, families, purposes, licenses and notes."""
    from qwen_advisor.listing import search  # noqa: PLC0415

    form = chosen_format(format_given, as_json=as_json, quiet=quiet, allowed=_LISTS)
    catalog = load_catalog(extra=catalog_extra or ())
    words = " ".join(text)
    _emit_list(catalog, search(catalog, words), form, nothing=f"nothing in the catalogue says {words!r}")


def _emit_list(catalog: Catalog, models: Sequence[Checkpoint], form: Format, *, nothing: str) -> None:
    match form:
        case "json" | "yaml":
            from qwen_advisor.render.catalog_documents import list_document  # noqa: PLC0415  only programs pay for it

            emit(document_text(list_document(catalog, models), form), form)
        case "csv":
            emit(render.list_csv(models), form)
        case "id":
            emit("".join(f"{model.id}\n" for model in models))
        case _ if models:
            emit(_report_text(render.list_report(catalog, models, narrow=form == "table" and look().narrow), form))
        case _:
            pass
    if not models:
        talk.fail(nothing, hint="see every model with: qwen-advisor catalog list")
        raise typer.Exit(NothingFits.exit_code)


@catalog_app.command("show")
def show(
    *,
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            autocompletion=completion.models,
            help="Repository (Qwen/Qwen3-8B), short form (Qwen3-8B) or Ollama tag (qwen3:8b), in any case.",
        ),
    ],
    catalog_extra: CatalogExtraOption = None,
    format_given: FormatOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show everything that is known about one model."""
    form = chosen_format(format_given, as_json=as_json, quiet=quiet, allowed=_LISTS)
    catalog = load_catalog(extra=catalog_extra or ())
    checkpoint = resolve_model(catalog, model)
    match form:
        case "json" | "yaml":
            from qwen_advisor.render.catalog_documents import show_document  # noqa: PLC0415  only programs pay for it

            emit(document_text(show_document(catalog, checkpoint, quantizations(catalog, checkpoint)), form), form)
        case "csv":
            emit(render.show_csv(catalog, checkpoint, quantizations(catalog, checkpoint)), form)
        case "id":
            emit(f"{checkpoint.id}\n")
        case _:
            emit(_report_text(render.show_report(catalog, checkpoint, quantizations(catalog, checkpoint)), form))


def _report_text(report: Report, form: Format) -> str:
    if form == "markdown":
        from qwen_advisor.render.markdown import markdown  # noqa: PLC0415

        return markdown(report)
    from qwen_advisor.render.paint import paint  # noqa: PLC0415  only tables pay for rich

    return paint(report, look())


@catalog_app.command("validate")
def validate_(
    *,
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="[PATH]",
            help="A whole catalogue, or one file of it; the advisor's own catalogue if not given.",
            show_default=False,
        ),
    ] = None,
    catalog_extra: CatalogExtraOption = None,
    format_given: FormatOption = None,
    as_json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing; the exit code says it.")] = False,
) -> None:
    """Check a catalogue and say every fault at once, each with its file and line.

    Your own entries (--catalog-extra, QWEN_ADVISOR_CATALOG_EXTRA, the config directory) are checked together with the
    catalogue that they extend.
    """
    from qwen_advisor.catalog.validation import faults_of, faults_of_own  # noqa: PLC0415  only this reads YAML

    form = chosen_format(format_given, as_json=as_json, allowed=("table", "json", "yaml", "csv", "markdown"))
    if quiet and (as_json or format_given is not None):
        raise UsageError("--quiet prints nothing, whatever the format", hint="leave one of them out")
    if path is not None:
        checked, faults = str(path), faults_of(path)
    else:
        directories, faults = faults_of_own(catalog_extra or ())
        checked = ", ".join(map(str, directories)) or "the catalogue that came with the program"
    match form:
        case "json" | "yaml":
            from qwen_advisor.render.catalog_documents import validate_document  # noqa: PLC0415

            emit(document_text(validate_document(checked, faults), form), form)
        case "csv":
            emit(render.faults_csv(faults), form)
        case "markdown":
            emit(_report_text(render.faults_report(checked, faults), form))
        case _ if not quiet:
            emit("".join(f"{fault}\n" for fault in faults) or f"no fault in {checked}\n")
        case _:
            pass
    if faults:
        talk.fail(f"{len(faults)} fault{'s' * (len(faults) != 1)} in {checked}")
        raise typer.Exit(CatalogError.exit_code)


@catalog_app.command("schema")
def schema(
    *,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="Which one, such as recommend-1; their names if not given.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Print the JSON Schema of an answer, or of one kind of catalogue file."""
    schemas = published_schemas()
    if name is None:
        emit("".join(f"{known}\n" for known in schemas))
        return
    wanted = name.lower().removesuffix(".json")
    if wanted not in schemas:
        raise UsageError(
            f"there is no schema {name!r}",
            hint="see their names with: qwen-advisor catalog schema",
            suggestions=closest(wanted, schemas),
        )
    emit(schemas[wanted].read_text("utf-8"), "json")


catalog_app.command("refresh")(refresh)
