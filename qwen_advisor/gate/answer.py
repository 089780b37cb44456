"""The answer of the gate: several models, or one lock, as one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Calibration
from qwen_advisor.gate.holding import hold_lock
from qwen_advisor.gate.judging import verdict
from qwen_advisor.gate.lock import Lock
from qwen_advisor.gate.policy import Policy
from qwen_advisor.gate.policy_rule import Choice
from qwen_advisor.gate.policy_rules import hold
from qwen_advisor.gate.verdict import Gate, Place
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.requirements import resolve
from qwen_advisor.rules.natural import natural_task
from qwen_advisor.task import Requirements
from qwen_advisor.values import replace


def gate_of_models(
    catalog: Catalog,
    machine: Machine,
    checkpoints: Sequence[Checkpoint],
    wishes: Mapping[str, Any],
    *,
    today: date,
    policy: Policy | None = None,
    calibration: Calibration | None = None,
) -> Gate:
    """Judge models by name.

    Args:
        catalog: the facts.
        machine: where they are to run.
        checkpoints: the models.
        wishes: what is asked, as `qwen_advisor.requirements.resolve` takes it; without a task each model counts for
            what it was made for, and with the context that it has.
        today: the day that ages count to.
        policy: what is let in.
        calibration: factors measured on the machine.

    Raises:
        UsageError: a wish that is not known, or impossible.
    """
    return Gate(
        catalog_version=catalog.version,
        catalog_models=len(catalog.models),
        machine=machine,
        verdicts=tuple(
            verdict(
                catalog,
                machine,
                _resolved(catalog, checkpoint, wishes, policy),
                checkpoint,
                task_stated="task" in wishes,
                today=today,
                policy=policy,
                calibration=calibration,
            )
            for checkpoint in checkpoints
        ),
        policy=None if policy is None else policy.file,
    )


def _resolved(
    catalog: Catalog, checkpoint: Checkpoint, wishes: Mapping[str, Any], policy: Policy | None
) -> Requirements:
    """Every wish; a context that nobody asked for is the policy's, or the task's, as far as the model has it."""
    asked = {"task": natural_task(catalog, (checkpoint,)), **wishes}
    resolved = resolve(catalog, **asked)
    if {"context", "prompt_tokens", "output_tokens"} & wishes.keys():
        return resolved
    wanted = resolved.context if policy is None else max(resolved.context, policy.min_context or 0)
    reach = max(checkpoint.context.native or 0, checkpoint.context.extended or 0)
    if 0 < reach < wanted and ("task" not in wishes or reach >= resolved.context):
        wanted = reach
    return resolved if wanted == resolved.context else resolve(catalog, **asked, context=wanted)


def gate_of_lock(
    catalog: Catalog,
    lock: Lock,
    file: str,
    *,
    today: date,
    machine: Machine | None = None,
    policy: Policy | None = None,
) -> Gate:
    """Judge what was locked.

    Args:
        catalog: today's facts.
        lock: what was chosen.
        file: where that stands.
        today: the day that ages count to.
        machine: another machine than the lock's own.
        policy: what is let in.
    """
    place = machine or lock.machine
    found, laid = hold_lock(catalog, place, lock, Place(file=file))
    if policy is not None and found.checkpoint is not None:
        choice = Choice(
            catalog=catalog,
            checkpoint=found.checkpoint,
            found=None if laid is None else laid.found,
            largest_context=found.largest_context,
            today=today,
        )
        found = replace(found, rulings=found.rulings + tuple(hold(choice, policy)))
    return Gate(
        catalog_version=catalog.version,
        catalog_models=len(catalog.models),
        machine=place,
        verdicts=(found,),
        policy=None if policy is None else policy.file,
        lock=file,
        locked_with=lock.catalog_version,
    )


def strict(gate: Gate) -> Gate:
    """The same at a gate at which a warning fails too."""
    return replace(
        gate,
        verdicts=tuple(
            replace(item, rulings=tuple(replace(r, level="fail") if r.level == "warn" else r for r in item.rulings))
            for item in gate.verdicts
        ),
    )
