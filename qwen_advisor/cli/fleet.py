"""``qwen-advisor fleet``: a pick for each machine of an inventory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from qwen_advisor import api
from qwen_advisor.cli import talk
from qwen_advisor.cli.options import (
    CatalogExtraOption,
    Format,
    FormatOption,
    JsonOption,
    chosen_format,
    read,
)
from qwen_advisor.cli.output import emit, look
from qwen_advisor.cli.progress import Progress
from qwen_advisor.cli.requirement_options import (
    ConcurrencyOption,
    ContextOption,
    EnginesOption,
    FamilyOption,
    LanguageOption,
    LicenseOption,
    MaxDownloadOption,
    MinSpeedOption,
    OutputTokensOption,
    PromptTokensOption,
    QuantizationsOption,
    ReleasedAfterOption,
    TaskOption,
    ToolsOption,
)
from qwen_advisor.errors import NothingFits, UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.fleet import Answered, Fault, Summary, answers, read_inventory
from qwen_advisor.fleet.answering import Crew
from qwen_advisor.render import fleet as render
from qwen_advisor.requirements import resolve
from qwen_advisor.task import Prefer, Requirements, ThinkingChoice
from qwen_advisor.units import parse_size, parse_tokens

EPILOG = """\b
Examples:
  qwen-advisor fleet machines.csv --task code
  qwen-advisor fleet machines.yaml --task agent --tools --format csv > picks.csv

An inventory has the columns name, ram, vram, gpu, device, cpu_cores, nodes, gpu_bandwidth, ram_bandwidth,
reserve, hardware (a profile beside the inventory), as far as they are needed; gpu may name several, with
";" between them. Exit code 0 if one machine has a pick at least, 3 if none has.
"""

_FORMATS: tuple[Format, ...] = ("table", "json", "yaml", "csv", "markdown")
_NAMED = 20  # rows at fault that are named on stderr
_INTERRUPTED = 130


def fleet(
    *,
    inventory: Annotated[Path, typer.Argument(metavar="INVENTORY", help="CSV or YAML file of machines.")],
    task: TaskOption = "chat",
    context: ContextOption = None,
    prompt_tokens: PromptTokensOption = None,
    output_tokens: OutputTokensOption = None,
    concurrency: ConcurrencyOption = 1,
    min_speed: MinSpeedOption = None,
    engine: EnginesOption = None,
    quant: QuantizationsOption = None,
    license_wanted: LicenseOption = "any",
    language: LanguageOption = None,
    thinking: Annotated[
        ThinkingChoice, typer.Option(case_sensitive=False, help="Whether the model thinks before it answers.")
    ] = "auto",
    tools: ToolsOption = False,
    max_download: MaxDownloadOption = None,
    family: FamilyOption = None,
    released_after: ReleasedAfterOption = None,
    prefer: Annotated[Prefer, typer.Option(case_sensitive=False, help="What to lean towards.")] = "balanced",
    jobs: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=1024, help="Processes; one per core if not said.")
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Answer on this Ray cluster: auto, local or HOST:PORT (extra [ray])."),
    ] = None,
    catalog_extra: CatalogExtraOption = None,
    format_given: FormatOption = None,
    as_json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no warnings.")] = False,
) -> None:
    """Which model, quantization, engine and settings for each machine of an inventory, with a summary.

    A row that describes no machine is reported, and the others are answered.
    """
    form = chosen_format(format_given, as_json=as_json, allowed=_FORMATS)
    if ray is not None and (jobs is not None or catalog_extra):
        other = "--jobs" if jobs is not None else "--catalog-extra"
        raise UsageError(f"--ray and {other} exclude each other", hint="a cluster has its own workers and catalogue")
    catalog = api.load_catalog(catalog_extra or ())
    requirements = resolve(
        catalog,
        task=task,
        context=read("--context", parse_tokens, context),
        prompt_tokens=read("--prompt-tokens", parse_tokens, prompt_tokens),
        output_tokens=read("--output-tokens", parse_tokens, output_tokens),
        concurrency=concurrency,
        min_speed=min_speed,
        engines=engine or (),
        quantizations=quant or (),
        license=license_wanted,
        language=language,
        thinking=thinking,
        tools=tools,
        max_download=read("--max-download", parse_size, max_download),
        family=family,
        released_after=released_after,
        prefer=prefer,
        top=1,
    )
    found = read_inventory(inventory)
    if found.unknown and not quiet:
        talk.warn(f"{inventory}: not understood and passed over: {', '.join(found.unknown)}")
    told = _Told(Progress(quiet=quiet), quiet=quiet)
    with _crew(catalog, requirements, ray=ray, jobs=jobs, extra=tuple(catalog_extra or ())) as crew:
        _write(told.following(answers(found.rows, crew)), told, form, catalog, requirements)
    summary = told.summary
    if not quiet:
        _tell(summary, left_out=told.left_out)
    if told.interrupted:
        raise typer.Exit(_INTERRUPTED)
    if not summary.answered:
        talk.fail("no machine of the inventory has a pick", hint="ask for less, or look at the messages above")
        raise typer.Exit(NothingFits.exit_code)


class _Told:
    """Counts answers on their way, shows progress, names rows at fault, and ends quietly when interrupted."""

    def __init__(self, progress: Progress, *, quiet: bool) -> None:
        self.summary = Summary()
        self.interrupted = False
        self.left_out = 0
        self._progress = progress
        self._quiet = quiet

    def following(self, answered: Iterator[Answered]) -> Iterator[Answered]:
        try:
            for item in answered:
                self.summary.add(item)
                if isinstance(item.answer, Fault):
                    self._fault(item, item.answer)
                if not self.summary.machines % 64:
                    self._progress(f"machines: {self.summary.machines:,} answered")
                yield item
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            self._progress.end()

    def _fault(self, item: Answered, fault: Fault) -> None:
        if self._quiet:
            return
        if self.summary.faults > _NAMED:
            self.left_out += 1
            return
        self._progress.end()
        who = f" ({item.name})" if item.name and item.name != f"line {item.line}" else ""
        talk.warn(f"line {item.line}{who}: {fault.message}" + (f"; {fault.hint}" if fault.hint else ""))


@contextmanager
def _crew(
    catalog: Catalog, requirements: Requirements, *, ray: str | None, jobs: int | None, extra: tuple[Path, ...]
) -> Iterator[Crew]:
    if ray is not None:
        from qwen_advisor.fleet.cluster import ray_crew  # noqa: PLC0415  an extra

        with ray_crew(ray, requirements) as crew:
            yield crew
        return
    from qwen_advisor.fleet.local import local_crew  # noqa: PLC0415  a cluster does not need it

    with local_crew(catalog, requirements, extra=extra, jobs=jobs) as crew:
        yield crew


def _write(
    answered: Iterator[Answered], told: _Told, form: Format, catalog: Catalog, requirements: Requirements
) -> None:
    """Formats for programs row by row, so that nothing is kept and nothing waits; a report at the end."""
    rows: render.JsonRows | render.YamlRows | render.CsvRows
    match form:
        case "json":
            rows = render.JsonRows(catalog, requirements)
        case "yaml":
            rows = render.YamlRows(catalog, requirements)
        case "csv":
            rows = render.CsvRows()
        case _:
            shown = look()
            every = list(answered)
            page = render.report(
                every, told.summary, complete=not told.interrupted, full_names=form == "table" and shown.width is None
            )
            if form == "markdown":
                from qwen_advisor.render.markdown import markdown  # noqa: PLC0415

                emit(markdown(page), form)
                return
            from qwen_advisor.render.paint import paint  # noqa: PLC0415  only tables pay for it

            emit(paint(page, shown))
            return
    emit(rows.head(), form)
    for item in answered:
        emit(rows.row(item), form)
    emit(rows.tail(told.summary, complete=not told.interrupted), form)


def _tell(summary: Summary, *, left_out: int) -> None:
    if left_out:
        talk.warn(f"and {left_out:,} more rows at fault")
    without = [f"{summary.nothing:,} with nothing that fits"] * bool(summary.nothing)
    without += [f"{summary.faults:,} at fault"] * bool(summary.faults)
    if without:
        talk.warn(f"{summary.answered:,} of {summary.machines:,} machines have a pick; {', '.join(without)}")
