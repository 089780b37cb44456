"""``qwen-advisor pull``: the files of a recommendation onto this disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from qwen_advisor import api
from qwen_advisor.cli import completion, talk
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
from qwen_advisor.errors import UsageError
from qwen_advisor.names import resolve_model
from qwen_advisor.units import parse_tokens

if TYPE_CHECKING:
    from qwen_advisor.cli.pull_choice import Choice
    from qwen_advisor.render.hub_shapes import PullDocument

EPILOG = """\b
Examples:
  qwen-advisor pull Qwen3-8B --quant Q4_K_M
  qwen-advisor pull qwen3:30b --task code --dry-run
  qwen-advisor pull Qwen3-VL-8B-Instruct --engine vllm --to /models/qwen3-vl
"""


def pull(
    *,
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            autocompletion=completion.models,
            help="Repository (Qwen/Qwen3-8B), short form (Qwen3-8B) or Ollama tag (qwen3:8b), in any case.",
        ),
    ],
    quant: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completion.quantizations,
            help="Quantization; the one that this machine runs best if not said.",
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completion.engines,
            help="Engine that is to run it; ollama fetches through the program of that name.",
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completion.tasks,
            help="What it is for; a task of text alone leaves the projector out.",
        ),
    ] = None,
    context: Annotated[
        str | None,
        typer.Option(metavar="TOKENS", help="Context that must fit, where the quantization is chosen by the machine."),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="DIR", help="Folder to put the files into; the Hugging Face cache if not said."),
    ] = None,
    source: Annotated[
        Literal["huggingface", "modelscope"],
        typer.Option(case_sensitive=False, help="Where to fetch from; files of ModelScope need --to."),
    ] = "huggingface",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which files are meant and which are here; fetch nothing.")
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
    quiet: QuietOption = False,
) -> None:
    """Fetch the files of a model: resumed where they broke off, checked, and never fetched twice.

    It uses the network. Without --quant the quantization is the one that `recommend` names for this machine, or for
    the one that is described.
    """
    from qwen_advisor.cli.pull_choice import choose_by_machine, choose_by_name  # noqa: PLC0415  completion needs none
    from qwen_advisor.cli.pull_work import pulled  # noqa: PLC0415

    form = chosen_format(format_given, as_json=as_json, quiet=quiet)
    catalog = api.load_catalog(catalog_extra or ())
    checkpoint = resolve_model(catalog, model)
    tokens = read("--context", parse_tokens, context)
    if quant is not None:
        described: dict[str, object] = {
            "--ram": ram,
            "--vram": vram,
            "--gpu": gpu,
            "--device": device,
            "--cpu-cores": cpu_cores,
            "--hardware": hardware,
            "--gpu-bandwidth": gpu_bandwidth,
            "--ram-bandwidth": ram_bandwidth,
            "--reserve": reserve,
            "--context": context,
        }
        said = [option for option, value in described.items() if value] + ["--nodes"] * (nodes > 1)
        if said and not quiet:
            talk.warn(f"{', '.join(said)}: --quant names the files already, so this changes nothing")
        choice = choose_by_name(catalog, checkpoint, quantization=quant, engine=engine, task=task)
    else:
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
        choice = choose_by_machine(
            catalog,
            checkpoint,
            machine,
            engine=engine,
            task=task,
            context=tokens,
            calibration=calibration_for(machine, catalog, hardware=hardware),
        )
    _refuse_contradictions(choice, to, source)
    answer = pulled(choice, folder=to, source=source, dry_run=dry_run, quiet=quiet)
    if not quiet:
        for note in answer["notes"]:
            talk.warn(note)
    emit(_text(answer, form), form)


def _refuse_contradictions(choice: Choice, to: Path | None, source: str) -> None:
    if choice.tag is not None and (to is not None or source != "huggingface"):
        option = "--to" if to is not None else "--source"
        raise UsageError(
            f"{option} says nothing to Ollama, which fetches {choice.tag} into its own store",
            hint="leave it out, or name another --engine",
        )


def _text(answer: PullDocument, form: Format) -> str:
    from qwen_advisor.render import pull as render  # noqa: PLC0415

    match form:
        case "table":
            from qwen_advisor.render.paint import paint  # noqa: PLC0415  only tables pay for it

            return paint(render.report(answer), look())
        case "markdown":
            from qwen_advisor.render.markdown import markdown  # noqa: PLC0415

            return markdown(render.report(answer))
        case "json" | "yaml":
            from qwen_advisor.render.data import document_text  # noqa: PLC0415

            return document_text(answer, form)
        case "csv":
            return render.csv(answer)
        case "id":
            return render.identifier(answer)
        case "env":
            return render.environment(answer)
