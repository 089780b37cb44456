"""What a model cannot do is said in a sentence, with the model that can."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.model import Checkpoint
from qwen_advisor.prompting.wish import Wish

_ASKED = {"images": "image", "videos": "video", "audios": "audio"}
_NEEDS = {"vision": "image", "documents": "image", "video": "video", "audio": "audio", "speech-to-text": "audio"}
_ALIKE = math.log(2.5)  # sizes that far apart still run on the same machine
_TALKING = ("instruct", "thinking", "hybrid")


def require(catalog: Catalog, checkpoint: Checkpoint, wish: Wish) -> None:
    """Refuse what the model does not do.

    Raises:
        UsageError: the model is of another kind, takes no such input, calls no tools, or has no such degree of thought.
    """
    _kind(catalog, checkpoint, wish)
    _inputs(catalog, checkpoint, wish)
    if (wish.tools or wish.task == "agent") and not checkpoint.tool_calling:
        known = (
            "its chat template has no place for tools" if checkpoint.tool_calling is False else "no source says it does"
        )
        raise UsageError(
            f"{checkpoint.id} is not known to call tools: {known}",
            hint=_others(catalog, checkpoint, lambda other: bool(other.tool_calling)),
        )
    asked = catalog.sampling_of(checkpoint.id)
    if wish.effort is not None and (asked is None or "reasoning_effort" not in asked.switches):
        raise UsageError(
            f"{checkpoint.id} has no degrees of thinking", hint="leave --effort out, or choose a Qwen3.8 model"
        )


def thinking_of(catalog: Catalog, checkpoint: Checkpoint, wish: Wish) -> Literal["on", "off", "none"]:
    """The state of thinking that the request has: as asked, or as the model has it by itself.

    Raises:
        UsageError: the model has no other state than one.
    """
    match checkpoint.thinking:
        case "hybrid" if wish.thinking != "auto":
            return wish.thinking
        case "hybrid":
            return checkpoint.thinking_default or "on"
        case "always" if wish.thinking == "off":
            raise UsageError(
                f"{checkpoint.id} always thinks: its template opens a thought and nothing turns that off",
                hint=_sibling(catalog, checkpoint, ("none", "hybrid")),
            )
        case "always":
            return "on"
        case _ if wish.thinking == "on":
            raise UsageError(
                f"{checkpoint.id} does not think", hint=_sibling(catalog, checkpoint, ("always", "hybrid"))
            )
        case _:
            return "none"


def _kind(catalog: Catalog, checkpoint: Checkpoint, wish: Wish) -> None:
    profile = catalog.tasks[wish.task]
    if checkpoint.kind in profile.kinds or (checkpoint.kind in _TALKING and set(_TALKING) & set(profile.kinds)):
        return
    if checkpoint.kind == "base":
        raise UsageError(
            f"{checkpoint.id} is a base model: it goes on with a text and holds no conversation",
            hint=_others(catalog, checkpoint, lambda other: other.kind in profile.kinds),
        )
    raise UsageError(
        f"{checkpoint.id} is of the kind {checkpoint.kind}, which does not answer {wish.task} requests",
        hint=f"see what does: qwen-advisor catalog list --task {wish.task}",
    )


def _inputs(catalog: Catalog, checkpoint: Checkpoint, wish: Wish) -> None:
    wanted = [kind for field, kind in _ASKED.items() if getattr(wish, field)]
    if wish.task in _NEEDS:
        wanted.append(_NEEDS[wish.task])
    if wish.task == "omni":
        wanted += ["image", "audio"]
    for kind in dict.fromkeys(wanted):
        if kind not in checkpoint.modalities_in:
            raise UsageError(
                f"{checkpoint.id} takes no {kind} as input, but {', '.join(checkpoint.modalities_in)}",
                hint=_others(catalog, checkpoint, _taking(kind)),
            )
    if wish.task == "text-to-speech" and "speech" not in checkpoint.modalities_out:
        raise UsageError(f"{checkpoint.id} does not speak", hint="see what does: qwen-advisor catalog list")


def _taking(kind: str) -> Callable[[Checkpoint], bool]:
    return lambda other: kind in other.modalities_in


def _others(catalog: Catalog, checkpoint: Checkpoint, able: Callable[[Checkpoint], bool]) -> str:
    """The newest models that are able, those of about the same size first."""
    size = math.log(checkpoint.parameters_total or 1)

    def order(other: Checkpoint) -> tuple[bool, bool, float, float]:
        away = abs(math.log(other.parameters_total or 1) - size)
        age = -float(catalog.families.get(other.family, {}).get("generation", 0))
        return away > _ALIKE, other.line not in ("general", checkpoint.line), age, away

    found = [
        other
        for other in catalog.models.values()
        if other.id != checkpoint.id
        and other.kind in _TALKING
        and not other.special_purpose
        and other.superseded_by is None
        and able(other)
    ]
    names = [other.id for other in sorted(found, key=order)[:2]]
    return f"ask {' or '.join(names)} instead" if names else "choose another model: qwen-advisor catalog list"


def _sibling(catalog: Catalog, checkpoint: Checkpoint, states: tuple[str, ...]) -> str:
    """The checkpoint of the same shape that thinks as asked, or one of about the same size."""
    alike = [
        other
        for other in catalog.models.values()
        if other.architecture == checkpoint.architecture
        and other.thinking in states
        and other.kind in _TALKING
        and not other.special_purpose
        and other.modalities_in == checkpoint.modalities_in
    ]
    alike.sort(key=lambda other: (other.family != checkpoint.family, other.superseded_by is not None))
    if alike:
        return f"ask {alike[0].id} instead, which is as large"
    return _others(catalog, checkpoint, lambda other: other.thinking in states)
