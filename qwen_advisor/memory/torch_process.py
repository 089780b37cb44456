"""Memory of a Transformers process: weights, a cache that grows by token, and the peak while a prompt is read."""

from __future__ import annotations

import re
from typing import Any

from qwen_advisor.errors import UsageError
from qwen_advisor.machine import Machine
from qwen_advisor.memory.activations import logits_bytes, prefill_bytes_per_token
from qwen_advisor.memory.job import Job
from qwen_advisor.memory.kv_cache import kv_bytes_per_token, recurrent_state_bytes
from qwen_advisor.memory.projector import audio_activations, vision_activations
from qwen_advisor.plan import Basis, Memory, MemoryPart, Placement, Pool

_PATCHES = 4096
_FRAMES = 1500


def version_of(machine: Machine, engine: str) -> tuple[int, ...] | None:
    """The installed version of an engine as numbers, or None where it is not known."""
    for installed in machine.engines:
        if installed.name == engine and installed.version:
            return tuple(int(number) for number in re.findall(r"\d+", installed.version)[:3])
    return None


def transformers(job: Job) -> Memory:
    """Memory at the longest context, or while the prompt is read if that takes more.

    The cache has ``settings.context`` tokens per sequence. Reading a prompt needs its activations at a time when the
    cache holds only the prompt; the compute buffer is what that peak takes beyond the filled cache. Versions before
    4.45 (read from the machine's installed engines) compute logits of the whole prompt. Pipeline parallel
    (``device_map``) splits layers; each device has a peak of its own.

    Raises:
        UsageError: the KV type is none that a 16 bit cache can have.
    """
    architecture, footprint, settings, placement = job.architecture, job.footprint, job.settings, job.placement
    machine, constants = job.machine, job.constants
    if settings.kv_type not in {"f16", "bf16", "f32"}:
        raise UsageError(
            f"Transformers keeps its KV cache in 16 or 32 bit, not in {settings.kv_type}",
            hint="leave --kv-type out, or choose llama.cpp, vllm or mlx",
        )
    on_cpu = placement.mode == "cpu"
    devices = 1 if on_cpu else max(1, placement.tensor_parallel * placement.pipeline_parallel, len(_used(placement)))
    per_token = kv_bytes_per_token(architecture.text, settings.kv_type) if architecture.text else 0
    cache = per_token * settings.context * settings.parallel
    state = recurrent_state_bytes(architecture.text, settings.parallel) if architecture.text else 0
    peak = _peak(job, per_token // devices)
    parts: list[MemoryPart] = []

    def put(name: str, group: Any, size: int, basis: Basis, *, each: bool = False) -> None:
        if not size:
            return
        if on_cpu:
            parts.append(MemoryPart(name=name, group=group, bytes=size, pool="host", basis=basis))
            return
        share = size if each else size // devices
        pool: Pool = "device"
        parts.extend(
            MemoryPart(name=name, group=group, bytes=share, pool=pool, basis=basis, device=index)
            for index in range(devices)
        )

    put("weights", "weights", footprint.tensor_bytes, footprint.basis)  # type: ignore[arg-type]
    put("kv_cache", "kv_cache", cache, "exact")
    put("recurrent_state", "recurrent_state", state, "exact")
    put("prefill_activations", "compute_buffer", max(0, peak - cache // devices), "measured model", each=True)
    put("framework", "runtime_overhead", constants["framework_bytes"], "measured model", each=True)
    if on_cpu:
        put("python_process", "runtime_overhead", constants["host_process_bytes"], "assumed")
    elif machine.accelerators and machine.accelerators[0].vendor == "nvidia":
        put("cuda_context", "runtime_overhead", constants["cuda_context_bytes"], "published", each=True)
    return Memory(parts=tuple(parts))


def _used(placement: Placement) -> tuple[int, ...]:
    return tuple(count for count in placement.device_layers if count)


def _peak(job: Job, per_token: int) -> int:
    """Cache and activations together while the prompt is read, on one device."""
    architecture, settings, constants = job.architecture, job.settings, job.constants
    text = architecture.text
    size = 0
    if text:
        prompt = min(settings.prompt_tokens, settings.context) * settings.parallel
        version = version_of(job.machine, "transformers")
        before = tuple(int(number) for number in constants["whole_prompt_logits_before"].split("."))
        whole = version is not None and version < before
        widest = prefill_bytes_per_token(text, constants) * prompt
        logits = logits_bytes(text, prompt if whole else settings.parallel, constants)
        size = per_token * prompt + max(widest, logits)
    if settings.vision and architecture.vision:
        size = max(size, vision_activations(architecture.vision, _PATCHES, 2))
    if settings.vision and architecture.audio:
        size = max(size, audio_activations(architecture.audio, _FRAMES, 2))
    return size
