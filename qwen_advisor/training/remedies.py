"""What to change where a run does not fit, best first; every remedy is reckoned again before it is named."""

from __future__ import annotations

from collections.abc import Iterator

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.model import Architecture, Checkpoint
from qwen_advisor.training.memory import training_memory
from qwen_advisor.training.room import Place, largest_sequence
from qwen_advisor.training.settings import Sharding, Training
from qwen_advisor.values import dataclass, replace

_LEAST_SEQUENCE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A change, what it costs, and what the run then takes of one GPU in bytes."""

    change: str
    option: str
    cost: str
    device: int
    fits: bool
    model: str | None = None  # where the remedy is another model


def remedies(
    catalog: Catalog, checkpoint: Checkpoint, architecture: Architecture, run: Training, place: Place
) -> tuple[Remedy, ...]:
    """Changes in the order of what they cost, those first that are enough alone.

    Where none is, the changes are made one on top of another until the run fits; the last is a smaller model.
    """
    changes = list(_changes(run, place))
    alone = [_tried(catalog, architecture, changed, place, words) for changed, *words in changes]
    enough = [remedy for remedy in alone if remedy is not None and remedy.fits]
    shorter = _shorter(catalog, architecture, run, place)
    if enough or shorter:
        return (*enough, *([shorter] if shorter else []))
    return (*_together(catalog, architecture, run, place), *_smaller(catalog, checkpoint, run, place))


def _changes(run: Training, place: Place) -> Iterator[tuple[Training, str, str, str]]:
    """The run after one change; what changes, by which option, at what cost."""
    if not run.checkpointing:
        yield (
            replace(run, checkpointing=True),
            "compute layers again in the backward pass",
            "--gradient-checkpointing",
            "about a third more time",
        )
    if run.loss == "full":
        yield (
            replace(run, loss="chunked"),
            "a loss that never holds all logits, as TRL's trainer and Liger have it",
            "--loss chunked",
            "none",
        )
    if run.batch > 1:
        yield (
            replace(run, batch=1, accumulation=run.accumulation * run.batch),
            f"one sequence at a time and {run.accumulation * run.batch} times before the optimizer steps",
            f"--batch 1 --accumulation {run.accumulation * run.batch}",
            "some speed; the result is the same",
        )
    if run.gpus > 1 and run.framework != "unsloth":
        options: tuple[tuple[Sharding, str], ...] = (("zero2", "--zero 2"), ("zero3", "--zero 3"))
        for sharding, flag in options:
            if run.sharding in ("none", "zero1", "zero2") and run.sharding != sharding:
                yield (
                    replace(run, sharding=sharding),
                    f"split what each GPU holds twice over the {run.gpus} GPUs",
                    flag,
                    "traffic between the GPUs",
                )
    if run.optimizer == "adamw":
        yield (
            replace(run, optimizer="adamw-8bit"),
            "optimizer states in 8 bit",
            "--optimizer adamw-8bit",
            "next to none",
        )
    if run.method == "full":
        yield (
            replace(run, method="lora"),
            "train adapters in place of all weights",
            "--method lora",
            "some quality where much is to be learned",
        )
    if run.method != "qlora" and place.card is not None and place.card.vendor == "nvidia":
        yield (
            replace(run, method="qlora"),
            "hold the frozen weights in 4 bit",
            "--method qlora",
            "some quality, and time to unpack weights",
        )
    if run.adapters and run.rank > 8:
        yield (replace(run, rank=8), "adapters of rank 8", "--rank 8", "what adapters can learn")


def _tried(
    catalog: Catalog, architecture: Architecture, run: Training, place: Place, words: list[str]
) -> Remedy | None:
    try:
        device = training_memory(catalog, architecture, run).device
    except UsageError:  # such as no 4 bit sizes of this model
        return None
    change, option, cost = words
    return Remedy(change=change, option=option, cost=cost, device=device, fits=device <= place.budget)


def _shorter(catalog: Catalog, architecture: Architecture, run: Training, place: Place) -> Remedy | None:
    length = largest_sequence(catalog, architecture, run, place.budget, run.seq_len)
    if length is None or length < _LEAST_SEQUENCE:
        return None
    device = training_memory(catalog, architecture, replace(run, seq_len=length)).device
    return Remedy(
        change=f"sequences of {length:,} tokens",
        option=f"--seq-len {length}",
        cost="longer examples are cut",
        device=device,
        fits=True,
    )


def _together(catalog: Catalog, architecture: Architecture, run: Training, place: Place) -> Iterator[Remedy]:
    """One change on top of another until the run fits; none where even all of them are too little."""
    made: list[Remedy] = []
    now = run
    while not (made and made[-1].fits):
        step = next(iter(_useful(catalog, architecture, now, place)), None)
        if step is None:
            shorter = _shorter(catalog, architecture, now, place)
            if shorter is None:
                return
            made.append(shorter)
            break
        now, remedy = step
        made.append(remedy)
    yield Remedy(
        change="; ".join(remedy.change for remedy in made),
        option=" ".join(remedy.option for remedy in made),
        cost="; ".join(dict.fromkeys(remedy.cost for remedy in made if remedy.cost != "none")) or "none",
        device=made[-1].device,
        fits=True,
    )


def _useful(
    catalog: Catalog, architecture: Architecture, run: Training, place: Place
) -> Iterator[tuple[Training, Remedy]]:
    """Changes that make the run smaller."""
    before = training_memory(catalog, architecture, run).device
    for changed, *words in _changes(run, place):
        remedy = _tried(catalog, architecture, changed, place, words)
        if remedy is not None and remedy.device < before:
            yield changed, remedy


def _smaller(catalog: Catalog, checkpoint: Checkpoint, run: Training, place: Place) -> Iterator[Remedy]:
    """The largest model of the same family, or else of the same line and kind, that fits as asked."""
    others = [
        other
        for other in catalog.models.values()
        if other.line == checkpoint.line
        and other.kind == checkpoint.kind
        and other.special_purpose is None
        and (other.parameters_total or 0) < (checkpoint.parameters_total or 0)
    ]
    others.sort(key=lambda other: (other.family != checkpoint.family, -(other.parameters_total or 0)))
    for other in others:
        architecture = catalog.architectures[other.architecture]
        remedy = _tried(catalog, architecture, run, place, [f"train {other.id} instead", other.id, "a smaller model"])
        if remedy is not None and remedy.fits:
            yield replace(remedy, model=other.id)
            return
