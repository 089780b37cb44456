"""Whole machines by name: finding the entry that a name means, and building the machine that it describes."""

from __future__ import annotations

from collections.abc import Mapping

from qwen_advisor.describe.gpus import discrete, sharing
from qwen_advisor.describe.lookup import near
from qwen_advisor.describe.matching import Found, NameIndex, unique
from qwen_advisor.describe.names import words
from qwen_advisor.describe.platforms import readable_bandwidth
from qwen_advisor.describe.reserves import phone_reserve, system_kind, system_reserve
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import AcceleratorSpec, Catalog, DeviceSpec
from qwen_advisor.machine import Accelerator, Cpu, HostMemory, Machine
from qwen_advisor.units import gib
from qwen_advisor.values import dataclass

_WITH_DISPLAY = ("laptop", "desktop", "workstation", "mini")


@dataclass(frozen=True, slots=True)
class DeviceMatch:
    """The entry that a name means, in the size chosen (bytes), and what was assumed."""

    spec: DeviceSpec
    memory: int
    notes: tuple[str, ...] = ()


class DeviceIndex(NameIndex[DeviceSpec]):
    """The names of all devices of a catalogue."""

    def __init__(self, specs: Mapping[str, DeviceSpec]) -> None:
        """Read the names; ``specs`` is kept, to know whose index this is."""
        self.specs = specs
        super().__init__((alias, spec) for spec in specs.values() for alias in (spec.name, *spec.aliases))


_latest: list[DeviceIndex] = []


def device_index(catalog: Catalog) -> DeviceIndex:
    """The name index of a catalogue; that of the catalogue asked about last is kept."""
    if not _latest or _latest[0].specs is not catalog.devices:
        _latest[:] = [DeviceIndex(catalog.devices)]
    return _latest[0]


def find_device(catalog: Catalog, text: str, *, ram: int | None = None) -> DeviceMatch:
    """The machine that ``text`` means, with ``ram`` bytes where that is said.

    Raises:
        UsageError: nothing matches (with suggestions), several do (with the choices), or it is not sold in the size
            that the name says.
    """
    index = device_index(catalog)
    spelled = unique(index.spelled(text))
    name = words(text)
    found = spelled or unique(index.find(name))
    if not found:
        raise UsageError(
            f"no device is called {text!r}",
            hint="describe it by --ram, --gpu and --cpu-cores instead",
            suggestions=index.suggestions(text),
        )
    wanted = ram if ram is not None else None if spelled else name.memory
    if wanted is not None:
        sold = [one for one in found if _sizes(one.entry, wanted)]
        if not sold and ram is None:
            raise UsageError(f"{text!r} is not sold with {gib(wanted)}", hint=f"choose one of: {_choices(found)}")
        found = sold or found
    chosen = _one(text, found)
    if wanted is not None:
        fitting = _sizes(chosen, wanted)
        return DeviceMatch(chosen, fitting[0] if fitting else wanted)
    least = min(chosen.memory)
    if len(chosen.memory) == 1:
        return DeviceMatch(chosen, least)
    sizes = ", ".join(gib(size) for size in chosen.memory)
    return DeviceMatch(chosen, least, (f"{chosen.name} is sold with {sizes}; {gib(least)} assumed, say --ram",))


def _sizes(spec: DeviceSpec, wanted: int) -> list[int]:
    return [size for size in spec.memory if near(size, wanted)]


def _one(text: str, found: list[Found[DeviceSpec]]) -> DeviceSpec:
    asked = words(text).words
    named = [one for one in found if words(one.entry.name).words == asked]
    chosen = found if len(found) == 1 else named
    if len(chosen) != 1:
        raise UsageError(
            f"{text!r} may mean several devices",
            hint=f"choose one of: {_choices(found)}",
            suggestions=tuple(one.entry.name for one in found),
        )
    return chosen[0].entry


def _choices(found: list[Found[DeviceSpec]]) -> str:
    return "; ".join(f"{one.entry.name} ({', '.join(gib(size) for size in one.entry.memory)})" for one in found)


def device_with(catalog: Catalog, accelerator: AcceleratorSpec) -> DeviceSpec | None:
    """A device that is built around this accelerator, for the processor beside it."""
    return next((device for device in catalog.devices.values() if device.accelerators == (accelerator.id,)), None) or (
        next((device for device in catalog.devices.values() if accelerator.id in device.accelerators), None)
    )


def build(catalog: Catalog, match: DeviceMatch, *, gpu_memory: int | None = None) -> Machine:
    """The machine that an entry describes. ``gpu_memory`` overrides what one accelerator may use."""
    spec = match.spec
    reported = spec.reported_memory if spec.reported_memory and match.memory == spec.memory[0] else None
    total = reported or match.memory
    if spec.kind == "phone":
        reserve, why = phone_reserve(total)
    else:
        reserve, why = system_reserve(total, system_kind(spec.os, spec.kind), reported=reported is not None)
    accelerators = _accelerators(catalog, spec, match.memory, total, gpu_memory)
    source = f"catalogue: {spec.id}"
    sources = {"cpu": source, "cpu.memory_bandwidth": source, "memory.total": source}
    if spec.memory_platform:
        sources["cpu.memory_bandwidth"] = f"catalogue: {spec.memory_platform}, the share of {spec.logical_cores} vCPUs"
    sources |= {f"accelerators[{i}]": f"catalogue: {a.spec}" for i, a in enumerate(accelerators)}
    return Machine(
        os=spec.os,
        cpu=_cpu(catalog, spec),
        memory=HostMemory(
            total=total,
            available=total,
            unified=spec.unified and bool(accelerators),
            reserve=reserve,
            reserve_why=why,
        ),
        accelerators=accelerators,
        described=True,
        fanless=spec.kind == "phone",
        virtual=spec.kind in ("cloud", "runner"),
        sources=sources,
        notes=match.notes + ((spec.notes,) if spec.notes else ()),
    )


def _cpu(catalog: Catalog, spec: DeviceSpec) -> Cpu:
    threads = spec.logical_cores or spec.physical_cores
    bandwidth = spec.memory_bandwidth
    if bandwidth is None and spec.memory_platform is not None:
        peak = catalog.platforms[spec.memory_platform].bandwidth
        shared = spec.kind in ("cloud", "runner")
        if peak is not None:
            bandwidth = readable_bandwidth(peak, cores=spec.physical_cores, threads=threads, virtual=shared)
    fast = spec.performance_cores
    return Cpu(
        name=spec.cpu,
        arch=spec.arch,
        physical_cores=spec.physical_cores,
        performance_cores=fast,
        efficiency_cores=None if fast is None else spec.physical_cores - fast,
        logical_cores=threads,
        usable_cores=spec.physical_cores,
        features=spec.cpu_features,
        memory_bandwidth=bandwidth,
        memory_bandwidth_basis="platform" if bandwidth else "assumed",
    )


def _accelerators(
    catalog: Catalog, spec: DeviceSpec, size: int, total: int, gpu_memory: int | None
) -> tuple[Accelerator, ...]:
    entries = [catalog.accelerators[name] for name in spec.accelerators]
    if spec.unified:
        entry = next((one for one in entries if one.memory == size), entries[0] if entries else None)
        if entry is None:
            return ()
        # The device's own figure holds where the entry stands for other memory too (780M: DDR5 or LPDDR5X).
        bandwidth = spec.memory_bandwidth if entry.memory is None else None
        return (sharing(entry, total, limit=gpu_memory, bandwidth=bandwidth),)
    display = spec.kind in _WITH_DISPLAY
    return tuple(discrete(one, memory=gpu_memory, display=display and i == 0) for i, one in enumerate(entries))
