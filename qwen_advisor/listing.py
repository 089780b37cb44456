"""Which checkpoints of the catalogue are meant: by what they are for, their size, age and license, or by words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Cpu, HostMemory, Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.rules.checkpoint import L101, T101, T102, T103, T104, CheckpointRule
from qwen_advisor.rules.rule import Question
from qwen_advisor.task import Requirements

_PARAMETERS = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([MBT]?)", re.IGNORECASE)
_SCALE = {"M": 10**6, "": 10**9, "B": 10**9, "T": 10**12}
_MOST = 10**18  # parameters; what is above is a slip of the hand
# The rules of a checkpoint look at no machine; a question has one all the same.
_NO_MACHINE = Machine(os="", cpu=Cpu(name=""), memory=HostMemory(total=0, available=0))


def parse_parameters(text: str) -> int:
    """Read a number of parameters as model names have it: ``8B``, ``0.6B``, ``500M``, ``2.4T``; no unit means B.

    Raises:
        UsageError: the text is no such number.
    """
    match = _PARAMETERS.fullmatch(text.strip())
    count = float(match[1]) * _SCALE[match[2].upper()] if match else 0.0
    if not 1 <= count < _MOST:
        raise UsageError(f"{text[:80]!r} is not a number of parameters", hint="write it like 8B, 0.6B or 500M")
    return round(count)


def listed(
    catalog: Catalog,
    requirements: Requirements,
    *,
    by_task: bool,
    least: int | None = None,
    most: int | None = None,
    released_before: str | None = None,
) -> tuple[Checkpoint, ...]:
    """The checkpoints that meet family, license and dates of the requirements, the newest first.

    Args:
        catalog: the facts.
        requirements: what is asked for, by the catalogue's own names.
        by_task: whether only those count that answer the task of the requirements.
        least: fewest parameters, experts that a token is not routed to included.
        most: most parameters.
        released_before: ISO date of the first day that is too late.
    """
    rules: tuple[type[CheckpointRule], ...] = (T103, T104, L101)
    question = Question(
        catalog=catalog, machine=_NO_MACHINE, requirements=requirements, profile=catalog.tasks[requirements.task]
    )
    if by_task:
        rules += (T101, T102)

    def meets(model: Checkpoint) -> bool:
        size = model.parameters_total
        return (
            (least is None or (size is not None and size >= least))
            and (most is None or (size is not None and size <= most))
            and (released_before is None or (model.released is not None and model.released < released_before))
            and all(rule.check(model, question) is None for rule in rules)
        )

    return newest_first(model for model in catalog.models.values() if meets(model))


def newest_first(models: Iterator[Checkpoint]) -> tuple[Checkpoint, ...]:
    """Checkpoints by date, those of a day by size, the largest first."""
    by_id = sorted(models, key=lambda model: model.id)
    return tuple(sorted(by_id, key=lambda m: (m.released or "", m.parameters_total or 0), reverse=True))


def search(catalog: Catalog, text: str) -> tuple[Checkpoint, ...]:
    """The checkpoints that every word of the text is said of, in any case; those that are called so come first.

    Raises:
        UsageError: the text holds no word.
    """
    words = text.casefold().split()
    if not words:
        raise UsageError("there is nothing to search for", hint="give a word, such as coder, vision or apache")
    named, described = [], []
    for model in catalog.models.values():
        name = model.id.casefold()
        if all(word in name for word in words):
            named.append(model)
        elif all(any(word in said for said in _said_of(model, catalog)) for word in words):
            described.append(model)
    return newest_first(iter(named)) + newest_first(iter(described))


def _said_of(model: Checkpoint, catalog: Catalog) -> Iterator[str]:
    yield model.id.casefold()
    yield from (tag.tag.casefold() for tag in model.ollama)
    yield from (repo.repo.casefold() for repo in model.quantized)
    license_ = catalog.licenses.get(model.license or "")
    words: list[str] = [model.family, model.line, model.kind, model.architecture, model.note]
    words += [*model.modalities_in, *model.modalities_out, *model.specialties, *model.engines]
    words += [license_.id, license_.title] if license_ else []
    words += [model.special_purpose or "", catalog.architectures[model.architecture].model_type]
    yield from (word.casefold() for word in words)
