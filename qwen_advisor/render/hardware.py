"""A machine as a document and as one screen: what counts for language models first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import cast

from qwen_advisor.machine import Accelerator, Machine
from qwen_advisor.profiles.document import machine_document
from qwen_advisor.render.data import csv_text
from qwen_advisor.render.report import Block, Facts, Grid, Lines, Report
from qwen_advisor.render.shapes import HardwareDocument
from qwen_advisor.units import gib

_BASES = {
    "measured": "measured",
    "modules": "by its modules",
    "platform": "by its platform",
    "assumed": "assumed",
}
_KINDS = {
    "discrete": "",
    "integrated": "integrated: language models gain little from it",
    "unified": "in main memory",
    "mig": "one instance of a card split by MIG",
    "npu": "NPU",
}
# Values by the path of their field, as people call them.
_VALUES = {
    "cpu": "processor",
    "cpu.physical_cores": "cores",
    "cpu.usable_cores": "usable cores",
    "cpu.memory_bandwidth": "bandwidth",
    "memory.total": "main memory",
    "memory.reserve": "reserve",
    "accelerators": "GPU",
    "accelerators.memory": "GPU memory",
    "accelerators.memory_bandwidth": "GPU bandwidth",
}
# Of the instruction sets those that decide which kernels run.
_TELLING = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "avx_vnni",
    "amx_int8",
    "asimddp",
    "i8mm",
    "bf16",
    "sve",
    "sme",
)


def machine_json(machine: Machine) -> HardwareDocument:
    """The machine under the names of the schema ``qwen-advisor/hardware/1``, with the source of each value."""
    return cast("HardwareDocument", machine_document(machine))


def report(machine: Machine) -> Report:
    """One screen: memory pools with what is usable and why, then the rest, then what limits it and how to lift that."""
    blocks: tuple[Block, ...] = (
        Grid(
            title="Memory that a model may use",
            headings=("pool", "total", "usable", "bandwidth", "why"),
            rows=tuple(_pools(machine)),
            right=frozenset({1, 2, 3}),
        ),
        Facts(pairs=tuple(_facts(machine))),
        Lines(title="Notes", lines=machine.notes),
    )
    return Report(headline=_headline(machine), good=True, blocks=blocks)


def _headline(machine: Machine) -> str:
    whose = "A described machine" if machine.described else "This machine"
    counted = Counter(a.name for a in machine.accelerators if a.kind not in ("npu", "integrated"))
    cards = [f"{count} x {name}" if count > 1 else name for name, count in counted.items()]
    cards.append(f"{gib(machine.memory.total)} of {'unified memory' if machine.memory.unified else 'RAM'}")
    line = f"{whose}: {', '.join(cards)}"
    return f"{line}; {machine.nodes} of them" if machine.nodes > 1 else line


def _rate(bandwidth: float | None) -> str:
    return (
        "not known"
        if bandwidth is None
        else f"{bandwidth / 1e9:.3g} GB/s"
        if bandwidth < 1e12
        else f"{bandwidth / 1e12:.3g} TB/s"
    )


def _pools(machine: Machine) -> Iterator[tuple[str, ...]]:
    seen: Counter[Accelerator] = Counter()
    for accelerator in machine.accelerators:
        if accelerator.kind != "npu":
            seen[accelerator] += 1
    for accelerator, count in seen.items():
        name = f"{count} x {accelerator.name}" if count > 1 else accelerator.name
        why = "; ".join(part for part in (_KINDS[accelerator.kind], accelerator.reserve_why) if part)
        each = " each" if count > 1 else ""
        yield (
            name,
            gib(accelerator.memory) + each,
            gib(accelerator.budget) + each,
            _rate(accelerator.memory_bandwidth),
            why,
        )
    memory = machine.memory
    limits = [f"a control group allows {gib(memory.limit)}"] if memory.limit is not None else []
    if not machine.described and memory.available < memory.total:
        limits.append(f"{gib(memory.available)} available now")
    kept = memory.reserve_why or f"{gib(memory.reserve)} is kept"
    why = "; ".join([*limits, f"kept: {kept}"] if memory.reserve else limits)
    said = machine.sources.get("cpu.memory_bandwidth") == "--ram-bandwidth"
    basis = "as said" if said else _BASES[machine.cpu.memory_bandwidth_basis]
    basis = f" ({basis})" if machine.cpu.memory_bandwidth is not None else ""
    yield ("main memory", gib(memory.total), gib(memory.budget), _rate(machine.cpu.memory_bandwidth) + basis, why)


def _facts(machine: Machine) -> Iterator[tuple[str, str]]:
    cpu = machine.cpu
    cores = f"{cpu.physical_cores} core{'s' * (cpu.physical_cores != 1)}"
    if cpu.performance_cores is not None and cpu.efficiency_cores:
        cores += f" ({cpu.performance_cores} performance, {cpu.efficiency_cores} efficiency)"
    if cpu.logical_cores != cpu.physical_cores:
        cores += f", {cpu.logical_cores} threads"
    if cpu.usable_cores != cpu.physical_cores:
        cores += f", {cpu.usable_cores} usable"
    if cpu.numa_nodes > 1:
        cores += f", {cpu.numa_nodes} NUMA nodes"
    yield ("processor", f"{cpu.name}, {cores}")
    telling = [feature for feature in _TELLING if feature in cpu.features]
    yield (
        "instructions",
        ", ".join(telling) if telling else "none that engines look for" if cpu.features else "not known",
    )
    details = {accelerator.name: ", ".join(_accelerator(accelerator)) for accelerator in machine.accelerators}
    yield from ((name, text) for name, text in details.items() if text)
    kind = [machine.os, cpu.arch] + [word for word in ("wsl", "container", "virtual") if getattr(machine, word)]
    yield ("system", ", ".join(kind).replace("wsl", "WSL").replace("virtual", "virtual machine"))
    if machine.disk is not None:
        yield ("disk", f"{gib(machine.disk.free)} free at {machine.disk.path}")
    if machine.npus:
        yield ("NPU", ", ".join(machine.npus))
    engines = [
        f"{engine.name}{f' {engine.version}' if engine.version else ''}{' (running)' if engine.running else ''}"
        for engine in machine.engines
    ]
    if not machine.described:
        yield ("engines", ", ".join(engines) if engines else "none found")
    told = dict.fromkeys(_told(machine))
    if told:
        yield ("sources", "; ".join(told))


def _told(machine: Machine) -> Iterator[str]:
    """What each value comes from; for GPUs of one kind once."""
    for path, source in machine.sources.items():
        place, _, inside = path.partition("]")
        what = _VALUES.get(f"{place.partition('[')[0]}{inside}")
        if what and source:
            yield f"{what} ({source})"


def _accelerator(accelerator: Accelerator) -> Iterator[str]:
    if accelerator.compute_capability and accelerator.vendor in ("nvidia", "amd"):
        named = "compute capability " if accelerator.vendor == "nvidia" else ""
        yield f"{named}{accelerator.compute_capability}"
    if accelerator.cores:
        yield f"{accelerator.cores} GPU cores"
    if accelerator.fp16_flops:
        yield f"{accelerator.fp16_flops / 1e12:.3g} TFLOPS FP16"
    if accelerator.pcie_bandwidth:
        yield f"PCIe {accelerator.pcie_bandwidth / 1e9:.3g} GB/s"
    if accelerator.driver:
        yield f"driver {accelerator.driver}"


def csv(machine: Machine) -> str:
    """One row for each memory pool."""
    header = ("pool", "vendor", "kind", "total_bytes", "usable_bytes", "memory_bandwidth_bytes_per_second", "source")
    rows = [
        (
            a.name,
            a.vendor,
            a.kind,
            a.memory,
            a.budget,
            _whole(a.memory_bandwidth),
            _source(machine, i),
        )
        for i, a in enumerate(machine.accelerators)
    ]
    memory, cpu = machine.memory, machine.cpu
    source = machine.sources.get("memory.total", "")
    host = ("main memory", cpu.name, "host", memory.total, memory.budget, _whole(cpu.memory_bandwidth), source)
    return csv_text(header, [*rows, host])


def _whole(rate: float | None) -> int | None:
    return None if rate is None else round(rate)


def _source(machine: Machine, index: int) -> str:
    """What told the memory of an accelerator."""
    place = f"accelerators[{index}]"
    return machine.sources.get(f"{place}.memory") or machine.sources.get(place, "")
