"""Main memory: ``/proc/meminfo``."""

from __future__ import annotations

from qwen_advisor.probes.found import FoundMemory
from qwen_advisor.probes.numbers import size


def parse_meminfo(text: str) -> FoundMemory:
    """Read ``/proc/meminfo``.

    ``MemAvailable`` counts what the kernel can free without swapping; kernels before 3.14 lack it, and some containers
    show 0 or more than there is. Then it is reckoned from free memory and caches, less what tmpfs holds.
    """
    values: dict[str, int] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        amount = size(value.strip())
        if amount is not None:
            values.setdefault(key.strip(), amount)
    total, available = values.get("MemTotal"), values.get("MemAvailable")
    notes = []
    if total is not None and not 0 < (available or 0) <= total:
        parts = [values.get(key, 0) for key in ("MemFree", "Buffers", "Cached", "SReclaimable")]
        available = min(total, max(0, sum(parts) - values.get("Shmem", 0))) if "MemFree" in values else None
        notes.append("this kernel does not tell MemAvailable; free memory and caches are added up instead")
    huge = values.get("HugePages_Total", 0) * values.get("Hugepagesize", 0)
    return FoundMemory(total=total, available=available, huge_pages=huge, notes=tuple(notes) if total else ())
