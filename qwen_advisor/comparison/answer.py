"""What `compare` and `why-not` answer."""

from __future__ import annotations

from typing import Literal

from qwen_advisor.advice import Plan, Recommendation, Rejection
from qwen_advisor.evidence import Ability
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.task import Requirements
from qwen_advisor.values import dataclass

Criterion = Literal["overall", "ability", "decode", "answer", "memory", "download", "context", "license"]
Unit = Literal["score", "logits", "tokens per second", "seconds", "bytes", "tokens", "license"]
Standing = Literal["runs", "too slow", "ruled out"]
Verdict = Literal["first", "behind", "ruled out"]
Effect = Literal["runs", "first"]
Term = Literal["ability", "quantization loss", "speed", "headroom", "context", "memory", "engine and files"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a rejection is about: the format and engine that came nearest."""

    format: str
    engine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One of several models: its best setting on the machine, or why it has none."""

    checkpoint: Checkpoint
    standing: Standing
    recommendation: Recommendation | None  # ranked among the compared; also where it is only too slow
    rejection: Rejection | None
    nearest: Setting | None  # of the rejection, where it is about a setting
    ability: Ability | None  # before quantization; None where no source places it
    permissive: bool | None  # whether its license is; None where it is not known

    @property
    def superseded_by(self) -> str | None:
        """The checkpoint that took its place."""
        return self.checkpoint.superseded_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Win:
    """What one of the models that run does better than the others. ``unit`` is that of the two numbers."""

    criterion: Criterion
    model: str
    value: float
    runner_up: str
    runner_up_value: float
    unit: Unit
    error: float | None = None  # of the difference of two abilities, logits

    @property
    def within_error(self) -> bool:
        """Whether the difference is smaller than its standard error."""
        return self.error is not None and abs(self.value - self.runner_up_value) < self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything `compare` answers: best first, then what is too slow, then what is ruled out."""

    catalog_version: str
    catalog_models: int
    machine: Machine
    requirements: Requirements
    models: tuple[Compared, ...]
    wins: tuple[Win, ...]
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> Recommendation | None:
        """The first that runs."""
        first = self.models[0]
        return first.recommendation if first.standing == "runs" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One term of the score, for the model and for the winner, in spreads of ability."""

    term: Term
    own: float
    winner: float

    @property
    def lead(self) -> float:
        """By how much the term speaks for the winner."""
        return self.winner - self.own


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change that was tried: the whole search was run with it."""

    effect: Effect
    options: tuple[str, ...]  # what to add to the call, empty where no option says it
    words: str
    besides: str  # what it takes as well, because rules on the model itself are against it; often empty
    rank: int | None  # its place with the change; None below the list that was weighed
    winner: str | None  # what is first with the change
    plan: Plan  # its best setting then


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot:
    """Everything `why-not` answers about one model."""

    catalog_version: str
    catalog_models: int
    machine: Machine
    requirements: Requirements
    checkpoint: Checkpoint
    verdict: Verdict
    rank: int | None  # among all that pass the rules; None where it is ruled out
    weighed: int  # how many pass the rules
    winner: Recommendation | None  # None where nothing runs
    own: Recommendation | None  # its best setting, also where only a rule on the model itself is against it
    own_rank: int | None  # the place it would have without that rule
    rejections: tuple[Rejection, ...]  # every rule on the model that is against it, or the setting that came nearest
    nearest: Setting | None
    gaps: tuple[Gap, ...]  # largest lead of the winner first
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()
