"""``qwen-advisor inspect-hardware``: what a machine is, as the advisor sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qwen_advisor.catalog import load_catalog
from qwen_advisor.cli import talk
from qwen_advisor.cli.account import Account, VerboseOption
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
    machine_from_options,
)
from qwen_advisor.cli.options import CatalogExtraOption, Format, FormatOption, JsonOption, chosen_format
from qwen_advisor.cli.output import emit, look
from qwen_advisor.errors import UsageError
from qwen_advisor.machine import Machine
from qwen_advisor.profiles.files import write_profile
from qwen_advisor.render import hardware as render

EPILOG = """\b
Examples:
  qwen-advisor inspect-hardware
  qwen-advisor inspect-hardware --measure --save laptop.yaml
  qwen-advisor inspect-hardware --device "MacBook Pro M3 Max 64GB" --json
"""

_FORMATS: tuple[Format, ...] = ("table", "json", "yaml", "csv", "markdown", "id")


def inspect_hardware(
    *,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a profile that --hardware FILE reads back; JSON by .json, else YAML."),
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Print the raw evidence, for a bug report or for --hardware FILE.")
    ] = False,
    measure: Annotated[
        bool, typer.Option("--measure", help="Read main memory for about a second to measure its bandwidth.")
    ] = False,
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
    format_given: FormatOption = None,
    as_json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="One line, what counts for models; no hints.")] = False,
    verbose: VerboseOption = False,
) -> None:
    """What this machine is, as the advisor sees it: memory, bandwidth, what is usable and why.

    With an option that describes a machine, that machine is shown instead, and nothing of this one is read.
    """
    described = any(value is not None for value in (ram, vram, gpu, device, hardware))
    if described and (raw or measure):
        wish = "--raw" if raw else "--measure"
        raise UsageError(f"{wish} looks at this machine, the other options at another", hint="give one or the other")
    if raw:
        _print_evidence(measure=measure, save=save, others=as_json or quiet or format_given is not None)
        return
    form = chosen_format(format_given, as_json=as_json, quiet=quiet, allowed=_FORMATS)
    account = Account(wanted=verbose)
    catalog = load_catalog(extra=tuple(catalog_extra or ()))
    account.catalog(catalog)
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
        measure=measure,
    )
    account.machine(machine)
    if save is not None:
        write_profile(machine, save)
        if not quiet:
            talk.hint(f"the profile is read back by: qwen-advisor recommend --hardware {save}")
    emit(_text(machine, form), form)


def _print_evidence(*, measure: bool, save: Path | None, others: bool) -> None:
    if save is not None or others:
        raise UsageError(
            "--raw has a form of its own", hint="redirect it: qwen-advisor inspect-hardware --raw > evidence.yaml"
        )
    from qwen_advisor.probes import look as evidence  # noqa: PLC0415  only --raw needs it apart from the machine
    from qwen_advisor.probes.evidence import to_text  # noqa: PLC0415

    emit(to_text(evidence(measure=measure)))


def _text(machine: Machine, form: Format) -> str:
    match form:
        case "json" | "yaml":
            from qwen_advisor.render.data import document_text  # noqa: PLC0415

            return document_text(render.machine_json(machine), form)
        case "csv":
            return render.csv(machine)
        case "markdown":
            from qwen_advisor.render.markdown import markdown  # noqa: PLC0415

            return markdown(render.report(machine))
        case "id":
            from qwen_advisor.render import words  # noqa: PLC0415

            return f"{words.machine(machine)}\n"
        case _:
            from qwen_advisor.render.paint import paint  # noqa: PLC0415  only tables pay for it

            return paint(render.report(machine), look())
