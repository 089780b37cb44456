"""Engine settings that answer a requirement, in each engine's own terms."""

from __future__ import annotations

from qwen_advisor.plan import KvType, Settings
from qwen_advisor.task import Requirements
from qwen_advisor.values import replace

# llama-server and what is built on it share one context among their slots.
SHARED_CONTEXT = frozenset({"llama.cpp", "ollama", "lmstudio"})
# What to try when the 16-bit cache does not fit: half the bytes at hardly a loss.
SMALLER_KV: dict[str, KvType] = {
    "llama.cpp": "q8_0",
    "ollama": "q8_0",
    "lmstudio": "q8_0",
    "mlx": "q8_0",
    "vllm": "fp8",
    "sglang": "fp8",
}


def settings_for(engine: str, requirements: Requirements, *, vision: bool = False) -> Settings:
    """Settings under which every one of the concurrent requests can use the context that was asked for.

    The vision or audio projector is loaded only for tasks that need it.
    """
    shared = engine in SHARED_CONTEXT
    return Settings(
        engine=engine,
        context=requirements.context * (requirements.concurrency if shared else 1),
        parallel=requirements.concurrency,
        vision=vision,
        prompt_tokens=requirements.prompt_tokens,
        output_tokens=requirements.output_tokens,
    )


def smaller_kv(settings: Settings) -> Settings | None:
    """The same settings with a KV cache of half the size, or None where the engine has none."""
    kv_type = SMALLER_KV.get(settings.engine)
    return None if kv_type is None or settings.kv_type != "f16" else replace(settings, kv_type=kv_type)
