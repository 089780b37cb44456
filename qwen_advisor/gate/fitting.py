"""Whether one model fits as asked: the rules that ``recommend`` applies, every one of them said."""

from __future__ import annotations

from collections.abc import Iterator

from qwen_advisor.advice import Finding, Rejection
from qwen_advisor.advise.search import Found, Search, fitter_for
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Calibration
from qwen_advisor.gate.nearest import nearest_plan, nearest_wish
from qwen_advisor.gate.verdict import Ruling, ruling, sentence
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.rules import CANDIDATE_RULES, CHECKPOINT_RULES, PLAN_RULES, Question
from qwen_advisor.rules.checkpoint import T101
from qwen_advisor.task import Requirements
from qwen_advisor.values import dataclass, replace

FITS = "The weights, the KV cache and the buffers fit in the memory that is free."
# Whoever names a model has chosen it: that it is meant for something else, or has a successor, is said and no more.
CHOSEN = frozenset({"T102", "T109"})

TITLES = {kind.__name__: sentence(kind) for kind in (*CHECKPOINT_RULES, *CANDIDATE_RULES, *PLAN_RULES)} | {"M101": FITS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of one model: a plan where there is one, and every ruling."""

    found: Found | None
    rejection: Rejection | None
    rulings: tuple[Ruling, ...]


def judge(
    catalog: Catalog,
    machine: Machine,
    requirements: Requirements,
    checkpoint: Checkpoint,
    *,
    task_stated: bool,
    calibration: Calibration | None = None,
) -> Judged:
    """Apply every rule to one model and find its best plan.

    Args:
        catalog: the facts.
        machine: where it is to run.
        requirements: what is asked, every field resolved.
        checkpoint: the model.
        task_stated: whether somebody asked for the task; otherwise the rules that the task alone makes do not count.
        calibration: factors measured on the machine.
    """
    profile = catalog.tasks[requirements.task]
    lifted = frozenset() if task_stated else frozenset({"S102"})
    question = Question(catalog=catalog, machine=machine, requirements=requirements, profile=profile, lifted=lifted)
    fitter = fitter_for(question, calibration)
    outcome = Search(question, fitter).best(checkpoint)
    if outcome.found is None and not requirements.engines and _refused_by_engines(outcome.rejection):
        # An engine that is nobody's first choice here serves a gate as well.
        question = replace(question, requirements=replace(requirements, engines=tuple(catalog.engines)))
        outcome = Search(question, fitter).best(checkpoint)
    rulings = [*_of_checkpoint(question, checkpoint, task_stated=task_stated)]
    if outcome.found is not None:
        rulings += _of_plan(outcome.found)
        return Judged(found=outcome.found, rejection=None, rulings=tuple(rulings))
    rejection = outcome.rejection
    if rejection is not None:
        finding = Finding(
            rule=rejection.rule,
            verdict="fail",
            message=rejection.message,
            needed=rejection.needed,
            available=rejection.available,
        )
        rulings.append(
            ruling(finding, TITLES[finding.rule], nearest=nearest_plan(question, fitter, checkpoint, rejection))
        )
    return Judged(found=None, rejection=rejection, rulings=tuple(rulings))


def _refused_by_engines(rejection: Rejection | None) -> bool:
    return rejection is not None and rejection.rule.startswith("E")


def _of_checkpoint(question: Question, checkpoint: Checkpoint, *, task_stated: bool) -> Iterator[Ruling]:
    for rule in CHECKPOINT_RULES:
        name = rule.__name__
        if rule is T101 and not task_stated:
            continue
        finding = rule.check(checkpoint, question)
        if finding is None:
            yield Ruling(rule=name, title=TITLES[name], level="pass")
        elif name in CHOSEN:
            yield ruling(replace(finding, verdict="warn"), TITLES[name])
        else:
            yield ruling(finding, TITLES[name], nearest=nearest_wish(question, checkpoint, finding))


def _of_plan(found: Found) -> Iterator[Ruling]:
    """Every rule that a plan has passed to be one, and what goes with it."""
    for name in ("M101", *(rule.__name__ for rule in CANDIDATE_RULES)):
        yield Ruling(rule=name, title=TITLES[name], level="pass")
    said = {finding.rule: finding for finding in found.warnings}
    for rule in PLAN_RULES:
        name = rule.__name__
        yield ruling(said[name], TITLES[name]) if name in said else Ruling(rule=name, title=TITLES[name], level="pass")
