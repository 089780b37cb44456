"""The shapes of the JSON answer of ``check`` and of lock files; see `shapes`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from qwen_advisor.plan import KvType, Mode
from qwen_advisor.render.shapes import (
    ArtifactShape,
    CatalogStamp,
    HardwareDocument,
    LaunchShape,
    MemoryShape,
    ModelShape,
    PlacementShape,
    RequirementsShape,
    SettingsShape,
    SpeedShape,
    StepShape,
)


class FindingShape(TypedDict):
    """A rule that failed, or that has something to say."""

    rule: Annotated[str, "Its id: P1.. are rules of the policy, K1.. of a lock, the others those of recommend"]
    level: Annotated[Literal["fail", "warn"], "Only failures keep a model out; under --strict all of them do"]
    title: Annotated[str, "The rule as a sentence"]
    message: Annotated[str, "What was found"]
    needed: Annotated[float | None, "In the unit that the message names: bytes, tokens, tokens per second"]
    available: float | None
    nearest: Annotated[list[str], "Single changes under which it would hold: options, or hardware in words"]
    file: Annotated[str | None, "The policy or lock file that asks for it"]
    line: Annotated[int | None, "The line in it, counted from 1"]


class ChoiceShape(TypedDict):
    """How the model would be run."""

    quantization: str
    engine: str
    thinking: Literal["on", "off", "none"]
    context_tokens: Annotated[int, "What one request can use"]
    largest_context_tokens: Annotated[int | None, "The longest context that would still fit"]
    artifact: ArtifactShape
    settings: SettingsShape
    placement: PlacementShape
    memory: MemoryShape
    speed: SpeedShape
    launch: LaunchShape


class CheckedShape(TypedDict):
    """One model."""

    id: Annotated[str, "Hugging Face repository"]
    passed: bool
    model: Annotated[ModelShape | None, "null where the catalogue no longer has a locked model"]
    requirements: Annotated[RequirementsShape, "Every one, resolved"]
    choice: Annotated[ChoiceShape | None, "null where nothing fits"]
    findings: Annotated[list[FindingShape], "Failures first"]
    rules_passed: Annotated[list[str], "Ids of the rules that hold"]


class LockedWithShape(TypedDict):
    """The lock that was held against today's catalogue."""

    file: str
    catalog_version: Annotated[str, "The catalogue that it was made with"]


class CheckDocument(TypedDict):
    """What `qwen-advisor check --json` prints, with exit code 0 or 3."""

    schema: Literal["qwen-advisor/check/1"]
    passed: Annotated[bool, "Whether every model passes"]
    catalog: CatalogStamp
    hardware: HardwareDocument
    policy: Annotated[str | None, "The file"]
    lock: LockedWithShape | None
    models: list[CheckedShape]


class LockedModelShape(TypedDict):
    """The checkpoint."""

    id: Annotated[str, "Hugging Face repository"]
    released: Annotated[str | None, "ISO date"]
    license: str | None


class LockedFileShape(TypedDict):
    """One file."""

    name: str
    bytes: Annotated[int | None, "null where no source gives the size of this very file"]
    sha256: Annotated[str | None, "null where no source gives it"]


class LockedArtifactShape(TypedDict):
    """What is downloaded."""

    repo: Annotated[str | None, "Repository of the weights in this format, null where none is known"]
    revision: Annotated[str | None, "Commit of the repository; null where nobody looked online"]
    files: Annotated[list[LockedFileShape], "Empty where the whole repository is meant"]
    projector: Annotated[list[LockedFileShape], "The separate projector that is loaded too; empty where none is"]
    bytes: Annotated[int, "All files together, without a separate projector"]
    exact: Annotated[bool, "Whether a source states that size; otherwise it is derived"]
    ollama: Annotated[str | None, "Tag of the Ollama library"]


class LockedSettingsShape(TypedDict):
    """How the engine is run: every setting on which the memory depends."""

    context_tokens: Annotated[int, "In the engine's own terms"]
    parallel: int
    kv_cache_type: KvType
    kv_cache_type_v: Annotated[KvType | None, "Where V differs from K"]
    flash_attention: Annotated[bool | None, "null: the engine decides"]
    batch_tokens: int
    ubatch_tokens: int
    gpu_layers: int | None
    mmap: bool
    repack: bool
    kv_unified: bool
    mtp: bool
    vision: bool
    prompt_tokens: int
    output_tokens: int


class LockedPlacementShape(TypedDict):
    """What lies where."""

    mode: Mode
    layers: int
    gpu_layers: int
    cpu_expert_layers: int
    tensor_parallel: int
    pipeline_parallel: int
    kv_cache_type: KvType
    device_layers: list[int]


class ExpectedShape(TypedDict):
    """What was predicted."""

    memory_bytes: int
    decode_tokens_per_second: float
    ability: Annotated[float, "After quantization, in logits of the task's scale"]


class LockDocument(TypedDict):
    """What `qwen-advisor recommend --lock FILE` writes. The same answer makes the same bytes: it holds no time."""

    schema: Literal["qwen-advisor/lock/1"]
    program: Annotated[str, "Version of qwen-advisor"]
    catalog: CatalogStamp
    model: LockedModelShape
    quantization: str
    engine: str
    thinking: Literal["on", "off", "none"]
    artifact: LockedArtifactShape
    settings: LockedSettingsShape
    placement: LockedPlacementShape
    expected: ExpectedShape
    steps: Annotated[list[StepShape], "The commands that run it"]
    calibration: Annotated[dict[str, float], "Factors measured on this machine that the speed rests on"]
    requirements: RequirementsShape
    hardware: Annotated[HardwareDocument, "The machine, without the place of downloads"]


CHECK_DOCUMENTS: dict[str, Any] = {"check-1": CheckDocument, "lock-1": LockDocument}
