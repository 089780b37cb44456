"""Engines: the commands that run a plan exactly as it was reckoned."""

from __future__ import annotations

from qwen_advisor.advice import Plan
from qwen_advisor.engines import llama_cpp, local, ollama, sglang, vllm
from qwen_advisor.engines.steps import Launch, Step
from qwen_advisor.engines.words import no_weights

__all__ = ["Launch", "Step", "launch"]


def launch(plan: Plan, *, tools: bool = False, nodes: int = 1) -> Launch:
    """How the plan's engine is started.

    Args:
        plan: what was laid on the machine.
        tools: whether the server must parse tool calls, which some engines have to be told.
        nodes: how many machines there are; the plan may span fewer.

    Raises:
        ValueError: the engine is not known, or cannot be told one of the settings.
    """
    nodes = min(nodes, plan.placement.pipeline_parallel)  # one stage of the pipeline on each
    match plan.settings.engine:
        case "llama.cpp":
            return llama_cpp.launch(plan)
        case "ollama":
            return ollama.launch(plan)
        case "vllm":
            return no_weights(plan) or vllm.launch(plan, tools=tools, nodes=nodes)
        case "sglang":
            return no_weights(plan) or sglang.launch(plan, tools=tools, nodes=nodes)
        case "transformers":
            return no_weights(plan) or local.transformers(plan)
        case "mlx":
            return local.mlx(plan)
        case "lmstudio":
            return local.lmstudio(plan)
        case "onnxruntime":
            return local.onnxruntime(plan)
        case "openvino":
            return local.openvino(plan)
        case engine:
            raise ValueError(f"no commands are known for the engine {engine!r}")
