"""The whole answer of ``finetune``: memory, room, speed and what to change, of one run on one machine."""

from __future__ import annotations

from collections.abc import Iterator

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Machine
from qwen_advisor.model import Architecture, Checkpoint
from qwen_advisor.training.memory import TrainingMemory, training_memory
from qwen_advisor.training.remedies import Remedy, remedies
from qwen_advisor.training.room import Place, largest_batch, largest_sequence, place_of
from qwen_advisor.training.settings import Sharding, Training
from qwen_advisor.training.speed import TrainingSpeed, training_speed
from qwen_advisor.values import dataclass, replace

_TEACHABLE = ("base", "instruct", "thinking", "hybrid", "guard", "judge", "prompt-rewriter", "captioner")
_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """A run on a machine. Bytes on one GPU, tokens as plain counts."""

    checkpoint: Checkpoint
    architecture: Architecture
    run: Training
    memory: TrainingMemory
    place: Place
    machine: Machine
    fits: bool
    largest_seq_len: int | None  # with the batch as it is
    largest_batch: int | None  # with the length as it is
    speed: TrainingSpeed | None
    dataset_tokens: int | None
    epochs: float
    remedies: tuple[Remedy, ...]
    notes: tuple[str, ...]


def plan_training(
    catalog: Catalog,
    checkpoint: Checkpoint,
    machine: Machine,
    run: Training,
    *,
    choose_sharding: bool = False,
    dataset_tokens: int | None = None,
    epochs: float = 3.0,
) -> TrainingPlan:
    """Reckon one run.

    Args:
        catalog: the facts.
        checkpoint: what is trained.
        machine: where; its cards of one kind are used.
        run: how; the numbers of GPUs are taken as they stand.
        choose_sharding: with several GPUs, split by ZeRO-3 where whole copies do not fit.
        dataset_tokens: of the data set, once through.
        epochs: how often the data set is gone through.

    Raises:
        UsageError: the model is none that text is taught to, or the framework cannot run it so.
    """
    architecture = catalog.architectures[checkpoint.architecture]
    if checkpoint.kind not in _TEACHABLE or architecture.text is None:
        raise UsageError(
            f"{checkpoint.id} is a {checkpoint.kind} model, which is not trained on conversations",
            hint="choose a base, instruct or thinking model: qwen-advisor recommend --for finetune",
        )
    place = place_of(machine)
    _refuse(run, place)
    memory = training_memory(catalog, architecture, run)
    if choose_sharding and run.gpus > 1 and memory.device > place.budget:
        split: Sharding = "zero3"
        run = replace(run, sharding=split)
        memory = training_memory(catalog, architecture, run)
    if place.card is None:
        memory = replace(memory, parts=tuple(part for part in memory.parts if part.name != "cuda_context"))
    fits = memory.device <= place.budget
    longest = checkpoint.context.extended or checkpoint.context.native or _LONGEST
    return TrainingPlan(
        checkpoint=checkpoint,
        architecture=architecture,
        run=run,
        memory=memory,
        place=place,
        machine=machine,
        fits=fits,
        largest_seq_len=largest_sequence(catalog, architecture, run, place.budget, longest),
        largest_batch=largest_batch(catalog, architecture, run, place.budget),
        speed=training_speed(catalog, architecture, run, place, dataset=dataset_tokens, epochs=epochs),
        dataset_tokens=dataset_tokens,
        epochs=epochs,
        remedies=() if fits else remedies(catalog, checkpoint, architecture, run, place),
        notes=tuple(_notes(checkpoint, architecture, run, place)),
    )


def _refuse(run: Training, place: Place) -> None:
    """Settings that exclude each other, or that the place does not have."""
    if run.framework == "unsloth" and run.gpus > 1 and run.sharding != "none":
        raise UsageError("Unsloth shards nothing over GPUs", hint="leave --zero and --fsdp out, or choose another tool")
    if run.framework == "unsloth" and run.optimizer == "muon":
        raise UsageError("Unsloth has no Muon", hint="choose adamw-8bit, or another tool")
    if run.sharding == "fsdp" and run.optimizer in ("adamw-8bit", "muon"):
        raise UsageError(
            f"{run.optimizer} does not work on tensors that FSDP has split", hint="use --zero 2, or --optimizer adamw"
        )
    if run.sharding == "zero3" and run.method == "qlora":
        raise UsageError(
            "DeepSpeed ZeRO-3 does not split weights that bitsandbytes has quantized",
            hint="use --fsdp or --zero 2, or --method lora",
        )
    if run.method == "qlora" and place.card is not None and place.card.vendor == "apple":
        raise UsageError("bitsandbytes does not run on Apple GPUs", hint="use --method lora")


def _notes(checkpoint: Checkpoint, architecture: Architecture, run: Training, place: Place) -> Iterator[str]:
    text = architecture.text
    if text is None:
        return
    if place.card is None:
        yield "no GPU is used: training on processors is for trying a script, not for a result"
    native = checkpoint.context.native
    if native is not None and run.seq_len > native:
        yield f"{checkpoint.id} was made for {native:,} tokens; longer sequences teach it positions it has not seen"
    if text.moe and run.method == "qlora" and run.framework != "unsloth" and run.base_format is None:
        yield (
            "Transformers 5 holds the experts of a layer in one parameter, which bitsandbytes leaves in 16 bit:"
            " 4 bit saves little here"
        )
    if text.moe and run.adapters and "experts" not in run.targets:
        yield "adapters on the routed experts are left out; --target-modules all-linear,experts puts them there"
    if text.linear_attention:
        yield "install flash-linear-attention and causal-conv1d: without them linear attention takes far more memory"
    if architecture.vision or architecture.audio:
        yield "the towers for images and sound are loaded and stay frozen"
    if text.mtp_num_hidden_layers:
        yield "the block that drafts tokens (MTP) is neither loaded nor trained"
    if checkpoint.thinking in ("always", "hybrid"):
        yield "give examples with their thoughts, or the model unlearns to think; mix in some of its own answers"
    if run.method == "full" and run.sharding == "none" and run.optimizer == "adamw":
        yield "weights and states are 16 bit; float32 copies, as DeepSpeed has them, take 8 bytes more for each weight"
    if run.nodes > 1 and place.interconnect is None:
        yield "the network between the machines is taken for 10 Gbit/s Ethernet: name it by --interconnect"
    if not run.packing and run.batch > 1:
        yield "shorter sequences of a batch are filled up: --packing spends no time on padding"
