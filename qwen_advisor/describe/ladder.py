"""Machines that can be had, class by class and small to large: what a model's needs are held against.

The catalogue holds no prices. The classes stand in the order in which machines of their kind usually cost more; within
a class the order is: fewer accelerators, less accelerator memory, less main memory, less bandwidth.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Literal, get_args

from qwen_advisor.describe import describe
from qwen_advisor.describe.description import Description
from qwen_advisor.describe.gpus import computes, shares_memory
from qwen_advisor.facts import AcceleratorSpec, Catalog, DeviceSpec
from qwen_advisor.machine import Interconnect, Machine
from qwen_advisor.units import GIB
from qwen_advisor.values import dataclass, replace

HardwareClass = Literal["pc", "board", "laptop", "desktop", "workstation", "server", "cluster", "cloud"]
CLASSES: tuple[HardwareClass, ...] = get_args(HardwareClass)

PC_RAM = (4, 8, 16, 24, 32, 48, 64, 96, 128)  # GiB, as modules are sold for two and four slots
SERVER_RAM = (192, 256, 384, 512, 768, 1024, 1536, 2048)
# Main memory beside one card, for what does not fit on it; None is what suits the card.
_BESIDE = {"desktop": (None, 64, 128), "workstation": (None, 256, 512)}
_COUNTS = {"desktop": (1, 2), "workstation": (1, 2, 4), "server": (1, 2, 4, 8), "laptop": (1,)}
_NODES = (2, 3, 4, 6, 8)
_TOGETHER: frozenset[HardwareClass] = frozenset(
    {"desktop", "workstation", "server", "cloud"}
)  # where nodes are asked for
_WORTH_SEVERAL = 16 * GIB  # memory of a card from which on several of them are put into one machine
_IN_CLUSTERS = 80 * GIB
_SINCE = 2020  # released: what is older is hard to come by, and engines drop it
# Sold in one country only under export rules, modified by hand, nothing that can be bought as a card, or (Gaudi) served
# by builds of engines that are not the ones of the catalogue.
_LEFT_OUT = re.compile(r"\(modded\)|\b(?:A800|H800|H20|L20|6000D|V710|GB200|GB300|Gaudi)\b|\b[45]090 D\b")
_MOBILE = re.compile(r"Laptop|Mobile|\b(?:RX |A)\d{3,4}[MS]\b")
_CONSUMER = re.compile(r"GeForce|Radeon RX|Arc [AB]\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """How machines have to be put together. None where nothing is said: then as the ladder has them."""

    nodes: int | None = None
    gpus_per_node: int | None = None
    interconnect: Interconnect | None = None


FREE = Arrangement()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One machine of the ladder, by nominal sizes in bytes, and the words that describe it to every verb."""

    kind: HardwareClass
    title: str
    description: Description
    vendor: str  # of its accelerators, or "cpu"
    accelerators: int
    memory: int  # of all accelerators of one node; all of main memory where they share it
    ram: int  # main memory, 0 where it is what suits the accelerators
    bandwidth: float  # bytes per second of one accelerator's memory, or of main memory
    spill: bool = False  # more main memory than suits the accelerators, for what does not fit on them

    @property
    def size(self) -> tuple[int, int, int, int]:
        """What it is ordered by; machines of one size differ in speed and maker only."""
        return (self.description.nodes, self.accelerators, round(self.memory / GIB), round(self.ram / GIB))

    @property
    def options(self) -> tuple[str, ...]:
        """The options that describe it: ``("--gpu", "2x NVIDIA GeForce RTX 4090")``."""
        said = self.description
        words = [w for gpu in said.gpus for w in ("--gpu", gpu)]
        words += ["--device", said.device] if said.device else []
        words += ["--ram", f"{said.ram // GIB}G"] if said.ram is not None else []
        words += ["--nodes", str(said.nodes)] if said.nodes > 1 else []
        words += ["--interconnect", said.interconnect] if said.interconnect else []
        return tuple(words)

    def machine(self, catalog: Catalog) -> Machine:
        """The machine itself."""
        return describe(catalog, self.description)


def ladder(catalog: Catalog, kind: HardwareClass, wanted: Arrangement = FREE) -> tuple[Rung, ...]:
    """The machines of one class that are put together as wanted, smallest first.

    Several nodes are machines with accelerators that somebody may put side by side: no boards and no laptops.
    """
    counts = _COUNTS.get(kind, ()) if wanted.gpus_per_node is None else (wanted.gpus_per_node,)
    found: list[Rung] = []
    match kind:
        case "pc":
            found += _without_gpu(catalog, kind, PC_RAM)
        case "board":
            found += _devices(catalog, kind, ("board",))
        case "laptop":
            found += [*_devices(catalog, kind, ("laptop",)), *_with_cards(catalog, kind, _COUNTS[kind])]
        case "desktop":
            found += [*_devices(catalog, kind, ("desktop", "mini")), *_with_cards(catalog, kind, counts)]
        case "workstation":
            found += [*_devices(catalog, kind, ("workstation",)), *_with_cards(catalog, kind, counts)]
        case "server":
            found += [*_without_gpu(catalog, kind, SERVER_RAM), *_with_cards(catalog, kind, counts)]
        case "cluster" if wanted.nodes is None:
            large = [s for s in _specs(catalog, "server") if (s.memory or 0) >= _IN_CLUSTERS]
            each = wanted.gpus_per_node or 8
            found += [_several(_cards(kind, spec, each), nodes) for nodes in _NODES for spec in large]
        case "cluster":
            pass  # the servers of their class stand together already
        case "cloud":
            found += _devices(catalog, kind, ("cloud",))
    found = [rung for each in found if (rung := _arranged(each, wanted)) is not None]
    return tuple(sorted(found, key=lambda rung: (*rung.size, rung.bandwidth, rung.title)))


def _arranged(rung: Rung, wanted: Arrangement) -> Rung | None:
    """The machine put together as wanted; None where it cannot be."""
    if wanted.gpus_per_node not in (None, rung.accelerators):
        return None
    if wanted.nodes is not None and wanted.nodes > 1:
        if rung.kind not in _TOGETHER or not rung.accelerators:
            return None
        rung = _several(rung, wanted.nodes)
    if rung.description.nodes > 1 and wanted.interconnect is not None:
        rung = replace(rung, description=replace(rung.description, interconnect=wanted.interconnect))
    return rung


def _several(rung: Rung, nodes: int) -> Rung:
    said = replace(rung.description, nodes=nodes)
    return replace(rung, title=f"{nodes} nodes of {rung.title}", description=said)


def _without_gpu(catalog: Catalog, kind: HardwareClass, sizes: Iterable[int]) -> Iterator[Rung]:
    for size in sizes:
        said = Description(ram=size * GIB)
        yield Rung(
            kind=kind,
            title=f"{size} GiB RAM, no GPU",
            description=said,
            vendor="cpu",
            accelerators=0,
            memory=0,
            ram=size * GIB,
            bandwidth=describe(catalog, said).cpu.memory_bandwidth or 0.0,
        )


def _devices(catalog: Catalog, kind: HardwareClass, kinds: tuple[str, ...]) -> Iterator[Rung]:
    """Whole machines by name in each size they are sold in; of personal ones those whose accelerator counts."""
    for device in catalog.devices.values():
        specs = [catalog.accelerators[name] for name in device.accelerators]
        if device.kind in kinds and (kind in ("board", "cloud") or any(s.kind != "integrated" for s in specs)):
            for size in device.memory:
                yield _device(kind, device, size, specs)


def _device(kind: HardwareClass, device: DeviceSpec, size: int, specs: list[AcceleratorSpec]) -> Rung:
    shared = device.unified and bool(specs)
    own = sum(spec.memory or 0 for spec in specs)
    rates = [spec.memory_bandwidth or 0.0 for spec in specs] if specs and not shared else []
    return Rung(
        kind=kind,
        title=f"{device.name} with {size / GIB:g} GiB" if len(device.memory) > 1 else device.name,
        description=Description(device=device.name, ram=size),
        vendor=specs[0].vendor if specs else "cpu",
        accelerators=1 if shared else len(specs),
        memory=size if shared else own,
        ram=size,
        bandwidth=max(rates, default=device.memory_bandwidth or 0.0),
    )


@cache
def _class_of(name: str, kind: str) -> HardwareClass:
    if kind == "datacenter":
        return "server"
    if _MOBILE.search(name):
        return "laptop"
    return "desktop" if _CONSUMER.search(name) else "workstation"


def _specs(catalog: Catalog, kind: HardwareClass) -> list[AcceleratorSpec]:
    """Cards of one class by memory and bandwidth."""
    found = [
        spec
        for spec in catalog.accelerators.values()
        if (spec.released or 0) >= _SINCE
        and spec.memory
        and spec.memory_bandwidth
        and computes(spec)
        and not shares_memory(spec)
        and _class_of(spec.name, spec.kind) == kind
        and not _LEFT_OUT.search(spec.name)
    ]
    return sorted(found, key=lambda spec: (round((spec.memory or 0) / GIB), spec.memory_bandwidth or 0.0, spec.id))


def _with_cards(catalog: Catalog, kind: HardwareClass, counts: tuple[int, ...]) -> Iterator[Rung]:
    """Each card alone, large ones in numbers; each maker's fastest of a size also beside more main memory.

    Where only one number is wanted, small cards are taken in that number too.
    """
    specs = _specs(catalog, kind)
    fastest = {(round((spec.memory or 0) / GIB), spec.vendor): spec.id for spec in specs}
    for spec in specs:
        for count in counts if (spec.memory or 0) >= _WORTH_SEVERAL or len(counts) == 1 else (1,):
            yield _cards(kind, spec, count)
        if spec.id in fastest.values():
            for ram in _BESIDE.get(kind, ())[1:]:
                yield _cards(kind, spec, 1, ram=ram)


def _cards(kind: HardwareClass, spec: AcceleratorSpec, count: int, *, ram: int = 0) -> Rung:
    many = f"{count} × " if count > 1 else ""
    beside = f", {ram} GiB RAM" if ram else ""
    own = spec.memory or 0
    told = "" if re.search(r"\d ?GB\b", spec.name) else f" ({round(own / GIB)} GiB)"
    return Rung(
        kind=kind,
        title=f"{many}{spec.name}{told}{beside}",
        description=Description(
            gpus=(f"{count}x {spec.name}" if count > 1 else spec.name,),
            ram=ram * GIB or None,
        ),
        vendor=spec.vendor,
        accelerators=count,
        memory=own * count,
        ram=ram * GIB,
        bandwidth=spec.memory_bandwidth or 0.0,
        spill=bool(ram),
    )
