"""What a person says of a machine."""

from __future__ import annotations

from qwen_advisor.machine import Interconnect
from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A machine in a person's words. Sizes are bytes, bandwidths bytes per second, None where nothing is said."""

    ram: int | None = None
    vram: int | None = None  # of each accelerator
    gpus: tuple[str, ...] = ()
    device: str | None = None
    cpu_cores: int | None = None
    nodes: int = 1
    interconnect: Interconnect | None = None
    gpu_bandwidth: float | None = None
    ram_bandwidth: float | None = None
    reserve: int | None = None  # to be left free in every pool
