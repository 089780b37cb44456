"""The shapes of the JSON answer of ``why-not``; see `shapes`."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from qwen_advisor.comparison import Effect, Term
from qwen_advisor.render.compare_shapes import SettingShape
from qwen_advisor.render.shapes import (
    CatalogStamp,
    HardwareDocument,
    ModelShape,
    PlacementShape,
    RateShape,
    RecommendationShape,
    RejectionShape,
    RequirementsShape,
)


class GapShape(TypedDict):
    """One term of the score, in spreads of ability; what is taken off is negative."""

    term: Term
    model: float
    winner: float
    lead: Annotated[float, "By how much it speaks for the winner"]


class ThenShape(TypedDict):
    """The model's best setting with a change."""

    quantization: str
    engine: str
    context_tokens: int
    memory_total_bytes: int
    placement: PlacementShape
    decode_tokens_per_second: RateShape


class ChangeShape(TypedDict):
    """A change that was tried: the whole search was run with it."""

    effect: Annotated[Effect, "first: the model is the first answer then; runs: it is among the answers"]
    change: str
    besides: Annotated[str, "What it takes as well, because rules on the model itself are against it; often empty"]
    options: Annotated[list[str], "What to add to the call; empty where no option says it"]
    rank: Annotated[int | None, "Its place then; null below the answers that were asked for"]
    winner: Annotated[str | None, "What is first then"]
    setting: ThenShape


class WhyNotDocument(TypedDict):
    """What `qwen-advisor why-not MODEL --json` prints."""

    schema: Literal["qwen-advisor/why-not/1"]
    catalog: CatalogStamp
    hardware: HardwareDocument
    requirements: RequirementsShape
    model: ModelShape
    verdict: Literal["first", "behind", "ruled_out"]
    rank: Annotated[int | None, "Among all that pass the rules; null where it is ruled out"]
    weighed: Annotated[int, "How many pass the rules"]
    winner: Annotated[RecommendationShape | None, "null where nothing runs"]
    own: Annotated[RecommendationShape | None, "Its best setting; also where only a newer model is against it"]
    own_rank: Annotated[int | None, "The place it has, or would have without the newer model"]
    rejections: Annotated[list[RejectionShape], "Every rule on the model itself, or the setting that came nearest"]
    nearest: Annotated[SettingShape | None, "The setting that the rejection is about, where it is about one"]
    gaps: Annotated[list[GapShape], "Largest lead of the winner first"]
    changes: list[ChangeShape]
    notes: list[str]
