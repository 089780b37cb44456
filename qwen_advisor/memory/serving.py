"""Memory of vLLM and SGLang: what a model needs, apart from the share of the device that they take at their start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qwen_advisor.errors import UsageError
from qwen_advisor.machine import Accelerator
from qwen_advisor.memory.activations import logits_bytes, prefill_bytes_per_token
from qwen_advisor.memory.job import Job
from qwen_advisor.memory.kv_cache import (
    kv_bytes_per_token,
    layer_kv_bytes_per_token,
    recurrent_state_bytes,
)
from qwen_advisor.memory.projector import vision_activations
from qwen_advisor.model import TextDecoder
from qwen_advisor.plan import Basis, Memory, MemoryPart, Pool, Settings

_KV_TYPES = frozenset({"f16", "bf16", "fp8"})


def kv_share(text: TextDecoder, tensor_parallel: int) -> float:
    """Share of the KV cache that one of several tensor parallel devices holds; K and V heads are never split."""
    return max(1.0 / tensor_parallel, 1.0 / text.num_key_value_heads)


def _blocks(tokens: int, block: int) -> int:
    return -(-tokens // block) * block


def _block_tokens(text: TextDecoder, settings: Settings, constants: Mapping[str, Any]) -> int:
    """Tokens of a cache block; with linear attention it is as large as a layer's state (vLLM's unified pages)."""
    block = int(constants["block_tokens"])
    if text.linear_attention is None or block == 1:
        return block
    linear_layers = text.num_hidden_layers - text.num_hidden_layers // text.linear_attention.full_attention_interval
    page = recurrent_state_bytes(text, 1) // linear_layers
    return _blocks(-(-page // layer_kv_bytes_per_token(text, settings.kv_type, settings.kv_type_v)), block)


def _step(device: Accelerator | None, constants: Mapping[str, Any]) -> int:
    large = device is not None and device.memory >= constants["large_device_bytes"] and "A100" not in device.name
    return int(constants["step_tokens_large" if large else "step_tokens"])


def serving(job: Job) -> Memory:
    """Memory that ``settings.parallel`` requests of ``settings.context`` tokens need, per device.

    Weights are sharded over tensor and pipeline parallel devices, K and V by whole heads, the recurrent state by
    heads. ``preallocated`` is what the engine takes whatever is needed, ``kv_capacity_tokens`` what its cache holds.

    Raises:
        UsageError: the architecture is no language model, or the KV type is none of the engine's.
    """
    architecture, footprint, settings, placement = job.architecture, job.footprint, job.settings, job.placement
    machine, constants = job.machine, job.constants
    text = architecture.text
    if text is None:
        raise UsageError(f"{settings.engine} does not serve {architecture.id} as a language model")
    for kv_type in (settings.kv_type, settings.kv_type_v or settings.kv_type):
        if kv_type not in _KV_TYPES:
            raise UsageError(f"{kv_type} is not a KV cache type of {settings.engine}", hint="use f16, bf16 or fp8")
    tensor, pipeline = placement.tensor_parallel, placement.pipeline_parallel
    on_cpu = placement.mode == "cpu"
    devices = 1 if on_cpu else tensor * pipeline
    first = machine.accelerators[0] if machine.accelerators and not on_cpu else None
    block = _block_tokens(text, settings, constants)
    tokens = _blocks(settings.context, block) * settings.parallel
    share = kv_share(text, tensor) / pipeline
    kv_token = kv_bytes_per_token(text, settings.kv_type, settings.kv_type_v) * share
    state = recurrent_state_bytes(text, settings.parallel) // devices
    step = min(_step(first, constants), max(settings.context, 1) * settings.parallel)
    active = prefill_bytes_per_token(text, constants) * step // tensor
    active = max(active, logits_bytes(text, min(constants["sequences"], step), constants))
    vision = architecture.vision if settings.vision else None
    encoder = vision_activations(vision, constants["profile_patches"], 2) if vision else 0
    weights = footprint.tensor_bytes - (0 if settings.mtp else footprint.mtp)
    if not settings.vision:
        weights -= footprint.vision + footprint.audio
    weights //= devices
    parts: list[MemoryPart] = []

    def put(name: str, group: Any, size: int, basis: Basis) -> None:
        pool: Pool = "host" if on_cpu else "device"
        if size:
            parts.extend(
                MemoryPart(name=name, group=group, bytes=size, pool=pool, basis=basis, device=None if on_cpu else index)
                for index in range(devices)
            )

    put("weights", "weights", weights, footprint.basis)  # type: ignore[arg-type]
    put("kv_cache", "kv_cache", int(kv_token * tokens), "exact")
    put("recurrent_state", "recurrent_state", state, "measured model")
    put("activations", "compute_buffer", active, "measured model")
    put("encoder_activations", "compute_buffer", encoder, "measured model")
    put("non_torch", "runtime_overhead", constants["non_torch_bytes"], "published")
    if not on_cpu:
        put("captured_graphs", "runtime_overhead", constants["graph_bytes"], "assumed")
        if machine.accelerators and machine.accelerators[0].kind != "unified":
            parts.append(
                MemoryPart(
                    name="python_process",
                    group="runtime_overhead",
                    bytes=constants["host_process_bytes"],
                    pool="host",
                    basis="assumed",
                )
            )
    fixed = weights + active + encoder + constants["non_torch_bytes"] + (0 if on_cpu else constants["graph_bytes"])
    if first is None:
        return Memory(parts=tuple(parts))
    taken = int(first.memory * constants["memory_fraction"])
    capacity = max(0, int((taken - fixed) / kv_token)) if kv_token else None
    return Memory(parts=tuple(parts), preallocated=taken * devices, kv_capacity_tokens=capacity)
