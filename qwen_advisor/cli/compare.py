"""``qwen-advisor compare``: models side by side on one machine."""

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
    LanguageOption,
    LicenseOption,
    MaxDownloadOption,
    MinSpeedOption,
    OutputTokensOption,
    PromptTokensOption,
    QuantizationsOption,
    ToolsOption,
)
from qwen_advisor.comparison import Comparison
from qwen_advisor.errors import NothingFits
from qwen_advisor.render import compare as render
from qwen_advisor.task import Prefer, ThinkingChoice
from qwen_advisor.units import parse_size, parse_tokens

EPILOG = """\b
Examples:
  qwen-advisor compare Qwen3-8B Qwen3-14B Qwen3-30B-A3B --ram 32G
  qwen-advisor compare qwen3.5:9b qwen3.6:27b --task code --gpu "RTX 4090" --json

Exit codes: 0 at least one runs as asked, 3 none does.
"""


def compare(
    *,
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...",
            autocompletion=completion.models,
            help="Repositories (Qwen/Qwen3-8B), short forms (Qwen3-8B) or Ollama tags (qwen3:8b), in any case.",
        ),
    ],
    task: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completion.tasks,
            help="What they are compared for; the first task that all of them answer if not said.",
            show_default=False,
        ),
    ] = None,
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
    """Models side by side on a machine: the best setting of each, what wins where, and what does not run.

    Without an option that describes a machine, this one is looked at.
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
    answer = answers.compare(
        *models,
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
        prefer=prefer,
    )
    account.say(f"{len(answer.models)} models laid on the machine")
    if not quiet:
        for note in answer.notes:
            talk.warn(note)
    emit(_text(answer, form), form)
    if answer.best is None:
        if form != "table":
            nothing = render.nothing(answer)
            talk.fail(nothing.message, hint=nothing.hint)
        raise typer.Exit(NothingFits.exit_code)


def _text(answer: Comparison, form: Format) -> str:
    match form:
        case "table":
            from qwen_advisor.render.paint import paint  # noqa: PLC0415  only tables pay for it

            shown = look()
            return paint(render.report(answer, narrow=shown.narrow), shown)
        case "markdown":
            from qwen_advisor.render.markdown import markdown  # noqa: PLC0415

            return markdown(render.report(answer))
        case "json" | "yaml":
            from qwen_advisor.render.compare_documents import compare_document  # noqa: PLC0415
            from qwen_advisor.render.data import document_text  # noqa: PLC0415

            return document_text(compare_document(answer), form)
        case "csv":
            return render.csv(answer)
        case "id":
            return render.identifier(answer)
        case "env":
            return render.environment(answer)
