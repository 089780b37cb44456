"""Machines that are only described: the catalogue times words. Nothing here reads the machine it runs on."""

from __future__ import annotations

from qwen_advisor.describe.description import Description
from qwen_advisor.describe.devices import DeviceMatch, build, device_with, find_device
from qwen_advisor.describe.gpus import computes, discrete, shares_memory, sharing, typical_card
from qwen_advisor.describe.hosts import generic_host
from qwen_advisor.describe.lookup import Match, find_accelerator, near
from qwen_advisor.describe.names import split_counted, words
from qwen_advisor.describe.overrides import override
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import AcceleratorSpec, Catalog, DeviceSpec
from qwen_advisor.machine import Accelerator, Machine
from qwen_advisor.units import GIB, gib
from qwen_advisor.values import replace

__all__ = ["Description", "Match", "accelerators_of", "describe", "find_accelerator", "find_device", "override"]

_NO_GPU = frozenset({"none", "no", "cpu", "0"})
_SHARED_RAM = 16 * GIB  # the usual size of a laptop whose GPU shares main memory


def describe(catalog: Catalog, description: Description) -> Machine:
    """The machine that a description means; what was assumed stands in its notes.

    Raises:
        UsageError: a name is not known or not clear (with choices), or the parts of the description contradict each
            other.
    """
    said = description
    _check(said)
    machine = _around(catalog, said) if said.device is None else _device(catalog, said)
    machine = override(machine, said)
    dark = dict.fromkeys(a.name for a in machine.accelerators if a.memory_bandwidth is None)
    notes = tuple(f"the memory bandwidth of {name} is not known; say --gpu-bandwidth" for name in dark)
    return replace(machine, described=True, notes=machine.notes + notes)


def _check(said: Description) -> None:
    for option, value in (("--cpu-cores", said.cpu_cores), ("--nodes", said.nodes)):
        if value is not None and value < 1:
            raise UsageError(f"{option} must be at least 1, not {value}")
    for option, rate in (("--gpu-bandwidth", said.gpu_bandwidth), ("--ram-bandwidth", said.ram_bandwidth)):
        if rate is not None and not 0 < rate < 1e15:
            raise UsageError(f"{option} is out of range", hint="write it in GB/s, such as 1008")


def accelerators_of(catalog: Catalog, said: Description) -> list[tuple[Match, str]]:
    """The entries that the ``--gpu`` values mean, one for each card, each with the text it came from.

    ``--vram`` chooses between sizes of a card; of a chip that shares main memory, ``--ram`` does.

    Raises:
        UsageError: a name is not known or not clear, or ``none`` stands beside a card.
    """
    named = [text for text in said.gpus if text.strip().lower() not in _NO_GPU]
    if named and len(named) < len(said.gpus):
        raise UsageError("--gpu none excludes every other --gpu", hint="give one or the other")
    found = []
    for text in named:
        for count, name in split_counted(text):
            match = find_accelerator(catalog, name, memory=said.vram)
            if match.spec.kind == "unified" and said.ram is not None:
                match = find_accelerator(catalog, name, memory=said.ram)
            found += [(match, name)] * count
    return found


def _device(catalog: Catalog, said: Description) -> Machine:
    text = said.device or ""
    try:
        match = find_device(catalog, text, ram=said.ram)
    except UsageError as error:
        chip = _chip(catalog, said)
        if chip is None:
            raise
        device = device_with(catalog, chip.spec)
        if device is None:
            hint = f"it is an accelerator: --gpu {text!r}"
            raise UsageError(error.message, hint=hint, suggestions=error.suggestions) from None
        match = _sized(device, chip, said)
    machine = build(catalog, match, gpu_memory=said.vram)
    if said.ram is not None:
        machine = replace(machine, sources={**machine.sources, "memory.total": "--ram"})
    if not said.gpus:
        return machine
    added = [_card(match, name, said, display=False) for match, name in accelerators_of(catalog, said)]
    kept = machine.accelerators if added else ()
    unified = machine.memory.unified and bool(kept) and not added
    sources = {key: value for key, value in machine.sources.items() if kept or not key.startswith("accelerators")}
    sources |= {f"accelerators[{i}]": "--gpu" for i in range(len(kept), len(kept) + len(added))}
    return replace(
        machine,
        accelerators=kept + tuple(added),
        memory=replace(machine.memory, unified=unified),
        sources=sources,
    )


def _chip(catalog: Catalog, said: Description) -> Match | None:
    """The accelerator that a device was called by: ``M3 Max 64GB``, ``Strix Halo``."""
    try:
        return find_accelerator(catalog, said.device or "", memory=said.ram)
    except UsageError:
        return None


def _sized(device: DeviceSpec, match: Match, said: Description) -> DeviceMatch:
    size = said.ram or _variant(device, said.vram) or match.spec.memory or _shared_size(device)
    fitting = [sold for sold in device.memory if near(sold, size)]
    notes = match.notes
    if said.ram is None and match.spec.memory is None:
        notes += (f"assumed: {gib(size)} of main memory; say --ram",)
    return DeviceMatch(device, fitting[0] if fitting else size, notes)


def _variant(device: DeviceSpec, vram: int | None) -> int | None:
    """The size that ``--vram`` picks, where the device is sold so."""
    return next((size for size in device.memory if vram is not None and near(size, vram)), None)


def _shared_size(device: DeviceSpec) -> int:
    return min(device.memory, key=lambda size: (abs(size - _SHARED_RAM), size))


def _around(catalog: Catalog, said: Description) -> Machine:
    """A machine around the accelerators, or around a processor alone."""
    cards = accelerators_of(catalog, said)
    if not said.gpus and said.vram is not None:
        spec = typical_card(catalog, said.vram)
        note = f"assumed: a card like the {spec.name} for {gib(said.vram)} of GPU memory; name it by --gpu"
        cards = [(Match(spec, (note,)), "--vram")]
    shared = [match for match, _ in cards if shares_memory(match.spec) or not computes(match.spec)]
    if shared and (len(cards) == 1 or any(match.spec.kind == "unified" for match in shared)):
        return _unified(catalog, said, shared, cards)
    vram = sum(match.spec.memory or 0 for match, _ in cards)
    server = any(match.spec.kind == "datacenter" for match, _ in cards)
    host = generic_host(
        catalog,
        ram=said.ram,
        cores=said.cpu_cores,
        vram=vram,
        server=server,
        gpus=len(cards),
        bandwidth=said.ram_bandwidth,
    )
    accelerators = tuple(
        _card(match, name, said, display=i == 0 and match.spec.kind != "datacenter", ram=host.memory.total)
        for i, (match, name) in enumerate(cards)
    )
    sources = host.sources | {f"accelerators[{i}]": f"catalogue: {a.spec}" for i, a in enumerate(accelerators)}
    notes = tuple(dict.fromkeys(note for match, _ in cards for note in match.notes)) + host.notes
    return Machine(
        os="linux", cpu=host.cpu, memory=host.memory, accelerators=accelerators, sources=sources, notes=notes
    )


def _card(match: Match, name: str, said: Description, *, display: bool, ram: int = 0) -> Accelerator:
    spec = match.spec
    if shares_memory(spec):
        return sharing(spec, ram, limit=said.vram)
    asked = words(name).memory
    return discrete(spec, memory=said.vram if said.vram is not None else asked, display=display)


def _unified(catalog: Catalog, said: Description, shared: list[Match], cards: list[tuple[Match, str]]) -> Machine:
    """A machine whose one accelerator works in main memory: the device built around it, else an ordinary host."""
    match = shared[0]
    if len(cards) > 1:
        raise UsageError(
            f"{match.spec.name} shares its machine's memory and cannot stand beside other accelerators",
            hint="describe one machine; several of the same kind are given by --nodes",
        )
    device = device_with(catalog, match.spec) or _relative(catalog, match.spec)
    if device is not None:
        sized = _sized(device, match, said)
        picked = _variant(device, said.vram) is not None and said.ram is None
        machine = build(catalog, sized, gpu_memory=None if picked else said.vram)
        if machine.accelerators and machine.accelerators[0].spec != match.spec.id:
            limit = None if picked else said.vram
            machine = replace(machine, accelerators=(sharing(match.spec, machine.memory.total, limit=limit),))
        if said.ram is not None:
            machine = replace(machine, sources={**machine.sources, "memory.total": "--ram"})
        return machine
    server = "Instinct" in match.spec.name
    host = generic_host(
        catalog,
        ram=said.ram or match.spec.memory or _SHARED_RAM,
        cores=said.cpu_cores,
        server=server,
        bandwidth=said.ram_bandwidth,
    )
    accelerator = sharing(match.spec, host.memory.total, limit=said.vram)
    return Machine(
        os="linux",
        cpu=replace(host.cpu, memory_bandwidth=match.spec.memory_bandwidth or host.cpu.memory_bandwidth),
        memory=replace(host.memory, unified=True),
        accelerators=(accelerator,),
        sources=host.sources | {"accelerators[0]": f"catalogue: {match.spec.id}"},
        notes=match.notes + host.notes,
    )


def _relative(catalog: Catalog, spec: AcceleratorSpec) -> DeviceSpec | None:
    """The device of an entry that none is built around.

    Boards and phones stand among the accelerators for their memory alone, and are found by name or by bandwidth; for a
    Snapdragon, any machine with another one will do, as they differ little.
    """
    if spec.vendor == "qualcomm":
        return next(
            (d for d in catalog.devices.values() if any(a.startswith("snapdragon") for a in d.accelerators)), None
        )
    if computes(spec):
        return None
    try:
        return find_device(catalog, spec.name).spec
    except UsageError:
        phones = [device for device in catalog.devices.values() if device.kind == "phone"]
        bandwidth = spec.memory_bandwidth or 0
        return min(phones, key=lambda device: abs((device.memory_bandwidth or 0) - bandwidth), default=None)
