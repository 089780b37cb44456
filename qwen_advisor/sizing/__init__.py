"""The other way round: what hardware a model needs, from the least to the comfortable."""

from __future__ import annotations

from qwen_advisor.advise.search import rejection_of
from qwen_advisor.candidates import candidates
from qwen_advisor.describe import Description, describe
from qwen_advisor.describe.ladder import CLASSES, FREE, Arrangement, HardwareClass
from qwen_advisor.facts import Catalog
from qwen_advisor.model import Checkpoint
from qwen_advisor.rules import CHECKPOINT_RULES, Question
from qwen_advisor.rules.candidate import E101
from qwen_advisor.rules.checkpoint import T101
from qwen_advisor.sizing.answer import TIERS, ClassNeeds, FormatNeeds, Goals, HardwarePlan, Housing, Tier
from qwen_advisor.sizing.climbing import Climber, first
from qwen_advisor.sizing.formats import formats
from qwen_advisor.sizing.tiers import goals_of
from qwen_advisor.task import Requirements
from qwen_advisor.units import GIB

__all__ = [
    "TIERS",
    "Arrangement",
    "ClassNeeds",
    "FormatNeeds",
    "Goals",
    "HardwarePlan",
    "Housing",
    "Tier",
    "plan_hardware",
]

# Shown, but not named as the answer: few would buy a board, a cloud is rented, and no laptop serves several at once.
_BESIDES: frozenset[HardwareClass] = frozenset({"board", "cloud"})
_NO_SERVERS: frozenset[HardwareClass] = frozenset({"laptop"})


def plan_hardware(
    catalog: Catalog,
    checkpoint: Checkpoint,
    requirements: Requirements,
    *,
    any_kind: bool = False,
    arrangement: Arrangement = FREE,
) -> HardwarePlan:
    """The smallest machines of the catalogue for one model, class by class, and what the model takes in each format.

    Every machine is searched as `recommend` would search it, with the model asked for by name.

    Args:
        catalog: the facts.
        checkpoint: the model.
        requirements: task, context, concurrency, speed, engines and quantizations, resolved.
        any_kind: take the task for what a request looks like only, whether the model answers such tasks or not.
        arrangement: how many nodes of how many accelerators, and what joins them, where that is given.
    """
    question = Question(
        catalog=catalog,
        machine=describe(catalog, Description(ram=16 * GIB)),
        requirements=requirements,
        profile=catalog.tasks[requirements.task],
        named=frozenset({checkpoint.id}),
    )
    goals = goals_of(question, checkpoint)
    rules = (rule for rule in CHECKPOINT_RULES if not (any_kind and rule is T101))
    failing = next((finding for rule in rules if (finding := rule.check(checkpoint, question))), None)
    offered = candidates(catalog, checkpoint, tuple(catalog.engines.values()))
    if all(E101.check(candidate, question) is not None for candidate in offered):
        failing = E101.fail("no engine of the catalogue runs it in a format whose size is known")
    classes: tuple[ClassNeeds, ...] = ()
    rejection = None
    rows: tuple[FormatNeeds, ...] = ()
    if failing is not None:
        rejection = rejection_of(checkpoint, failing)
    else:
        climber = Climber(question, checkpoint, goals, arrangement)
        classes = _climb(climber)
        rows = formats(question, checkpoint)
        if not any(needs.least for needs in classes) and climber.nearest is not None:
            rejection = climber.nearest[1]
    besides = _BESIDES | _NO_SERVERS if requirements.concurrency > 1 else _BESIDES
    named = tuple(needs for needs in classes if needs.kind not in besides)
    least, sensible, comfortable = (first(named, aim) or first(classes, aim) for aim in TIERS)
    return HardwarePlan(
        catalog_version=catalog.version,
        catalog_models=len(catalog.models),
        checkpoint=checkpoint,
        requirements=requirements,
        goals=goals,
        least=least,
        sensible=sensible,
        comfortable=comfortable,
        classes=classes,
        formats=rows,
        rejection=rejection,
        notes=(*_idle_nodes(sensible or least or comfortable), *_idle_network(arrangement, classes)),
        arrangement=arrangement,
    )


def _idle_nodes(best: Housing | None) -> tuple[str, ...]:
    """That fewer nodes would do, where the model lies on a part of them."""
    if best is None or best.nodes_used == best.machine.nodes:
        return ()
    used, nodes = best.nodes_used, best.machine.nodes
    return (f"on {best.title} the model lies on {used} of the {nodes} nodes: the others are free for copies of it",)


def _idle_network(arrangement: Arrangement, classes: tuple[ClassNeeds, ...]) -> tuple[str, ...]:
    """That a network was named and nothing stands on one."""
    houses = (house for needs in classes for house in (needs.least, needs.sensible, needs.comfortable))
    if arrangement.interconnect is None or any(house.machine.nodes > 1 for house in houses if house):
        return ()
    return ("one machine is enough, so that --interconnect changes nothing: --nodes asks for several",)


def _climb(climber: Climber) -> tuple[ClassNeeds, ...]:
    """Class by class; servers without accelerators, and several servers, only where nothing smaller does."""
    by_kind: dict[HardwareClass, ClassNeeds] = {}
    for kind in CLASSES:
        if kind == "cluster" and by_kind["server"].sensible is not None:
            continue
        by_kind[kind] = climber.climb(kind, without_gpu=kind != "server" or by_kind["pc"].least is None)
    return tuple(by_kind.values())
