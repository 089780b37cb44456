"""``qwen-advisor finetune``: memory by part, speed, and a ready script or configuration, of one training run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, cast, get_args

import typer

from qwen_advisor import answers, api
from qwen_advisor.cli import completion, talk
from qwen_advisor.cli import training_options as own
from qwen_advisor.cli.machine_options import (
    CpuCoresOption,
    DeviceOption,
    GpuBandwidthOption,
    GpuOption,
    HardwareOption,
    InterconnectOption,
    NodesOption,
    RamBandwidthOption,
    RamOption,
    ReserveOption,
    VramOption,
    machine_from_options,
)
from qwen_advisor.cli.options import CatalogExtraOption, Format, JsonOption, QuietOption, read
from qwen_advisor.cli.output import emit, look
from qwen_advisor.errors import NothingFits, UsageError
from qwen_advisor.files import replace_file
from qwen_advisor.names import resolve_model
from qwen_advisor.render import finetune as render
from qwen_advisor.training.examples import DataReport
from qwen_advisor.training.plan import TrainingPlan
from qwen_advisor.training.recipes import FRAMEWORK_OF, TOOLS, Tool, recipe
from qwen_advisor.training.settings import Framework, Training
from qwen_advisor.units import parse_tokens

EPILOG = """\b
Examples:
  qwen-advisor finetune Qwen3-8B --method qlora --seq-len 2048 --gpu "RTX 3090" --dataset-tokens 10m
  qwen-advisor finetune Qwen3-4B --data train.jsonl --packing --format script -o train.py
  qwen-advisor finetune Qwen3-32B --gpu 8xH100 --zero 3 --seq-len 8k --format llamafactory

Exit codes: 0 it fits, 2 the call or the data set is off, 3 it does not fit.
"""

_RANK, _SEQ_LEN = 16, 1024  # Unsloth's and Axolotl's rank; TRL's max_length

FinetuneFormat = Literal[
    "table", "json", "yaml", "csv", "markdown", "id", "env", "script", "llamafactory", "ms-swift", "axolotl", "unsloth"
]


def finetune(
    *,
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            autocompletion=completion.models,
            help="Repository (Qwen/Qwen3-8B), short form (Qwen3-8B) or Ollama tag (qwen3:8b), in any case.",
        ),
    ],
    method: own.MethodOption = "lora",
    seq_len: own.SeqLenOption = None,
    batch: own.BatchOption = 1,
    accumulation: own.AccumulationOption = 1,
    rank: own.RankOption = None,
    target_modules: own.TargetsOption = None,
    train_embeddings: own.TrainEmbeddingsOption = False,
    dropout: own.DropoutOption = 0.0,
    quant: own.BaseFormatOption = None,
    optimizer: own.OptimizerOption = "adamw",
    gradient_checkpointing: own.CheckpointingOption = True,
    packing: own.PackingOption = False,
    loss: own.LossOption = None,
    zero: own.ZeroOption = None,
    fsdp: own.FsdpOption = False,
    device_map: own.DeviceMapOption = False,
    tensor_parallel: own.TensorParallelOption = 1,
    expert_parallel: own.ExpertParallelOption = 1,
    pipeline_parallel: own.PipelineParallelOption = 1,
    gpus_per_node: own.GpusPerNodeOption = None,
    framework: own.FrameworkOption = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Data set, JSON lines or Parquet: every row is checked first."),
    ] = None,
    tokenizer: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="tokenizer.json that counts it; the model's in the cache if not said."),
    ] = None,
    dataset_tokens: Annotated[
        str | None, typer.Option(metavar="N", help="Size of the data set, such as 10m; counted where --data is given.")
    ] = None,
    epochs: Annotated[
        float, typer.Option(metavar="N", min=0.001, help="How often the data set is gone through.")
    ] = 3.0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there instead of to stdout.")
    ] = None,
    ram: RamOption = None,
    vram: VramOption = None,
    gpu: GpuOption = None,
    device: DeviceOption = None,
    cpu_cores: CpuCoresOption = None,
    hardware: HardwareOption = None,
    nodes: NodesOption = 1,
    interconnect: InterconnectOption = None,
    gpu_bandwidth: GpuBandwidthOption = None,
    ram_bandwidth: RamBandwidthOption = None,
    reserve: ReserveOption = None,
    catalog_extra: CatalogExtraOption = None,
    format_given: Annotated[
        FinetuneFormat | None,
        typer.Option(
            "--format",
            help="How the answer is written, or what for: script is Python on TRL and PEFT; a table if not said.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """What training a model takes, by part, whether it fits, how long it takes, and a script that does it."""
    form = _form(format_given, as_json=as_json, quiet=quiet)
    tool = form if form in TOOLS else None
    catalog = api.load_catalog(catalog_extra or ())
    machine = machine_from_options(
        catalog,
        ram=ram,
        vram=vram,
        gpu=gpu,
        device=device,
        cpu_cores=cpu_cores,
        hardware=hardware,
        nodes=nodes,
        interconnect=interconnect,
        gpu_bandwidth=gpu_bandwidth,
        ram_bandwidth=ram_bandwidth,
        reserve=reserve,
    )
    whose = _framework(framework, tool)
    machine, cards = own.gpus_of(machine, gpus_per_node, most=1 if whose == "unsloth" else None)
    _refuse_idle(method, rank=rank, train_embeddings=train_embeddings, targets=target_modules, dropout=dropout)
    sharding, choose = own.sharding_of(
        zero=zero,
        fsdp=fsdp,
        device_map=device_map,
        megatron=max(tensor_parallel, expert_parallel, pipeline_parallel) > 1,
    )
    run = Training(
        method=method,
        framework=whose,
        seq_len=read("--seq-len", parse_tokens, seq_len) or _SEQ_LEN,
        batch=batch,
        accumulation=accumulation,
        rank=rank or _RANK,
        dropout=dropout,
        targets=own.targets_of(target_modules),
        train_embeddings=train_embeddings,
        base_format=own.base_format_of(catalog, method, quant),
        optimizer=optimizer,
        checkpointing=gradient_checkpointing,
        packing=packing,
        loss=own.loss_of(whose, loss),
        sharding=sharding,
        gpus_per_node=cards,
        nodes=machine.nodes,
        tensor_parallel=tensor_parallel,
        expert_parallel=expert_parallel,
        pipeline_parallel=pipeline_parallel,
    )
    report = _checked(data, resolve_model(catalog, model).id, tokenizer, run.seq_len)
    tokens = read("--dataset-tokens", parse_tokens, dataset_tokens)
    if report is not None and tokens is not None:
        raise UsageError("--dataset-tokens and --data both tell the size", hint="give one of them")
    plan = answers.finetune(
        model,
        run,
        machine=machine,
        catalog=catalog,
        choose_sharding=choose,
        dataset_tokens=report.tokens - report.cut if report is not None else tokens,
        epochs=epochs,
    )
    text = _text(plan, form, report, str(data or ""))
    if output is None:
        emit(text, form)
    else:
        replace_file(output, text)
    if not plan.fits:
        if form != "table" or output is not None:
            refusal = render.nothing(plan)
            talk.fail(refusal.message, hint=refusal.hint)
        raise typer.Exit(NothingFits.exit_code)


def _form(given: FinetuneFormat | None, *, as_json: bool, quiet: bool) -> FinetuneFormat:
    from qwen_advisor.cli.options import chosen_format  # noqa: PLC0415  as `options` has it for the usual formats

    if given in TOOLS:
        if as_json:
            raise UsageError(f"--format {given} and --json contradict each other", hint="give one of them")
        return given
    return chosen_format(cast("Format | None", given), as_json=as_json, quiet=quiet)


def _framework(said: str | None, tool: Tool | None) -> Framework:
    of_tool = FRAMEWORK_OF[tool] if tool is not None else None
    if said is not None and of_tool is not None and said != of_tool:
        raise UsageError(f"--format {tool} is for {of_tool}, not {said}", hint="leave --framework out")
    return cast("Framework", said or of_tool or get_args(Framework)[0])


def _refuse_idle(
    method: str, *, rank: int | None, train_embeddings: bool, targets: list[str] | None, dropout: float
) -> None:
    """Options of adapters say nothing where all weights are trained."""
    said = [
        name
        for name, given in (
            ("--rank", rank is not None),
            ("--train-embeddings", train_embeddings),
            ("--target-modules", bool(targets)),
            ("--dropout", dropout > 0),
        )
        if given
    ]
    if method == "full" and said:
        raise UsageError(f"--method full has no adapters for {', '.join(said)}", hint="leave out what is of adapters")


def _checked(data: Path | None, model: str, tokenizer: Path | None, seq_len: int) -> DataReport | None:
    if data is None:
        if tokenizer is not None:
            raise UsageError("--tokenizer counts a data set", hint="give --data FILE too")
        return None
    from qwen_advisor.cli.dataset import checked  # noqa: PLC0415  only who has data pays for it

    return checked(data, model=model, tokenizer=tokenizer, seq_len=seq_len)


def _text(plan: TrainingPlan, form: FinetuneFormat, report: DataReport | None, data: str) -> str:
    match form:
        case "table":
            from qwen_advisor.render.paint import paint  # noqa: PLC0415  only tables pay for it

            return paint(render.report(plan, report), look())
        case "markdown":
            from qwen_advisor.render.markdown import markdown  # noqa: PLC0415

            return markdown(render.report(plan, report))
        case "json" | "yaml":
            from qwen_advisor.render.data import document_text  # noqa: PLC0415
            from qwen_advisor.render.finetune_documents import finetune_document  # noqa: PLC0415

            return document_text(finetune_document(plan, report, data), form)
        case "csv":
            return render.csv(plan)
        case "id":
            return render.identifier(plan)
        case "env":
            return render.environment(plan)
        case _:
            return recipe(plan, form, data or None)
