"""What to change where a run does not fit, best first; every remedy is reckoned again before it is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.model import Architecture, Checkpoint
from qwen_advisor.training.memory import training_memory
from qwen_advisor.training.room import Place, largest_sequence
from qwen_advisor.training.settings import Sharding, Training
from qwen_advisor.values import dataclass, replace

_LEAST_SEQUENCE = 256
_SMALL_RANK = 8  # that frameworks begin with


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

    Where none is, the fewest of them that are enough together; the last is a smaller model.
    """
    trial = _Trial(catalog=catalog, architecture=architecture, place=place)
    alone = [trial.of(run, (change,)) for change in _changes(run, place)]
    enough = [remedy for remedy in alone if remedy is not None and remedy.fits]
    shorter = trial.shorter(run)
    if enough or shorter:
        return (*enough, *([shorter] if shorter else []))
    together = _together(trial, run)
    smaller = _smaller(catalog, checkpoint, run, place)
    return tuple(remedy for remedy in (together, smaller) if remedy is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """Fields of the run that change, what that is in words and as an option, and what it costs."""

    fields: dict[str, Any]
    words: str
    option: str
    cost: str

    def made(self, run: Training) -> Training:
        return replace(run, **self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """Reckons changes again."""

    catalog: Catalog
    architecture: Architecture
    place: Place

    def device(self, run: Training) -> int | None:
        """Bytes on one GPU; None where the run is not possible, such as without sizes in 4 bit."""
        try:
            return training_memory(self.catalog, self.architecture, run).device
        except UsageError:
            return None

    def of(self, run: Training, changes: Sequence[_Change]) -> Remedy | None:
        for change in changes:
            run = change.made(run)
        device = self.device(run)
        if device is None:
            return None
        costs = dict.fromkeys(change.cost for change in changes if change.cost != "none")
        return Remedy(
            change="; ".join(change.words for change in changes),
            option=" ".join(change.option for change in changes),
            cost="; ".join(costs) or "none",
            device=device,
            fits=device <= self.place.budget,
        )

    def shorter(self, run: Training) -> Remedy | None:
        """The longest sequence that fits, where it is still worth the name."""
        change = self.cut(run)
        return None if change is None else self.of(run, (change,))

    def cut(self, run: Training) -> _Change | None:
        length = largest_sequence(self.catalog, self.architecture, run, self.place.budget, run.seq_len)
        if length is None or length < _LEAST_SEQUENCE:
            return None
        return _Change(
            fields={"seq_len": length},
            words=f"sequences of {length:,} tokens",
            option=f"--seq-len {length}",
            cost="longer examples are cut",
        )


def _changes(run: Training, place: Place) -> Iterator[_Change]:
    """Single changes, those first that cost least."""
    if not run.checkpointing:
        yield _Change(
            fields={"checkpointing": True},
            words="compute layers again in the backward pass",
            option="--gradient-checkpointing",
            cost="about a third more time",
        )
    if run.loss == "full":
        yield _Change(
            fields={"loss": "fused"},
            words="a loss that never holds all logits, as Liger has it",
            option="--loss fused",
            cost="none",
        )
    if run.batch > 1:
        steps = run.accumulation * run.batch
        yield _Change(
            fields={"batch": 1, "accumulation": steps},
            words=f"one sequence at a time and {steps} times before the optimizer steps",
            option=f"--batch 1 --accumulation {steps}",
            cost="some speed; the result is the same",
        )
    stages: tuple[tuple[Sharding, str], ...] = (("zero2", "--zero 2"), ("zero3", "--zero 3"))
    for sharding, option in stages:
        allowed = run.sharding in ("none", "zero1", "zero2") and run.sharding != sharding
        if allowed and run.gpus > 1 and run.framework != "unsloth" and (sharding != "zero3" or run.method != "qlora"):
            yield _Change(
                fields={"sharding": sharding},
                words=f"split over the {run.gpus} GPUs what each of them holds",
                option=option,
                cost="traffic between the GPUs",
            )
    if run.optimizer == "adamw" and run.sharding != "fsdp":
        yield _Change(
            fields={"optimizer": "adamw-8bit"},
            words="optimizer states in 8 bit",
            option="--optimizer adamw-8bit",
            cost="next to no quality",
        )
    if run.method == "full":
        yield _Change(
            fields={"method": "lora"},
            words="train adapters in place of all weights",
            option="--method lora",
            cost="some quality where much is to be learned",
        )
    if run.method != "qlora" and run.sharding != "zero3" and place.card is not None and place.card.vendor == "nvidia":
        yield _Change(
            fields={"method": "qlora"},
            words="train adapters on weights in 4 bit",
            option="--method qlora",
            cost="some quality, and time to unpack weights",
        )
    if run.adapters and run.rank > _SMALL_RANK:
        yield _Change(
            fields={"rank": _SMALL_RANK},
            words=f"adapters of rank {_SMALL_RANK}",
            option=f"--rank {_SMALL_RANK}",
            cost="what adapters can learn",
        )


def _together(trial: _Trial, run: Training) -> Remedy | None:
    """The fewest changes, of those that cost least, that are enough one on top of another; None where none are."""
    made: list[_Change] = []
    now, size = run, trial.device(run)
    while size is not None and size > trial.place.budget:
        step = None
        for change in _changes(now, trial.place):
            after = trial.device(change.made(now))
            if after is not None and after < size:
                step, size = change, after
                break
        if step is None:
            step = trial.cut(now)
            if step is None:
                return None
            size = trial.device(step.made(now))
        made.append(step)
        now = step.made(now)
    for change in list(made):  # what later changes have made needless
        fewer = [other for other in made if other is not change]
        remedy = trial.of(run, fewer)
        if remedy is not None and remedy.fits:
            made = fewer
    return trial.of(run, made) if made else None


def _smaller(catalog: Catalog, checkpoint: Checkpoint, run: Training, place: Place) -> Remedy | None:
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
        trial = _Trial(catalog=catalog, architecture=catalog.architectures[other.architecture], place=place)
        device = trial.device(run)
        if device is not None and device <= place.budget:
            return Remedy(
                change=f"train {other.id} instead",
                option=other.id,
                cost="a smaller model",
                device=device,
                fits=True,
                model=other.id,
            )
    return None
