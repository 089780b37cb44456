"""The run as something to start: a script or a configuration for one of five tools."""

from __future__ import annotations

from typing import Literal, get_args

from qwen_advisor.errors import UsageError
from qwen_advisor.training.plan import TrainingPlan
from qwen_advisor.training.recipes.axolotl import axolotl
from qwen_advisor.training.recipes.llamafactory import llamafactory
from qwen_advisor.training.recipes.swift import swift
from qwen_advisor.training.recipes.trl import trl
from qwen_advisor.training.recipes.unsloth import unsloth
from qwen_advisor.training.settings import Framework

Tool = Literal["script", "llamafactory", "ms-swift", "axolotl", "unsloth"]
TOOLS: tuple[Tool, ...] = get_args(Tool)

FRAMEWORK_OF: dict[Tool, Framework] = {
    "script": "trl",
    "llamafactory": "llamafactory",
    "ms-swift": "ms-swift",
    "axolotl": "axolotl",
    "unsloth": "unsloth",
}
_WRITERS = {"script": trl, "llamafactory": llamafactory, "ms-swift": swift, "axolotl": axolotl, "unsloth": unsloth}


def recipe(plan: TrainingPlan, tool: Tool, data: str | None) -> str:
    """The text of the script or the configuration.

    Args:
        plan: the run, as `plan_training` reckoned it for this tool's framework.
        tool: which one.
        data: path of the data set, or None for a place to fill in.

    Raises:
        UsageError: the tool cannot run it so.
    """
    if plan.run.sharding == "megatron" and tool != "ms-swift":
        raise UsageError(
            "of these tools only ms-swift runs Megatron", hint="use --format ms-swift, or --zero and --fsdp"
        )
    return _WRITERS[tool](plan, data or "train.jsonl")
