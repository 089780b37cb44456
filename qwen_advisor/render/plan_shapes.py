"""The shapes of the JSON answer of ``plan``; see `shapes`."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from qwen_advisor.describe.ladder import HardwareClass
from qwen_advisor.machine import Interconnect
from qwen_advisor.plan import KvType
from qwen_advisor.render.shapes import (
    ArtifactShape,
    CatalogStamp,
    LaunchShape,
    MemoryShape,
    ModelShape,
    PlacementShape,
    RateShape,
    RejectionShape,
    RequirementsShape,
    SettingsShape,
    SpeedShape,
)
from qwen_advisor.sizing import Tier


class GoalsShape(TypedDict):
    """What the tiers ask for."""

    least_speed_tokens_per_second: Annotated[float, "Least: --min-speed, or the least that the task wants"]
    wanted_speed_tokens_per_second: Annotated[float, "Sensible: --min-speed, or what the task finds comfortable"]
    patience_seconds: Annotated[float, "Comfortable: the whole answer comes within this time"]
    roomy_context_tokens: Annotated[int, "Comfortable: a context of this length would fit"]


class CardShape(TypedDict):
    """Accelerators of one kind in one machine."""

    name: str
    count: int
    memory_bytes: Annotated[int, "Of one of them"]


class HousingShape(TypedDict):
    """A machine with the model on it, at the setting that recommend would choose there for this model."""

    machine: Annotated[str, "In words"]
    options: Annotated[list[str], "The options that describe it to every verb"]
    tier: Annotated[Tier, "The highest that it reaches"]
    nodes: int
    interconnect: Annotated[Interconnect | None, "Between the nodes, null where there is one or none was named"]
    interconnect_bandwidth_bytes_per_second: Annotated[float | None, "One way; null where there is one node"]
    nodes_used: Annotated[int, "On how many of them the model lies"]
    memory_each_device_bytes: Annotated[int | None, "On the fullest accelerator; null where nothing lies on one"]
    accelerators: list[CardShape]
    ram_bytes: Annotated[int, "Main memory of one machine"]
    alternatives: Annotated[list[str], "Machines of other makers that reach the tier of this column too"]
    quantization: str
    quantization_loss: Annotated[float, "Ability that it takes, in logits"]
    engine: str
    thinking: Literal["on", "off", "none"]
    context_tokens: int
    largest_context_tokens: Annotated[int, "The longest context that would still fit"]
    artifact: ArtifactShape
    settings: SettingsShape
    placement: PlacementShape
    memory: MemoryShape
    speed: SpeedShape
    launch: LaunchShape
    warnings: list[str]


class BriefShape(TypedDict):
    """The same in brief."""

    machine: Annotated[str, "In words"]
    options: Annotated[list[str], "The options that describe it to every verb"]
    tier: Annotated[Tier, "The highest that it reaches"]
    nodes: int
    interconnect: Annotated[Interconnect | None, "Between the nodes, null where there is one or none was named"]
    interconnect_bandwidth_bytes_per_second: Annotated[float | None, "One way; null where there is one node"]
    nodes_used: Annotated[int, "On how many of them the model lies"]
    memory_each_device_bytes: Annotated[int | None, "On the fullest accelerator; null where nothing lies on one"]
    accelerators: list[CardShape]
    ram_bytes: Annotated[int, "Main memory of one machine"]
    alternatives: Annotated[list[str], "Machines of other makers that reach the tier of this column too"]
    quantization: str
    engine: str
    thinking: Literal["on", "off", "none"]
    largest_context_tokens: Annotated[int, "The longest context that would still fit"]
    memory_total_bytes: int
    memory_budget_bytes: Annotated[int, "What the pools it lies in can give"]
    decode_tokens_per_second: RateShape
    prefill_tokens_per_second: RateShape
    time_to_first_token_seconds: float
    time_to_answer_seconds: float


class ArrangementShape(TypedDict):
    """How machines had to be put together; null where nothing was said."""

    nodes: int | None
    gpus_per_node: int | None
    interconnect: Interconnect | None


class TiersShape(TypedDict):
    """The first machine that reaches each tier, in the order of the classes; null where none does."""

    least: HousingShape | None
    sensible: HousingShape | None
    comfortable: HousingShape | None


ClassShape = TypedDict(
    "ClassShape",
    {
        "class": Annotated[HardwareClass, "Kind of machine, in the order in which they usually cost more"],
        "least": BriefShape | None,
        "sensible": BriefShape | None,
        "comfortable": BriefShape | None,
    },
)
ClassShape.__doc__ = "The smallest machine of one class for each tier; null where the class has none."


class FormatShape(TypedDict):
    """What the model takes in one format at this context and concurrency."""

    quantization: str
    engine: Annotated[str, "The engine that the figures are of"]
    download_bytes: int
    bits_per_weight: float
    quantization_loss: Annotated[float, "Ability that it takes, in logits"]
    quantization_loss_standard_error: float
    device_bytes: Annotated[int | None, "On one accelerator that holds all of it; null where there is none for it"]
    least_ram_bytes: Annotated[int | None, "Least main memory of a machine without an accelerator; null: not run there"]
    least_ram_kv_cache_type: Annotated[KvType | None, "Type of the KV cache in that much memory"]


class PlanDocument(TypedDict):
    """What `qwen-advisor plan MODEL --json` prints, with exit code 0 or 3."""

    schema: Literal["qwen-advisor/plan/1"]
    catalog: CatalogStamp
    model: ModelShape
    requirements: RequirementsShape
    goals: GoalsShape
    arrangement: ArrangementShape
    tiers: TiersShape
    classes: list[ClassShape]
    formats: Annotated[list[FormatShape], "Fewest bits first"]
    rejected: Annotated[RejectionShape | None, "Why no machine of the catalogue holds it"]
    notes: list[str]
