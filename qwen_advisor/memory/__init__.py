"""Memory of a running engine: weights, KV cache, recurrent state, buffers and all else, by part, pool and device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qwen_advisor.errors import CatalogError, UsageError
from qwen_advisor.footprint import Footprint, LayerWeights
from qwen_advisor.machine import Machine
from qwen_advisor.memory.context import largest_context
from qwen_advisor.memory.job import Job
from qwen_advisor.memory.kv_cache import kv_bytes_per_token, recurrent_state_bytes
from qwen_advisor.memory.llamacpp import llama_cpp
from qwen_advisor.memory.local import mlx, whole_prompt
from qwen_advisor.memory.projector import audio_tokens, image_tokens
from qwen_advisor.memory.serving import serving
from qwen_advisor.memory.torch_process import transformers
from qwen_advisor.model import Architecture
from qwen_advisor.plan import Memory, MemoryPart, Placement, Settings

__all__ = [
    "audio_tokens",
    "image_tokens",
    "kv_bytes_per_token",
    "largest_context",
    "memory",
    "recurrent_state_bytes",
]


def memory(
    architecture: Architecture,
    footprint: Footprint,
    settings: Settings,
    placement: Placement,
    machine: Machine,
    models: Mapping[str, Any],
    *,
    layers: tuple[LayerWeights, ...] | None = None,
) -> Memory:
    """What a running engine occupies, in bytes.

    Args:
        architecture: the model's shape.
        footprint: its weights in the chosen format.
        settings: how the engine is run; see `Settings` for what ``context`` means to each engine.
        placement: what lies where.
        machine: processor features (repacking), accelerators (alignment, size, vendor), installed engine versions.
        models: the catalogue's constants of runtimes, by engine (``catalog.memory_models``).
        layers: weights by layer, for an exact split; without it layers count as equal.

    Raises:
        UsageError: the engine, or the KV type for it, is unknown, or the model is none that the engine runs.
        CatalogError: the catalogue has no constants for the engine.
    """
    engine = settings.engine

    def job(name: str) -> Job:
        return Job(architecture, footprint, settings, placement, machine, _of(models, name), layers)

    match engine:
        case "llama.cpp":
            return llama_cpp(job(engine))
        case "ollama" | "lmstudio":
            beside = MemoryPart(
                name="server_process",
                group="runtime_overhead",
                bytes=_of(models, engine)["server_bytes"],
                pool="host",
                basis="assumed",
            )
            return llama_cpp(job("llama.cpp")).adding(beside)
        case "vllm" | "sglang":
            return serving(job(engine))
        case "transformers":
            return transformers(job(engine))
        case "mlx":
            return mlx(job(engine))
        case "onnxruntime" | "openvino":
            return whole_prompt(job(engine))
        case _:
            raise UsageError(
                f"{engine!r} is not an engine whose memory is known",
                hint="engines are llama.cpp, ollama, lmstudio, vllm, sglang, transformers, mlx, onnxruntime, openvino",
            )


def _of(models: Mapping[str, Any], engine: str) -> Mapping[str, Any]:
    try:
        constants: Mapping[str, Any] = models[engine]
    except KeyError:
        raise CatalogError(
            f"the catalogue has no memory constants for {engine}", hint=f"add catalog/memory/{engine}.yaml"
        ) from None
    return constants
