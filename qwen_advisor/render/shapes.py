"""The shape of every JSON answer: what stands in `schemas/` is made from these types, and mypy holds the code to them.

``Annotated`` carries the description that the schema publishes; numbers are plain, their unit is in the field's name.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from qwen_advisor.machine import Holder, Interconnect
from qwen_advisor.plan import Basis, Bound, KvType, Mode, Pool, SpeedBasis
from qwen_advisor.task import Prefer, TaskId, ThinkingChoice

SIGNED = "signed"  # marks an integer that may be negative, which no other is


class CatalogStamp(TypedDict):
    """The catalogue that answered."""

    version: Annotated[str, "Version of the catalogue; the same version, machine and requirements give the same answer"]
    models: Annotated[int, "How many checkpoints it holds"]


class CpuShape(TypedDict):
    """The processor."""

    name: str
    physical_cores: int
    logical_cores: int
    usable_cores: Annotated[int, "Cores that affinity and cgroup quota leave"]
    performance_cores: Annotated[int | None, "Fast cores, null where all are alike or nothing tells"]
    efficiency_cores: Annotated[int | None, "Slow cores, likewise"]
    numa_nodes: int
    features: Annotated[list[str], "Instruction sets under their Linux names"]
    memory_bandwidth_bytes_per_second: Annotated[float | None, "Read bandwidth of main memory, null where not known"]
    memory_bandwidth_basis: Annotated[str, "measured, modules, platform or assumed"]


class HostMemoryShape(TypedDict):
    """Main memory."""

    total_bytes: int
    available_bytes: int
    limit_bytes: Annotated[int | None, "The least of all cgroup limits, null where there is none"]
    unified: Annotated[bool, "Whether processor and accelerator share it"]
    reserve_bytes: Annotated[int, "Left to the system"]
    reserve_why: str
    usable_bytes: Annotated[int, "What a model may take: available or allowed, less the reserve"]


class AcceleratorShape(TypedDict):
    """One accelerator, as the engines see it."""

    name: str
    vendor: str
    kind: Annotated[str, "discrete, integrated, unified, mig or npu"]
    memory_bytes: int
    free_bytes: int
    memory_bandwidth_bytes_per_second: float | None
    compute_capability: Annotated[str | None, '"8.9" for NVIDIA, "gfx1100" for AMD']
    reserve_bytes: Annotated[int, "Left to a desktop, beside what is in use already"]
    reserve_why: Annotated[str, "What takes from the total, and why"]
    usable_bytes: Annotated[int, "What a model may take: free, less the reserve"]
    shared_bytes: Annotated[int, "The part of it that lies in main memory"]
    fp16_flops_per_second: Annotated[float | None, "Dense FP16, by data sheet"]
    pcie_bandwidth_bytes_per_second: Annotated[float | None, "To main memory, one way"]
    spec: Annotated[str | None, "The catalogue entry that figures come from"]
    cores: Annotated[int | None, "GPU cores, where a chip has bins that differ in them"]
    driver: Annotated[str | None, "Version of the driver"]


class DiskShape(TypedDict):
    """Where downloads go."""

    path: str
    free_bytes: int


class InstalledEngineShape(TypedDict):
    """An engine found on the machine."""

    name: str
    version: str | None
    running: Annotated[bool, "Whether its server answers on its default port of this host"]


class HardwareDocument(TypedDict):
    """What the machine is, detected or described."""

    schema: Literal["qwen-advisor/hardware/1"]
    os: Annotated[str, "linux, macos or windows"]
    arch: Annotated[str, "x86_64 or arm64"]
    cpu: CpuShape
    memory: HostMemoryShape
    accelerators: list[AcceleratorShape]
    disk: Annotated[DiskShape | None, "null for a described machine"]
    engines: list[InstalledEngineShape]
    notes: Annotated[list[str], "What limits this machine, and how to lift it"]
    nodes: Annotated[int, "How many machines of this kind"]
    interconnect: Annotated[Interconnect | None, "Between them, null where nobody said"]
    described: Annotated[bool, "Whether nothing was read of this machine"]
    wsl: bool
    container: bool
    virtual: bool
    fanless: Annotated[bool, "A phone: its full clocks last for seconds"]
    npus: Annotated[list[str], "Neural processors that are there; few engines use them"]
    sources: Annotated[dict[str, str], "Where values came from, by the path of the field"]


class RequirementsShape(TypedDict):
    """Every requirement as it was resolved; null where nothing was asked for."""

    task: TaskId
    context_tokens: int
    prompt_tokens: int
    output_tokens: int
    concurrency: int
    min_speed_tokens_per_second: float | None
    engines: Annotated[list[str], "Engines asked for; empty means any"]
    quantizations: Annotated[list[str], "Quantizations asked for; empty means any"]
    license: Annotated[str, "permissive, any, or the license asked for"]
    language: str | None
    thinking: ThinkingChoice
    tools: bool
    max_download_bytes: int | None
    family: str | None
    released_after: Annotated[str | None, "ISO date"]
    prefer: Prefer
    installed: Annotated[bool, "Whether only what lies on the disk already was asked for"]
    top: int


class ModelShape(TypedDict):
    """A checkpoint."""

    id: Annotated[str, "Hugging Face repository"]
    family: str
    parameters_total: Annotated[int | None, "Unique weights"]
    parameters_active: Annotated[int | None, "Weights used per token; the total for a dense model"]
    license: str | None
    context_native_tokens: Annotated[int | None, "Context that needs no rope scaling"]
    released: Annotated[str | None, "ISO date"]


class ArtifactShape(TypedDict):
    """What is downloaded."""

    repo: Annotated[str | None, "Repository of the weights in this format, null where none is known"]
    files: list[str]
    bytes: int
    ollama: Annotated[str | None, "Tag of the Ollama library that is this checkpoint in this quantization"]
    official: Annotated[bool, "Whether the repository belongs to the model's makers"]


class StoredShape(TypedDict):
    """Where weights lie."""

    holder: Annotated[Holder, "Whose folder it is"]
    place: Annotated[str, "A file, a folder, or a tag of Ollama"]


class SettingsShape(TypedDict):
    """How the engine is run."""

    parallel: Annotated[int, "Requests served at once"]
    kv_cache_type: KvType
    kv_cache_type_v: Annotated[KvType, "Type of V, where it differs from K"]
    flash_attention: Annotated[bool | None, "null: the engine decides"]
    batch_tokens: int
    ubatch_tokens: int
    gpu_layers: Annotated[int | None, "As asked for; the placement says what came of it"]
    prompt_tokens: int
    output_tokens: int


class PlacementShape(TypedDict):
    """What lies where."""

    mode: Mode
    layers: Annotated[int, "Decoder layers of the model"]
    gpu_layers: Annotated[int, "Decoder layers on accelerators"]
    cpu_expert_layers: Annotated[int, "Layers whose experts stay in main memory"]
    tensor_parallel: int
    pipeline_parallel: int
    kv_cache_type: KvType
    device_layers: Annotated[list[int], "Decoder layers on each accelerator, in the machine's order"]


class MemoryPartShape(TypedDict):
    """One item of the memory."""

    name: str
    group: Literal["weights", "kv_cache", "recurrent_state", "compute_buffer", "runtime_overhead"]
    bytes: Annotated[int, "Negative where it is taken off what another part counts", SIGNED]
    pool: Pool
    device: Annotated[int | None, "Index of the accelerator, null for main memory"]
    basis: Annotated[Basis, "How the figure is known"]


class MemoryShape(TypedDict):
    """Memory of the running server."""

    weights_bytes: Annotated[int, "Weight tensors that the engine holds"]
    kv_cache_bytes: int
    recurrent_state_bytes: Annotated[int, "State of linear-attention layers"]
    compute_buffer_bytes: int
    runtime_overhead_bytes: Annotated[int, "Repacked copies, tokenizer, program, driver context, allocator slack"]
    total_bytes: Annotated[int, "Sum of the five"]
    device_bytes: Annotated[int, "On accelerators"]
    host_bytes: Annotated[int, "In main memory"]
    budget_bytes: Annotated[int, "What the pools it lies in can give"]
    reclaimable_bytes: Annotated[int, "Host bytes that are clean page cache of the mapped file"]
    parts: list[MemoryPartShape]


class RateShape(TypedDict):
    """Tokens per second: four measurements in five lie between low and high."""

    low: float
    expected: float
    high: float


class SpeedShape(TypedDict):
    """Speed of one request at the given concurrency."""

    decode_tokens_per_second: Annotated[RateShape, "Mean over the output, which begins behind the prompt"]
    prefill_tokens_per_second: Annotated[RateShape, "Over the prompt"]
    bound: Annotated[Bound, "What holds decoding back"]
    basis: Annotated[SpeedBasis, "How the figure is known"]
    throughput_tokens_per_second: Annotated[float, "Decode rate of all requests together"]
    time_to_first_token_seconds: float
    time_to_answer_seconds: Annotated[float, "Until the answer is complete, thoughts included"]
    notes: list[str]


class EvidenceShape(TypedDict):
    """One published score."""

    benchmark: str
    score: float
    source: Annotated[str, "Where it can be read"]
    independent: Annotated[bool, "False where the makers report it themselves"]
    weight: Annotated[float, "Its share of what the estimate rests on"]


class QualityShape(TypedDict):
    """How able the model is at the task, on a scale of logits."""

    task: TaskId
    ability: Annotated[float, "Before quantization"]
    standard_error: float
    quantization_loss: Annotated[float, "What the quantization takes from the ability"]
    published: Annotated[bool, "False where no published score of this checkpoint carries it"]
    evidence: list[EvidenceShape]


class TermsShape(TypedDict):
    """The terms of the score; ``quantization_loss`` is taken off, the others are added."""

    ability: float
    quantization_loss: float
    speed: float
    headroom: float
    context: float
    memory: float
    other: float
    total: float


class StepShape(TypedDict):
    """One command."""

    argv: list[str]
    environment: dict[str, str]
    shell: Annotated[str, "The command as a POSIX shell reads it"]
    where: Annotated[str, "On which machine or in which terminal, where that is not the obvious one"]


class LaunchShape(TypedDict):
    """How to run it."""

    steps: list[StepShape]
    notes: list[str]


class RecommendationShape(TypedDict):
    """One ranked answer: the best setting of one model."""

    rank: int
    model: ModelShape
    quantization: str
    engine: str
    thinking: Literal["on", "off", "none"]
    context_tokens: int
    largest_context_tokens: Annotated[int | None, "The longest context that would still fit"]
    artifact: ArtifactShape
    settings: SettingsShape
    placement: PlacementShape
    memory: MemoryShape
    speed: SpeedShape
    quality: QualityShape
    score: Annotated[float, "0 to 100; the first has 100"]
    terms: TermsShape
    frontier: Annotated[bool, "Whether nothing else is better in ability, speed and memory at once"]
    installed: Annotated[StoredShape | None, "Where the engine finds its weights on this disk already"]
    reasons: list[str]
    warnings: list[str]
    launch: LaunchShape


class RejectionShape(TypedDict):
    """One model that was ruled out, by the rule that came nearest to letting it in."""

    model: str
    rule: str
    message: str
    needed: Annotated[float | None, "In the unit that the message names: bytes, tokens, tokens per second"]
    available: float | None


class UpgradeShape(TypedDict):
    """The smallest change that would unlock something clearly better."""

    change: str
    unlocks: Annotated[str, "Repository of the model"]


class FrontierPointShape(TypedDict):
    """A model that nothing else beats in ability, speed and memory at once, at its best setting."""

    rank: Annotated[int, "Its place in the order; those beyond `top` are not among the recommendations"]
    model: Annotated[str, "Hugging Face repository"]
    quantization: str
    engine: str
    thinking: Literal["on", "off", "none"]
    ability: Annotated[float, "Logits, after quantization"]
    standard_error: float
    decode_tokens_per_second: float
    time_to_answer_seconds: Annotated[float, "Until the answer is complete, thoughts included: the speed that counts"]
    total_bytes: Annotated[int, "Memory taken"]


class FrontierShape(TypedDict):
    """The Pareto frontier of ability, speed and memory."""

    weighed: Annotated[int, "How many models were laid on the machine"]
    complete: Annotated[
        bool, "True with --chart or --explain: all that pass the rules; else those that can reach the list"
    ]
    models: list[FrontierPointShape]


class RivalShape(TypedDict):
    """What would put a model in the winner's place, one change at a time; null where no such change does."""

    model: str
    behind: Annotated[float, "Score terms below the winner, in spreads of ability"]
    abler: Annotated[float | None, "Logits more ability"]
    abler_in_standard_errors: Annotated[float | None, "The same in standard errors of the difference of the two"]
    faster: Annotated[float | None, "So many times as fast, prompt, thoughts and answer alike"]
    prefers: Annotated[list[str], "Values of --prefer under which it stands first"]


class RecommendDocument(TypedDict):
    """What `qwen-advisor recommend --json` prints, with exit code 0 or 3."""

    schema: Literal["qwen-advisor/recommend/1"]
    catalog: CatalogStamp
    hardware: HardwareDocument
    requirements: RequirementsShape
    recommendations: Annotated[list[RecommendationShape], "Best first; empty where nothing fits"]
    rejected: list[RejectionShape]
    upgrades: list[UpgradeShape]
    frontier: FrontierShape
    rivals: Annotated[list[RivalShape], "The recommendations after the first, with --explain"]
    notes: list[str]


class EstimateDocument(TypedDict):
    """What `qwen-advisor estimate MODEL --json` prints."""

    schema: Literal["qwen-advisor/estimate/1"]
    model: Annotated[str, "Hugging Face repository"]
    quantization: str
    engine: str
    context_tokens: int
    parallel: int
    kv_cache_type: KvType
    file_bytes: Annotated[int, "Weights on disk, without a separate projector"]
    projector_bytes: Annotated[int | None, "The separate vision or audio projector, null where there is none"]
    fits: Annotated[bool, "Whether the pools of this machine hold it as asked"]
    largest_context_tokens: Annotated[int | None, "The longest context that would still fit"]
    memory: MemoryShape
    speed: SpeedShape
    artifact: ArtifactShape
    settings: SettingsShape
    placement: PlacementShape
    hardware: HardwareDocument
    launch: LaunchShape
    notes: list[str]


class FaultShape(TypedDict):
    """What is wrong, and what to do next."""

    code: Annotated[str, "usage, nothing_fits, catalog_invalid, no_machine, network or fault"]
    exit_code: int
    message: str
    hint: str | None
    suggestions: Annotated[list[str], "The nearest known names"]
    details: Annotated[list[str], "Every single fault, where there are several"]


class ErrorDocument(TypedDict):
    """What any verb prints under --json when it cannot answer."""

    schema: Literal["qwen-advisor/error/1"]
    error: FaultShape


DOCUMENTS: dict[str, Any] = {
    "recommend-1": RecommendDocument,
    "estimate-1": EstimateDocument,
    "hardware-1": HardwareDocument,
    "error-1": ErrorDocument,
}
