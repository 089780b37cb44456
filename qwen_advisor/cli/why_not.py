"""``qwen-advisor why-not``: why a model is not the first answer."""

from __future__ import annotations

from typing import Annotated

import typer

from qwen_advisor import answers, api
from qwen_advisor.cli import completion, talk
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
from qwen_advisor.comparison import WhyNot
from qwen_advisor.render import why_not as render
from qwen_advisor.task import Prefer, ThinkingChoice
from qwen_advisor.units import parse_size, parse_tokens

EPILOG = """\b
Examples:
  qwen-advisor why-not Qwen3-8B --ram 16G
  qwen-advisor why-not Qwen3-Coder-480B-A35B-Instruct --task code --gpu "RTX 4090" --json
"""


def why_not(
    *,
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            autocompletion=completion.models,
            help="Repository (Qwen/Qwen3-8B), short form (Qwen3-8B) or Ollama tag (qwen3:8b), in any case.",
        ),
    ],
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
    verbose: VerboseOption = False,
) -> None:
    """Why a model is not the first answer of recommend, and the smallest changes that would let it in or put it first.

    Ask it with the options of the recommend call; without one that describes a machine, this one is looked at.
    """
    account = Account(wanted=verbose)
    form = chosen_format(format_given, as_json=as_json, quiet=quiet)
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
        gpu_bandwidth=gpu_bandwidth,
        ram_bandwidth=ram_bandwidth,
        reserve=reserve,
    )
    account.machine(machine)
    answer = answers.why_not(
        model,
        machine=machine,
        catalog=catalog,
        calibration=calibration_for(machine, catalog, hardware=hardware),
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
    )
    account.say(f"{answer.weighed} models weighed, {len(answer.changes)} changes found")
    if not quiet and form != "table":
        for note in answer.notes:
            talk.warn(note)
    emit(_text(answer, form), form)


def _text(answer: WhyNot, form: Format) -> str:
    match form:
        case "table":
            from qwen_advisor.render.paint import paint  # noqa: PLC0415  only tables pay for it

            return paint(render.report(answer), look())
        case "markdown":
            from qwen_advisor.render.markdown import markdown  # noqa: PLC0415

            return markdown(render.report(answer))
        case "json" | "yaml":
            from qwen_advisor.render.data import document_text  # noqa: PLC0415
            from qwen_advisor.render.why_not_documents import why_not_document  # noqa: PLC0415

            return document_text(why_not_document(answer), form)
        case "csv":
            return render.csv(answer)
        case "id":
            return render.identifier(answer)
        case "env":
            return render.environment(answer)
