"""What memory is asked for: a model in a format, settings, a placement, a machine, and the engine's constants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qwen_advisor.footprint import Footprint, LayerWeights
from qwen_advisor.machine import Machine
from qwen_advisor.model import Architecture
from qwen_advisor.plan import Placement, Settings
from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """The arguments of `memory`, with the constants of the one engine."""

    architecture: Architecture
    footprint: Footprint
    settings: Settings
    placement: Placement
    machine: Machine
    constants: Mapping[str, Any]
    layers: tuple[LayerWeights, ...] | None = None
