"""Ollama v0.33: the server takes the settings from its environment, ``ollama run`` takes the model."""

from __future__ import annotations

from qwen_advisor.advice import Plan
from qwen_advisor.engines.steps import Launch, Step, options
from qwen_advisor.engines.words import in_file_names


def launch(plan: Plan) -> Launch:
    """The commands that start the server with the plan's settings and fetch and run the model."""
    settings = plan.settings
    environment = {
        # Of one request: Ollama multiplies it by the slots. Without it the context follows the VRAM: 4k, 32k or 256k.
        "OLLAMA_CONTEXT_LENGTH": str(settings.context_per_request),
        "OLLAMA_NUM_PARALLEL": str(settings.parallel),
    }
    if settings.kv_type != "f16":
        environment |= {"OLLAMA_KV_CACHE_TYPE": settings.kv_type, "OLLAMA_FLASH_ATTENTION": "1"}
    notes = ["a server that already runs must be restarted with these variables, or it keeps its own context length"]
    tag = plan.artifact.ollama
    steps = [Step(argv=("ollama", "serve"), environment=tuple(environment.items()), where="in a terminal of its own")]
    if tag is None and plan.artifact.repo is None:
        return Launch(steps=(), notes=("neither the Ollama library nor a known repository has these weights",))
    name = tag or f"hf.co/{plan.artifact.repo}:{in_file_names(plan.format)}"
    if plan.checkpoint.kind in ("embedding", "reranker"):
        steps.append(Step(argv=("ollama", "pull", name)))
    else:
        quiet = plan.thinking == "off" and plan.checkpoint.thinking == "hybrid"
        steps.append(Step(argv=("ollama", "run", name, *options(("--think=false", quiet)))))
    return Launch(steps=tuple(steps), notes=tuple(notes))
