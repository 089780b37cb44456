"""Which model to train on a machine: the ablest that fits, by adapters in 16 bit, or on a 4 bit base."""

from __future__ import annotations

from collections.abc import Iterator

from qwen_advisor.facts import Catalog
from qwen_advisor.listing import listed
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.quality import find_ability, quantization_loss
from qwen_advisor.task import Requirements
from qwen_advisor.training.memory import training_memory
from qwen_advisor.training.room import Place, place_of
from qwen_advisor.training.settings import Method, Training
from qwen_advisor.training.speed import TrainingSpeed, training_speed
from qwen_advisor.values import dataclass, replace

_SAME = 0.15  # logits: abilities that are nearer count as alike, and the smaller model is preferred


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A model to train and how. ``ability`` is in logits of the task's scale, quantization of the base taken off."""

    rank: int
    checkpoint: Checkpoint
    run: Training
    modules: tuple[str, ...]
    device: int
    ability: float
    standard_error: float
    speed: TrainingSpeed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingAdvice:
    """Models to train on a machine for a task, best first, and how many were too large."""

    requirements: Requirements
    machine: Machine
    place: Place
    choices: tuple[Choice, ...]
    too_large: int
    smallest: Choice | None  # where nothing fits: what would come nearest


def choose(catalog: Catalog, machine: Machine, requirements: Requirements, run: Training) -> TrainingAdvice:
    """Rank the models that answer the task and can be trained here with the settings of ``run``.

    The method of each is adapters on 16 bit weights where they fit, else on 4 bit weights (NVIDIA only). The order is
    by ability on the task's scale, less what the 4 bit base loses; of models that are alike the one that trains faster.
    """
    place = place_of(machine)
    choices: list[Choice] = []
    missed: list[Choice] = []
    for checkpoint in listed(catalog, requirements, by_task=True):
        if checkpoint.superseded_by or catalog.architectures[checkpoint.architecture].text is None:
            continue
        options = list(_options(catalog, checkpoint, requirements, run, place))
        fitting = [option for option in options if option.device <= place.budget]
        (choices if fitting else missed).extend(fitting[:1] or options[-1:])
    choices.sort(key=lambda choice: (-round(choice.ability / _SAME), choice.device))
    ranked = tuple(replace(choice, rank=rank) for rank, choice in enumerate(choices[: requirements.top], start=1))
    smallest = min(missed, key=lambda choice: choice.device, default=None)
    return TrainingAdvice(
        requirements=requirements,
        machine=machine,
        place=place,
        choices=ranked,
        too_large=len(missed),
        smallest=None if choices else smallest,
    )


def _options(
    catalog: Catalog, checkpoint: Checkpoint, requirements: Requirements, run: Training, place: Place
) -> Iterator[Choice]:
    architecture = catalog.architectures[checkpoint.architecture]
    known = catalog.footprints.get(architecture.id, {})
    scale = catalog.tasks[requirements.task].ability
    settings = [find_ability(catalog.abilities, checkpoint.id, scale, thinking) for thinking in ("on", "off")]
    ability = max((each for each in settings if each is not None), key=lambda each: each.value, default=None)
    if ability is None:
        return
    methods: tuple[Method, ...] = ("lora",)
    if place.card is not None and place.card.vendor == "nvidia" and "NF4" in known:
        methods += ("qlora",)
    for method in methods:
        tried = replace(run, method=method)
        lost = 0.0
        if method == "qlora":
            bits = known["NF4"].tensor_bytes * 8 / max(1, known["NF4"].parameters)
            lost, _ = quantization_loss(
                catalog.quantization_loss,
                fmt=catalog.formats["NF4"],
                bits_per_weight=bits,
                total_parameters=checkpoint.parameters_total or 1,
                moe=bool(architecture.text and architecture.text.moe),
                scale=scale,
            )
        memory = training_memory(catalog, architecture, tried)
        yield Choice(
            rank=0,
            checkpoint=checkpoint,
            run=tried,
            modules=memory.trained.modules,
            device=memory.device,
            ability=ability.value - lost,
            standard_error=ability.standard_error,
            speed=training_speed(catalog, architecture, tried, place, dataset=None, epochs=1),
        )
