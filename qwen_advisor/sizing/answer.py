"""What `plan` answers: machines for a model, and what it takes in memory at each quantization."""

from __future__ import annotations

from typing import Literal, get_args

from qwen_advisor.advice import Plan, Rejection
from qwen_advisor.describe.ladder import FREE, Arrangement, HardwareClass
from qwen_advisor.evidence import Ability
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.task import Requirements
from qwen_advisor.values import dataclass

Tier = Literal["least", "sensible", "comfortable"]
TIERS: tuple[Tier, ...] = get_args(Tier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goals:
    """What each tier asks for: decode rates in tokens/s per request, seconds to a whole answer, tokens of context."""

    least_speed: float
    wanted_speed: float
    patience: float
    roomy_context: int  # twice what was asked for, or as far as the model reaches


@dataclass(frozen=True, slots=True, kw_only=True)
class Housing:
    """A machine with the model on it, at the setting that `recommend` would choose there."""

    kind: HardwareClass
    title: str
    options: tuple[str, ...]  # what describes the machine to every verb
    machine: Machine
    tier: Tier  # the highest that it reaches
    plan: Plan
    ability: Ability
    quantization_loss: float
    largest_context: int  # tokens that would still fit
    warnings: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()  # machines of the same size by other makers that reach the tier too
    network: float | None = None  # bytes per second, one way, between nodes; None where there is one node

    @property
    def on_each(self) -> int | None:
        """Bytes on the fullest accelerator; None where nothing lies on one."""
        devices = {part.device or 0 for part in self.plan.memory.parts if part.pool == "device"}
        return max((self.plan.memory.on_device(device) for device in devices), default=None)

    @property
    def nodes_used(self) -> int:
        """How many of the nodes the model lies on."""
        return min(self.machine.nodes, self.plan.placement.pipeline_parallel)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassNeeds:
    """The smallest machine of one class for each tier; None where the class has none."""

    kind: HardwareClass
    least: Housing | None = None
    sensible: Housing | None = None
    comfortable: Housing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatNeeds:
    """What the model takes in one format at the context and concurrency that were asked for. Bytes."""

    format: str
    engine: str
    download: int
    bits_per_weight: float
    quantization_loss: float  # logits
    loss_error: float
    device: int | None  # on one accelerator that holds all of it; None where the engine has none for the format
    ram: int | None  # least main memory of a machine without an accelerator; None where the engine does not do it
    ram_kv_type: str | None = None  # type of the KV cache at that size


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwarePlan:
    """Everything `plan` answers."""

    catalog_version: str
    catalog_models: int
    checkpoint: Checkpoint
    requirements: Requirements
    goals: Goals
    least: Housing | None
    sensible: Housing | None
    comfortable: Housing | None
    classes: tuple[ClassNeeds, ...]
    formats: tuple[FormatNeeds, ...]
    rejection: Rejection | None = None  # why no machine holds it
    notes: tuple[str, ...] = ()
    arrangement: Arrangement = FREE  # how machines had to be put together

    @property
    def best(self) -> Housing | None:
        """The one to name where only one is named: the sensible one, else the nearest to it."""
        return self.sensible or self.least or self.comfortable
