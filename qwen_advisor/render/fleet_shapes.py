"""The shapes of the JSON answer of ``fleet``; see `shapes`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from qwen_advisor.plan import Mode
from qwen_advisor.render.shapes import CatalogStamp, RateShape, RequirementsShape


class FleetPickShape(TypedDict):
    """What one machine should run."""

    model: str
    quantization: str
    engine: str
    thinking: Literal["on", "off", "none"]
    context_tokens: int
    placement: Mode
    memory_bytes: int
    budget_bytes: Annotated[int, "Of the pools that are used"]
    decode_tokens_per_second: RateShape
    time_to_first_token_seconds: float
    time_to_answer_seconds: float
    ability: Annotated[float, "After quantization, in logits"]
    standard_error: float
    license: str | None
    repo: str | None
    file: str | None
    ollama: str | None
    notes: list[str]


class FleetMachineShape(TypedDict):
    """One row of the inventory."""

    line: int
    name: str
    status: Literal["ok", "nothing_fits", "fault"]
    pick: FleetPickShape | None
    message: Annotated[str | None, "Why there is no pick"]
    hint: str | None


class FleetCountShape(TypedDict):
    """One pick, and how many machines have it."""

    model: str
    quantization: str
    engine: str
    machines: int


class FleetSummaryShape(TypedDict):
    """The fleet as a whole."""

    machines: int
    answered: int
    nothing_fits: int
    faults: Annotated[int, "Rows that describe no machine"]
    different: Annotated[int, "Machines that differ in their description"]
    complete: Annotated[bool, "False where it was interrupted: what is missing was not asked"]
    picks: list[FleetCountShape]


class FleetDocument(TypedDict):
    """The answer of ``fleet --json``."""

    schema: Literal["qwen-advisor/fleet/1"]
    catalog: CatalogStamp
    requirements: RequirementsShape
    machines: list[FleetMachineShape]
    summary: FleetSummaryShape


FLEET_DOCUMENTS: dict[str, Any] = {"fleet-1": FleetDocument}
