"""How fast a run goes: operations over what the card does of them, and what each layer costs beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Accelerator
from qwen_advisor.model import Architecture
from qwen_advisor.parameters import count
from qwen_advisor.plan import Rate
from qwen_advisor.training.room import Place
from qwen_advisor.training.settings import Training
from qwen_advisor.training.trainable import trainable
from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSpeed:
    """Tokens per second over all GPUs, padding included, and the time for a data set.

    Attributes:
        tokens: the rate with its range.
        dataset_tokens: of the data set, once through; None where none is told.
        seconds: for all epochs, low is the fastest; None likewise.
        basis: what the rate rests on.
    """

    tokens: Rate
    dataset_tokens: int | None
    seconds: Rate | None
    basis: str


def training_speed(
    catalog: Catalog, architecture: Architecture, run: Training, place: Place, *, dataset: int | None, epochs: float
) -> TrainingSpeed | None:
    """The rate of a run, or None where the operations of the card are not known.

    Each token takes two operations for each active weight forward, two backward for its input, two more where the
    weight is trained, and the forward pass again under checkpointing. Source: Kaplan et al. 2020, arXiv 2001.08361,
    section 2.1; Korthikanti et al. 2022, arXiv 2205.05198, appendix A for attention.
    """
    text, card = architecture.text, place.card
    if text is None or card is None or not card.fp16_flops:
        return None
    constants = catalog.training["speed"]
    work = operations(architecture, run) * run.tokens / run.split
    moving = _moving(catalog, architecture, run, place)
    unpacking = _unpacking(architecture, run, card, constants)
    sharded = "layer_seconds_sharded" if run.sharding in ("zero3", "fsdp") else "layer_seconds"
    rates = []
    for bound in ("low", "expected", "high"):
        share = constants["utilisation"][bound] * (constants["mixture_of_experts"][bound] if text.moe else 1.0)
        computing = work / (card.fp16_flops * share) + unpacking[bound]
        # At worst nothing of the traffic is hidden behind arithmetic, else the longer of the two counts.
        busy = computing + moving if bound == "low" else max(computing, moving)
        seconds = busy + constants[sharded][bound] * text.num_hidden_layers
        rates.append(run.tokens * run.replicas / seconds)
    low, expected, high = rates
    rate = Rate(low=low, expected=expected, high=high)
    total = None if dataset is None else dataset * epochs
    time = None if total is None else Rate(low=total / high, expected=total / expected, high=total / low)
    return TrainingSpeed(
        tokens=rate,
        dataset_tokens=dataset,
        seconds=time,
        basis="reckoned from operations, at shares of the peak that Qwen's tables reached on A100",
    )


def operations(architecture: Architecture, run: Training) -> float:
    """Floating-point operations for each token of a step."""
    text = architecture.text
    if text is None:
        return 0.0
    parts, trained = count(architecture), trainable(architecture, run)
    head = parts.head or parts.embedding
    body = parts.active - parts.embedding - parts.head
    passes = 3 if run.checkpointing else 2  # forward, forward again, backward to the inputs
    weights = 2 * passes * body + 4 * head
    if run.adapters:
        weights += 2 * (passes + 1) * trained.matrices
        weights += 2 * head * run.train_embeddings
    else:
        weights += 2 * body + 2 * head
    layers = sum(kind != "linear_attention" for kind in text.layer_types)
    # Causal: half the length on average; two products forward, five backward.
    attention = 2 * text.num_attention_heads * text.head_dim * run.seq_len * layers
    return weights + attention * (1 + 2.5 + run.checkpointing)


def _unpacking(
    architecture: Architecture, run: Training, card: Accelerator, constants: Mapping[str, Any]
) -> dict[str, float]:
    """Seconds to turn quantized weights into 16 bit in each pass: read half a byte, write two and read them again."""
    if run.format == "BF16" or not card.memory_bandwidth:
        return {"low": 0.0, "expected": 0.0, "high": 0.0}
    moved = (3 if run.checkpointing else 2) * _UNPACKED * count(architecture).non_embedding / run.split
    return {bound: moved / (card.memory_bandwidth * share) for bound, share in constants["unpacking"].items()}


def _moving(catalog: Catalog, architecture: Architecture, run: Training, place: Place) -> float:
    """Seconds for what moves between GPUs in one micro-batch, if nothing of it were hidden behind arithmetic."""
    if run.gpus == 1 or run.sharding in ("layers", "megatron"):
        return 0.0
    inside = catalog.training["speed"]["links"][
        "nvlink" if place.card and place.card.compute_capability in _SERVERS else "pcie"
    ]
    networks = catalog.efficiency["hardware"]["interconnects"]
    network = networks[place.interconnect or catalog.efficiency["hardware"]["assumed"]["interconnect"]]["bandwidth"]
    link = min(inside, network) if run.nodes > 1 else inside
    trained = trainable(architecture, run).total
    if run.sharding in ("zero3", "fsdp"):
        # The weights of every layer come three times: forward, again and backward.
        return float(2 * count(architecture).language_model * 3 / link)
    return float(2 * 2 * trained / link / run.accumulation)


_UNPACKED = 4.5  # bytes for each weight
_SERVERS = frozenset({"7.0", "8.0", "9.0", "10.0", "10.3"})  # of NVIDIA's chips with stacked memory and NVLink
