"""The shapes of the JSON answer of ``compare``; see `shapes`."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from qwen_advisor.comparison import Criterion
from qwen_advisor.comparison.answer import Unit
from qwen_advisor.render.shapes import (
    CatalogStamp,
    HardwareDocument,
    ModelShape,
    RecommendationShape,
    RejectionShape,
    RequirementsShape,
)


class AbilityShape(TypedDict):
    """How able a model is at the task before quantization, on a scale of logits."""

    value: float
    standard_error: float
    published: Annotated[bool, "False where no published score of this checkpoint carries it"]


class SettingShape(TypedDict):
    """What a rejection is about."""

    quantization: str
    engine: str


class ComparedShape(TypedDict):
    """One of the models."""

    rank: Annotated[int | None, "Among those that run; null for the others"]
    standing: Literal["runs", "too_slow", "ruled_out"]
    model: ModelShape
    ability: Annotated[AbilityShape | None, "null where no source places it"]
    recommendation: Annotated[RecommendationShape | None, "Its best setting; also where it is only too slow"]
    rejection: Annotated[RejectionShape | None, "Why it does not run as asked"]
    nearest: Annotated[SettingShape | None, "The setting that the rejection is about, where it is about one"]
    superseded_by: Annotated[str | None, "A newer checkpoint that took its place"]


class WinShape(TypedDict):
    """What one model does better than the others that run."""

    criterion: Criterion
    model: str
    value: float
    runner_up: str
    runner_up_value: float
    unit: Annotated[Unit, "Of both values; score is that of the ranking, 0 to 100"]
    standard_error: Annotated[float | None, "Of the difference of two abilities; null for the others"]
    within_error: Annotated[bool, "Whether the difference is smaller than its standard error"]


class CompareDocument(TypedDict):
    """What `qwen-advisor compare MODEL... --json` prints, with exit code 0 or 3."""

    schema: Literal["qwen-advisor/compare/1"]
    catalog: CatalogStamp
    hardware: HardwareDocument
    requirements: RequirementsShape
    models: Annotated[list[ComparedShape], "Best first, then what is too slow, then what is ruled out"]
    wins: Annotated[list[WinShape], "Nothing where two are even"]
    notes: list[str]
