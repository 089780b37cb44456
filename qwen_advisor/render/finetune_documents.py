"""The answers of ``finetune`` and ``recommend --for finetune`` as JSON documents."""

from __future__ import annotations

from qwen_advisor.plan import Rate
from qwen_advisor.render.documents import four_digits, model_json
from qwen_advisor.render.finetune_shapes import (
    ChoiceShape,
    DataReportShape,
    FinetuneChoiceDocument,
    FinetuneDocument,
    TrainingMemoryShape,
    TrainingSettingsShape,
)
from qwen_advisor.render.hardware import machine_json
from qwen_advisor.render.shapes import RateShape
from qwen_advisor.training.choice import Choice, TrainingAdvice
from qwen_advisor.training.examples import DataReport
from qwen_advisor.training.memory import PartName
from qwen_advisor.training.plan import TrainingPlan
from qwen_advisor.training.settings import Training

_STANDING: tuple[PartName, ...] = ("weights", "adapters", "gradients", "optimizer_states")
_COMING_AND_GOING: tuple[PartName, ...] = ("activations", "loss", "recomputed_layer", "optimizer_step")


def finetune_document(plan: TrainingPlan, report: DataReport | None = None, file: str = "") -> FinetuneDocument:
    """The answer of ``finetune``; ``report`` is of the data set in ``file``."""
    speed = plan.speed
    tokens = plan.dataset_tokens
    return {
        "schema": "qwen-advisor/finetune/1",
        "model": plan.checkpoint.id,
        "fits": plan.fits,
        "settings": _settings(plan.run, plan.memory.trained.modules),
        "trained_parameters": plan.memory.trained.total,
        "memory": _memory(plan),
        "largest_seq_len_tokens": plan.largest_seq_len,
        "largest_batch": plan.largest_batch,
        "tokens_per_second": None if speed is None else _rate(speed.tokens),
        "speed_basis": None if speed is None else speed.basis,
        "dataset": None
        if tokens is None
        else {
            "tokens": tokens,
            "epochs": plan.epochs,
            "seconds": None if speed is None or speed.seconds is None else _rate(speed.seconds),
        },
        "data": None if report is None else _report(report, file),
        "remedies": [
            {
                "change": remedy.change,
                "option": remedy.option,
                "cost": remedy.cost,
                "model": remedy.model,
                "per_gpu_bytes": remedy.device,
                "fits": remedy.fits,
            }
            for remedy in plan.remedies
        ],
        "hardware": machine_json(plan.machine),
        "notes": list(plan.notes),
    }


def choice_document(advice: TrainingAdvice) -> FinetuneChoiceDocument:
    """The answer of ``recommend --for finetune``."""
    return {
        "schema": "qwen-advisor/finetune-choice/1",
        "task": advice.requirements.task,
        "recommendations": [_choice(choice, advice.place.budget) for choice in advice.choices],
        "too_large": advice.too_large,
        "hardware": machine_json(advice.machine),
    }


def _choice(choice: Choice, budget: int) -> ChoiceShape:
    return {
        "rank": choice.rank,
        "model": model_json(choice.checkpoint),
        "method": choice.run.method,
        "settings": _settings(choice.run, choice.modules),
        "per_gpu_bytes": choice.device,
        "budget_bytes": budget,
        "tokens_per_second": None if choice.speed is None else _rate(choice.speed.tokens),
        "ability": four_digits(choice.ability),
        "standard_error": four_digits(choice.standard_error),
    }


def _settings(run: Training, modules: tuple[str, ...]) -> TrainingSettingsShape:
    return {
        "method": run.method,
        "framework": run.framework,
        "base_format": run.format,
        "seq_len_tokens": run.seq_len,
        "batch": run.batch,
        "accumulation": run.accumulation,
        "tokens_per_step": run.tokens_per_step,
        "rank": run.rank if run.adapters else None,
        "dropout": run.dropout,
        "target_modules": list(run.targets) if run.adapters else [],
        "modules": list(modules),
        "train_embeddings": run.train_embeddings or not run.adapters,
        "optimizer": run.optimizer,
        "gradient_checkpointing": run.checkpointing,
        "packing": run.packing,
        "loss": run.loss,
        "sharding": run.sharding,
        "gpus_per_node": run.gpus_per_node,
        "nodes": run.nodes,
        "tensor_parallel": run.tensor_parallel,
        "expert_parallel": run.expert_parallel,
        "pipeline_parallel": run.pipeline_parallel,
    }


def _memory(plan: TrainingPlan) -> TrainingMemoryShape:
    memory, on_card = plan.memory, plan.place.card is not None
    activations = sum(memory.part(name) for name in _COMING_AND_GOING)
    return {
        "weights_bytes": memory.part("weights"),
        "adapters_bytes": memory.part("adapters"),
        "gradients_bytes": memory.part("gradients"),
        "optimizer_states_bytes": memory.part("optimizer_states"),
        "activations_bytes": activations,
        "runtime_overhead_bytes": memory.device - activations - sum(memory.part(name) for name in _STANDING),
        "per_gpu_bytes": memory.device,
        "total_bytes": memory.total,
        "device_bytes": memory.total if on_card else 0,
        "host_bytes": 0 if on_card else memory.total,
        "budget_bytes": plan.place.budget,
        "parts": [
            {
                "name": part.name,
                "bytes": part.bytes,
                "pool": "device" if on_card else "host",
                "basis": part.basis,
                "source": part.source,
            }
            for part in memory.parts
        ],
    }


def _report(report: DataReport, file: str) -> DataReportShape:
    return {
        "file": file,
        "rows": report.rows,
        "shape": report.shape,
        "tokens": report.tokens,
        "counted_by": report.counted_by,
        "longest_tokens": report.longest,
        "median_tokens": report.median,
        "over": report.over,
        "cut_tokens": report.cut,
        "duplicates": report.duplicates,
        "roles": report.roles,
    }


def _rate(rate: Rate) -> RateShape:
    return {"low": four_digits(rate.low), "expected": four_digits(rate.expected), "high": four_digits(rate.high)}
