"""Memory of llama.cpp where layers, or all but the experts, lie on devices."""

from __future__ import annotations

from typing import Any

from qwen_advisor.memory.compute import Split, on_devices
from qwen_advisor.memory.host_process import cache_parts, host_parts
from qwen_advisor.memory.kv_cache import is_quantized, layer_kv_bytes_per_token
from qwen_advisor.memory.run import Run, layer_sums
from qwen_advisor.memory.shape import Staged
from qwen_advisor.model import TextDecoder
from qwen_advisor.plan import Memory, MemoryPart
from qwen_advisor.values import replace


def _attention_weights(text: TextDecoder) -> int:
    per_head = text.head_dim * text.hidden_size
    gate = 1 if text.linear_attention else 0
    return per_head * ((2 + gate) * text.num_attention_heads + 2 * text.num_key_value_heads)


def _staged(run: Run, host_layers: int) -> tuple[Staged, int]:
    """What of host layers is copied to the first device for a batch, and how many layers that concerns."""
    text, layers = run.text, run.job.layers
    concerned = max(host_layers, run.job.placement.cpu_expert_layers)
    if not concerned:
        return Staged(), 0
    sums = layer_sums(run, 0, concerned)
    dense = sums.dense // concerned
    feed_forward = 0 if text.moe else text.intermediate_size * text.hidden_size
    weights = max(1, _attention_weights(text) + 3 * feed_forward)
    gate = down = sums.experts // concerned // 3 if text.moe else dense * feed_forward // weights
    if layers is not None and text.moe:
        sizes = sorted(layer.experts for layer in layers[:concerned] if layer.experts)
        gate = sizes[0] // 3
        down = sizes[-1] - 2 * gate
    if not host_layers:
        return Staged(gate=gate, down=down), concerned
    query = dense * text.num_attention_heads * text.head_dim * text.hidden_size // weights
    key = dense * text.num_key_value_heads * text.head_dim * text.hidden_size // weights
    wide = query * (2 if text.linear_attention else 1)
    return Staged(query=wide, key=key, output=query, gate=gate, down=down, cache=True), concerned


def _weights(run: Run, device_layers: tuple[int, ...], host_layers: int) -> tuple[int, list[tuple[int, int]]]:
    """Weights on the host, and on each device in use.

    The embedding stays on the host, where its rows are looked up; the head goes to the last device, and a tied head
    is a second copy there, except where devices and host share one memory. Layers go to devices from the last down.
    """
    footprint, placement = run.job.footprint, run.job.placement
    host = footprint.token_embedding + layer_sums(run, 0, host_layers).total
    places, first = [], host_layers
    last = max(index for index, count in enumerate(device_layers) if count)
    for index, count in enumerate(device_layers):
        if not count:
            continue
        kept = max(0, min(count, placement.cpu_expert_layers - first))
        away = layer_sums(run, first, kept).experts
        size = layer_sums(run, first, count).total - away
        host += away
        if index == last:
            size += (footprint.token_embedding if footprint.tied else footprint.output) + footprint.output_norm
            size += footprint.mtp if run.settings.mtp else 0
        places.append((index, size))
        first += count
    if placement.mode == "unified" and footprint.tied:
        host -= footprint.token_embedding
    return host, places


def offloaded(run: Run) -> Memory:
    """Memory with layers on devices: weights, caches and a compute buffer of each, and what the host keeps."""
    settings, footprint, text, placement = run.settings, run.job.footprint, run.text, run.job.placement
    constants, machine = run.constants, run.job.machine
    device_layers = tuple(placement.device_layers) or (placement.gpu_layers,)
    active = [index for index, count in enumerate(device_layers) if count]
    host_layers = text.num_hidden_layers - sum(device_layers)
    parts: list[MemoryPart] = []

    def put(name: str, group: Any, size: int, basis: Any, device: int | None = None) -> None:
        if size:
            pool: Any = "host" if device is None else "device"
            parts.append(MemoryPart(name=name, group=group, bytes=size, pool=pool, basis=basis, device=device))

    host, weights = _weights(run, device_layers, host_layers)
    put("weights", "weights", host, footprint.basis)
    for index, size in weights:
        put("weights", "weights", size, footprint.basis, index)
    places: list[tuple[int | None, int]] = [(None, host_layers)] if host_layers else []
    parts += cache_parts(run, places + [(index, device_layers[index]) for index in active])

    vendors = [machine.accelerators[index].vendor for index in active if index < len(machine.accelerators)]
    vendor = vendors[0] if vendors else "nvidia"
    batch = run.batch()
    if (
        vendor in {"nvidia", "amd"}
        and batch.flash_attention
        and (is_quantized(settings.kv_type) or is_quantized(settings.kv_type_v or settings.kv_type))
    ):
        batch = replace(batch, unpacked=4 * text.num_key_value_heads * text.head_dim)
    staged, concerned = _staged(run, host_layers)
    if staged.cache:
        cell = layer_kv_bytes_per_token(text, settings.kv_type, settings.kv_type_v)
        batch = replace(batch, cell_bytes=cell)
    split = Split(
        layers=tuple(device_layers[index] for index in active),
        away=staged,
        away_layers=concerned,
        alignment=constants["device_alignment"][vendor],
        copies=constants["pipeline_copies"] if len(active) > 1 and not concerned else 1,
    )
    plan = on_devices(run.shape, batch, split)
    for index, size in zip(active, plan.devices, strict=True):
        put("compute_buffer", "compute_buffer", size, "measured model", index)
        if vendor == "nvidia":
            put("cuda_context", "runtime_overhead", constants["cuda_context_bytes"], "published", index)
    put("compute_buffer", "compute_buffer", plan.host, "measured model")
    parts += host_parts(run, alone=vendor == "apple")
    return Memory(parts=tuple(parts), reclaimable=host if settings.mmap else 0)
