"""Options of a training run, and the run that they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Machine
from qwen_advisor.requirements import quantization as quantization_name
from qwen_advisor.training.room import place_of
from qwen_advisor.training.settings import Framework, Loss, Method, Optimizer, Sharding
from qwen_advisor.values import replace

MethodOption = Annotated[
    Method,
    typer.Option(
        case_sensitive=False,
        help="full: all weights; lora: adapters on 16 bit weights; qlora: adapters on 4 bit weights.",
    ),
]
FrameworkOption = Annotated[
    Framework | None,
    typer.Option(
        case_sensitive=False,
        help="Whose memory is reckoned; that of the tool of --format, else Transformers' own trainer.",
        show_default=False,
    ),
]
SeqLenOption = Annotated[str | None, typer.Option(metavar="TOKENS", help="Length of a sequence; 1024 if not said.")]
BatchOption = Annotated[int, typer.Option(metavar="N", min=1, help="Sequences on one GPU in one forward pass.")]
AccumulationOption = Annotated[
    int, typer.Option(metavar="N", min=1, help="Forward passes before the optimizer steps; free of memory.")
]
RankOption = Annotated[
    int | None, typer.Option(metavar="N", min=1, max=4096, help="Rank of the adapters; 16 if not said.")
]
DropoutOption = Annotated[
    float, typer.Option(metavar="SHARE", min=0.0, max=0.99, help="Dropout of the adapters' inputs.")
]
TargetsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--target-modules",
        metavar="NAMES",
        help="What gets adapters: attention, mlp, linear-attention, experts, all-linear (all but experts), or names "
        "such as q_proj,v_proj; all-linear if not said.",
    ),
]
TrainEmbeddingsOption = Annotated[
    bool, typer.Option("--train-embeddings", help="Train embedding and head whole beside the adapters.")
]
BaseFormatOption = Annotated[
    str | None,
    typer.Option("--quant", metavar="NAME", help="Format of a quantized base: NF4 (if not said), AWQ, GPTQ-Int4, ..."),
]
OptimizerOption = Annotated[Optimizer, typer.Option(case_sensitive=False, help="Optimizer.")]
CheckpointingOption = Annotated[
    bool,
    typer.Option(
        "--gradient-checkpointing/--no-gradient-checkpointing",
        help="Keep the inputs of layers only and compute them again.",
    ),
]
PackingOption = Annotated[bool, typer.Option("--packing", help="Fill every sequence with several examples.")]
LossOption = Annotated[
    Loss | None,
    typer.Option(
        case_sensitive=False,
        help="full: over all logits at once; chunked (TRL), fused (Liger, Unsloth): never all; the framework's own "
        "if not said.",
        show_default=False,
    ),
]
ZeroOption = Annotated[
    int | None, typer.Option("--zero", metavar="STAGE", min=0, max=3, help="DeepSpeed ZeRO: 1, 2 or 3; 0 for none.")
]
FsdpOption = Annotated[bool, typer.Option("--fsdp", help="PyTorch's fully sharded data parallel.")]
DeviceMapOption = Annotated[bool, typer.Option("--device-map", help="Each GPU holds some of the layers.")]
GpusPerNodeOption = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="GPUs of each machine that take part; all that it has if not said."),
]
TensorParallelOption = Annotated[
    int, typer.Option(metavar="N", min=1, help="Megatron: GPUs that each layer is split over.")
]
ExpertParallelOption = Annotated[
    int, typer.Option(metavar="N", min=1, help="Megatron: GPUs that experts are split over.")
]
PipelineParallelOption = Annotated[
    int, typer.Option(metavar="N", min=1, help="Megatron: groups of layers, each on GPUs of its own.")
]

_LOSS: dict[Framework, Loss] = {"trl": "chunked", "unsloth": "fused"}


def loss_of(framework: Framework, said: Loss | None) -> Loss:
    """The loss of a framework, unless another was asked for.

    Raises:
        UsageError: the framework has no such loss.
    """
    own = _LOSS.get(framework, "full")
    if said == "full" and own != "full":
        raise UsageError(f"{framework} never holds all logits at once", hint="leave --loss out")
    if said == "chunked" and framework not in ("trl", "transformers"):
        raise UsageError(f"{framework} has no chunked loss", hint="use --loss fused")
    return said or own


def targets_of(said: Sequence[str] | None) -> tuple[str, ...]:
    """The words of ``--target-modules``, given once with commas or several times."""
    words = [word.strip() for text in said or () for word in text.split(",") if word.strip()]
    return tuple(dict.fromkeys(words)) or ("all-linear",)


def sharding_of(*, zero: int | None, fsdp: bool, device_map: bool, megatron: bool) -> tuple[Sharding, bool]:
    """How GPUs share the work, and whether that is left to the tool.

    Raises:
        UsageError: two ways are asked for.
    """
    asked = {
        "--zero": zero is not None,
        "--fsdp": fsdp,
        "--device-map": device_map,
        "--tensor-parallel, --expert-parallel and --pipeline-parallel": megatron,
    }
    said = [name for name, given in asked.items() if given]
    if len(said) > 1:
        raise UsageError(f"{' and '.join(said)} exclude each other", hint="give one of them")
    if zero:
        stages: tuple[Sharding, ...] = ("none", "zero1", "zero2", "zero3")
        return stages[zero], False
    if fsdp:
        return "fsdp", False
    if device_map:
        return "layers", False
    if megatron:
        return "megatron", False
    return "none", zero is None


def base_format_of(catalog: Catalog, method: Method, said: str | None) -> str | None:
    """The format of a quantized base, as the catalogue spells it.

    Raises:
        UsageError: the format is not known, or the base is not quantized.
    """
    if said is None:
        return None
    name = quantization_name(catalog, said)
    if method != "qlora":
        raise UsageError(f"--quant {name} is of a quantized base, and --method {method} has none", hint="use qlora")
    fmt = catalog.formats[name]
    if fmt.container != "safetensors" or fmt.kind == "float":
        raise UsageError(f"adapters are not trained on {name}", hint="use NF4, INT8, AWQ or GPTQ-Int4")
    return None if name == "NF4" else name


def gpus_of(machine: Machine, said: int | None, *, most: int | None = None) -> tuple[Machine, int]:
    """The machine, with as many of its one GPU as were asked for, and how many GPUs of it take part.

    Raises:
        UsageError: it has fewer.
    """
    cards = place_of(machine).cards
    if said is None:
        return machine, min(cards, most or cards)
    if said <= cards:
        return machine, said
    if len(machine.accelerators) != 1 or machine.memory.unified:
        raise UsageError(f"--gpus-per-node {said}: this machine has {cards}", hint="describe it by --gpu 8xH100")
    return replace(machine, accelerators=machine.accelerators * said), said
