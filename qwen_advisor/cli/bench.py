"""``qwen-advisor bench``: measure a live server, and hold it against the prediction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from inspect import signature
from typing import Annotated, Any

import typer

from qwen_advisor import api, calibration
from qwen_advisor.bench import Endpoint, Load, look_up, measure
from qwen_advisor.bench.history import append, average, entries, groups, history_file, last
from qwen_advisor.bench.outcome import Outcome
from qwen_advisor.bench.records import Server
from qwen_advisor.cli import completion, talk
from qwen_advisor.cli.endpoint_options import (
    DEFAULT_URL,
    ApiKeyOption,
    ApiOption,
    ServedModelOption,
    TimeoutOption,
    UrlOption,
    wire_from_options,
)
from qwen_advisor.cli.machine_options import (
    CpuCoresOption,
    DeviceOption,
    GpuOption,
    HardwareOption,
    RamOption,
    VramOption,
    calibration_for,
    machine_from_options,
)
from qwen_advisor.cli.options import CatalogExtraOption, Format, FormatOption, JsonOption, chosen_format, read
from qwen_advisor.cli.output import emit, look
from qwen_advisor.cli.prediction import Target, calibrated, elsewhere, predict, target
from qwen_advisor.cli.progress import Progress
from qwen_advisor.errors import ProbeError, UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Calibration
from qwen_advisor.machine import Machine
from qwen_advisor.render.report import Report
from qwen_advisor.units import parse_tokens
from qwen_advisor.values import replace

EPILOG = """\b
Examples:
  qwen-advisor bench --url http://127.0.0.1:8080 --concurrency 1,4
  qwen-advisor bench --url http://127.0.0.1:11434 --model qwen3:8b --calibrate
  qwen-advisor bench --url http://gpu-host:8000 --gpu "2x RTX 3090"
  qwen-advisor bench --history
"""

_FORMATS: tuple[Format, ...] = ("table", "json", "yaml", "csv", "markdown")
_LOAD = Load()
_LAST = 10
_MOST_KEPT = 100_000  # entries of the history that are read, the newest


def bench(
    *,
    url: UrlOption = DEFAULT_URL,
    model: ServedModelOption = None,
    api_key_env: ApiKeyOption = None,
    route: ApiOption = "chat",
    timeout: TimeoutOption = 120.0,
    prompt_tokens: Annotated[
        str | None, typer.Option(metavar="N", help=f"Length of each prompt; {_LOAD.prompt_tokens} if not said.")
    ] = None,
    output_tokens: Annotated[
        str | None, typer.Option(metavar="N", help=f"Length of each answer; {_LOAD.output_tokens} if not said.")
    ] = None,
    concurrency: Annotated[
        str, typer.Option(metavar="N,...", help="Requests at once, one measurement for each number.")
    ] = "1",
    runs: Annotated[int, typer.Option(metavar="N", help="How often each client asks.")] = _LOAD.runs,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completion.models,
            help="What is served, by the catalogue's names, where the server does not tell.",
        ),
    ] = None,
    served_quant: Annotated[
        str | None,
        typer.Option(
            "--quant",
            metavar="NAME",
            autocompletion=completion.quantizations,
            help="In which quantization, likewise.",
        ),
    ] = None,
    served_engine: Annotated[
        str | None,
        typer.Option("--engine", metavar="NAME", autocompletion=completion.engines, help="By which engine, likewise."),
    ] = None,
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate", help="Keep measured over predicted for this machine; recommend and estimate then use it."
        ),
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Take all such factors of this machine back, and measure nothing.")
    ] = False,
    history: Annotated[
        bool, typer.Option("--history", help="Show means of what was measured before, and measure nothing.")
    ] = False,
    last_runs: Annotated[
        int, typer.Option("--last", metavar="N", min=1, max=1000, help="Over how many measurements alike.")
    ] = _LAST,
    keep: Annotated[bool, typer.Option("--keep/--no-keep", help="Append to the history.")] = True,
    ram: RamOption = None,
    vram: VramOption = None,
    gpu: GpuOption = None,
    device: DeviceOption = None,
    cpu_cores: CpuCoresOption = None,
    hardware: HardwareOption = None,
    catalog_extra: CatalogExtraOption = None,
    format_given: FormatOption = None,
    as_json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no hints, no warnings.")] = False,
) -> None:
    """Measure a live OpenAI-compatible server, and hold it against the prediction.

    After a warm-up, each client asks --runs times for --output-tokens after a prompt of --prompt-tokens that no cache
    can hold. A server elsewhere is held against a machine that --gpu, --device or --hardware describes.
    """
    given = dict(locals())
    form = chosen_format(format_given, as_json=as_json, allowed=_FORMATS)
    if sum((calibrate, forget, history)) > 1:
        raise UsageError("--calibrate, --forget and --history exclude each other", hint="give one of them")
    if history:
        _alone("--history", given, "last_runs", "format_given", "as_json")
        _show_history(last_runs, form)
        return
    described = any(value is not None for value in (ram, vram, gpu, device, cpu_cores, hardware))
    if (calibrate or forget) and described:
        raise UsageError("factors are kept for this very machine", hint="leave out what describes another")
    catalog = api.load_catalog(catalog_extra or ())
    if forget:
        _alone("--forget", given, "catalog_extra", "format_given", "as_json")
        _forget(api.inspect_hardware(catalog=catalog), formatted=as_json or format_given is not None)
        return
    load = Load(
        prompt_tokens=read("--prompt-tokens", parse_tokens, prompt_tokens) or _LOAD.prompt_tokens,
        output_tokens=read("--output-tokens", parse_tokens, output_tokens) or _LOAD.output_tokens,
        concurrency=_numbers(concurrency),
        runs=runs,
    ).checked()
    if calibrate and 1 not in load.concurrency:
        raise UsageError("--calibrate needs requests one at a time", hint="put 1 into --concurrency")
    wire = wire_from_options(url, api_key_env, timeout)
    server = look_up(wire, model)
    if calibrate and not server.local:
        raise UsageError(
            f"{server.url} is not on this machine, whose factors --calibrate keeps", hint="run it where the server runs"
        )
    wanted, machine, note = _beside(
        server,
        partial(target, catalog, server, checkpoint=checkpoint, quant=served_quant, engine=served_engine),
        partial(
            machine_from_options,
            catalog,
            ram=ram,
            vram=vram,
            gpu=gpu,
            device=device,
            cpu_cores=cpu_cores,
            hardware=hardware,
        ),
        described=described,
        needed=calibrate,
        told=any((checkpoint, served_quant, served_engine)),
    )
    progress = Progress(quiet=quiet)
    try:
        measurement = measure(Endpoint(wire=wire, model=server.model, api=route), server, load, progress)
    finally:
        progress.end()
    outcome = Outcome(measurement=measurement, notes=(note,) if note else ())
    if wanted is not None:
        outcome = replace(outcome, model=wanted.model, quantization=wanted.quantization)
    if keep:
        outcome = _kept(outcome, last_runs, quiet=quiet)
    refused: UsageError | None = None
    if wanted is not None and machine is not None:
        own = calibration_for(machine, catalog, hardware=hardware)
        outcome = _predicted(outcome, catalog, wanted, machine, own)
        if calibrate and not measurement.interrupted:
            try:
                outcome = _stored(outcome, catalog, wanted, machine)
            except UsageError as error:
                refused = error
    emit(_text(outcome, form), form)
    fault = measurement.fault or refused
    if fault is not None:
        talk.fail(fault.message, hint=fault.hint)
        raise typer.Exit(fault.exit_code)
    if measurement.interrupted:
        raise KeyboardInterrupt


def _alone(word: str, given: Mapping[str, Any], *beside: str) -> None:
    """Refuse what says nothing where nothing is measured.

    Raises:
        UsageError: something else than the parameters ``beside`` is not what it is by default.
    """
    silent = {word.removeprefix("--"), "quiet", *beside}
    parameters = signature(bench).parameters
    if any(value != parameters[name].default for name, value in given.items() if name not in silent):
        raise UsageError(
            f"{word} measures nothing, so it takes no options of a measurement", hint=f"leave them, or {word}, out"
        )


def _beside(
    server: Server,
    named: Callable[[], Target],
    machine: Callable[[], Machine],
    *,
    described: bool,
    needed: bool,
    told: bool,
) -> tuple[Target | None, Machine | None, str]:
    """What is held against which machine; what cannot be is None, and the last says why.

    Args:
        server: what is measured.
        named: says what it serves, in the catalogue's names.
        machine: gives the machine that is described, or this one.
        described: whether options describe one.
        needed: whether it is a fault where one of them is missing.
        told: whether options say what is served, so that it is a fault where they cannot be right.

    Raises:
        UsageError: what is served is not known, and has to be.
        ProbeError: this machine cannot be read, and has to be.
    """
    try:
        wanted = named()
    except UsageError as error:
        if needed or told:
            raise
        return None, None, f"no prediction: {error.message} ({error.hint})"
    if not described and not server.local:
        return (
            wanted,
            None,
            "no prediction: the server is elsewhere (describe its machine by --gpu, --device or --hardware)",
        )
    try:
        return wanted, machine(), ""
    except ProbeError as error:
        if needed:
            raise
        return wanted, None, f"no prediction: {error.message}"


def _numbers(text: str) -> tuple[int, ...]:
    """The numbers of ``1,4,16``, each once."""
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        raise UsageError(f"--concurrency: {text!r} is no list of numbers", hint="write it like 1,4,16") from None


def _kept(outcome: Outcome, count: int, *, quiet: bool) -> Outcome:
    """The outcome with its means, once it stands in the history."""
    path = history_file()
    lines = entries(outcome.measurement, model=outcome.model, quantization=outcome.quantization)
    try:
        append(path, lines)
    except OSError as error:
        if not quiet:
            talk.warn(f"the history was not kept: {path}: {error.strerror or error}")
        return outcome
    means = (average(last(path, count, like=line)) for line in lines)
    return replace(outcome, history=path, averages=tuple(found for found in means if found is not None))


def _predicted(outcome: Outcome, catalog: Catalog, wanted: Target, machine: Machine, own: Calibration) -> Outcome:
    measurement = outcome.measurement
    try:
        estimates = predict(catalog, wanted, measurement, machine, own)
    except UsageError as error:
        return replace(outcome, notes=(*outcome.notes, f"no prediction: {error.message}"))
    notes = list(outcome.notes)
    if any(level.accepted_share is not None for level in measurement.levels):
        notes.append("the server speculates, which the prediction leaves out")
    if elsewhere(measurement, estimates):
        notes.append("the server holds fewer layers on the GPU than the prediction does: it was started otherwise")
    return replace(outcome, estimates=estimates, notes=tuple(notes))


def _stored(outcome: Outcome, catalog: Catalog, wanted: Target, machine: Machine) -> Outcome:
    """The outcome, once its factors are kept."""
    plain = predict(catalog, wanted, outcome.measurement, machine, {})
    item = calibrated(catalog, outcome.measurement, machine, plain, wanted)
    calibration.store(item)
    pairs = (("decode", item.decode), ("prefill", item.prefill))
    return replace(outcome, stored={phase: factor for phase, factor in pairs if factor is not None})


def _forget(machine: Machine, *, formatted: bool) -> None:
    if formatted:
        raise UsageError("--forget has no answer that a format could hold", hint="leave --format and --json out")
    gone = calibration.forget(machine)
    if not gone:
        emit("nothing was kept for this machine\n")
    for item in gone:
        emit(f"forgotten: {item.model} {item.quantization} on {item.engine}, measured {item.at}\n")


def _show_history(count: int, form: Format) -> None:
    from qwen_advisor.render import bench_history as render  # noqa: PLC0415  only --history needs it

    path = history_file()
    past = [group[-count:] for group in groups(last(path, _MOST_KEPT))]
    match form:
        case "json" | "yaml":
            from qwen_advisor.render.data import document_text  # noqa: PLC0415

            emit(document_text(render.document(past, str(path), count), form), form)
        case "csv":
            emit(render.csv(past), form)
        case _:
            emit(_shown(render.report(past, str(path), count), form), form)


def _text(outcome: Outcome, form: Format) -> str:
    from qwen_advisor.render import bench as render  # noqa: PLC0415  once everything is measured
    from qwen_advisor.render import bench_documents as documents  # noqa: PLC0415

    match form:
        case "json" | "yaml":
            from qwen_advisor.render.data import document_text  # noqa: PLC0415

            return document_text(documents.document(outcome), form)
        case "csv":
            return documents.csv(outcome)
        case _:
            return _shown(render.report(outcome), form)


def _shown(report: Report, form: Format) -> str:
    if form == "markdown":
        from qwen_advisor.render.markdown import markdown  # noqa: PLC0415

        return markdown(report)
    from qwen_advisor.render.paint import paint  # noqa: PLC0415  only tables pay for it

    return paint(report, look())
