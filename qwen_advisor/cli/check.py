"""``qwen-advisor check``: a gate for CI."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

import typer

from qwen_advisor import api
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
from qwen_advisor.cli.options import CatalogExtraOption, Format, JsonOption, QuietOption, chosen_format, read
from qwen_advisor.cli.output import emit, look
from qwen_advisor.errors import NothingFits, UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.gate.answer import gate_of_lock, gate_of_models
from qwen_advisor.gate.answer import strict as strictly
from qwen_advisor.gate.lock_file import read_lock
from qwen_advisor.gate.policy import Policy
from qwen_advisor.gate.policy_file import read_policy
from qwen_advisor.gate.verdict import Gate
from qwen_advisor.names import resolve_model
from qwen_advisor.render import check as render
from qwen_advisor.task import ThinkingChoice
from qwen_advisor.units import parse_size, parse_tokens

EPILOG = """\b
Examples:
  qwen-advisor check qwen3:8b --ram 16G --context 16k --min-speed 5
  qwen-advisor check Qwen3-8B Qwen3-14B --gpu "RTX 4090" --policy policy.yaml --format sarif
  qwen-advisor check --lock qwen-advisor.lock.json

Exit codes: 0 every model passes, 3 one does not.
"""

CheckFormat = Literal["table", "json", "yaml", "csv", "markdown", "id", "env", "sarif", "junit"]
FORMATS = get_args(CheckFormat)


def check(
    *,
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL...",
            autocompletion=completion.models,
            help="Repository (Qwen/Qwen3-8B), short form (Qwen3-8B) or Ollama tag (qwen3:8b), in any case.",
            show_default=False,
        ),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What is let in, as YAML: licenses, families, sizes, age, ...")
    ] = None,
    lock: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Hold what recommend --lock FILE wrote against today's catalogue."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="A warning fails too.")] = False,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completion.tasks,
            help="What the model is for, such as chat, code or agent; what it was made for if not said.",
        ),
    ] = None,
    context: Annotated[
        str | None, typer.Option(metavar="TOKENS", help="Context that must fit, such as 8192 or 32k.")
    ] = None,
    prompt_tokens: Annotated[
        str | None, typer.Option(metavar="N", help="Length of one prompt; the task has a default.")
    ] = None,
    output_tokens: Annotated[
        str | None, typer.Option(metavar="N", help="Length of one answer; the task has a default.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Requests served at the same time; 1 if not said.")
    ] = None,
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
        str | None, typer.Option("--license", metavar="permissive|any|SPDX", help="Licenses that are acceptable.")
    ] = None,
    language: Annotated[
        str | None, typer.Option(metavar="CODE", help="A language the model must speak, such as de or ja.")
    ] = None,
    thinking: Annotated[
        ThinkingChoice | None,
        typer.Option(case_sensitive=False, help="Whether the model must think, or must not.", show_default=False),
    ] = None,
    tools: Annotated[bool, typer.Option("--tools", help="The model must call tools.")] = False,
    max_download: Annotated[str | None, typer.Option(metavar="SIZE", help="Most to download, such as 8G.")] = None,
    family: Annotated[
        str | None,
        typer.Option(metavar="NAME", autocompletion=completion.families, help="Only models of this family."),
    ] = None,
    released_after: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only models released after this day, such as 2025-07-31.")
    ] = None,
    today: Annotated[
        str | None, typer.Option(metavar="DATE", hidden=True, help="The day that ages count to, for tests.")
    ] = None,
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
    format_given: Annotated[
        CheckFormat | None,
        typer.Option("--format", help="How the answer is written; a table if not said.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """A gate for CI: exit code 0 if every model fits as asked and holds the policy, 3 if not, and why.

    Nothing asked: whether it fits. What is asked counts as for recommend, the default speed of a task only with --task.
    """
    account = Account(wanted=verbose)
    form = _form(format_given, as_json=as_json, quiet=quiet)
    wishes = {
        "task": task,
        "context": read("--context", parse_tokens, context),
        "prompt_tokens": read("--prompt-tokens", parse_tokens, prompt_tokens),
        "output_tokens": read("--output-tokens", parse_tokens, output_tokens),
        "concurrency": concurrency,
        "min_speed": min_speed,
        "engines": engine or None,
        "quantizations": quant or None,
        "license": license_wanted,
        "language": language,
        "thinking": thinking,
        "tools": tools or None,
        "max_download": read("--max-download", parse_size, max_download),
        "family": family,
        "released_after": released_after,
    }
    asked = {name: value for name, value in wishes.items() if value is not None}
    _one_of_both(models, lock, asked)
    day = read("--today", _day, today) or datetime.now(UTC).date()
    options: dict[str, Any] = {
        "ram": ram,
        "vram": vram,
        "gpu": gpu,
        "device": device,
        "cpu_cores": cpu_cores,
        "hardware": hardware,
        "gpu_bandwidth": gpu_bandwidth,
        "ram_bandwidth": ram_bandwidth,
        "reserve": reserve,
    }
    elsewhere = nodes > 1 or any(value is not None for value in options.values())
    catalog = api.load_catalog(catalog_extra or ())
    account.catalog(catalog)
    let_in = None if policy is None else read_policy(policy, catalog)
    if lock is not None:
        gate = _of_lock(catalog, lock, let_in, day, {**options, "nodes": nodes} if elsewhere else None)
    else:
        machine = machine_from_options(catalog, **options, nodes=nodes)
        account.machine(machine)
        gate = gate_of_models(
            catalog,
            machine,
            list({model.id: model for model in (resolve_model(catalog, name) for name in models or ())}.values()),
            asked,
            today=day,
            policy=let_in,
            calibration=calibration_for(machine, catalog, hardware=hardware),
        )
    rules = sum(len(found.rulings) for found in gate.verdicts)
    account.say(f"{len(gate.verdicts)} model{'s' * (len(gate.verdicts) != 1)} held against {rules} rules")
    if strict:
        gate = strictly(gate)
    emit(_text(gate, form), "json" if form in ("sarif", "junit") else form)
    if not gate.passed:
        if form != "table":
            message, hint = render.reason(gate)
            talk.fail(message, hint=hint)
        raise typer.Exit(NothingFits.exit_code)


def _form(given: CheckFormat | None, *, as_json: bool, quiet: bool) -> CheckFormat:
    """The one format that the options agree on; two of them are known to this verb alone."""
    wish = cast("Format | None", given)
    return cast("CheckFormat", chosen_format(wish, as_json=as_json, quiet=quiet, allowed=cast("Any", FORMATS)))


def _one_of_both(models: list[str] | None, lock: Path | None, asked: dict[str, Any]) -> None:
    if lock is None and not models:
        raise UsageError("no model is named", hint="name one or several, or give --lock FILE")
    if lock is not None and (models or asked):
        raise UsageError(
            "a lock file brings its own model and wishes",
            hint="leave the others out, or check the model without --lock",
        )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!a} is not a date", hint="write it like 2025-07-31") from None


def _of_lock(catalog: Catalog, path: Path, policy: Policy | None, day: date, options: dict[str, Any] | None) -> Gate:
    lock = read_lock(path, catalog)
    machine = None if options is None else machine_from_options(catalog, **options)
    return gate_of_lock(catalog, lock, str(path), today=day, machine=machine, policy=policy)


def _text(gate: Gate, form: CheckFormat) -> str:
    match form:
        case "table":
            from qwen_advisor.render.paint import paint  # noqa: PLC0415  only tables pay for it

            shown = look()
            return paint(render.report(gate, full_names=shown.width is None), shown)
        case "markdown":
            from qwen_advisor.render.markdown import markdown  # noqa: PLC0415

            return markdown(render.report(gate))
        case "json" | "yaml":
            from qwen_advisor.render.check_documents import check_document  # noqa: PLC0415
            from qwen_advisor.render.data import document_text  # noqa: PLC0415

            return document_text(check_document(gate), form)
        case "csv":
            return render.csv(gate)
        case "id":
            return render.identifiers(gate)
        case "env":
            return render.environment(gate)
        case "sarif":
            from qwen_advisor.render.check_sarif import sarif  # noqa: PLC0415

            return sarif(gate)
        case "junit":
            from qwen_advisor.render.check_junit import junit  # noqa: PLC0415

            return junit(gate)
