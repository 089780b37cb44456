"""Processors as the engines see them: a class with common habits, a bandwidth, a rate of operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qwen_advisor.machine import Accelerator, Cpu
from qwen_advisor.values import dataclass

# NVIDIA gives its chips with stacked memory (HBM) a compute capability of their own: low clocks, many units.
_HBM = frozenset({"7.0", "8.0", "9.0", "10.0", "10.3"})
_INSTRUCTION_SETS = (
    ("amx_int8", "amx"),
    ("avx512f", "avx512"),
    ("avx2", "avx2"),
    ("i8mm", "i8mm"),
    ("asimddp", "dotprod"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """One processor and the memory it reads.

    ``vector`` is what bounds the decoding of packed weights, ``matrix`` what bounds prompts; both in operations per
    second before the engine's share is taken (on a CPU: cores x 1e9 x the instruction set's factor).
    """

    family: str  # the class that efficiencies are kept for: "nvidia", "apple", "cpu", ...
    bandwidth: float
    vector: float
    matrix: float
    plain: float = 1.0  # share of ``matrix`` for kinds of weights without kernels for whole blocks of rows
    spec: str | None = None
    link: float = 0.0  # bytes per second to main memory, one way
    fabric: float = 0.0  # bytes per second to its neighbours, one way
    assumed: bool = False  # a figure stands for the class, not for this device


def accelerator_family(accelerator: Accelerator) -> str:
    """The class of an accelerator: by vendor, generation and kind of memory."""
    own_memory = accelerator.kind not in ("unified", "integrated")
    capability = accelerator.compute_capability or ""
    match accelerator.vendor:
        case "nvidia":
            return _nvidia_family(accelerator.name, capability, own_memory=own_memory)
        case "amd" if not own_memory:
            return "amd-unified"
        case "amd":
            return "amd-instinct" if capability.startswith("gfx9") else "amd"
        case "intel":
            return "intel" if own_memory else "intel-integrated"
        case "apple":
            return "apple-m1" if accelerator.name.startswith("Apple M1") else "apple"
        case _:
            return accelerator.vendor


def _nvidia_family(name: str, capability: str, *, own_memory: bool) -> str:
    if not own_memory:
        return "nvidia-jetson" if capability[:2] in ("5.", "6.", "7.", "8.") else "nvidia-unified"
    if capability in _HBM:
        return "nvidia-hbm"
    # Before Volta, and in the GTX 16 series, there are no matrix units.
    return "nvidia-pascal" if capability[:2] in ("3.", "5.", "6.") or "GTX 16" in name else "nvidia"


def instruction_set(cpu: Cpu) -> str:
    """The best instruction set for packed weights that the processor names."""
    for feature, name in _INSTRUCTION_SETS:
        if feature in cpu.features:
            return name
    return "neon" if cpu.arch == "arm64" else "sse"


def cores(cpu: Cpu, efficiency_core: float) -> float:
    """Cores that work at once, an efficiency core counted as ``efficiency_core`` of a performance core."""
    usable = max(1, min(cpu.usable_cores, cpu.physical_cores))
    fast = min(usable, cpu.performance_cores if cpu.performance_cores is not None else usable)
    return fast + (usable - fast) * efficiency_core


def central(cpu: Cpu, hardware: Mapping[str, Any], *, fanless: bool = False) -> Processor:
    """The CPU as a processor. Without a known bandwidth, that of the most common memory stands in."""
    sets = hardware["instruction_sets"][instruction_set(cpu)]
    count = cores(cpu, hardware["efficiency_core"])
    # One process reads one NUMA node's memory at full speed; the others' come over the link between sockets.
    bandwidth = cpu.memory_bandwidth or hardware["assumed"]["cpu_bandwidth"]
    return Processor(
        family="cpu",
        bandwidth=bandwidth / max(1, cpu.numa_nodes),
        vector=count * sets["decode"] * 1e9,
        matrix=count * sets["prefill"] * 1e9,
        plain=sets["plain"] / sets["prefill"],
        spec="phone" if fanless else None,
        assumed=cpu.memory_bandwidth is None or cpu.memory_bandwidth_basis == "assumed",
    )


def device(accelerator: Accelerator, cpu: Cpu, hardware: Mapping[str, Any], *, accumulation: str) -> Processor:
    """An accelerator as a processor, its operations brought to one basis: dense FP16 with the card's matrix units.

    ``accumulation`` is the engine's: "half" or "integer" sums run at twice the rate of "full" (FP32) ones on some.
    """
    family = accelerator_family(accelerator)
    known = hardware["stand_ins"].get(accelerator.spec, {})
    usual = hardware["families"][family]
    assumed = False
    bandwidth = accelerator.memory_bandwidth or known.get("memory_bandwidth")
    if bandwidth is None:
        assumed = True
        bandwidth = cpu.memory_bandwidth if "own_memory" not in usual else None
        bandwidth = bandwidth or usual["assumed_bandwidth"]
    operations = known.get("matrix_flops")
    if operations is None and accelerator.fp16_flops is not None:
        operations = accelerator.fp16_flops * _basis(accelerator, usual, accumulation)
    if operations is None:
        operations = bandwidth * usual["operations_per_byte"]
    return Processor(
        family=family,
        bandwidth=bandwidth,
        vector=operations,
        matrix=operations,
        spec=accelerator.spec,
        link=accelerator.pcie_bandwidth or hardware["assumed"]["link"],
        fabric=usual.get("fabric") or accelerator.pcie_bandwidth or hardware["assumed"]["link"],
        assumed=assumed,
    )


def _basis(accelerator: Accelerator, usual: Mapping[str, Any], accumulation: str) -> float:
    """Factor from the catalogue's FP16 figure to dense FP16 of the matrix units; why, stands with each rule."""
    capability = accelerator.compute_capability or ""
    for rule in usual.get("basis", ()):
        fits = rule.get("name", "") in accelerator.name and capability.startswith(rule.get("capability", ""))
        if fits and rule.get("accumulation", accumulation) == accumulation:
            return float(rule["factor"])
    return 1.0
