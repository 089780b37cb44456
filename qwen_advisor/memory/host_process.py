"""What a llama-server process holds in main memory beside weights, and its caches."""

from __future__ import annotations

from typing import Any

from qwen_advisor.memory.kv_cache import (
    kv_bytes_per_token,
    layer_kv_bytes_per_token,
    recurrent_state_bytes,
    softmax_layers,
)
from qwen_advisor.memory.run import Run, tensors
from qwen_advisor.plan import MemoryPart


def host_parts(run: Run, *, alone: bool) -> list[MemoryPart]:
    """Everything the process holds in main memory beside weights, caches and buffers, after one request."""
    constants, settings, text = run.constants, run.settings, run.text
    hybrid = text.linear_attention is not None
    if hybrid:
        nodes = max(
            run.layout.tokens * constants["graph_nodes_per_token_hybrid"],
            constants["graph_nodes_per_tensor_hybrid"] * tensors(text),
        )
    else:
        nodes = max(constants["graph_nodes_least"], constants["graph_nodes_per_tensor"] * tensors(text))
    tail = constants["checkpoint_tail_tokens"]
    checkpoints = (settings.prompt_tokens > tail) + (settings.prompt_tokens > tail + settings.ubatch) if hybrid else 0
    split = checkpoints > 0 or settings.prompt_tokens > run.layout.tokens
    sizes = [
        ("tokenizer", constants["tokenizer_bytes_per_token"] * text.vocab_size, "measured model"),
        ("program", constants["program_file_bytes"] + constants["server_heap_bytes"], "measured model"),
        ("graph_metadata", nodes * constants["graph_bytes_per_node"] * (3 if split else 2), "measured model"),
        ("output_buffer", 4 * text.vocab_size * run.settings.parallel, "exact"),
    ]
    if not alone:
        sizes.append(("gpu_libraries", constants["gpu_host_bytes"], "assumed"))
    if checkpoints:
        sizes.append(("context_checkpoints", checkpoints * recurrent_state_bytes(text, 1), "exact"))
    return [
        MemoryPart(name=name, group="runtime_overhead", bytes=size, pool="host", basis=basis)  # type: ignore[arg-type]
        for name, size, basis in sizes
    ]


def cache_parts(run: Run, places: list[tuple[int | None, int]]) -> list[MemoryPart]:
    """KV cache and recurrent state with their layers: ``places`` are (device, decoder layers), first to last."""
    text, settings = run.text, run.settings
    mtp = run.job.footprint.mtp > 0 and settings.mtp
    kv = kv_bytes_per_token(text, settings.kv_type, settings.kv_type_v) * run.layout.total
    rollback = run.constants["mtp_draft_tokens"] if mtp else 0
    state = recurrent_state_bytes(text, run.settings.parallel, rollback=rollback)
    interval = text.linear_attention.full_attention_interval if text.linear_attention else 1
    softmax_all, total = softmax_layers(text), text.num_hidden_layers
    parts, first = [], 0
    for device, count in places:
        softmax = (first + count) // interval - first // interval
        linear = count - softmax
        first += count
        pool: Any = "host" if device is None else "device"
        if softmax:
            parts.append(
                MemoryPart(
                    name="kv_cache",
                    group="kv_cache",
                    bytes=kv * softmax // softmax_all,
                    pool=pool,
                    basis="exact",
                    device=device,
                )
            )
        if linear and total > softmax_all:
            parts.append(
                MemoryPart(
                    name="recurrent_state",
                    group="recurrent_state",
                    bytes=state * linear // (total - softmax_all),
                    pool=pool,
                    basis="exact",
                    device=device,
                )
            )
    if mtp:
        device = places[-1][0]
        size = layer_kv_bytes_per_token(text, settings.kv_type, settings.kv_type_v)
        parts.append(
            MemoryPart(
                name="mtp_kv_cache",
                group="kv_cache",
                bytes=size * text.mtp_num_hidden_layers * run.layout.total,
                pool="host" if device is None else "device",
                basis="exact",
                device=device,
            )
        )
    return parts
