"""``qwen-advisor estimate``: memory by part and speed of one model at one setting."""

from __future__ import annotations

from typing import Annotated

import typer

from qwen_advisor import api
from qwen_advisor.advice import Estimate
from qwen_advisor.cli import completion, talk
from qwen_advisor.cli.account import Account, VerboseOption
from qwen_advisor.cli.machine_options import (
    CpuCoresOption,
    DeviceOption,
    GpuBandwidthOption,
    GpuOption,
    GpusPerNodeOption,
    HardwareOption,
    InterconnectOption,
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
from qwen_advisor.plan import KvType
from qwen_advisor.render import estimate as render
from qwen_advisor.units import parse_tokens

EPILOG = """\b
Examples:
  qwen-advisor estimate Qwen3-8B --ram 16G --context 32k
  qwen-advisor estimate qwen3:30b --gpu "RTX 4090" --kv-type q8_0 --json
"""

_BATCH, _UBATCH = 2048, 512  # llama-server's own
_PROMPT, _OUTPUT = 512, 128


def estimate(
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
            help="Quantization; Q4_K_M, or what the engine has nearest to it, if not said.",
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(metavar="NAME", autocompletion=completion.engines, help="Engine.")
    ] = "llama.cpp",
    context: Annotated[
        str | None,
        typer.Option(metavar="TOKENS", help="Context in the engine's own terms; the model's own if not said."),
    ] = None,
    parallel: Annotated[int, typer.Option(metavar="N", min=1, help="Slots, or requests at once.")] = 1,
    kv_type: Annotated[KvType, typer.Option(case_sensitive=False, help="Type of the KV cache.")] = "f16",
    flash_attn: Annotated[
        bool | None,
        typer.Option("--flash-attn/--no-flash-attn", help="Flash attention; the engine decides if not said."),
    ] = None,
    gpu_layers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="llama.cpp's -ngl: layers on accelerators, the head counted as one; as many as fit if not said.",
        ),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(metavar="N", min=1, help=f"Logical batch in tokens; {_BATCH} if not said.")
    ] = None,
    ubatch: Annotated[
        int | None, typer.Option(metavar="N", min=1, help=f"Physical batch in tokens; {_UBATCH} if not said.")
    ] = None,
    prompt_tokens: Annotated[
        str | None, typer.Option(metavar="N", help=f"Length of the prompt; {_PROMPT} if not said.")
    ] = None,
    output_tokens: Annotated[
        str | None, typer.Option(metavar="N", help=f"Length of the answer; {_OUTPUT} if not said.")
    ] = None,
    ram: RamOption = None,
    vram: VramOption = None,
    gpu: GpuOption = None,
    device: DeviceOption = None,
    cpu_cores: CpuCoresOption = None,
    hardware: HardwareOption = None,
    nodes: NodesOption = 1,
    gpus_per_node: GpusPerNodeOption = None,
    interconnect: InterconnectOption = None,
    gpu_bandwidth: GpuBandwidthOption = None,
    ram_bandwidth: RamBandwidthOption = None,
    reserve: ReserveOption = None,
    catalog_extra: CatalogExtraOption = None,
    format_given: FormatOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Memory by part, and speed, of one model at one setting on a machine, whether it fits or not."""
    form = chosen_format(format_given, as_json=as_json, quiet=quiet)
    _refuse_foreign_settings(
        engine,
        {"--flash-attn": flash_attn, "--gpu-layers": gpu_layers, "--batch": batch, "--ubatch": ubatch},
    )
    account = Account(wanted=verbose)
    catalog = api.load_catalog(catalog_extra or ())
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
        gpus_per_node=gpus_per_node,
        interconnect=interconnect,
        gpu_bandwidth=gpu_bandwidth,
        ram_bandwidth=ram_bandwidth,
        reserve=reserve,
    )
    account.machine(machine)
    answer = api.estimate(
        model,
        machine=machine,
        catalog=catalog,
        quantization=quant,
        engine=engine,
        context=read("--context", parse_tokens, context),
        parallel=parallel,
        kv_type=kv_type,
        flash_attention=flash_attn,
        gpu_layers=gpu_layers,
        batch=batch or _BATCH,
        ubatch=ubatch or _UBATCH,
        prompt_tokens=read("--prompt-tokens", parse_tokens, prompt_tokens) or _PROMPT,
        output_tokens=read("--output-tokens", parse_tokens, output_tokens) or _OUTPUT,
        calibration=calibration_for(machine, catalog, hardware=hardware),
    )
    account.say(f"{answer.checkpoint.id} in {answer.format} laid out, {len(answer.memory.parts)} parts of memory")
    if not quiet:
        for note in answer.notes:
            talk.warn(note)
    emit(_text(answer, form), form)


def _text(answer: Estimate, form: Format) -> str:
    match form:
        case "table":
            from qwen_advisor.render.paint import paint  # noqa: PLC0415  only tables pay for it

            return paint(render.report(answer), look())
        case "markdown":
            from qwen_advisor.render.markdown import markdown  # noqa: PLC0415

            return markdown(render.report(answer))
        case "json" | "yaml":
            from qwen_advisor.render.data import document_text  # noqa: PLC0415
            from qwen_advisor.render.documents import estimate_document  # noqa: PLC0415

            return document_text(estimate_document(answer), form)
        case "csv":
            return render.csv(answer)
        case "id":
            return render.identifier(answer)
        case "env":
            return render.environment(answer)


def _refuse_foreign_settings(engine: str, given: dict[str, object | None]) -> None:
    """These options set what only llama.cpp lets its user set."""
    said = [option for option, value in given.items() if value is not None]
    if said and engine.lower() != "llama.cpp":
        raise UsageError(
            f"{', '.join(said)} cannot be set for {engine}", hint="leave it out, or estimate with --engine llama.cpp"
        )
