"""From raw evidence to a machine: pure, so that evidence of any machine can be replayed on any other."""

from __future__ import annotations

import json
from typing import Any

from qwen_advisor.describe.platforms import platform_of, readable_bandwidth, usual_bandwidth
from qwen_advisor.errors import ProbeError
from qwen_advisor.facts import Catalog, MemoryPlatform
from qwen_advisor.machine import Accelerator, Cpu, Disk, HostMemory, Machine
from qwen_advisor.probes.accelerators import Completed, complete
from qwen_advisor.probes.engines import installed
from qwen_advisor.probes.evidence import Evidence
from qwen_advisor.probes.limits import accelerator_notes, memory_notes, module_notes
from qwen_advisor.probes.parts import Parts
from qwen_advisor.probes.visibility import visible
from qwen_advisor.units import MIB, gib
from qwen_advisor.values import replace

_CHANNELS_OF_DESKTOPS = 2  # beyond them, slots do not tell how many channels are filled
# What is left alone beside what is free now, so that the kernel need not reclaim or swap: it starts to below its low
# watermark, which vm.watermark_scale_factor and min_free_kbytes put near one per cent.
_HEADROOM, _LEAST_HEADROOM, _MOST_HEADROOM = 0.02, 256 * MIB, 1024 * MIB


def interpret(evidence: Evidence, catalog: Catalog) -> Machine:
    """The machine that evidence tells of.

    Raises:
        ProbeError: it tells neither of a processor nor of memory.
    """
    parts = _read(evidence)
    if parts.memory.total is None and not parts.cpu.physical_cores and not parts.cpu.name:
        raise ProbeError(
            "this machine could not be read",
            hint="describe it, such as --ram 16G; what was tried is shown by: qwen-advisor inspect-hardware --raw",
        )
    if parts.memory.total is None:
        parts.notes.append("main memory could not be read and counts as none; say --ram")
    total = parts.memory.total or 0
    available = min(parts.memory.available if parts.memory.available is not None else total, total)
    seen, hidden = visible(parts.gpus, evidence.environment)
    limit = min(total, parts.memory.limit) if parts.memory.limit is not None else total
    completed = complete(catalog, seen, total=limit, available=available)
    memory = _memory(parts, completed, total, available)
    platform = platform_of(catalog, parts.names, parts.cpu.model)
    cpu, bandwidth_source = _cpu(catalog, evidence, parts, platform)
    accelerators = [_on_the_bus_of(a, cpu) for a in completed.accelerators]
    chip = accelerators[0].memory_bandwidth if evidence.system == "macos" and accelerators else None
    if chip is not None and cpu.memory_bandwidth_basis != "measured":
        # The bins of one chip differ in bandwidth; the GPU's cores told which this is.
        cpu, bandwidth_source = replace(cpu, memory_bandwidth=chip), completed.sources.get("accelerators[0]", "")
    notes = [
        *parts.notes,
        *hidden,
        *completed.notes,
        *memory_notes(memory, parts),
        *module_notes(parts.modules, platform),
        *accelerator_notes(accelerators, memory, evidence.files, evidence.system),
        *(f"{probe} gave no answer: {why}" for probe, why in evidence.failures.items()),
    ]
    notes += _bandwidth_notes(cpu, bandwidth_source, parts, platform)
    sources = parts.sources | completed.sources | {"cpu.memory_bandwidth": bandwidth_source}
    return Machine(
        os=evidence.system,
        cpu=cpu,
        memory=memory,
        accelerators=tuple(accelerators),
        disk=_disk(evidence),
        engines=installed(evidence.commands, evidence.readings, evidence.failures),
        wsl=parts.wsl,
        container=parts.container,
        virtual=parts.cpu.virtual,
        npus=parts.npus,
        sources=sources,
        notes=tuple(dict.fromkeys(notes)),
    )


def _read(evidence: Evidence) -> Parts:
    """The parts, by the reader of the system, which alone is imported."""
    match evidence.system:
        case "macos":
            from qwen_advisor.probes.reading_macos import read_macos as read  # noqa: PLC0415
        case "windows":
            from qwen_advisor.probes.reading_windows import read_windows as read  # noqa: PLC0415
        case _:
            from qwen_advisor.probes.reading_linux import read_linux as read  # noqa: PLC0415
    return read(evidence)


def _memory(parts: Parts, completed: Completed, total: int, available: int) -> HostMemory:
    """Main memory. On machines whose GPU shares it, a carve-out counts in, as it lies on the same modules."""
    shared = [a for a in completed.accelerators if a.kind in ("unified", "integrated")]
    own = [a for a in completed.accelerators if a.kind not in ("unified", "integrated")]
    unified = bool(shared) and not own
    if unified:
        total, available = total + completed.carved, available + completed.carved_free
    reserve = round(min(_MOST_HEADROOM, max(_LEAST_HEADROOM, total * _HEADROOM)))
    return HostMemory(
        total=total,
        available=available,
        limit=parts.memory.limit,
        unified=unified,
        reserve=min(reserve, available),
        reserve_why=f"{gib(reserve)} beside what is in use, so that the system need not swap",
    )


def _cpu(catalog: Catalog, evidence: Evidence, parts: Parts, platform: MemoryPlatform | None) -> tuple[Cpu, str]:
    found = parts.cpu
    physical = found.physical_cores or found.logical_cores or 1
    logical = max(physical, found.logical_cores or physical)
    cpu = Cpu(
        name=found.name or "unknown processor",
        arch=parts.arch,
        physical_cores=physical,
        performance_cores=found.performance_cores,
        efficiency_cores=found.efficiency_cores,
        logical_cores=logical,
        usable_cores=max(1, min(parts.usable_cores or physical, physical)),
        features=found.features,
        numa_nodes=found.numa_nodes,
    )
    measured = _values(evidence.readings.get("bandwidth", "")).get("bytes_per_second")
    if isinstance(measured, int | float) and measured > 0:
        return replace(cpu, memory_bandwidth=float(measured), memory_bandwidth_basis="measured"), "measured"
    modules = parts.modules.bandwidth
    if modules is not None and not parts.modules.estimated:
        return replace(cpu, memory_bandwidth=modules, memory_bandwidth_basis="modules"), "SMBIOS (memory modules)"
    if modules is not None and (platform is None or (platform.channels or 2) <= _CHANNELS_OF_DESKTOPS):
        return replace(
            cpu, memory_bandwidth=modules, memory_bandwidth_basis="modules"
        ), "memory modules, by their slots"
    if platform is None:
        return cpu, "not known"
    threads = min(logical, parts.usable_threads or logical)
    packages = 1 if found.virtual else found.packages

    def readable(peak: float) -> float:
        return readable_bandwidth(peak * packages, cores=cpu.usable_cores, threads=threads, virtual=found.virtual)

    if platform.bandwidth is not None:
        cpu = replace(cpu, memory_bandwidth=readable(platform.bandwidth), memory_bandwidth_basis="platform")
        return cpu, f"catalogue: {platform.id}"
    usual = usual_bandwidth(catalog, platform)
    if usual is None:
        return cpu, "not known"
    return replace(cpu, memory_bandwidth=readable(usual[0])), f"assumed: {usual[1]}"


def _bandwidth_notes(cpu: Cpu, source: str, parts: Parts, platform: MemoryPlatform | None) -> list[str]:
    """What the bandwidth rests on, where that is not this machine's own word, and how to learn it."""
    measure = "measure it with: qwen-advisor inspect-hardware --measure"
    if cpu.memory_bandwidth is None:
        return [f"memory bandwidth is not known; {measure}"]
    soldered = (
        platform is not None
        and platform.memory_type.partition(" ")[0].startswith("LPDDR")
        and (" or " not in platform.memory_type)
    )
    if (
        platform is None
        or cpu.memory_bandwidth_basis in ("measured", "modules")
        or (soldered and not parts.cpu.virtual)
    ):
        return []
    figure = f"{cpu.memory_bandwidth / 1e9:.0f} GB/s"
    share = ", the share that this virtual machine's cores can read" if parts.cpu.virtual else ""
    if cpu.memory_bandwidth_basis == "assumed":
        return [f"memory bandwidth of {figure} is {source}{share}; {measure}"]
    return [f"memory bandwidth of {figure} is that of {platform.platform}{share}; {measure}"]


def _on_the_bus_of(accelerator: Accelerator, cpu: Cpu) -> Accelerator:
    """Integrated graphics of which the entry stands for several kinds of memory reads what the modules give."""
    if accelerator.kind == "integrated" and cpu.memory_bandwidth_basis in ("modules", "measured"):
        return replace(accelerator, memory_bandwidth=cpu.memory_bandwidth)
    return accelerator


def _disk(evidence: Evidence) -> Disk | None:
    values = _values(evidence.readings.get("disk", ""))
    path, free = values.get("path"), values.get("free")
    good = isinstance(path, str) and isinstance(free, int) and not isinstance(free, bool) and free >= 0
    return Disk(path=path, free=free) if good else None  # type: ignore[arg-type]


def _values(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text) if text else {}
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
