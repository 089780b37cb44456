"""Over how many GPUs each part of a run is split, and what moving it between them takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qwen_advisor.model import Architecture
from qwen_advisor.parameters import count
from qwen_advisor.training.settings import Training
from qwen_advisor.values import dataclass

_HALF = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Divisors, by part. Routed experts are split by a number of their own in Megatron."""

    weights: float
    experts: float
    gradients: float
    states: float


def shares(run: Training) -> Shares:
    """Source: Rajbhandari et al. 2019, arXiv 1910.02054, figure 1; Narayanan et al. 2021, arXiv 2104.04473."""
    n, split = run.replicas, run.split
    whole = n if run.sharding in ("zero3", "fsdp") else 1
    experts = whole * (run.expert_parallel * run.pipeline_parallel if run.sharding == "megatron" else split)
    return Shares(
        weights=whole * split,
        experts=experts,
        gradients=(n if run.sharding in ("zero2", "zero3", "fsdp") else 1) * split,
        states=(1 if run.sharding in ("none", "layers") else n) * split,
    )


def communication_bytes(
    architecture: Architecture, run: Training, trained: int, width: int, constants: Mapping[str, Any]
) -> int:
    """Buffers of NCCL; DDP's copy of the gradients; DeepSpeed's buckets; weights that are gathered whole.

    Source: ``gradient_as_bucket_view`` of torch.nn.parallel.DistributedDataParallel is off; the configuration page of
    DeepSpeed for its buckets and for the weights that stay live; FSDP gathers a layer while it computes another.
    """
    if run.gpus == 1 and run.sharding == "none":
        return 0
    size = constants["nccl_bytes"] if run.gpus > 1 else 0
    parts = count(architecture)
    buckets = constants["deepspeed_allgather_elements"], constants["deepspeed_reduce_elements"]
    match run.sharding:
        case "none":
            size += width * trained
        case "zero1" | "zero2":
            size += _HALF * sum(min(bucket, trained) for bucket in buckets)
        case "zero3":
            # Embedding and head are gathered whole, beside what may stay live and what is soon used again.
            live = constants["deepspeed_live_elements"] + constants["deepspeed_reuse_elements"]
            live += max(parts.embedding, parts.head)
            size += _HALF * (min(live, parts.language_model) + min(buckets[1], trained))
        case "fsdp":
            layers = architecture.text.num_hidden_layers if architecture.text else 1
            size += _HALF * (2 * parts.non_embedding // layers + parts.embedding)
        case "layers" | "megatron":
            pass
    return size
