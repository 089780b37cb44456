"""The task that a model is asked about where nobody says which."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from qwen_advisor.advice import Finding
from qwen_advisor.describe import Description, describe
from qwen_advisor.facts import Catalog
from qwen_advisor.model import Checkpoint
from qwen_advisor.rules.checkpoint import T101
from qwen_advisor.rules.rule import Question
from qwen_advisor.task import Requirements, TaskId
from qwen_advisor.units import GIB

_FALLBACK: TaskId = "chat"


def natural_task(catalog: Catalog, checkpoints: Iterable[Checkpoint]) -> TaskId:
    """The first task that all of the models answer; of several, one that is made for their line.

    ``chat`` where there is none, so that the rules can say why.
    """
    models = tuple(checkpoints)
    shared = [task for task in get_args(TaskId) if all(unsuited(catalog, model, task) is None for model in models)]
    own = [task for task in shared if catalog.tasks[task].lines]
    return next(iter(own or shared), _FALLBACK)


def natural_context(catalog: Catalog, checkpoints: Iterable[Checkpoint], task: TaskId) -> int | None:
    """The longest context that all of the models reach, where that is less than the task's own; None otherwise."""
    reaches = [max(model.context.native or 0, model.context.extended or 0) for model in checkpoints]
    least = min((reach for reach in reaches if reach), default=0)
    return least if 0 < least < catalog.tasks[task].context else None


def unsuited(catalog: Catalog, checkpoint: Checkpoint, task: TaskId) -> Finding | None:
    """Why a model does not answer a task by its kind, line or modalities, or None where it does."""
    question = Question(
        catalog=catalog,
        machine=describe(catalog, Description(ram=16 * GIB)),  # the rule looks at no machine
        requirements=Requirements(task=task),
        profile=catalog.tasks[task],
    )
    return T101.check(checkpoint, question)
