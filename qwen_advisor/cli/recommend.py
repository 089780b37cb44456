"""``qwen-advisor recommend``: the main question."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from qwen_advisor import api
from qwen_advisor.advice import Advice
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
from qwen_advisor.errors import NothingFits, UsageError
from qwen_advisor.render import recommend as render
from qwen_advisor.requirements import resolve
from qwen_advisor.task import Prefer, ThinkingChoice
from qwen_advisor.units import parse_size, parse_tokens

EPILOG = """\b
Examples:
  qwen-advisor recommend --task code --ram 16G
  qwen-advisor recommend --task agent --tools --gpu "2x RTX 3090" --context 64k --json
"""

_TOP = 5


def recommend(
    *,
    task: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            autocompletion=completion.tasks,
            help="What the model is for: chat, code, math, reasoning, agent, multilingual, long-context, writing,"
            " vision, documents, video, audio, speech-to-text, text-to-speech, omni, embedding, rerank, moderation.",
        ),
    ] = "chat",
    context: Annotated[
        str | None, typer.Option(metavar="TOKENS", help="Context that must fit, such as 8192 or 32k.")
    ] = None,
    prompt_tokens: Annotated[
        str | None, typer.Option(metavar="N", help="Length of one prompt; the task has a default.")
    ] = None,
    output_tokens: Annotated[
        str | None,
        typer.Option(metavar="N", help="Length of one answer, thoughts not counted; the task has a default."),
    ] = None,
    concurrency: Annotated[int, typer.Option(metavar="N", min=1, help="Requests served at the same time.")] = 1,
    min_speed: Annotated[
        float | None, typer.Option(metavar="TOK_S", help="Least decode speed per request, tokens per second.")
    ] = None,
    engine: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", autocompletion=completion.engines, help="Allow this engine only; repeatable."),
    ] = None,
    quant: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", autocompletion=completion.quantizations, help="Allow this quantization only; repeatable."
        ),
    ] = None,
    license_wanted: Annotated[
        str, typer.Option("--license", metavar="permissive|any|SPDX", help="Licenses that are acceptable.")
    ] = "any",
    language: Annotated[
        str | None, typer.Option(metavar="CODE", help="A language the model must speak, such as de or ja.")
    ] = None,
    thinking: Annotated[
        ThinkingChoice, typer.Option(case_sensitive=False, help="Whether the model thinks before it answers.")
    ] = "auto",
    tools: Annotated[bool, typer.Option("--tools", help="The model must call tools.")] = False,
    max_download: Annotated[str | None, typer.Option(metavar="SIZE", help="Most to download, such as 8G.")] = None,
    family: Annotated[
        str | None,
        typer.Option(metavar="NAME", autocompletion=completion.families, help="Only models of this family."),
    ] = None,
    released_after: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only models released after this day, such as 2025-07-31.")
    ] = None,
    prefer: Annotated[Prefer, typer.Option(case_sensitive=False, help="What to lean towards.")] = "balanced",
    installed: Annotated[
        bool, typer.Option("--installed", help="Only models whose files are on this disk already.")
    ] = False,
    top: Annotated[int | None, typer.Option(metavar="N", min=1, help=f"How many answers; {_TOP} if not said.")] = None,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Show the terms of every score, what would change the order, all ruled out."),
    ] = False,
    chart: Annotated[
        bool, typer.Option("--chart", help="Draw ability against speed and memory, with what nothing else beats.")
    ] = False,
    launch: Annotated[
        bool, typer.Option("--launch", help="Write the command that runs the winner, and nothing else.")
    ] = False,
    lock: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write there what was chosen; check --lock FILE tells whether it holds."),
    ] = None,
    purpose: Annotated[
        Literal["inference", "finetune"],
        typer.Option("--for", case_sensitive=False, help="finetune: which model to train here, and by which method."),
    ] = "inference",
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
    """Which model, quantization, engine and settings, for a task on a machine, ranked, with reasons.

    Without an option that describes a machine, this one is looked at.
    """
    if purpose == "finetune":
        from qwen_advisor.cli.choose_training import refuse_foreign  # noqa: PLC0415  only this purpose pays for it

        refuse_foreign(
            {
                "--prompt-tokens": prompt_tokens,
                "--output-tokens": output_tokens,
                "--concurrency": concurrency > 1,
                "--min-speed": min_speed,
                "--engine": engine,
                "--quant": quant,
                "--thinking": thinking != "auto",
                "--max-download": max_download,
                "--prefer": prefer != "balanced",
                "--installed": installed,
                "--explain": explain,
                "--chart": chart,
                "--launch": launch,
                "--lock": lock,
            }
        )
    form = chosen_format(format_given, as_json=as_json, quiet=quiet and not launch)
    if launch and form != "table":
        raise UsageError(f"--launch writes a command and no {form}", hint="leave --format out, or see launch --help")
    _warn_of_idle_options(form, explain=explain, chart=chart, top=top, quiet=quiet)
    account = Account(wanted=verbose)
    catalog = api.load_catalog(catalog_extra or ())
    account.catalog(catalog)
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
        installed=installed,
        top=top or _TOP,
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
        gpus_per_node=gpus_per_node,
        interconnect=interconnect,
        gpu_bandwidth=gpu_bandwidth,
        ram_bandwidth=ram_bandwidth,
        reserve=reserve,
    )
    if purpose == "finetune":
        from qwen_advisor.cli.choose_training import choose_training  # noqa: PLC0415  as above

        choose_training(catalog, machine, requirements, form, seq_len=context)
        return
    if installed or (hardware is None and not machine.described):
        machine = api.with_downloads(machine)
    account.machine(machine)
    calibration = calibration_for(machine, catalog, hardware=hardware)
    advice = api.recommend(
        requirements,
        machine=machine,
        catalog=catalog,
        explain=explain,
        everything=chart,
        calibration=calibration,
    )
    account.weighed(catalog, advice)
    if lock is not None and advice.recommendations:
        from qwen_advisor.cli.locking import write_lock  # noqa: PLC0415  only a lock pays for it

        write_lock(lock, advice, catalog, calibration)
        account.say(f"wrote {lock}")
    if not quiet:
        for note in advice.notes:
            talk.warn(note)
    if launch and advice.recommendations:
        from qwen_advisor.cli.launch import emit_command  # noqa: PLC0415  only this option pays for it

        emit_command(catalog, advice, quiet=quiet)
        return
    emit(_text(advice, form, explain=explain, chart=chart), form)
    if not advice.recommendations:
        if form != "table":
            nothing = render.nothing(advice)
            talk.fail(nothing.message, hint=nothing.hint)
        raise typer.Exit(NothingFits.exit_code)


def _text(advice: Advice, form: Format, *, explain: bool, chart: bool) -> str:
    match form:
        case "table":
            from qwen_advisor.render.paint import paint  # noqa: PLC0415  only tables pay for it

            shown = look()
            report = render.report(
                advice,
                narrow=shown.narrow,
                full_names=shown.width is None,
                explain=explain,
                chart=chart,
                width=shown.width,
            )
            return paint(report, shown)
        case "markdown":
            from qwen_advisor.render.markdown import markdown  # noqa: PLC0415

            return markdown(render.report(advice, explain=explain, chart=chart))
        case "json" | "yaml":
            from qwen_advisor.render.data import document_text  # noqa: PLC0415
            from qwen_advisor.render.documents import recommend_document  # noqa: PLC0415

            return document_text(recommend_document(advice), form)
        case "csv":
            return render.csv(advice)
        case "id":
            return render.identifier(advice)
        case "env":
            return render.environment(advice)


def _warn_of_idle_options(form: Format, *, explain: bool, chart: bool, top: int | None, quiet: bool) -> None:
    if quiet:
        return
    if explain and form in ("csv", "id", "env"):
        talk.warn(f"--explain adds nothing to --format {form}")
    if chart and form in ("csv", "id", "env"):
        talk.warn(f"--chart adds nothing to --format {form}")
    if top is not None and form in ("id", "env"):
        talk.warn(f"--top changes nothing for --format {form}, which holds the first answer only")
