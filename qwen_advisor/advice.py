"""The answer that leaves the house: what is recommended, what is not, and why."""

from __future__ import annotations

from typing import Literal

from qwen_advisor.evidence import Ability
from qwen_advisor.machine import Machine
from qwen_advisor.model import Architecture, Checkpoint
from qwen_advisor.plan import Memory, Placement, Settings, Speed
from qwen_advisor.task import Requirements, TaskProfile
from qwen_advisor.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """What is downloaded. ``repo`` is None where no repository with this format is known."""

    repo: str | None
    files: tuple[str, ...]
    bytes: int
    ollama: str | None = None
    official: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A candidate that has been laid on a machine."""

    checkpoint: Checkpoint
    architecture: Architecture
    format: str
    artifact: Artifact
    settings: Settings
    placement: Placement
    memory: Memory
    budget: int  # bytes of the pools it is placed in
    fill: float = 0.0  # the largest share that it takes of one pool's budget
    brim: float | None = None  # the same of pools that are not filled on purpose; None where none is
    speed: Speed
    thinking: Literal["on", "off", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule's answer, with the numbers that made it."""

    rule: str  # "M101"
    verdict: Literal["pass", "warn", "fail"]
    message: str = ""
    needed: float | None = None
    available: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of a score; their sum is the utility that ranks."""

    ability: float
    quantization_loss: float
    speed: float
    headroom: float
    context: float
    memory: float
    other: float = 0.0

    @property
    def total(self) -> float:
        """The utility."""
        return (
            self.ability - self.quantization_loss + self.speed + self.headroom + self.context + self.memory + self.other
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """One ranked answer: the best setting of one model."""

    rank: int
    plan: Plan
    ability: Ability
    quantization_loss: float
    terms: Terms
    score: float  # 0 to 100, relative to the winner
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    largest_context: int | None = None  # tokens that would still fit
    frontier: bool = False  # on the Pareto frontier of ability, speed and memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """One model that passes the rules, at its best setting: what it offers, and whether another offers more of all."""

    rank: int
    plan: Plan
    ability: Ability
    quantization_loss: float
    terms: Terms
    dominated_by: str | None = None  # a model at least as able, as fast and as small, and better in one of the three

    @property
    def able(self) -> float:
        """Ability after quantization, in logits."""
        return self.ability.value - self.quantization_loss

    @property
    def frontier(self) -> bool:
        """Whether it stands on the Pareto frontier of ability, speed and memory."""
        return self.dominated_by is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """What would put a model in the winner's place, one change at a time; None where no such change does.

    Rivals are the recommendations after the first, and what another preference would put first.
    """

    model: str
    behind: float  # utility below the winner, in spreads of ability
    abler: float | None  # logits more ability
    abler_in_errors: float | None  # the same in standard errors of the difference of the two
    faster: float | None  # times as fast, in prompt, thoughts and answer alike
    prefers: tuple[str, ...] = ()  # values of --prefer under which it stands first


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One model that was ruled out, by the rule that came nearest to letting it in."""

    model: str
    rule: str
    message: str
    needed: float | None = None
    available: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """The smallest change that would unlock something clearly better."""

    change: str
    unlocks: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Everything `recommend` answers."""

    catalog_version: str
    catalog_models: int
    machine: Machine
    requirements: Requirements
    recommendations: tuple[Recommendation, ...]
    rejected: tuple[Rejection, ...]
    upgrades: tuple[Upgrade, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)
    weighed: tuple[Weighed, ...] = ()  # every model that was laid on the machine, best first
    complete: bool = False  # whether that is every model that passes the rules
    rivals: tuple[Rival, ...] = ()  # where explanations were asked for
    profile: TaskProfile | None = None  # the task's, by which speed was weighed


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Everything `estimate` answers about one model at one setting. Bytes and tokens are plain counts."""

    checkpoint: Checkpoint
    architecture: Architecture
    format: str
    artifact: Artifact
    settings: Settings
    placement: Placement
    memory: Memory
    budget: int  # bytes of the pools it is placed in
    fits: bool
    speed: Speed
    machine: Machine
    file_bytes: int  # weights on disk, without a separate projector
    projector_bytes: int | None = None
    largest_context: int | None = None  # tokens that would still fit
    thinking: Literal["on", "off", "none"] = "none"
    notes: tuple[str, ...] = ()

    @property
    def plan(self) -> Plan:
        """The same as a plan, for what takes plans."""
        return Plan(
            checkpoint=self.checkpoint,
            architecture=self.architecture,
            format=self.format,
            artifact=self.artifact,
            settings=self.settings,
            placement=self.placement,
            memory=self.memory,
            budget=self.budget,
            speed=self.speed,
            thinking=self.thinking,
        )
