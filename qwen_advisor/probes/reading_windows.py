"""Evidence of a Windows machine, read."""

from __future__ import annotations

import json
import re
from typing import Any

from qwen_advisor.probes import nvidia, windows
from qwen_advisor.probes.cpuinfo import parse_cpuid_dump
from qwen_advisor.probes.evidence import Evidence
from qwen_advisor.probes.found import FoundCpu, FoundGpu, FoundMemory, FoundModules, joined
from qwen_advisor.probes.parts import Parts, normal_arch
from qwen_advisor.values import replace

_DDR = {24: "DDR3", 26: "DDR4", 34: "DDR5", 30: "LPDDR4", 35: "LPDDR5"}  # SMBIOSMemoryType


def _values(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _texts(text: str) -> list[str]:
    try:
        document = json.loads(text)
    except ValueError:
        return []
    return [one for one in document if isinstance(one, str)] if isinstance(document, list) else []


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 60 else None


def read_windows(evidence: Evidence) -> Parts:
    """The parts of a Windows machine."""
    processor = _values(evidence.readings.get("processor", ""))
    parts = Parts(arch=normal_arch(str(processor.get("native") or evidence.arch)))
    features = processor.get("features")
    features = tuple(f for f in features if isinstance(f, str)) if isinstance(features, list) else ()
    dump = parse_cpuid_dump(evidence.commands.get("cpuid", ""))
    if "avx2" in features:
        features = (*features, "fma", "f16c")  # every processor with AVX2 has both
    parts.cpu = FoundCpu(
        name=" ".join(str(processor.get("name") or dump.name).split()),
        model=_model(processor) or dump.model,
        features=features or dump.features,
        physical_cores=_count(processor.get("physical")) or _count(processor.get("logical")),
        logical_cores=_count(processor.get("logical")),
    )
    usable, logical = _count(processor.get("usable")), parts.cpu.logical_cores
    parts.usable_threads = usable
    if usable and logical and parts.cpu.physical_cores:
        parts.usable_cores = max(1, parts.cpu.physical_cores * usable // logical)
    parts.names = (parts.cpu.name,) if parts.cpu.name else ()
    memory = _values(evidence.readings.get("memory", ""))
    parts.memory = FoundMemory(total=_count(memory.get("total")), available=_count(memory.get("available")))
    parts.modules = _modules(evidence.commands.get("Win32_PhysicalMemory", ""))
    parts.sources |= {"cpu": "registry", "memory.total": "GlobalMemoryStatusEx"}
    parts.npus = tuple(dict.fromkeys(_texts(evidence.readings.get("npus", ""))))
    parts.gpus = [_of_chip(gpu, parts.cpu.name) for gpu in _gpus(evidence)]
    return parts


def _of_chip(gpu: FoundGpu, processor: str) -> FoundGpu:
    """Adreno graphics by the chip it is in, which tells more than its own name: ``X1E80100`` is X1E-80-100."""
    chip = re.search(r"\bX1([EP])(\d{2})(\d{3})\b", processor)
    if gpu.vendor != "qualcomm" or not chip:
        return gpu
    line = "Elite" if chip[1] == "E" else "Plus"
    return replace(gpu, name=f"Qualcomm Snapdragon X {line} X1{chip[1]}-{chip[2]}-{chip[3]}")


def _model(processor: dict[str, Any]) -> str:
    """``AuthenticAMD 25 33`` from ``AMD64 Family 25 Model 33 Stepping 0``."""
    words = str(processor.get("identifier") or "").split()
    if "Family" in words and "Model" in words and words.index("Model") + 1 < len(words):
        return f"{processor.get('vendor', '')} {words[words.index('Family') + 1]} {words[words.index('Model') + 1]}"
    return ""


def _modules(text: str) -> FoundModules:
    try:
        document = json.loads(text)
    except ValueError:
        return FoundModules()
    rows = [row for row in (document if isinstance(document, list) else [document]) if isinstance(row, dict)]
    filled = [row for row in rows if _count(row.get("Capacity"))]
    if not filled:
        return FoundModules()
    speeds = [speed for row in filled if (speed := _count(row.get("ConfiguredClockSpeed")))]
    channels = {str(row.get("DeviceLocator", "")) + str(row.get("BankLabel", "")) for row in filled}
    kind = _DDR.get(filled[0].get("SMBIOSMemoryType", 0), "")
    return FoundModules(
        memory_type=kind,
        transfers=min(speeds) * 1e6 if speeds else None,
        bits=64 * min(2, len(channels)) if not kind.startswith("LPDDR") else None,
        modules=len(filled),
        estimated=True,  # slots name no channels; two is what desktops and laptops have
    )


def _gpus(evidence: Evidence) -> list[FoundGpu]:
    """NVIDIA's own account where there is one; the others from the registry, which knows 64-bit sizes."""
    answered = nvidia.read_best(evidence.readings.get("nvml", ""), evidence.commands)
    live = windows.parse_cim(evidence.commands.get("Win32_VideoController", "")) or windows.parse_wmic(
        evidence.commands.get("wmic", "")
    )
    registry = windows.parse_registry(evidence.commands.get("registry", ""))
    found = list(answered)
    for adapter in windows.paired(live, registry):
        if adapter.vendor == "nvidia" and answered:
            same = next((i for i, gpu in enumerate(found) if gpu.name.lower() == adapter.name.lower()), None)
            if same is not None:
                found[same] = joined(found[same], adapter)
            continue
        found.append(replace(adapter, integrated=windows.is_integrated(adapter.name)))
    return found
