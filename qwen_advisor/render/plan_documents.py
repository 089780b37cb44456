"""The answer of ``plan`` as a JSON document."""

from __future__ import annotations

from collections import Counter
from typing import cast

from qwen_advisor.engines import launch
from qwen_advisor.machine import Machine
from qwen_advisor.plan import KvType
from qwen_advisor.render.documents import (
    artifact_json,
    four_digits,
    launch_json,
    memory_json,
    model_json,
    placement_json,
    rate_json,
    rejection_json,
    requirements_json,
    settings_json,
    speed_json,
)
from qwen_advisor.render.plan_shapes import BriefShape, CardShape, ClassShape, FormatShape, HousingShape, PlanDocument
from qwen_advisor.sizing import ClassNeeds, FormatNeeds, HardwarePlan, Housing


def plan_document(answer: HardwarePlan) -> PlanDocument:
    """The answer of ``plan``."""
    goals = answer.goals
    return {
        "schema": "qwen-advisor/plan/1",
        "catalog": {"version": answer.catalog_version, "models": answer.catalog_models},
        "model": model_json(answer.checkpoint),
        "requirements": requirements_json(answer.requirements),
        "goals": {
            "least_speed_tokens_per_second": goals.least_speed,
            "wanted_speed_tokens_per_second": goals.wanted_speed,
            "patience_seconds": goals.patience,
            "roomy_context_tokens": goals.roomy_context,
        },
        "arrangement": {
            "nodes": answer.arrangement.nodes,
            "gpus_per_node": answer.arrangement.gpus_per_node,
            "interconnect": answer.arrangement.interconnect,
        },
        "tiers": {
            "least": _housing(answer.least),
            "sensible": _housing(answer.sensible),
            "comfortable": _housing(answer.comfortable),
        },
        "classes": [_class(needs) for needs in answer.classes],
        "formats": [_format(row) for row in answer.formats],
        "rejected": None if answer.rejection is None else rejection_json(answer.rejection),
        "notes": list(answer.notes),
    }


def _class(needs: ClassNeeds) -> ClassShape:
    return {
        "class": needs.kind,
        "least": _brief(needs.least),
        "sensible": _brief(needs.sensible),
        "comfortable": _brief(needs.comfortable),
    }


def _brief(house: Housing | None) -> BriefShape | None:
    if house is None:
        return None
    plan, machine = house.plan, house.machine
    return {
        "machine": house.title,
        "options": list(house.options),
        "tier": house.tier,
        "nodes": machine.nodes,
        "interconnect": machine.interconnect,
        "interconnect_bandwidth_bytes_per_second": house.network,
        "nodes_used": house.nodes_used,
        "memory_each_device_bytes": house.on_each,
        "accelerators": _cards(machine),
        "ram_bytes": machine.memory.total,
        "alternatives": list(house.alternatives),
        "quantization": plan.format,
        "engine": plan.settings.engine,
        "thinking": plan.thinking,
        "largest_context_tokens": house.largest_context,
        "memory_total_bytes": plan.memory.total,
        "memory_budget_bytes": plan.budget,
        "decode_tokens_per_second": rate_json(plan.speed.decode),
        "prefill_tokens_per_second": rate_json(plan.speed.prefill),
        "time_to_first_token_seconds": four_digits(plan.speed.time_to_first_token),
        "time_to_answer_seconds": four_digits(plan.speed.time_to_answer),
    }


def _housing(house: Housing | None) -> HousingShape | None:
    if house is None:
        return None
    plan, machine = house.plan, house.machine
    return {
        "machine": house.title,
        "options": list(house.options),
        "tier": house.tier,
        "nodes": machine.nodes,
        "interconnect": machine.interconnect,
        "interconnect_bandwidth_bytes_per_second": house.network,
        "nodes_used": house.nodes_used,
        "memory_each_device_bytes": house.on_each,
        "accelerators": _cards(machine),
        "ram_bytes": machine.memory.total,
        "alternatives": list(house.alternatives),
        "quantization": plan.format,
        "quantization_loss": round(house.quantization_loss, 4),
        "engine": plan.settings.engine,
        "thinking": plan.thinking,
        "context_tokens": plan.settings.context_per_request,
        "largest_context_tokens": house.largest_context,
        "artifact": artifact_json(plan.artifact),
        "settings": settings_json(plan.settings),
        "placement": placement_json(plan.placement),
        "memory": memory_json(plan.memory, plan.budget),
        "speed": speed_json(plan.speed),
        "launch": launch_json(launch(plan, nodes=machine.nodes)),
        "warnings": list(house.warnings),
    }


def _cards(machine: Machine) -> list[CardShape]:
    counted = Counter((card.name, card.memory) for card in machine.accelerators)
    return [{"name": name, "count": count, "memory_bytes": memory} for (name, memory), count in counted.items()]


def _format(row: FormatNeeds) -> FormatShape:
    return {
        "quantization": row.format,
        "engine": row.engine,
        "download_bytes": row.download,
        "bits_per_weight": four_digits(row.bits_per_weight),
        "quantization_loss": round(row.quantization_loss, 4),
        "quantization_loss_standard_error": round(row.loss_error, 4),
        "device_bytes": row.device,
        "least_ram_bytes": row.ram,
        "least_ram_kv_cache_type": cast("KvType | None", row.ram_kv_type),
    }
