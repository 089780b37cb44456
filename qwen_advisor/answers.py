"""The Python interface, second part: answers about models that are asked for by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from qwen_advisor.api import factors_for, load_catalog, machine_for
from qwen_advisor.comparison import Comparison, WhyNot, compare_models
from qwen_advisor.comparison.why_not import explain
from qwen_advisor.describe.names import MOST_ACCELERATORS
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Calibration
from qwen_advisor.machine import Interconnect, Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.names import resolve_model
from qwen_advisor.requirements import resolve
from qwen_advisor.rules.natural import natural_context, natural_task
from qwen_advisor.sizing import Arrangement, HardwarePlan, plan_hardware
from qwen_advisor.task import TaskId
from qwen_advisor.training import Training, TrainingPlan, plan_training

MOST_NODES = 64  # every number of stages up to it is tried on machine after machine


def plan(
    model: str,
    *,
    catalog: Catalog | None = None,
    task: str | None = None,
    context: int | None = None,
    concurrency: int = 1,
    min_speed: float | None = None,
    engines: Sequence[str] = (),
    quantizations: Sequence[str] = (),
    prompt_tokens: int | None = None,
    output_tokens: int | None = None,
    nodes: int | None = None,
    gpus_per_node: int | None = None,
    interconnect: Interconnect | None = None,
) -> HardwarePlan:
    """What hardware a model needs: the least, the sensible and the comfortable, and what it takes in each format.

    Args:
        model: repository, short form or Ollama tag.
        catalog: the facts; the shipped ones if not given.
        task: what a request looks like; the model's own first task if not given.
        context: tokens that one request may reach; the task's default if not given.
        concurrency: requests served at once.
        min_speed: least decode rate per request, tokens per second; what the task wants if not given.
        engines: the engines to consider; any if empty.
        quantizations: the formats to consider; the usual ones if empty.
        prompt_tokens: length of one prompt.
        output_tokens: length of one answer.
        nodes: exactly so many machines together; what it takes if not given.
        gpus_per_node: exactly so many accelerators in each; any number if not given.
        interconnect: the network between the machines.

    Raises:
        UsageError: a name that is not known, or an impossible number.
    """
    facts = catalog or load_catalog()
    checkpoint = resolve_model(facts, model)
    arrangement = _arrangement(nodes, gpus_per_node, interconnect)
    wanted = task if task is not None else natural_task(facts, [checkpoint])
    requirements = resolve(
        facts,
        task=wanted,
        context=context or _reach(facts, [checkpoint], wanted, prompt_tokens, output_tokens),
        concurrency=concurrency,
        min_speed=min_speed,
        engines=engines,
        quantizations=quantizations,
        prompt_tokens=prompt_tokens,
        output_tokens=output_tokens,
    )
    return plan_hardware(facts, checkpoint, requirements, any_kind=task is None, arrangement=arrangement)


def _arrangement(nodes: int | None, gpus_per_node: int | None, interconnect: Interconnect | None) -> Arrangement:
    for option, value, most in (("--nodes", nodes, MOST_NODES), ("--gpus-per-node", gpus_per_node, MOST_ACCELERATORS)):
        if value is not None and not 1 <= value <= most:
            raise UsageError(f"{option} must be from 1 to {most}, not {value}")
    if interconnect is not None and nodes == 1:
        raise UsageError("--interconnect says nothing of one node", hint="leave it out, or ask for more --nodes")
    return Arrangement(nodes=nodes, gpus_per_node=gpus_per_node, interconnect=interconnect)


def compare(
    *models: str,
    machine: Machine | None = None,
    catalog: Catalog | None = None,
    task: str | None = None,
    calibration: Calibration | None = None,
    ram: str | int | None = None,
    vram: str | int | None = None,
    gpu: str | Sequence[str] = (),
    device: str | None = None,
    **asked: Any,
) -> Comparison:
    """The best setting of each model on one machine, and what wins where.

    Args:
        *models: repositories, short forms or Ollama tags.
        machine: where; or describe it by the four names below; this machine if none is given.
        catalog: the facts; the shipped ones if not given.
        task: what for; the first task that all of them answer if not given.
        calibration: factors measured on ``machine``, as for `recommend`.
        ram: main memory, bytes or text such as ``"16G"``.
        vram: memory of one accelerator, likewise.
        gpu: one or several accelerators by name.
        device: a whole machine by name.
        **asked: further requirements by name, as `qwen_advisor.requirements.resolve` takes them.

    Raises:
        UsageError: a name that is not known, no model, or one that is named twice.
        ProbeError: no machine is given and this one cannot be read.
    """
    facts = catalog or load_catalog()
    checkpoints = [resolve_model(facts, model) for model in models]
    if not checkpoints:
        raise UsageError("no model is named", hint="name two or more: qwen-advisor compare Qwen3-8B Qwen3-14B")
    twice = next((c.id for i, c in enumerate(checkpoints) if c in checkpoints[:i]), None)
    if twice is not None:
        raise UsageError(f"{twice} is named twice", hint="name each model once")
    wanted = task if task is not None else natural_task(facts, checkpoints)
    if asked.get("context") is None:
        asked["context"] = _reach(facts, checkpoints, wanted, asked.get("prompt_tokens"), asked.get("output_tokens"))
    requirements = resolve(facts, task=wanted, **asked)
    place = machine or machine_for(facts, ram=ram, vram=vram, gpu=gpu, device=device)
    factors = factors_for(place, facts, calibration, given=machine is not None)
    return compare_models(facts, place, requirements, checkpoints, calibration=factors)


def why_not(
    model: str,
    *,
    machine: Machine | None = None,
    catalog: Catalog | None = None,
    calibration: Calibration | None = None,
    ram: str | int | None = None,
    vram: str | int | None = None,
    gpu: str | Sequence[str] = (),
    device: str | None = None,
    **asked: Any,
) -> WhyNot:
    """Why a model is not the first answer of `recommend`, and the smallest changes that would let it in or on top.

    Args:
        model: repository, short form or Ollama tag.
        machine: where; or describe it by the four names below; this machine if none is given.
        catalog: the facts; the shipped ones if not given.
        calibration: factors measured on ``machine``, as for `recommend`.
        ram: main memory, bytes or text such as ``"16G"``.
        vram: memory of one accelerator, likewise.
        gpu: one or several accelerators by name.
        device: a whole machine by name.
        **asked: requirements by name, as for `recommend`.

    Raises:
        UsageError: a name that is not known.
        ProbeError: no machine is given and this one cannot be read.
    """
    facts = catalog or load_catalog()
    checkpoint = resolve_model(facts, model)
    requirements = resolve(facts, **asked)
    place = machine or machine_for(facts, ram=ram, vram=vram, gpu=gpu, device=device)
    factors = factors_for(place, facts, calibration, given=machine is not None)
    return explain(facts, place, requirements, checkpoint, calibration=factors)


def _reach(
    facts: Catalog, checkpoints: Sequence[Checkpoint], task: str, prompt: int | None, output: int | None
) -> int | None:
    """A context that the models reach, where nothing was said of one and they do not reach the task's."""
    if prompt is not None or output is not None or task not in facts.tasks:
        return None
    return natural_context(facts, checkpoints, cast("TaskId", task))


def finetune(
    model: str,
    run: Training,
    *,
    machine: Machine | None = None,
    catalog: Catalog | None = None,
    choose_sharding: bool = False,
    dataset_tokens: int | None = None,
    epochs: float = 3.0,
) -> TrainingPlan:
    """What training a model takes, whether it fits, how long it takes and what to change.

    Args:
        model: repository, short form or Ollama tag.
        run: how it is trained.
        machine: where; this machine if not given.
        catalog: the facts; the shipped ones if not given.
        choose_sharding: with several GPUs, split by ZeRO-3 where whole copies do not fit.
        dataset_tokens: of the data set, once through.
        epochs: how often the data set is gone through.

    Raises:
        UsageError: a name that is not known, or settings that exclude each other.
    """
    facts = catalog or load_catalog()
    return plan_training(
        facts,
        resolve_model(facts, model),
        machine or machine_for(facts),
        run,
        choose_sharding=choose_sharding,
        dataset_tokens=dataset_tokens,
        epochs=epochs,
    )
