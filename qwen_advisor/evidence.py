"""How able a model is, and what that rests on."""

from __future__ import annotations

from typing import Literal

from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One published score that carries an ability. ``weight`` is its share of the estimate's information."""

    benchmark: str
    score: float
    source: str
    independent: bool = False
    weight: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """One checkpoint's ability at one task, in one thinking setting.

    ``value`` and ``standard_error`` are on the task's latent scale (logits: one unit multiplies the odds of solving
    an item of average discrimination by e). ``published`` is False where no score of the checkpoint carries it.
    """

    checkpoint: str
    scale: str  # "code", "math", ..., as TaskProfile.ability names it
    thinking: Literal["on", "off"]
    value: float
    standard_error: float
    published: bool
    evidence: tuple[Evidence, ...] = ()
