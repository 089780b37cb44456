"""Memory bandwidth of a CPU: which platform it belongs to, and the share of the bus that its cores can read."""

from __future__ import annotations

import re
from collections.abc import Iterable

from qwen_advisor.facts import Catalog, MemoryPlatform

# Reads by AVX2 sums over 1 GiB: one core of a Zen 4 server reads 31 GB/s; two hardware threads of a virtual machine
# on Zen 3 read 33 GB/s together, two on Zen 4 read 31. A desktop core reads no more than the whole bus anyway.
CORE_BANDWIDTH = 31e9
HARDWARE_THREAD_BANDWIDTH = 16e9
# Where only a platform's channels are known, the first common speed of its memory stands for what is built in.
_USUAL_CHANNEL = {"DDR4": "ddr4-3200-single-channel", "DDR5": "ddr5-4800-single-channel"}


def platform_of(catalog: Catalog, names: Iterable[str], model: str = "") -> MemoryPlatform | None:
    """The platform of a processor or board, by the first name that one is recognised by, else by its model.

    Args:
        catalog: where platforms are looked up.
        names: names of the processor or the board, most telling first.
        model: ``AuthenticAMD 25 17`` (vendor, family, model) or ``0x41 0xd4f`` (implementer, part).
    """
    known = [platform for platform in catalog.platforms.values() if platform.record_type == "platform"]
    for name in names:
        for platform in known:
            if platform.cpu_pattern and re.search(platform.cpu_pattern, name, re.IGNORECASE):
                return platform
    return next((platform for platform in known if model and model in platform.cpu_models), None)


def usual_bandwidth(catalog: Catalog, platform: MemoryPlatform) -> tuple[float, str] | None:
    """Bytes per second of all channels of a platform of which no speed is known, and what was assumed."""
    channel = catalog.platforms.get(_USUAL_CHANNEL.get(platform.memory_type, ""))
    if channel is None or channel.bandwidth is None or not platform.channels:
        return None
    speed = channel.platform.removesuffix(" single channel")
    return channel.bandwidth * platform.channels, f"{platform.channels:g} channels of {speed}"


def readable_bandwidth(peak: float, *, cores: int, threads: int, virtual: bool) -> float:
    """Bytes per second that so many cores (or, in a virtual machine, hardware threads) can read of a bus."""
    return min(peak, threads * HARDWARE_THREAD_BANDWIDTH if virtual else cores * CORE_BANDWIDTH)
