"""The answer of ``compare`` as a JSON document."""

from __future__ import annotations

from typing import Literal

from qwen_advisor.comparison import Compared, Comparison, Setting, Standing, Win
from qwen_advisor.evidence import Ability
from qwen_advisor.render.compare_shapes import AbilityShape, CompareDocument, ComparedShape, SettingShape, WinShape
from qwen_advisor.render.documents import (
    four_digits,
    model_json,
    recommendation_json,
    rejection_json,
    requirements_json,
)
from qwen_advisor.render.hardware import machine_json

_STANDINGS: dict[Standing, Literal["runs", "too_slow", "ruled_out"]] = {
    "runs": "runs",
    "too slow": "too_slow",
    "ruled out": "ruled_out",
}


def compare_document(answer: Comparison) -> CompareDocument:
    """The answer of ``compare``."""
    return {
        "schema": "qwen-advisor/compare/1",
        "catalog": {"version": answer.catalog_version, "models": answer.catalog_models},
        "hardware": machine_json(answer.machine),
        "requirements": requirements_json(answer.requirements),
        "models": [_compared(item, answer) for item in answer.models],
        "wins": [_win(item) for item in answer.wins],
        "notes": list(answer.notes),
    }


def _compared(item: Compared, answer: Comparison) -> ComparedShape:
    found = item.recommendation
    return {
        "rank": found.rank if found is not None and item.standing == "runs" else None,
        "standing": _STANDINGS[item.standing],
        "model": model_json(item.checkpoint),
        "ability": None if item.ability is None else ability_json(item.ability),
        "recommendation": None if found is None else recommendation_json(found, answer.requirements, answer.machine),
        "rejection": None if item.rejection is None else rejection_json(item.rejection),
        "nearest": setting_json(item.nearest),
        "superseded_by": item.superseded_by,
    }


def ability_json(ability: Ability) -> AbilityShape:
    """An ability before quantization."""
    return {
        "value": round(ability.value, 4),
        "standard_error": round(ability.standard_error, 4),
        "published": ability.published,
    }


def setting_json(setting: Setting | None) -> SettingShape | None:
    """The setting that a rejection is about."""
    return None if setting is None else {"quantization": setting.format, "engine": setting.engine}


def _win(item: Win) -> WinShape:
    return {
        "criterion": item.criterion,
        "model": item.model,
        "value": _number(item.value, item),
        "runner_up": item.runner_up,
        "runner_up_value": _number(item.runner_up_value, item),
        "unit": item.unit,
        "standard_error": None if item.error is None else round(item.error, 4),
        "within_error": item.within_error,
    }


def _number(value: float, win: Win) -> float:
    if win.unit in ("bytes", "tokens"):
        return int(value)
    return round(value, 4) if win.unit == "logits" else four_digits(value)
