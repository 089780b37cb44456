"""The answer of ``why-not`` as a JSON document."""

from __future__ import annotations

from typing import Literal

from qwen_advisor.comparison import Change, Gap, Verdict, WhyNot
from qwen_advisor.render.compare_documents import setting_json
from qwen_advisor.render.documents import (
    model_json,
    placement_json,
    rate_json,
    recommendation_json,
    rejection_json,
    requirements_json,
)
from qwen_advisor.render.hardware import machine_json
from qwen_advisor.render.why_not_shapes import ChangeShape, GapShape, WhyNotDocument

_VERDICTS: dict[Verdict, Literal["first", "behind", "ruled_out"]] = {
    "first": "first",
    "behind": "behind",
    "ruled out": "ruled_out",
}


def why_not_document(answer: WhyNot) -> WhyNotDocument:
    """The answer of ``why-not``."""
    wanted, machine = answer.requirements, answer.machine
    return {
        "schema": "qwen-advisor/why-not/1",
        "catalog": {"version": answer.catalog_version, "models": answer.catalog_models},
        "hardware": machine_json(machine),
        "requirements": requirements_json(wanted),
        "model": model_json(answer.checkpoint),
        "verdict": _VERDICTS[answer.verdict],
        "rank": answer.rank,
        "weighed": answer.weighed,
        "winner": None if answer.winner is None else recommendation_json(answer.winner, wanted, machine),
        "own": None if answer.own is None else recommendation_json(answer.own, wanted, machine),
        "own_rank": answer.own_rank,
        "rejections": [rejection_json(item) for item in answer.rejections],
        "nearest": setting_json(answer.nearest),
        "gaps": [_gap(item) for item in answer.gaps],
        "changes": [_change(item) for item in answer.changes],
        "notes": list(answer.notes),
    }


def _gap(item: Gap) -> GapShape:
    return {
        "term": item.term,
        "model": round(item.own, 4),
        "winner": round(item.winner, 4),
        "lead": round(item.lead, 4),
    }


def _change(item: Change) -> ChangeShape:
    plan = item.plan
    return {
        "effect": item.effect,
        "change": item.words,
        "besides": item.besides,
        "options": list(item.options),
        "rank": item.rank,
        "winner": item.winner,
        "setting": {
            "quantization": plan.format,
            "engine": plan.settings.engine,
            "context_tokens": plan.settings.context_per_request,
            "memory_total_bytes": plan.memory.total,
            "placement": placement_json(plan.placement),
            "decode_tokens_per_second": rate_json(plan.speed.decode),
        },
    }
