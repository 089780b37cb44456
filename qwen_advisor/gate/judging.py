"""One model before the gate: whether it fits as asked, and whether it holds the policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from qwen_advisor.advise.search import Found
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Calibration, Fitter
from qwen_advisor.gate.fitting import Judged, judge
from qwen_advisor.gate.policy import Policy
from qwen_advisor.gate.policy_rule import Choice, matching
from qwen_advisor.gate.policy_rules import POLICY_RULES, hold
from qwen_advisor.gate.verdict import Ruling, Verdict
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.task import Requirements
from qwen_advisor.values import replace


def verdict(
    catalog: Catalog,
    machine: Machine,
    requirements: Requirements,
    checkpoint: Checkpoint,
    *,
    task_stated: bool,
    today: date,
    policy: Policy | None = None,
    calibration: Calibration | None = None,
) -> Verdict:
    """Judge one model, by what is asked and by a policy.

    Where the best plan breaks a rule of the policy that another quantization may hold, each of them is tried: a model
    fails for how it would be run only where no way of running it is let in.

    Args:
        catalog: the facts.
        machine: where it is to run.
        requirements: what is asked, every field resolved.
        checkpoint: the model.
        task_stated: whether somebody asked for the task.
        today: the day that ages count to.
        policy: what is let in.
        calibration: factors measured on the machine.
    """

    def judged(wanted: Requirements) -> Judged:
        return judge(catalog, machine, wanted, checkpoint, task_stated=task_stated, calibration=calibration)

    def held(way: Judged) -> tuple[Ruling, ...]:
        if policy is None:
            return ()
        largest = _largest(catalog, machine, way.found)
        choice = Choice(catalog=catalog, checkpoint=checkpoint, found=way.found, largest_context=largest, today=today)
        return tuple(hold(choice, policy))

    result = judged(requirements)
    of_policy = held(result)
    if policy is not None and result.found is not None and _breaks_by_plan(of_policy):
        for wanted in within(catalog, requirements, checkpoint, policy):
            other = judged(wanted)
            if other.found is not None and not _breaks_by_plan(held(other)):
                result, of_policy = other, held(other)
                break
    found = result.found
    return Verdict(
        model=checkpoint.id,
        checkpoint=checkpoint,
        requirements=requirements,
        plan=None if found is None else found.scored.plan,
        largest_context=_largest(catalog, machine, found),
        rulings=result.rulings + of_policy,
    )


def within(
    catalog: Catalog, requirements: Requirements, checkpoint: Checkpoint, policy: Policy
) -> Iterator[Requirements]:
    """The same wishes for one quantization at a time, most bits first, within what a policy lets in."""
    sizes = catalog.footprints.get(checkpoint.architecture, {})
    offered = requirements.quantizations or (sizes if policy.quantizations else catalog.ranking["usual_formats"])
    names = [
        name
        for name in offered
        if name in sizes and _allowed(name, policy.quantizations, policy.forbidden_quantizations)
    ]
    engines = requirements.engines
    if policy.engines or policy.forbidden_engines:
        let_in = (name for name in engines or catalog.engines)
        engines = tuple(name for name in let_in if _allowed(name, policy.engines, policy.forbidden_engines))
        if not engines:
            return
    for name in sorted(names, key=lambda name: (-sizes[name].file_bytes, name)):
        yield replace(requirements, quantizations=(name,), engines=engines)


def _breaks_by_plan(rulings: Iterable[Ruling]) -> bool:
    return any(item.level == "fail" and item.rule in _OF_PLAN for item in rulings)


_OF_PLAN = frozenset(rule.__name__ for rule in POLICY_RULES if rule.of_plan)


def _allowed(name: str, allowed: tuple[str, ...], forbidden: tuple[str, ...]) -> bool:
    return (not allowed or matching(name, allowed) is not None) and matching(name, forbidden) is None


def _largest(catalog: Catalog, machine: Machine, found: Found | None) -> int | None:
    return None if found is None else Fitter(catalog, machine).largest_context(found.candidate, found.fitted)
