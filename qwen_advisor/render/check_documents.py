"""The answer of ``check``, and a lock, as JSON documents."""

from __future__ import annotations

from qwen_advisor.engines import Launch, launch
from qwen_advisor.gate.lock import Lock, LockedFile
from qwen_advisor.gate.verdict import Gate, Ruling, Verdict
from qwen_advisor.plan import Placement, Settings
from qwen_advisor.render.check_shapes import (
    CheckDocument,
    CheckedShape,
    ChoiceShape,
    FindingShape,
    LockDocument,
    LockedFileShape,
    LockedPlacementShape,
    LockedSettingsShape,
)
from qwen_advisor.render.documents import (
    artifact_json,
    four_digits,
    launch_json,
    memory_json,
    model_json,
    placement_json,
    requirements_json,
    settings_json,
    speed_json,
)
from qwen_advisor.render.hardware import machine_json


def check_document(gate: Gate) -> CheckDocument:
    """The answer of ``check``."""
    return {
        "schema": "qwen-advisor/check/1",
        "passed": gate.passed,
        "catalog": {"version": gate.catalog_version, "models": gate.catalog_models},
        "hardware": machine_json(gate.machine),
        "policy": gate.policy,
        "lock": None if gate.lock is None else {"file": gate.lock, "catalog_version": gate.locked_with or ""},
        "models": [_checked(verdict, gate.machine.nodes) for verdict in gate.verdicts],
    }


def _checked(verdict: Verdict, nodes: int) -> CheckedShape:
    return {
        "id": verdict.model,
        "passed": verdict.passed,
        "model": None if verdict.checkpoint is None else model_json(verdict.checkpoint),
        "requirements": requirements_json(verdict.requirements),
        "choice": _choice(verdict, nodes),
        "findings": [_finding(item) for item in verdict.findings],
        "rules_passed": [item.rule for item in verdict.rulings if item.level == "pass"],
    }


def _choice(verdict: Verdict, nodes: int) -> ChoiceShape | None:
    plan = verdict.plan
    if plan is None:
        return None
    return {
        "quantization": plan.format,
        "engine": plan.settings.engine,
        "thinking": plan.thinking,
        "context_tokens": plan.settings.context_per_request,
        "largest_context_tokens": verdict.largest_context,
        "artifact": artifact_json(plan.artifact),
        "settings": settings_json(plan.settings),
        "placement": placement_json(plan.placement),
        "memory": memory_json(plan.memory, plan.budget),
        "speed": speed_json(plan.speed),
        "launch": launch_json(launch(plan, tools=verdict.requirements.tools, nodes=nodes)),
    }


def _finding(item: Ruling) -> FindingShape:
    return {
        "rule": item.rule,
        "level": "fail" if item.level == "fail" else "warn",
        "title": item.title,
        "message": item.message,
        "needed": _whole(item.needed),
        "available": _whole(item.available),
        "nearest": list(item.nearest),
        "file": item.place.file if item.place else None,
        "line": item.place.line or None if item.place else None,
    }


def _whole(value: float | None) -> float | None:
    """Bytes and tokens without a decimal point."""
    return int(value) if value is not None and value == int(value) else value


def lock_document(lock: Lock) -> LockDocument:
    """A lock, as its file holds it."""
    return {
        "schema": "qwen-advisor/lock/1",
        "program": lock.program,
        "catalog": {"version": lock.catalog_version, "models": lock.catalog_models},
        "model": {"id": lock.model, "released": lock.released, "license": lock.license},
        "quantization": lock.quantization,
        "engine": lock.settings.engine,
        "thinking": lock.thinking,
        "artifact": {
            "repo": lock.repo,
            "revision": lock.revision,
            "files": _files(lock.files),
            "projector": _files(lock.projector),
            "bytes": lock.bytes,
            "exact": lock.exact,
            "ollama": lock.ollama,
        },
        "settings": _settings(lock.settings),
        "placement": _placement(lock.placement),
        "expected": {
            "memory_bytes": lock.memory,
            "decode_tokens_per_second": four_digits(lock.decode),
            "ability": round(lock.ability, 4),
        },
        "steps": launch_json(Launch(steps=lock.steps))["steps"],
        "calibration": dict(lock.calibration),
        "requirements": requirements_json(lock.requirements),
        "hardware": machine_json(lock.machine),
    }


def _files(files: tuple[LockedFile, ...]) -> list[LockedFileShape]:
    return [{"name": file.name, "bytes": file.bytes, "sha256": file.sha256} for file in files]


def _settings(settings: Settings) -> LockedSettingsShape:
    return {
        "context_tokens": settings.context,
        "parallel": settings.parallel,
        "kv_cache_type": settings.kv_type,
        "kv_cache_type_v": settings.kv_type_v,
        "flash_attention": settings.flash_attention,
        "batch_tokens": settings.batch,
        "ubatch_tokens": settings.ubatch,
        "gpu_layers": settings.gpu_layers,
        "mmap": settings.mmap,
        "repack": settings.repack,
        "kv_unified": settings.kv_unified,
        "mtp": settings.mtp,
        "vision": settings.vision,
        "prompt_tokens": settings.prompt_tokens,
        "output_tokens": settings.output_tokens,
    }


def _placement(place: Placement) -> LockedPlacementShape:
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
