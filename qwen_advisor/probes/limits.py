"""Notes on what limits this machine, each with how to lift it."""

from __future__ import annotations

from collections.abc import Mapping

from qwen_advisor.describe.reserves import metal_limit
from qwen_advisor.facts import MemoryPlatform
from qwen_advisor.machine import Accelerator, HostMemory
from qwen_advisor.probes.found import FoundModules
from qwen_advisor.probes.parts import Parts
from qwen_advisor.units import GIB, MIB, gib

_PAGE = 4096
_LEFT_TO_THE_SYSTEM = 8 * GIB
_WORTH_RAISING = 1.05  # a limit is left alone where the system would gain less than this by raising it
_RAISED = 0.9  # from this share of what can be had on, somebody has raised the limit already
_ROUNDING = 1.01  # what Metal tells and what is known of its shares differ in the last digits


def memory_notes(memory: HostMemory, parts: Parts) -> list[str]:
    """Limits of main memory."""
    notes = []
    if memory.limit is not None and memory.limit < memory.total:
        notes.append(
            f"a control group allows {gib(memory.limit)} of {gib(memory.total)} ({parts.memory.limit_source});"
            " raise the container's memory limit to use more"
        )
    if parts.wsl:
        notes.append(
            "WSL sees its virtual machine's memory, half of the host's unless .wslconfig says otherwise; raise it with"
            " memory= under [wsl2] there"
        )
    if parts.memory.huge_pages:
        notes.append(f"{gib(parts.memory.huge_pages)} is set aside as huge pages, which engines do not use")
    if parts.idle_gpus:
        for gpu in parts.idle_gpus:
            what = gpu.name or f"a GPU of {gpu.vendor.upper() if gpu.vendor != 'intel' else 'Intel'} ({gpu.pci_id})"
            notes.append(
                f"{what} is there but no driver answers for it, so it is not counted on;"
                " install its driver, or start anew if it is installed"
            )
    if memory.available - memory.reserve < memory.total // 4 and memory.limit is None:
        notes.append(f"only {gib(memory.available)} of {gib(memory.total)} is free now; close programs to use more")
    return notes


def module_notes(modules: FoundModules, platform: MemoryPlatform | None) -> list[str]:
    """Memory channels that are empty, and modules that run below what they are made for."""
    notes = []
    expected = platform.channels if platform is not None else None
    if modules.empty_channels:
        notes.append(
            f"empty memory channels: {modules.empty_channels}; a module in each raises the bandwidth in proportion"
        )
    elif modules.channels and expected and modules.channels < expected:
        notes.append(
            f"{modules.channels} of {expected:g} memory channels hold modules; one in each raises the bandwidth in"
            " proportion"
        )
    if modules.transfers and modules.rated and modules.transfers < 0.95 * modules.rated:
        notes.append(
            f"memory runs at {modules.transfers / 1e6:.0f} MT/s, its modules are made for {modules.rated / 1e6:.0f};"
            " set the profile (XMP, EXPO) in the firmware, or use two modules instead of four"
        )
    return notes


def accelerator_notes(
    accelerators: list[Accelerator], memory: HostMemory, files: Mapping[str, str], os: str
) -> list[str]:
    """How to lift what limits accelerators that share main memory."""
    notes = []
    for accelerator in accelerators:
        most = memory.total - _LEFT_TO_THE_SYSTEM
        worth = most > accelerator.memory * _WORTH_RAISING
        if accelerator.vendor == "apple" and worth and accelerator.memory <= metal_limit(memory.total) * _ROUNDING:
            notes.append(
                f"macOS lets the GPU use {gib(accelerator.memory)} of {gib(memory.total)}; raise it until the next"
                f" start with: sudo sysctl iogpu.wired_limit_mb={most // MIB}"
            )
        if accelerator.vendor == "amd" and accelerator.kind == "unified" and os == "linux":
            pages = files.get("/sys/module/ttm/parameters/pages_limit", "").strip()
            if accelerator.memory < most * _RAISED and memory.total >= 32 * GIB:
                notes.append(
                    f"the GPU may map {gib(accelerator.shared)}"
                    + (f" (ttm.pages_limit={pages})" if pages.isdigit() else "")
                    + f"; the kernel parameter ttm.pages_limit={most // _PAGE} raises it to {gib(most)}"
                )
    return notes
