"""Budgets: does this memory fit in the pools it lies in, and by how much?"""

from __future__ import annotations

from qwen_advisor.machine import Machine
from qwen_advisor.plan import Memory
from qwen_advisor.values import dataclass

FULL = 0.9  # the share of a budget from which on room is scarce: a tenth is what a browser and its tabs ask for


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How one placement fills its pools. ``needed`` and ``available`` are bytes of the fullest pool."""

    fill: float
    needed: int
    available: int
    pool: str  # in words: "main memory", the accelerator's name
    budget: int  # bytes of all pools used
    host_fill: float = 0.0  # of main memory alone

    @property
    def fits(self) -> bool:
        """Whether every pool holds what is put into it."""
        return self.needed <= self.available


def room(memory: Memory, machine: Machine) -> Room:
    """Hold the parts of a placement against the budgets of the machine.

    On a machine whose memory is unified, device and host bytes share main memory, and the device bytes also have to
    stay below the accelerator's own limit. Devices of further nodes repeat the first node's.
    """
    pools: list[tuple[float, int, int, str]] = []
    budget = 0
    host = (memory.total if machine.memory.unified else memory.host) + memory.untouched
    if host:
        pools.append(_pool(host, machine.memory.budget, "main memory"))
        budget += machine.memory.budget
    by_device: dict[int, int] = {}
    for part in memory.parts:
        if part.pool == "device":
            index = part.device or 0
            by_device[index] = by_device.get(index, 0) + part.bytes
    for index, used in by_device.items():
        accelerator = machine.accelerators[index % len(machine.accelerators)]
        pools.append(_pool(used, accelerator.budget, accelerator.name))
        if not machine.memory.unified:
            budget += accelerator.budget
    fill, needed, available, name = max(pools, key=lambda p: p[0])
    host_fill = pools[0][0] if host else 0.0
    return Room(fill=fill, needed=needed, available=available, pool=name, budget=budget, host_fill=host_fill)


def _pool(needed: int, available: int, name: str) -> tuple[float, int, int, str]:
    return (needed / available if available else float("inf"), needed, available, name)
