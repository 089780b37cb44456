"""Answers as JSON documents, in the shapes that are published. Integers stay exact; rates keep four digits."""

from __future__ import annotations

from qwen_advisor.advice import Advice, Artifact, Estimate, Recommendation, Rejection, Rival, Terms, Weighed
from qwen_advisor.engines import Launch, launch
from qwen_advisor.errors import AdvisorError, CatalogError, DataError
from qwen_advisor.machine import Machine, Stored
from qwen_advisor.model import Checkpoint
from qwen_advisor.plan import Memory, Placement, Rate, Settings, Speed
from qwen_advisor.render.hardware import machine_json
from qwen_advisor.render.shapes import (
    ArtifactShape,
    ErrorDocument,
    EstimateDocument,
    FrontierPointShape,
    LaunchShape,
    MemoryShape,
    ModelShape,
    PlacementShape,
    QualityShape,
    RateShape,
    RecommendationShape,
    RecommendDocument,
    RejectionShape,
    RequirementsShape,
    RivalShape,
    SettingsShape,
    SpeedShape,
    StoredShape,
    TermsShape,
)
from qwen_advisor.shelf import stored
from qwen_advisor.task import Requirements


def recommend_document(advice: Advice) -> RecommendDocument:
    """The answer of ``recommend``."""
    wanted = advice.requirements
    return {
        "schema": "qwen-advisor/recommend/1",
        "catalog": {"version": advice.catalog_version, "models": advice.catalog_models},
        "hardware": machine_json(advice.machine),
        "requirements": requirements_json(wanted),
        "recommendations": [recommendation_json(item, wanted, advice.machine) for item in advice.recommendations],
        "rejected": [rejection_json(item) for item in advice.rejected],
        "upgrades": [{"change": item.change, "unlocks": item.unlocks} for item in advice.upgrades],
        "frontier": {
            "weighed": len(advice.weighed),
            "complete": advice.complete,
            "models": [_frontier_point(item) for item in advice.weighed if item.frontier],
        },
        "rivals": [_rival(item) for item in advice.rivals],
        "notes": list(advice.notes),
    }


def estimate_document(estimate: Estimate) -> EstimateDocument:
    """The answer of ``estimate``."""
    settings = estimate.settings
    return {
        "schema": "qwen-advisor/estimate/1",
        "model": estimate.checkpoint.id,
        "quantization": estimate.format,
        "engine": settings.engine,
        "context_tokens": settings.context,
        "parallel": settings.parallel,
        "kv_cache_type": settings.kv_type,
        "file_bytes": estimate.file_bytes,
        "projector_bytes": estimate.projector_bytes,
        "fits": estimate.fits,
        "largest_context_tokens": estimate.largest_context,
        "memory": memory_json(estimate.memory, estimate.budget),
        "speed": speed_json(estimate.speed),
        "artifact": artifact_json(estimate.artifact),
        "settings": settings_json(settings),
        "placement": placement_json(estimate.placement),
        "hardware": machine_json(estimate.machine),
        "launch": launch_json(launch(estimate.plan, nodes=estimate.machine.nodes)),
        "notes": list(estimate.notes),
    }


def error_document(error: AdvisorError) -> ErrorDocument:
    """What went wrong, for a program."""
    details = error.faults if isinstance(error, (CatalogError, DataError)) else ()
    return {
        "schema": "qwen-advisor/error/1",
        "error": {
            "code": error.code,
            "exit_code": error.exit_code,
            "message": error.message,
            "hint": error.hint,
            "suggestions": list(error.suggestions),
            "details": list(details),
        },
    }


def recommendation_json(item: Recommendation, wanted: Requirements, machine: Machine) -> RecommendationShape:
    """One ranked answer."""
    plan = item.plan
    return {
        "rank": item.rank,
        "model": model_json(plan.checkpoint),
        "quantization": plan.format,
        "engine": plan.settings.engine,
        "thinking": plan.thinking,
        "context_tokens": plan.settings.context_per_request,
        "largest_context_tokens": item.largest_context,
        "artifact": artifact_json(plan.artifact),
        "settings": settings_json(plan.settings),
        "placement": placement_json(plan.placement),
        "memory": memory_json(plan.memory, plan.budget),
        "speed": speed_json(plan.speed),
        "quality": quality_json(item, wanted),
        "score": round(item.score, 2),
        "terms": terms_json(item.terms),
        "frontier": item.frontier,
        "installed": stored_json(stored(machine.shelf, plan.artifact, plan.format, plan.settings.engine)),
        "reasons": list(item.reasons),
        "warnings": list(item.warnings),
        "launch": launch_json(launch(plan, tools=wanted.tools, nodes=machine.nodes)),
    }


def stored_json(where: Stored | None) -> StoredShape | None:
    """Where weights lie on the disk."""
    return None if where is None else {"holder": where.holder, "place": where.place}


def requirements_json(wanted: Requirements) -> RequirementsShape:
    """Every requirement, resolved."""
    return {
        "task": wanted.task,
        "context_tokens": wanted.context,
        "prompt_tokens": wanted.prompt_tokens,
        "output_tokens": wanted.output_tokens,
        "concurrency": wanted.concurrency,
        "min_speed_tokens_per_second": wanted.min_speed,
        "engines": list(wanted.engines),
        "quantizations": list(wanted.quantizations),
        "license": wanted.license,
        "language": wanted.language,
        "thinking": wanted.thinking,
        "tools": wanted.tools,
        "max_download_bytes": wanted.max_download,
        "family": wanted.family,
        "released_after": wanted.released_after,
        "prefer": wanted.prefer,
        "installed": wanted.installed,
        "top": wanted.top,
    }


def model_json(checkpoint: Checkpoint) -> ModelShape:
    """A checkpoint, as every answer names it."""
    return {
        "id": checkpoint.id,
        "family": checkpoint.family,
        "parameters_total": checkpoint.parameters_total,
        "parameters_active": checkpoint.parameters_active or checkpoint.parameters_total,
        "license": checkpoint.license,
        "context_native_tokens": checkpoint.context.native,
        "released": checkpoint.released,
    }


def artifact_json(artifact: Artifact) -> ArtifactShape:
    """What is downloaded."""
    return {
        "repo": artifact.repo,
        "files": list(artifact.files),
        "bytes": artifact.bytes,
        "ollama": artifact.ollama,
        "official": artifact.official,
    }


def settings_json(settings: Settings) -> SettingsShape:
    """How the engine is run."""
    return {
        "parallel": settings.parallel,
        "kv_cache_type": settings.kv_type,
        "kv_cache_type_v": settings.kv_type_v or settings.kv_type,
        "flash_attention": settings.flash_attention,
        "batch_tokens": settings.batch,
        "ubatch_tokens": settings.ubatch,
        "gpu_layers": settings.gpu_layers,
        "prompt_tokens": settings.prompt_tokens,
        "output_tokens": settings.output_tokens,
    }


def placement_json(place: Placement) -> PlacementShape:
    """What lies where."""
    return {
        "mode": place.mode,
        "layers": place.layers,
        "gpu_layers": place.gpu_layers,
        "cpu_expert_layers": place.cpu_expert_layers,
        "tensor_parallel": place.tensor_parallel,
        "pipeline_parallel": place.pipeline_parallel,
        "kv_cache_type": place.kv_cache_type,
        "device_layers": list(place.device_layers),
    }


def memory_json(memory: Memory, budget: int) -> MemoryShape:
    """Memory by group and by part."""
    return {
        "weights_bytes": memory.group("weights"),
        "kv_cache_bytes": memory.group("kv_cache"),
        "recurrent_state_bytes": memory.group("recurrent_state"),
        "compute_buffer_bytes": memory.group("compute_buffer"),
        "runtime_overhead_bytes": memory.group("runtime_overhead"),
        "total_bytes": memory.total,
        "device_bytes": memory.device,
        "host_bytes": memory.host,
        "budget_bytes": budget,
        "reclaimable_bytes": memory.reclaimable,
        "parts": [
            {
                "name": part.name,
                "group": part.group,
                "bytes": part.bytes,
                "pool": part.pool,
                "device": part.device,
                "basis": part.basis,
            }
            for part in memory.parts
        ],
    }


def speed_json(speed: Speed) -> SpeedShape:
    """Rates and waiting times."""
    return {
        "decode_tokens_per_second": rate_json(speed.decode),
        "prefill_tokens_per_second": rate_json(speed.prefill),
        "bound": speed.bound,
        "basis": speed.basis,
        "throughput_tokens_per_second": four_digits(speed.throughput),
        "time_to_first_token_seconds": four_digits(speed.time_to_first_token),
        "time_to_answer_seconds": four_digits(speed.time_to_answer),
        "notes": list(speed.notes),
    }


def rate_json(rate: Rate) -> RateShape:
    """A rate with its range."""
    return {"low": four_digits(rate.low), "expected": four_digits(rate.expected), "high": four_digits(rate.high)}


def quality_json(item: Recommendation, wanted: Requirements) -> QualityShape:
    """How able the model is at the task."""
    ability = item.ability
    return {
        "task": wanted.task,
        "ability": round(ability.value, 4),
        "standard_error": round(ability.standard_error, 4),
        "quantization_loss": round(item.quantization_loss, 4),
        "published": ability.published,
        "evidence": [
            {
                "benchmark": score.benchmark,
                "score": score.score,
                "source": score.source,
                "independent": score.independent,
                "weight": round(score.weight, 4),
            }
            for score in ability.evidence
        ],
    }


def terms_json(terms: Terms) -> TermsShape:
    """The terms of a score."""
    return {
        "ability": round(terms.ability, 4),
        "quantization_loss": round(terms.quantization_loss, 4),
        "speed": round(terms.speed, 4),
        "headroom": round(terms.headroom, 4),
        "context": round(terms.context, 4),
        "memory": round(terms.memory, 4),
        "other": round(terms.other, 4),
        "total": round(terms.total, 4),
    }


def launch_json(how: Launch) -> LaunchShape:
    """The commands that run it."""
    return {
        "steps": [
            {
                "argv": list(step.argv),
                "environment": dict(step.environment),
                "shell": step.shell,
                "where": step.where,
            }
            for step in how.steps
        ],
        "notes": list(how.notes),
    }


def _frontier_point(item: Weighed) -> FrontierPointShape:
    plan = item.plan
    return {
        "rank": item.rank,
        "model": plan.checkpoint.id,
        "quantization": plan.format,
        "engine": plan.settings.engine,
        "thinking": plan.thinking,
        "ability": round(item.able, 4),
        "standard_error": round(item.ability.standard_error, 4),
        "decode_tokens_per_second": four_digits(plan.speed.decode.expected),
        "time_to_answer_seconds": four_digits(plan.speed.time_to_answer),
        "total_bytes": plan.memory.total,
    }


def _rival(item: Rival) -> RivalShape:
    return {
        "model": item.model,
        "behind": round(item.behind, 4),
        "abler": None if item.abler is None else round(item.abler, 4),
        "abler_in_standard_errors": None if item.abler_in_errors is None else round(item.abler_in_errors, 4),
        "faster": None if item.faster is None else four_digits(item.faster),
        "prefers": list(item.prefers),
    }


def rejection_json(item: Rejection) -> RejectionShape:
    """One model that was ruled out."""
    return {
        "model": item.model,
        "rule": item.rule,
        "message": item.message,
        "needed": _whole(item.needed),
        "available": _whole(item.available),
    }


def _whole(value: float | None) -> float | None:
    """Bytes and tokens without a decimal point."""
    return int(value) if value is not None and value == int(value) else value


def four_digits(value: float) -> float:
    """A rate or a time to four significant digits, beyond which none of ours is known."""
    return float(f"{value:.4g}")
