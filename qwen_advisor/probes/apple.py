"""macOS: ``sysctl``, ``vm_stat``, ``ioreg``, ``system_profiler``, and what Metal answers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from qwen_advisor.probes.found import FoundCpu, FoundGpu, FoundMemory
from qwen_advisor.probes.numbers import number, size, whole

_MIB = 1024**2
# hw.optional names -> Linux names
_FEATURES = {
    "hw.optional.neon": "asimd",
    "hw.optional.AdvSIMD": "asimd",
    "hw.optional.arm.AdvSIMD": "asimd",
    "hw.optional.neon_fp16": "fphp",
    "hw.optional.arm.FEAT_FP16": "fphp",
    "hw.optional.arm.FEAT_DotProd": "asimddp",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
    "hw.optional.arm.FEAT_BF16": "bf16",
    "hw.optional.arm.FEAT_SME": "sme",
    "hw.optional.arm.FEAT_SME2": "sme2",
    "hw.optional.avx2_0": "avx2",
    "hw.optional.fma": "fma",
    "hw.optional.f16c": "f16c",
    "hw.optional.avx512f": "avx512f",
}


def parse_sysctl(text: str) -> dict[str, str]:
    """Read ``sysctl`` output: ``name: value`` lines."""
    return {
        key.strip(): value.strip() for key, sep, value in (line.partition(":") for line in text.splitlines()) if sep
    }


def is_apple_silicon(values: Mapping[str, str]) -> bool:
    """Whether the processor is Apple's, also seen from a process that Rosetta translates."""
    return values.get("hw.optional.arm64") == "1"


def cpu_of(values: Mapping[str, str]) -> FoundCpu:
    """The processor from ``sysctl``. Level 0 holds the fastest cores; with one level all cores are alike."""
    levels = whole(values.get("hw.nperflevels")) or 0
    fast = whole(values.get("hw.perflevel0.physicalcpu")) if levels > 1 else None
    slow = sum(whole(values.get(f"hw.perflevel{level}.physicalcpu")) or 0 for level in range(1, min(levels, 8)))
    if "Performance" in values.get("hw.perflevel1.name", ""):
        # M5 Pro and Max: super cores and performance cores, no efficiency cores.
        fast, slow = (fast or 0) + slow, 0
    features = dict.fromkeys(linux for name, linux in _FEATURES.items() if values.get(name) == "1")
    return FoundCpu(
        name=values.get("machdep.cpu.brand_string", ""),
        features=tuple(features),
        physical_cores=whole(values.get("hw.physicalcpu")) or whole(values.get("machdep.cpu.core_count")),
        logical_cores=whole(values.get("hw.logicalcpu")) or whole(values.get("machdep.cpu.thread_count")),
        performance_cores=fast,
        efficiency_cores=slow if fast is not None else None,
        virtual=values.get("kern.hv_vmm_present") == "1",
    )


def memory_of(values: Mapping[str, str], vm_stat: str = "") -> FoundMemory:
    """Main memory from ``sysctl`` and ``vm_stat``: what is free, speculative, inactive or purgeable can be had."""
    total = whole(values.get("hw.memsize"))
    page = re.search(r"page size of (\d+) bytes", vm_stat)
    pages = {
        key.strip(): max(0, number(value) or 0)
        for key, _, value in (line.partition(":") for line in vm_stat.splitlines())
    }
    available = None
    if page and "Pages free" in pages:
        kinds = ("Pages free", "Pages speculative", "Pages inactive", "Pages purgeable")
        available = round(sum(pages.get(kind, 0) for kind in kinds)) * int(page[1])
    return FoundMemory(total=total, available=min(available, total) if available and total else available)


def wired_limit(values: Mapping[str, str]) -> int | None:
    """Bytes of ``iogpu.wired_limit_mb`` (``debug.iogpu.wired_limit`` before macOS 14); None where it is the default."""
    megabytes = whole(values.get("iogpu.wired_limit_mb"))
    if megabytes:
        return megabytes * _MIB
    return whole(values.get("debug.iogpu.wired_limit")) or None


def parse_ioreg(text: str) -> dict[str, int]:
    """Read ``ioreg -r -c AGXAccelerator``: the number of GPU cores, and memory in use by the GPU."""
    found: dict[str, int] = {}
    for key in ("gpu-core-count", "In use system memory"):
        match = re.search(rf'"{key}"\s*=\s*(\d{{1,18}})', text)
        if match:
            found[key] = int(match[1])
    return found


def parse_metal(text: str) -> FoundGpu | None:
    """Read what `qwen_advisor.probes.metal` printed: JSON with Metal's own figures, bytes."""
    try:
        values = json.loads(text)
    except ValueError:
        return None
    if not isinstance(values, dict) or not isinstance(values.get("name"), str):
        return None

    def count(key: str) -> int | None:
        value = values.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 60 else None

    total, used = count("recommendedMaxWorkingSetSize"), count("currentAllocatedSize")
    paravirtual = "paravirtual" in values["name"].lower()
    return FoundGpu(
        vendor="apple",
        source="Metal",
        name=values["name"],
        total=None if paravirtual else total or None,
        free=total - used if total and used is not None and used <= total and not paravirtual else None,
        integrated=True,
        notes=("the GPU of this virtual machine is paravirtual and cannot be counted on",) if paravirtual else (),
    )


def parse_list_devices(text: str) -> FoundGpu | None:
    """Read the Metal line of ``llama-server --list-devices``: ``MTL0: Apple M4 Pro (38338 MiB, 38338 MiB free)``."""
    match = re.search(r"^\s*(?:MTL\d+|Metal): (Apple [^(]+?) \((\d{1,9}) MiB, (\d{1,9}) MiB free\)", text, re.MULTILINE)
    if not match:
        return None
    total = int(match[2]) * _MIB
    return FoundGpu(
        vendor="apple",
        source="llama-server --list-devices",
        name=match[1],
        total=total or None,
        free=int(match[3]) * _MIB if total else None,
        integrated=True,
    )


def parse_profiler(text: str) -> dict[str, str]:
    """Read ``system_profiler`` for hardware and displays, as JSON or as text, among log lines or not.

    Returns:
        ``chip``, ``memory``, ``cpu_cores`` ("16:12:4": all, performance, efficiency), ``gpu_cores``, ``model``, where
        they are told.
    """
    start = text.find("{")
    if start >= 0:
        try:
            document: Any = json.JSONDecoder().raw_decode(text[start:])[0]
        except ValueError:
            document = {}
        entries = (
            [e for part in document.values() if isinstance(part, list) for e in part]
            if isinstance(document, dict)
            else []
        )
        found: dict[str, str] = {}
        for entry in entries:
            if isinstance(entry, dict):
                found |= {ours: str(entry[theirs]) for theirs, ours in _PROFILER_JSON.items() if entry.get(theirs)}
        if "cpu_cores" in found:
            found["cpu_cores"] = found["cpu_cores"].removeprefix("proc ").strip()
        return found
    found = {}
    in_displays = False
    for line in text.splitlines():
        in_displays = in_displays or line.strip() == "Graphics/Displays:"
        key, colon, value = line.strip().partition(": ")
        name = "gpu_cores" if key == "Total Number of Cores" and in_displays else _PROFILER_TEXT.get(key)
        if colon and name:
            found.setdefault(name, value.strip())
    cores = re.fullmatch(r"(\d+) \((\d+) performance and (\d+) efficiency\)", found.get("cpu_cores", ""), re.IGNORECASE)
    if cores:
        found["cpu_cores"] = ":".join(cores.groups())
    return found


_PROFILER_JSON = {
    "chip_type": "chip",
    "sppci_model": "chip",
    "physical_memory": "memory",
    "number_processors": "cpu_cores",
    "sppci_cores": "gpu_cores",
    "machine_model": "model",
}
_PROFILER_TEXT = {
    "Chip": "chip",
    "Chipset Model": "chip",
    "Memory": "memory",
    "Total Number of Cores": "cpu_cores",
    "Model Identifier": "model",
}


def profiler_memory(found: Mapping[str, str]) -> int | None:
    """Bytes of main memory as ``system_profiler`` tells it."""
    return size(found.get("memory"))
