"""``qwen-advisor launch``: the exact command or configuration that runs a model on an engine."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from qwen_advisor import api
from qwen_advisor.advice import Advice, Estimate
from qwen_advisor.cli import completion, talk
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
from qwen_advisor.cli.options import CatalogExtraOption, JsonOption, read
from qwen_advisor.cli.output import emit
from qwen_advisor.errors import NothingFits, UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.files import replace_file
from qwen_advisor.launching import FORMATS, LaunchFormat, Recipe, Wish, files, formats_of, recipe
from qwen_advisor.launching.cluster import lent
from qwen_advisor.launching.formats import CONTAINERS, refuse_format
from qwen_advisor.launching.sampling import use_of
from qwen_advisor.launching.wish import LOOPBACK, Executor, Profile, Source, safe_path
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.names import resolve_model
from qwen_advisor.plan import SHARED_CONTEXT, KvType
from qwen_advisor.render import launch as render
from qwen_advisor.requirements import engine as engine_name
from qwen_advisor.task import TaskId, ThinkingChoice
from qwen_advisor.units import gib, parse_tokens
from qwen_advisor.values import dataclass, replace

EPILOG = """\b
Examples:
  qwen-advisor launch Qwen3-8B --engine llama.cpp --gpu "RTX 3060 12GB"
  qwen-advisor launch qwen3:8b --engine ollama --format modelfile -o Modelfile
  qwen-advisor launch Qwen3-32B --engine vllm --gpu 2x4090 --quant AWQ --profile server --format compose -o serving/
"""

_OUTPUT = 1024
_PROMPT = 512
# What is taken where no --quant is said: the first that fits. Elsewhere `api.estimate` has the usual one.
_FORMATS = {
    "vllm": ("BF16", "FP8", "AWQ", "GPTQ-Int4"),
    "sglang": ("BF16", "FP8", "AWQ", "GPTQ-Int4"),
    "transformers": ("BF16", "INT8", "NF4"),
    "onnxruntime": ("ONNX-int4",),
    "openvino": ("OpenVINO-int4",),
}


def launch(
    *,
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            autocompletion=completion.models,
            help="Repository (Qwen/Qwen3-8B), short form (Qwen3-8B) or Ollama tag (qwen3:8b), in any case.",
        ),
    ],
    engine: Annotated[
        str, typer.Option(metavar="NAME", autocompletion=completion.engines, help="Engine.")
    ] = "llama.cpp",
    format_given: Annotated[
        LaunchFormat | None,
        typer.Option("--format", help="What is written; a command if not said.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write there; a directory where there are several files."),
    ] = None,
    quant: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completion.quantizations,
            help="Quantization; Q4_K_M, or what the engine has nearest to it, if not said.",
        ),
    ] = None,
    context: Annotated[
        str | None,
        typer.Option(metavar="TOKENS", help="Context of one request; the model's own, as far as it fits, if not said."),
    ] = None,
    parallel: Annotated[int, typer.Option(metavar="N", min=1, help="Requests at once.")] = 1,
    output_tokens: Annotated[
        str | None, typer.Option(metavar="N", help=f"Length of an answer; {_OUTPUT} if not said.")
    ] = None,
    kv_type: Annotated[KvType, typer.Option(case_sensitive=False, help="Type of the KV cache.")] = "f16",
    flash_attn: Annotated[
        bool | None,
        typer.Option("--flash-attn/--no-flash-attn", help="Flash attention; the engine decides if not said."),
    ] = None,
    gpu_layers: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="llama.cpp's -ngl; as many as fit if not said.")
    ] = None,
    thinking: Annotated[
        ThinkingChoice, typer.Option(case_sensitive=False, help="Whether the model thinks before it answers.")
    ] = "auto",
    task: Annotated[
        TaskId, typer.Option(case_sensitive=False, help="What it is for: picks among the card's sampling values.")
    ] = "chat",
    tools: Annotated[bool, typer.Option("--tools", help="Parse tool calls.")] = False,
    vision: Annotated[
        bool | None, typer.Option("--vision/--no-vision", help="Load what sees images; as the engine does if not said.")
    ] = None,
    mtp: Annotated[
        bool | None,
        typer.Option(
            "--mtp/--no-mtp",
            help="Speculate with the model's own blocks; if not said, where vLLM or SGLang serve one request of a"
            " checkpoint that has them.",
        ),
    ] = None,
    source: Annotated[Source, typer.Option(case_sensitive=False, help="Where weights come from.")] = "huggingface",
    weights: Annotated[
        str | None, typer.Option(metavar="PATH", help="Weights on disk, in the quantization named; nothing is fetched.")
    ] = None,
    projector: Annotated[
        str | None, typer.Option(metavar="PATH", help="llama.cpp: the mmproj file that goes with --weights.")
    ] = None,
    engine_version: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="Version that the options are for; the installed, else the newest known."),
    ] = None,
    profile: Annotated[
        Profile, typer.Option(case_sensitive=False, help="server: keys, limits, metrics and TLS by a gateway.")
    ] = "local",
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where the server listens.")] = LOOPBACK,
    port: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=65535, help="Its port; the engine's own if not said.")
    ] = None,
    executor: Annotated[
        Executor, typer.Option(case_sensitive=False, help="vLLM over several machines: Ray, or its own processes.")
    ] = "ray",
    head: Annotated[str, typer.Option(metavar="ADDRESS", help="Address of the first of several machines.")] = "HEAD_IP",
    force: Annotated[bool, typer.Option("--force", help="Write it even where the model does not fit.")] = False,
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
    as_json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No hints, no warnings.")] = False,
) -> None:
    """The exact command, or configuration file, that runs a model on an engine, from the placement on a machine."""
    form = _form(format_given, as_json=as_json)
    catalog = api.load_catalog(catalog_extra or ())
    spec = catalog.engines[engine_name(catalog, engine)]
    refuse_format(spec.id, spec.title, form, nodes)
    checkpoint = resolve_model(catalog, model)
    if spec.id != "llama.cpp":
        _refuse(spec.title, {"--flash-attn": flash_attn, "--gpu-layers": gpu_layers, "--projector": projector})
    if spec.id != "vllm" and executor != "ray":
        _refuse(spec.title, {"--executor": executor})
    if projector is not None and weights is None:
        raise UsageError("--projector goes with --weights", hint="name both files, or neither")
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
    if spec.id == "llama.cpp":
        machine = lent(catalog, machine)
    tokens = read("--context", parse_tokens, context)
    if tokens is not None and spec.id in SHARED_CONTEXT:
        tokens = tokens * parallel  # type: ignore[assignment]
    if mtp:
        _refuse_no_blocks(catalog, checkpoint)
    answer = read("--output-tokens", parse_tokens, output_tokens) or _OUTPUT
    calibration = calibration_for(machine, catalog, hardware=hardware)

    def estimated(name: str | None, *, speculate: bool | None = None) -> Estimate:
        drafts = _speculates(catalog, checkpoint, spec.id, name, parallel) if speculate is None else speculate
        found = api.estimate(
            checkpoint.id,
            machine=machine,
            catalog=catalog,
            quantization=name,
            engine=spec.id,
            context=tokens,
            parallel=parallel,
            kv_type=kv_type,
            flash_attention=flash_attn,
            gpu_layers=gpu_layers,
            prompt_tokens=_PROMPT,
            output_tokens=answer,
            vision=vision,
            mtp=drafts,
            thinking=_thinking(checkpoint, thinking),
            calibration=calibration,
        )
        # Speculation that nobody asked for gives way to weights of a better format.
        return estimated(name, speculate=False) if drafts and speculate is None and not found.fits else found

    estimate = _first_that_fits(
        partial(estimated, speculate=mtp), (quant,) if quant else _FORMATS.get(spec.id, (None,))
    )
    if not estimate.fits:
        _does_not_fit(estimate, force=force, quiet=quiet)
    wish = Wish(
        source=source,
        version=engine_version,
        tools=tools,
        use=use_of(task),
        weights=None if weights is None else safe_path(weights, "--weights"),
        projector=None if projector is None else safe_path(projector, "--projector"),
        profile=profile,
        host=_address("--host", host),
        port=port,
        nodes=nodes,
        executor=executor,
        head=_address("--head", head),
    )
    asked = Asked(catalog=catalog, machine=machine, estimate=estimate, wish=wish)
    made = asked.recipe(form)
    if not quiet:
        _say(made, estimate.notes)
    _write(asked, made, form, output)


def emit_command(catalog: Catalog, advice: Advice, *, quiet: bool) -> None:
    """Write the command that runs the winner of ``recommend``, as `launch` writes it."""
    wanted = advice.requirements
    wish = Wish(tools=wanted.tools, use=use_of(wanted.task), nodes=advice.machine.nodes)
    made = recipe(catalog, advice.machine, advice.recommendations[0].plan, wish)
    if not quiet:
        _say(made, ())
    emit(render.files_text(files(made, "command")))


def _say(made: Recipe, notes: tuple[str, ...]) -> None:
    for warning in made.warnings:
        talk.warn(warning)
    for note in (*made.notes, *notes):
        talk.hint(note)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call: a recipe differs by format, because a container sees other paths and addresses than its host."""

    catalog: Catalog
    machine: Machine
    estimate: Estimate
    wish: Wish

    def recipe(self, form: LaunchFormat) -> Recipe:
        """The recipe for a format."""
        contained = form in CONTAINERS
        executor: Executor = "mp" if form == "kubernetes" else self.wish.executor
        wish = replace(self.wish, container=contained, executor=executor)
        return recipe(self.catalog, self.machine, self.estimate.plan, wish)


def _write(asked: Asked, made: Recipe, form: LaunchFormat, output: Path | None) -> None:
    if form == "json":
        from qwen_advisor.render.data import json_text  # noqa: PLC0415

        offered = formats_of(made.spec.id, asked.wish.nodes)
        others = {other: asked.recipe(other) for other in offered if other in CONTAINERS}
        text = json_text(render.document(asked.estimate, made, others))
        if output is None:
            emit(text, "json")
        else:
            replace_file(output, text)
        return
    written = files(made, form)
    if output is None:
        emit(render.files_text(written), form)
    elif len(written) == 1 and not os.path.isdir(output):  # noqa: PTH112  the method raises without rights
        replace_file(output, render.file_text(written[0]))
    elif os.path.isfile(output):  # noqa: PTH113  as above
        names = ", ".join(file.name for file in written)
        raise UsageError(f"{output} is a file, and these are several: {names}", hint="name a directory by -o")
    else:
        for file in written:
            replace_file(output / file.name, render.file_text(file))


def _first_that_fits(estimated: Callable[[str | None], Estimate], names: Sequence[str | None]) -> Estimate:
    """The estimate of the first format that fits, or of the smallest where none does.

    Raises:
        UsageError: the model is not to be had in any of them.
    """
    found: Estimate | None = None
    refused: UsageError | None = None
    for name in names:
        try:
            found = estimated(name)
        except UsageError as error:
            refused = refused or error
            continue
        if found.fits:
            return found
    if found is None:
        raise refused or UsageError("the model cannot be had for this engine", hint="take another --engine")
    return found


def _form(given: LaunchFormat | None, *, as_json: bool) -> LaunchFormat:
    if as_json and given not in (None, "json"):
        raise UsageError(f"--format {given} and --json contradict each other", hint="give one of them")
    return "json" if as_json else given or FORMATS[0]


def _thinking(checkpoint: Checkpoint, asked: ThinkingChoice) -> Literal["on", "off", "none"]:
    match checkpoint.thinking:
        case "hybrid":
            return (checkpoint.thinking_default or "on") if asked == "auto" else asked
        case "always":
            if asked == "off":
                raise UsageError(f"{checkpoint.id} always thinks", hint="leave --thinking out, or take another model")
            return "on"
        case _:
            if asked == "on":
                raise UsageError(f"{checkpoint.id} does not think", hint="leave --thinking out, or take another model")
            return "none"


def _speculates(catalog: Catalog, checkpoint: Checkpoint, engine: str, quant: str | None, parallel: int) -> bool:
    """Whether drafts pay: one request at a time, and weights that hold the blocks for multi-token prediction."""
    whole = quant is not None and quant.upper() in ("BF16", "FP8")
    return engine in ("vllm", "sglang") and parallel == 1 and whole and _blocks(catalog, checkpoint) > 0


def _refuse_no_blocks(catalog: Catalog, checkpoint: Checkpoint) -> None:
    if not _blocks(catalog, checkpoint):
        raise UsageError(f"{checkpoint.id} has no blocks for multi-token prediction", hint="leave --mtp out")


def _blocks(catalog: Catalog, checkpoint: Checkpoint) -> int:
    text = catalog.architectures[checkpoint.architecture].text
    return text.mtp_num_hidden_layers if text else 0


def _does_not_fit(estimate: Estimate, *, force: bool, quiet: bool) -> None:
    needs, has = gib(estimate.memory.total), gib(estimate.budget)
    sentence = f"{estimate.checkpoint.id} {estimate.format} needs {needs} as asked, this machine can give {has}"
    if not force:
        raise NothingFits(sentence, hint="ask for less --context or a smaller --quant, or write it anyway by --force")
    if not quiet:
        talk.warn(sentence)


def _refuse(title: str, given: dict[str, object | None]) -> None:
    said = [option for option, value in given.items() if value is not None]
    if said:
        raise UsageError(f"{', '.join(said)} cannot be set for {title}", hint="leave it out")


def _address(option: str, text: str) -> str:
    """A host name or address, and nothing that could be read as more."""
    if not text or text.startswith("-") or not all(char.isalnum() or char in ".:-_" for char in text):
        raise UsageError(f"{option}: {text!r} is no address", hint="write it like 127.0.0.1 or node-1.example.org")
    return text
