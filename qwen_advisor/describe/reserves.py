"""What a system keeps for itself: of main memory, of a Mac's memory for its GPU, of a card's memory."""

from __future__ import annotations

from itertools import pairwise
from math import log2

from qwen_advisor.facts import AcceleratorSpec
from qwen_advisor.units import GIB, MIB, gib

# Memory in use on an idle machine: commandlinux.com/statistics/memory-management-efficiency-linux-vs-other-os-under-
# load-testing (2026): headless Linux servers 250 to 400 MB, a Linux desktop about 1 GB, Windows 11 2.2 to 3.0 GB.
_IDLE = {"server": 400 * MIB, "board": 600 * MIB, "linux": GIB, "windows": round(2.6 * GIB), "macos": 3 * GIB}
# What firmware and kernel keep before anything runs. A 24 GiB virtual machine shows 24684092 kB, a Jetson AGX Orin
# 62817 of 65536 MB; on Macs the difference of hw.memsize and hw.memsize_usable is counted among the 3 GiB.
_HIDDEN = {"server": 0.02, "board": 0.042, "linux": 0.02, "windows": 0.02, "macos": 0.0}
_WHAT = {
    "server": "a server system without a desktop",
    "board": "a small system",
    "linux": "a Linux desktop",
    "windows": "Windows 11",
    "macos": "macOS",
}

# Share of main memory that Metal recommends to use (recommendedMaxWorkingSetSize), as llama.cpp prints it on macOS 15
# and 26: 12713 MB of 16 GiB, 19069.67 of 24, 26800.60 of 32, 30150.67 of 36, 40200.90 of 48, 55662.79 of 64, 115448.73
# of 128, 498216.21 of 512. Earlier systems allowed 2/3 up to 32 GiB and 3/4 above; 5726.63 MB of 8 GiB is from these.
_METAL_SHARES = (
    (8, 0.667),
    (16, 0.74),
    (24, 0.74),
    (32, 0.78),
    (48, 0.78),
    (64, 0.81),
    (128, 0.84),
    (512, 0.906),
)

# memory.reserved of NVML on thirteen cards lies between 66 and 869 MiB; this is the median.
_NVIDIA_RESERVED = 397 * MIB
# mem_info_vram_used of idle AMD cards without a display: 7 to 30 MB.
_AMD_RESERVED = 30 * 10**6
# nvidia-smi on eleven idle desktops shows 272 to 1234 MiB in use by the display; this is the median.
DISPLAY_RESERVE = 597 * MIB


def system_kind(os: str, kind: str) -> str:
    """The class of system that runs on a kind of device: server, board, linux, windows or macos."""
    if os in ("windows", "macos"):
        return os
    if kind in ("cloud", "runner", "server"):
        return "server"
    return "board" if kind == "board" else "linux"


def system_reserve(total: int, system: str, *, reported: bool = False) -> tuple[int, str]:
    """Bytes of ``total`` that an idle system uses, and why.

    Args:
        total: main memory in bytes.
        system: as `system_kind` names it.
        reported: whether ``total`` is what the system itself reports, so that nothing is hidden any more.
    """
    hidden = 0 if reported else round(total * _HIDDEN[system])
    kept = min(_IDLE[system] + hidden, total // 2)
    return kept, f"what {_WHAT[system]} uses when idle, {gib(kept)}"


def phone_reserve(total: int) -> tuple[int, str]:
    """Bytes that a phone keeps from one app."""
    return total // 2, "a phone leaves one app about half of its memory (assumed)"


def metal_limit(total: int) -> int:
    """Bytes of main memory that Metal lets the GPU of a Mac use by default; between known sizes on a line in log2."""
    size = total / GIB
    for (a, at_a), (b, at_b) in pairwise(_METAL_SHARES):
        if a <= size <= b:
            return round(total * (at_a + (at_b - at_a) * (log2(size) - log2(a)) / (log2(b) - log2(a))))
    return round(total * _METAL_SHARES[-1 if size > _METAL_SHARES[-1][0] else 0][1])


def driver_reserve(spec: AcceleratorSpec, total: int) -> int:
    """Bytes that the driver keeps of a card's total: as captured of this card, else what is usual."""
    if spec.driver_reserved is not None:
        return spec.driver_reserved
    usual = {"nvidia": _NVIDIA_RESERVED, "amd": _AMD_RESERVED}.get(spec.vendor, 0)
    return min(usual, total // 10)
