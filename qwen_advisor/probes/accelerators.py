"""Accelerators: what was found, completed by the catalogue, with what of their memory can be used and why."""

from __future__ import annotations

import re

from qwen_advisor.describe.gpus import discrete, shared_limit, vendor_of
from qwen_advisor.facts import AcceleratorSpec, Catalog
from qwen_advisor.machine import Accelerator, AcceleratorKind
from qwen_advisor.probes.found import FoundGpu, FoundSlice
from qwen_advisor.probes.identify import clock_bandwidth, identify
from qwen_advisor.units import gib
from qwen_advisor.values import dataclass, field, replace

_MEMORY_SLICES = 8  # MIG cuts the memory of A100, H100 and their kin into eighths
_OLD_DRIVER = 525  # first branch with CUDA 12, which current engines are built for
_DIFFERENCE = 0.03


@dataclass(slots=True)
class Completed:
    """Accelerators with their sources, and notes, on a host with so much main memory in bytes.

    ``carved`` is memory that belongs to them and not to the system.
    """

    total: int
    available: int
    accelerators: list[Accelerator] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    carved: int = 0
    carved_free: int = 0

    def add(self, accelerator: Accelerator, source: str, how: str) -> None:
        """Add one; ``how`` says by what the catalogue's entry was found."""
        place = f"accelerators[{len(self.accelerators)}]"
        self.accelerators.append(accelerator)
        self.sources[f"{place}.memory"] = source
        if accelerator.spec is not None:
            self.sources[place] = f"catalogue: {accelerator.spec}, by {how}"


def complete(catalog: Catalog, gpus: list[FoundGpu], *, total: int, available: int) -> Completed:
    """Make accelerators of the GPUs that were found.

    Args:
        catalog: where figures come from that no driver tells.
        gpus: one account of each GPU.
        total: main memory, bytes.
        available: of it, what is free.
    """
    done = Completed(total=total, available=available)
    for gpu in gpus:
        # The size of main memory tells modules apart that differ in nothing else (Jetson AGX Orin, 32 and 64 GB).
        whole = gpu.vendor == "nvidia" and gpu.integrated is True and gpu.total is None
        known = identify(catalog, replace(gpu, total=total, integrated=None) if whole else gpu)
        shares = gpu.integrated is True or (known.spec is not None and known.spec.kind in ("unified", "integrated"))
        if gpu.vendor != "apple" and (not shares or known.spec is not None):
            done.notes += known.notes
        done.notes += gpu.notes
        if gpu.mig:
            _slices(gpu, known.spec, known.how, done)
        elif gpu.vendor == "nvidia" and shares:
            _whole_memory(gpu, known.spec, known.how, done)
        elif gpu.vendor == "apple":
            _apple(catalog, gpu, done)
        elif shares:
            _apu(gpu, known.spec, known.how, done)
        else:
            _card(gpu, known.spec, known.how, done)
    return done


def _base(gpu: FoundGpu, spec: AcceleratorSpec | None) -> Accelerator:
    """What does not depend on the kind of memory; figures of the entry, else what the driver's clock gives."""
    vendor = gpu.vendor if spec is None else vendor_of(spec)
    # nvidia-smi's table cuts names off; what the bus's list calls AMD and Intel chips is a code name or many cards.
    told = gpu.name and not gpu.name.endswith("...") and gpu.name != "Graphics Device"
    by_id = (
        spec is not None and vendor in ("amd", "intel") and gpu.pci_id in {i.partition("/")[0] for i in spec.pci_ids}
    )
    return Accelerator(
        name=gpu.name if told and not by_id else _named(gpu, spec),
        vendor=vendor,
        memory=0,
        free=0,
        memory_bandwidth=spec.memory_bandwidth if spec is not None and spec.memory_bandwidth else gpu.bandwidth,
        fp16_flops=spec.fp16_flops if spec is not None else None,
        compute_capability=gpu.compute_capability or (spec.compute_capability if spec is not None else None),
        spec=spec.id if spec is not None else None,
        cores=gpu.cores or (spec.cores if spec is not None else None),
        pcie_bandwidth=gpu.pcie_bandwidth,
        driver=gpu.driver,
    )


def _named(gpu: FoundGpu, spec: AcceleratorSpec | None) -> str:
    if spec is not None:
        return spec.name
    return gpu.name or f"{gpu.vendor.upper() if gpu.vendor != 'intel' else 'Intel'} GPU {gpu.pci_id}".strip()


def _card(gpu: FoundGpu, spec: AcceleratorSpec | None, how: str, done: Completed) -> None:
    """A card with memory of its own."""
    base = _base(gpu, spec)
    total, source = gpu.total, gpu.source
    if total is None and spec is not None and spec.memory:
        total, source = spec.reported_memory or spec.memory, f"catalogue: {spec.id}"
        done.notes.append(f"the driver does not tell the memory of {base.name}; {gib(total)} as by its data sheet")
    if total is None:
        done.notes.append(f"{base.name} is there but its memory cannot be read, so it is not counted on; say --vram")
        return
    free = gpu.free if gpu.free is not None else total - (gpu.reserved or 0) - (gpu.used or 0)
    if gpu.free is None and gpu.used is None and gpu.reserved is None and spec is not None:
        free = min(total, discrete(spec, memory=total).free)
    if base.pcie_bandwidth is None and spec is not None:
        base = replace(base, pcie_bandwidth=discrete(spec).pcie_bandwidth)
    why = f"of {gib(total)}, the driver keeps {gib(gpu.reserved)}" if gpu.reserved else ""
    if gpu.free is None and gpu.used is None and gpu.reserved is None and free < total:
        why = f"of {gib(total)}, the driver usually keeps {gib(total - free)} (assumed)"
    if gpu.used and gpu.used > total // 100:
        why += f"{' and ' if why else ''}{gib(gpu.used)} is in use now"
    free = max(0, min(free, total))
    done.add(replace(base, memory=total, free=free, kind="discrete", reserve_why=why), source, how)
    done.notes += _doubts(gpu, spec)


def _doubts(gpu: FoundGpu, spec: AcceleratorSpec | None) -> list[str]:
    notes = []
    measured = gpu.bandwidth
    if measured is None and gpu.memory_clock and spec is not None and spec.bus_bits:
        measured = clock_bandwidth(gpu.memory_clock, spec.bus_bits)
    stated = spec.memory_bandwidth if spec is not None else None
    if measured and stated and abs(measured - stated) > _DIFFERENCE * stated:
        notes.append(
            f"{gpu.name}: memory clock and bus give {measured / 1e9:.0f} GB/s, the data sheet {stated / 1e9:.0f};"
            " the latter is used"
        )
    major = re.match(r"\d+", gpu.driver or "")
    if gpu.vendor == "nvidia" and major and int(major[0]) < _OLD_DRIVER:
        notes.append(f"the NVIDIA driver {gpu.driver} is too old for CUDA 12 (from {_OLD_DRIVER}); update it")
    return notes


def _slices(gpu: FoundGpu, spec: AcceleratorSpec | None, how: str, done: Completed) -> None:
    """MIG: nothing can be allocated outside instances, and a process uses one of them."""
    base = _base(gpu, spec)
    usable = [one for one in gpu.slices if one.total]
    if not usable:
        done.notes.append(
            f"{base.name} is split by MIG and its instances cannot be read: nothing can be allocated on it;"
            " ask NVML, or nvidia-smi -q"
        )
        return
    whole = gpu.total or (spec.memory if spec is not None else None)
    for one in sorted(usable, key=lambda s: -(s.total or 0)):
        done.add(_slice(base, one, whole), gpu.source, how)
    done.notes.append(
        f"{base.name} is split by MIG into {len(usable)} instances; a process can use one of them, the largest has"
        f" {gib(max(one.total or 0 for one in usable))}"
    )


def _slice(base: Accelerator, one: FoundSlice, whole: int | None) -> Accelerator:
    total = one.total or 0
    share = round(total / whole * _MEMORY_SLICES) / _MEMORY_SLICES if whole else None
    profile = re.sub(r"^\d+c\.", "", one.profile) or (gib(total) if total else "")

    def part(figure: float | None) -> float | None:
        return figure * share if figure is not None and share else None

    return replace(
        base,
        name=f"{base.name} MIG {profile}",
        kind="mig",
        memory=total,
        free=max(0, total - (one.used or 0)),
        memory_bandwidth=part(base.memory_bandwidth),
        fp16_flops=part(base.fp16_flops),
    )


def _whole_memory(gpu: FoundGpu, spec: AcceleratorSpec | None, how: str, done: Completed) -> None:
    """GB10 and Jetson: the GPU reaches all of main memory, and the driver tells no size of its own."""
    base = _base(gpu, spec)
    done.add(
        replace(
            base,
            memory=done.total,
            free=min(done.available, done.total),
            kind="unified",
            shared=done.total,
            reserve_why="the GPU reaches all of main memory",
            pcie_bandwidth=None,
        ),
        "main memory",
        how,
    )


def _apple(catalog: Catalog, gpu: FoundGpu, done: Completed) -> None:
    if gpu.notes and gpu.total is None:
        return  # paravirtual
    spec, notes = _apple_spec(catalog, gpu, done.total)
    done.notes += notes
    base = _base(gpu, spec)
    if gpu.total is not None:
        most, why, source = gpu.total, f"Metal allows {gib(gpu.total)}", gpu.source
    else:
        usual = spec or next((s for s in catalog.accelerators.values() if s.vendor == "apple"), None)
        most, why = shared_limit(usual, done.total) if usual is not None else (done.total * 2 // 3, "assumed")
        source = "assumed: the default of macOS for this size of memory"
    free = most if gpu.free is None else gpu.free
    name = base.name if base.name.startswith("Apple") else f"Apple {base.name}"
    done.add(
        replace(
            base,
            name=name,
            memory=most,
            free=min(free, most, done.available),
            kind="unified",
            shared=most,
            reserve_why=why,
        ),
        source,
        "chip, memory and GPU cores",
    )


def _apple_spec(catalog: Catalog, gpu: FoundGpu, total: int) -> tuple[AcceleratorSpec | None, list[str]]:
    """The entry of a chip: by memory size, and by GPU cores where bins of one chip differ in bandwidth."""
    chip = [
        s
        for s in catalog.accelerators.values()
        if s.vendor == "apple" and re.match(rf"{re.escape(gpu.name)} [(\d]", s.name)
    ]
    if gpu.cores is not None:
        chip = [s for s in chip if s.cores in (None, gpu.cores)] or chip
    sized = [s for s in chip if s.memory == total]
    best = sized or sorted(chip, key=lambda s: abs((s.memory or 0) - total))
    if not best:
        return None, [f"{gpu.name or 'this chip'} is not in the catalogue: its bandwidth is not known"]
    return best[0], []


def _apu(gpu: FoundGpu, spec: AcceleratorSpec | None, how: str, done: Completed) -> None:
    """Integrated graphics: a carve-out of its own, and as much of main memory as the driver lets it map."""
    base = _base(gpu, spec)
    carved = gpu.total or 0
    shared, why = gpu.shared_total, "the driver maps"
    if shared is None:
        shared, why = done.total // 2, "drivers let it use half of main memory:"
    shared = min(shared, done.total)
    free_shared = min(max(0, shared - (gpu.shared_used or 0)), done.available)
    free_carved = max(0, carved - (gpu.used or 0))
    done.carved += carved
    done.carved_free += free_carved
    kind: AcceleratorKind = "unified" if spec is not None and spec.kind == "unified" else "integrated"
    parts = f"{gib(carved)} set apart for it and " if carved else ""
    done.add(
        replace(
            base,
            kind=kind,
            memory=carved + shared,
            free=free_carved + free_shared,
            shared=shared,
            reserve_why=f"{parts}{why} {gib(shared)}",
            pcie_bandwidth=None,
        ),
        gpu.source,
        how,
    )
