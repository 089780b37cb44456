"""Memory of MLX, ONNX Runtime GenAI and OpenVINO GenAI."""

from __future__ import annotations

from typing import Any

from qwen_advisor.errors import UsageError
from qwen_advisor.memory.activations import logits_bytes, prefill_bytes_per_token
from qwen_advisor.memory.job import Job
from qwen_advisor.memory.kv_cache import kv_bytes_per_token, recurrent_state_bytes
from qwen_advisor.model import Architecture, TextDecoder
from qwen_advisor.plan import Basis, KvType, Memory, MemoryPart, Pool

_MLX_TYPES = frozenset({"f16", "bf16", "q8_0", "q4_0"})


def _text(architecture: Architecture, engine: str) -> TextDecoder:
    if architecture.text is None:
        raise UsageError(f"{engine} does not run {architecture.id} as a language model")
    return architecture.text


def _memory(job: Job, sizes: list[tuple[str, Any, int, Basis]], kv: int, state: int) -> Memory:
    footprint = job.footprint
    on_cpu = job.placement.mode == "cpu"
    pool: Pool = "host" if on_cpu else "device"
    rows: list[tuple[str, Any, int, Any]] = [
        ("weights", "weights", footprint.tensor_bytes, footprint.basis),
        ("kv_cache", "kv_cache", kv, "exact"),
        ("recurrent_state", "recurrent_state", state, "exact"),
        *sizes,
    ]
    return Memory(
        parts=tuple(
            MemoryPart(name=name, group=group, bytes=size, pool=pool, basis=basis, device=None if on_cpu else 0)
            for name, group, size, basis in rows
            if size
        )
    )


def mlx(job: Job) -> Memory:
    """Memory of MLX-LM, which reads a prompt in steps and keeps the cache in 16 bit or in groups of 64.

    ``q8_0`` and ``q4_0`` stand for ``--kv-bits 8`` and ``4``: with a 16 bit scale and bias per group of 64 they take
    8.5 and 4.5 bits a value, as the types of llama.cpp do.

    Raises:
        UsageError: the architecture is no language model, or the KV type is none of MLX's.
    """
    settings, constants = job.settings, job.constants
    text = _text(job.architecture, "mlx")
    if settings.kv_type not in _MLX_TYPES:
        raise UsageError(f"{settings.kv_type} is not a KV cache type of mlx", hint="use f16, bf16, q8_0 or q4_0")
    kv = kv_bytes_per_token(text, settings.kv_type) * settings.context * settings.parallel
    rows = min(settings.prompt_tokens, constants["step_tokens"])
    return _memory(
        job,
        [
            ("prefill_step", "compute_buffer", logits_bytes(text, rows, constants), "measured model"),
            ("framework", "runtime_overhead", constants["framework_bytes"], "measured model"),
        ],
        kv,
        recurrent_state_bytes(text, settings.parallel),
    )


def whole_prompt(job: Job) -> Memory:
    """Memory of an engine that reads a prompt in one pass and allocates the cache for the whole context at once.

    ONNX Runtime GenAI and OpenVINO GenAI; their activations are taken to be those of a 16 bit decoder, and their
    cache on a CPU to be float32 for ONNX Runtime. Nothing of this could be measured, and the parts say so.

    Raises:
        UsageError: the architecture is no language model.
    """
    settings, constants, placement = job.settings, job.constants, job.placement
    text = _text(job.architecture, settings.engine)
    kv_type: KvType = settings.kv_type
    if settings.engine == "onnxruntime" and placement.mode == "cpu" and kv_type in {"f16", "bf16"}:
        kv_type = "f32"
    kv = kv_bytes_per_token(text, kv_type, settings.kv_type_v) * settings.context * settings.parallel
    prompt = min(settings.prompt_tokens, settings.context) * settings.parallel
    active = prefill_bytes_per_token(text, constants) * prompt
    active = max(active, logits_bytes(text, settings.parallel, constants))
    return _memory(
        job,
        [
            ("activations", "compute_buffer", active, "assumed"),
            ("framework", "runtime_overhead", constants["framework_bytes"], "assumed"),
        ],
        kv,
        recurrent_state_bytes(text, settings.parallel),
    )
