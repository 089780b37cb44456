"""``qwen-advisor report``: the answer of ``recommend`` as a page of HTML, or its charts as SVG."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from qwen_advisor import api
from qwen_advisor.advice import Advice
from qwen_advisor.cli import talk
from qwen_advisor.cli.machine_options import (
    CpuCoresOption,
    DeviceOption,
    GpuBandwidthOption,
    GpuOption,
    HardwareOption,
    NodesOption,
    RamBandwidthOption,
    RamOption,
    ReserveOption,
    VramOption,
    calibration_for,
    machine_from_options,
)
from qwen_advisor.cli.options import CatalogExtraOption, read
from qwen_advisor.cli.output import emit
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
from qwen_advisor.files import replace_file
from qwen_advisor.render import recommend as render
from qwen_advisor.requirements import resolve
from qwen_advisor.task import Prefer, ThinkingChoice
from qwen_advisor.units import parse_size, parse_tokens

EPILOG = """\b
Examples:
  qwen-advisor report --task code --ram 16G -o report.html
  qwen-advisor report --gpu "RTX 4090" -o frontier.svg
"""

Written = Literal["html", "svg"]
_ENDINGS: dict[str, Written] = {".html": "html", ".htm": "html", ".svg": "svg"}
_STDOUT = Path("-")


def report(
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write; its ending says what. - is stdout."),
    ] = None,
    form_given: Annotated[
        Written | None,
        typer.Option(
            "--format",
            case_sensitive=False,
            help="A page, or the charts alone; html if nothing says.",
            show_default=False,
        ),
    ] = None,
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
    installed: Annotated[
        bool, typer.Option("--installed", help="Only models whose files are on this disk already.")
    ] = False,
    family: FamilyOption = None,
    released_after: ReleasedAfterOption = None,
    prefer: Annotated[Prefer, typer.Option(case_sensitive=False, help="What to lean towards.")] = "balanced",
    top: Annotated[int, typer.Option(metavar="N", min=1, help="How many answers.")] = 5,
    ram: RamOption = None,
    vram: VramOption = None,
    gpu: GpuOption = None,
    device: DeviceOption = None,
    cpu_cores: CpuCoresOption = None,
    hardware: HardwareOption = None,
    nodes: NodesOption = 1,
    gpu_bandwidth: GpuBandwidthOption = None,
    ram_bandwidth: RamBandwidthOption = None,
    reserve: ReserveOption = None,
    catalog_extra: CatalogExtraOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No hints and no warnings.")] = False,
) -> None:
    """The answer of recommend as one page that needs no network, or its charts as a picture.

    Without an option that describes a machine, this one is looked at.
    """
    form = _form(output, form_given)
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
        installed=installed,
        family=family,
        released_after=released_after,
        prefer=prefer,
        top=top,
    )
    machine = machine_from_options(
        catalog,
        ram=ram,
        vram=vram,
        gpu=gpu,
        device=device,
        cpu_cores=cpu_cores,
        hardware=hardware,
        nodes=nodes,
        gpu_bandwidth=gpu_bandwidth,
        ram_bandwidth=ram_bandwidth,
        reserve=reserve,
    )
    if installed or (hardware is None and not machine.described):
        machine = api.with_downloads(machine)
    advice = api.recommend(
        requirements,
        machine=machine,
        catalog=catalog,
        explain=True,
        calibration=calibration_for(machine, catalog, hardware=hardware),
    )
    if not quiet:
        for note in advice.notes:
            talk.warn(note)
    _write(_text(advice, form), output, form, quiet=quiet)
    if not advice.recommendations:
        nothing = render.nothing(advice)
        talk.fail(nothing.message, hint=nothing.hint)
        raise typer.Exit(NothingFits.exit_code)


def _form(output: Path | None, given: Written | None) -> Written:
    """What is written, by ``--format`` or by the file's ending.

    Raises:
        UsageError: the two contradict each other, nothing says, or a page would land in a terminal.
    """
    if output is None or output == _STDOUT:
        if output is None and sys.stdout is not None and sys.stdout.isatty():
            raise UsageError("a page is no use in a terminal", hint="name a file: -o report.html, or -o frontier.svg")
        return given or "html"
    ending = _ENDINGS.get(output.suffix.lower())
    if ending is None and given is None:
        raise UsageError(f"{output} does not say what it is to be", hint="end it in .html or .svg, or give --format")
    if ending is not None and given is not None and ending != given:
        raise UsageError(f"--format {given} and {output} contradict each other", hint="give one of them")
    if output.exists() and not output.is_file():
        # Putting a file in the place of a device, such as /dev/null, would break the system for everybody.
        raise UsageError(f"{output} is no ordinary file", hint="name a file, or - for stdout")
    return given or ending or "html"


def _text(advice: Advice, form: Written) -> str:
    if form == "svg":
        from qwen_advisor.render.chart import drawing  # noqa: PLC0415  only pictures pay for it

        return drawing(advice, render.headline(advice))
    from qwen_advisor.render.page import page  # noqa: PLC0415  only pages pay for it

    return page(advice)


def _write(text: str, output: Path | None, form: Written, *, quiet: bool) -> None:
    if output is None or output == _STDOUT:
        emit(text, form)
        return
    replace_file(output, text)
    if not quiet:
        talk.hint(f"wrote {output}: {len(text.encode()) / 1000:,.0f} kB")
