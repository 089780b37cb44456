"""The shape of the JSON answer of ``launch``; see `shapes`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from qwen_advisor.plan import KvType
from qwen_advisor.render.shapes import (
    ArtifactShape,
    HardwareDocument,
    MemoryShape,
    PlacementShape,
    SettingsShape,
    SpeedShape,
    StepShape,
)


class LaunchServerShape(TypedDict):
    """The running server; null where the engine is a library."""

    url: Annotated[str, "Base of its OpenAI-compatible interface"]
    model: Annotated[str, "As requests name it"]
    health: Annotated[str, "Path that answers 200 when it is up"]
    metrics: Annotated[str | None, "Path of Prometheus metrics, null where it has none"]


class LaunchFileShape(TypedDict):
    """One file that a format consists of."""

    format: str
    name: str
    text: str


class LaunchDocument(TypedDict):
    """What `qwen-advisor launch MODEL --engine E --format json` prints."""

    schema: Literal["qwen-advisor/launch/1"]
    model: Annotated[str, "Hugging Face repository"]
    quantization: str
    engine: str
    engine_version: Annotated[str, "The version that the options are for"]
    thinking: Literal["on", "off", "none"]
    context_tokens: int
    parallel: int
    kv_cache_type: KvType
    nodes: int
    fits: Annotated[bool, "Whether the pools of this machine hold it as asked"]
    artifact: ArtifactShape
    settings: SettingsShape
    placement: PlacementShape
    memory: MemoryShape
    speed: SpeedShape
    hardware: HardwareDocument
    prepare: Annotated[list[StepShape], "What fetches, converts or joins machines, in its order"]
    servers: Annotated[list[StepShape], "What starts the server, one command for each machine"]
    chat: Annotated[list[StepShape], "What talks to the model in a terminal"]
    server: LaunchServerShape | None
    sampling: Annotated[dict[str, float], "What the model's card recommends; empty where it says nothing"]
    chat_template: Annotated[dict[str, bool], "Options of the chat template that differ from the model's own"]
    secrets: Annotated[list[str], "Variables of the environment that have to hold a secret"]
    formats: Annotated[list[str], "What --format can write for this engine"]
    files: Annotated[list[LaunchFileShape], "The files of the formats; those that this hardware has no image for lack"]
    notes: list[str]
    warnings: list[str]


LAUNCH_DOCUMENTS: dict[str, Any] = {"launch-1": LaunchDocument}
