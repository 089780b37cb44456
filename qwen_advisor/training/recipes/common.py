"""What every recipe is made of: rates of learning, names of modules, and YAML without a library."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

from qwen_advisor.training.plan import TrainingPlan
from qwen_advisor.training.settings import Training

Value = str | int | float | bool | Sequence["Value"] | Mapping[str, "Value"]

# Of full fine-tuning and of adapters: TRL's own default, and ten times it, which is what its guide on LoRA without
# regret finds. https://huggingface.co/docs/trl/lora_without_regret
FULL_RATE, ADAPTER_RATE = 2e-5, 2e-4
WARMUP = 0.03


def learning_rate(run: Training) -> float:
    """The peak of the learning rate."""
    return ADAPTER_RATE if run.adapters else FULL_RATE


def alpha(run: Training) -> int:
    """The scale of the adapters: twice the rank, as Unsloth, Axolotl and LLaMA-Factory have it."""
    return 2 * run.rank


def dense_modules(plan: TrainingPlan) -> list[str]:
    """Names of the modules that get adapters, without routed experts."""
    return list(plan.memory.trained.modules)


def expert_parameters(plan: TrainingPlan) -> list[str]:
    """Names of the parameters of routed experts that get adapters."""
    if not plan.memory.trained.experts:
        return []
    return ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]


def quoted(text: str) -> str:
    """A text as a string of Python and YAML, whatever it holds, in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def total_batch(run: Training) -> int:
    """Sequences between two steps of the optimizer."""
    return run.batch * run.accumulation * run.replicas


def header(plan: TrainingPlan, start: str) -> str:
    """Comment lines: what this is, what it takes, how it is started."""
    run, memory = plan.run, plan.memory
    fits = "" if plan.fits else " DOES NOT FIT:"
    gib = math.ceil(memory.device / 2**30 * 10) / 10
    cards = f"{run.gpus} x {plan.place.name}" if run.gpus > 1 else plan.place.name
    return (
        f"# {run.method} fine-tuning of {plan.checkpoint.id}.{fits} about {gib} GiB on each GPU, reckoned for {cards}\n"
        f"# {start}\n"
    )


def yaml(document: Mapping[str, Value], indent: int = 0) -> str:
    """A mapping of plain values as YAML; every string is quoted as JSON quotes it, which YAML reads alike."""
    lines = []
    pad = " " * indent
    for key, value in document.items():
        if isinstance(value, Mapping):
            lines.append(f"{pad}{key}:\n{yaml(value, indent + 2)}")
        elif isinstance(value, (list, tuple)):
            lines.append(f"{pad}{key}:\n" + "".join(_item(item, indent + 2) for item in value))
        else:
            lines.append(f"{pad}{key}: {_scalar(value)}\n")
    return "".join(lines)


def _item(item: Value, indent: int) -> str:
    pad = " " * indent
    if isinstance(item, Mapping):
        inner = yaml(item, indent + 2)
        return f"{pad}- {inner[indent + 2 :]}"
    return f"{pad}- {_scalar(item)}\n"


def _scalar(value: Value) -> str:
    if isinstance(value, float):
        return f"{value:.1e}" if 0 < abs(value) < 1e-3 else repr(value)
    return json.dumps(value, ensure_ascii=False)
