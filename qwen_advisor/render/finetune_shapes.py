"""The shapes of the JSON answers of ``finetune`` and ``recommend --for finetune``; see `shapes`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from qwen_advisor.plan import Basis
from qwen_advisor.render.shapes import HardwareDocument, ModelShape, RateShape
from qwen_advisor.training.memory import PartName
from qwen_advisor.training.settings import Framework, Loss, Method, Optimizer, Sharding


class TrainingSettingsShape(TypedDict):
    """How it is trained."""

    method: Method
    framework: Framework
    base_format: Annotated[str, "In which the base weights are held"]
    seq_len_tokens: int
    batch: Annotated[int, "Sequences on one GPU in one forward pass"]
    accumulation: Annotated[int, "Forward passes before the optimizer steps"]
    tokens_per_step: Annotated[int, "Over all GPUs, padding included"]
    rank: Annotated[int | None, "Of the adapters, null where there are none"]
    dropout: float
    target_modules: Annotated[list[str], "As they were asked for"]
    modules: Annotated[list[str], "Names of the linear modules that get adapters"]
    train_embeddings: bool
    optimizer: Optimizer
    gradient_checkpointing: bool
    packing: bool
    loss: Loss
    sharding: Sharding
    gpus_per_node: int
    nodes: int
    tensor_parallel: int
    expert_parallel: int
    pipeline_parallel: int


class TrainingPartShape(TypedDict):
    """One item of the memory of one GPU."""

    name: PartName
    bytes: int
    pool: Literal["device", "host"]
    basis: Basis
    source: Annotated[str, "Where the formula comes from"]


class TrainingMemoryShape(TypedDict):
    """The peak. Every size but the totals is that of one GPU; all GPUs hold as much."""

    weights_bytes: int
    adapters_bytes: int
    gradients_bytes: int
    optimizer_states_bytes: int
    activations_bytes: Annotated[int, "Kept for the backward pass, and the layer or the loss that is worked on"]
    runtime_overhead_bytes: Annotated[int, "Communication, CUDA context and what the allocator holds in vain"]
    per_gpu_bytes: Annotated[int, "Sum of the parts"]
    total_bytes: Annotated[int, "Over all GPUs"]
    device_bytes: Annotated[int, "Of the total, on accelerators"]
    host_bytes: Annotated[int, "Of the total, in main memory"]
    budget_bytes: Annotated[int, "What one process may take"]
    parts: list[TrainingPartShape]


class DatasetShape(TypedDict):
    """The data set."""

    tokens: Annotated[int, "Once through"]
    epochs: float
    seconds: Annotated[RateShape | None, "For all epochs; low is the fastest, null where the card's rate is not known"]


class DataReportShape(TypedDict):
    """What `--data` found."""

    file: str
    rows: int
    shape: str | None
    tokens: int
    counted_by: str
    longest_tokens: int
    median_tokens: int
    over: Annotated[int, "Rows longer than a sequence"]
    cut_tokens: Annotated[int, "What is cut off of them"]
    duplicates: int
    roles: dict[str, int]


class RemedyShape(TypedDict):
    """What to change, reckoned again."""

    change: str
    option: Annotated[str, "What to add to the call, or the model to name"]
    cost: str
    model: Annotated[str | None, "Where it is another model"]
    per_gpu_bytes: int
    fits: bool


class FinetuneDocument(TypedDict):
    """What `qwen-advisor finetune MODEL --json` prints."""

    schema: Literal["qwen-advisor/finetune/1"]
    model: str
    fits: bool
    settings: TrainingSettingsShape
    trained_parameters: int
    memory: TrainingMemoryShape
    largest_seq_len_tokens: Annotated[int | None, "With this batch; null where none fits"]
    largest_batch: Annotated[int | None, "With this length; null where none fits"]
    tokens_per_second: Annotated[RateShape | None, "Over all GPUs; null where the card's rate is not known"]
    speed_basis: str | None
    dataset: DatasetShape | None
    data: DataReportShape | None
    remedies: Annotated[list[RemedyShape], "Best first; empty where it fits"]
    hardware: HardwareDocument
    notes: list[str]


class ChoiceShape(TypedDict):
    """One model to train."""

    rank: int
    model: ModelShape
    method: Method
    settings: TrainingSettingsShape
    per_gpu_bytes: int
    budget_bytes: int
    tokens_per_second: RateShape | None
    ability: Annotated[float, "Logits on the task's scale, less what a quantized base loses"]
    standard_error: float


class FinetuneChoiceDocument(TypedDict):
    """What `qwen-advisor recommend --for finetune --json` prints."""

    schema: Literal["qwen-advisor/finetune-choice/1"]
    task: str
    recommendations: list[ChoiceShape]
    too_large: Annotated[int, "Models that answer the task and do not fit"]
    hardware: HardwareDocument


FINETUNE_DOCUMENTS: dict[str, Any] = {
    "finetune-1": FinetuneDocument,
    "finetune-choice-1": FinetuneChoiceDocument,
}
