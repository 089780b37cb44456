"""Evidence of a Mac, read."""

from __future__ import annotations

from qwen_advisor.probes import apple
from qwen_advisor.probes.evidence import Evidence
from qwen_advisor.probes.found import FoundGpu
from qwen_advisor.probes.numbers import whole
from qwen_advisor.probes.parts import Parts, normal_arch
from qwen_advisor.values import replace


def read_macos(evidence: Evidence) -> Parts:
    """The parts of a Mac. Under Rosetta the process sees x86-64; ``hw.optional.arm64`` tells the truth."""
    values: dict[str, str] = {}
    for line, text in evidence.commands.items():
        if line.startswith("sysctl"):
            values |= apple.parse_sysctl(text)
    profile: dict[str, str] = {}
    for line, text in evidence.commands.items():
        if line.startswith("system_profiler"):
            profile |= apple.parse_profiler(text)
    silicon = apple.is_apple_silicon(values) or profile.get("chip", "").startswith("Apple")
    parts = Parts(arch="arm64" if silicon else normal_arch(evidence.arch))
    parts.cpu = apple.cpu_of(values)
    chip = next((c for c in (parts.cpu.name, profile.get("chip", "")) if c and c != "Apple processor"), "")
    counts = [whole(count) for count in profile.get("cpu_cores", "").split(":")]
    if parts.cpu.physical_cores is None and counts and counts[0]:
        fast = counts[1] if len(counts) > 1 else None
        slow = counts[2] if len(counts) > 2 else None
        parts.cpu = replace(
            parts.cpu, physical_cores=counts[0], logical_cores=counts[0], performance_cores=fast, efficiency_cores=slow
        )
    parts.cpu = replace(parts.cpu, name=chip or parts.cpu.name)
    parts.usable_cores = parts.cpu.physical_cores
    parts.names = (chip,) if chip else ()
    parts.memory = apple.memory_of(values, evidence.commands.get("vm_stat", ""))
    if parts.memory.total is None:
        parts.memory = replace(parts.memory, total=apple.profiler_memory(profile))
    parts.sources |= {"cpu": "sysctl", "memory.total": "sysctl hw.memsize"}
    if silicon:
        parts.gpus = [_gpu(evidence, values, profile, chip, parts)]
        parts.npus = () if parts.cpu.virtual else ("Apple Neural Engine",)
    return parts


def _gpu(evidence: Evidence, values: dict[str, str], profile: dict[str, str], chip: str, parts: Parts) -> FoundGpu:
    """The GPU with what Metal lets it use: as Metal says, else as llama.cpp heard it, else as the limit is set."""
    registry = apple.parse_ioreg(" ".join(t for line, t in evidence.commands.items() if line.startswith("ioreg")))
    cores = registry.get("gpu-core-count") or whole(profile.get("gpu_cores"))
    metal = apple.parse_metal(evidence.commands.get("metal", ""))
    heard = apple.parse_list_devices(evidence.commands.get("llama-server --list-devices", ""))
    gpu = next((g for g in (metal, heard) if g is not None and g.total), metal)
    limit = apple.wired_limit(values)
    if gpu is None or not gpu.total:
        notes = gpu.notes if gpu is not None else ()
        if parts.cpu.virtual and not notes:
            notes = ("the GPU of this virtual machine is paravirtual and cannot be counted on",)
        paravirtual = bool(notes)
        total = min(limit, parts.memory.total) if limit and parts.memory.total and not paravirtual else None
        gpu = FoundGpu(vendor="apple", source="iogpu.wired_limit_mb" if limit else "assumed", total=total, notes=notes)
    if gpu.total and parts.memory.total and gpu.total > parts.memory.total:
        gpu = replace(gpu, total=parts.memory.total, free=None)  # a limit above physical memory is passed through
    if limit:
        parts.notes.append(f"iogpu.wired_limit_mb is set to {limit // 1024**2}: the GPU may use more than by default")
    return replace(gpu, name=chip or gpu.name, cores=cores, integrated=True)
