"""Options that describe a machine, and the machine that they mean: described, read from a file, or this one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qwen_advisor.cli import completion, talk
from qwen_advisor.cli.options import read
from qwen_advisor.describe import Description, describe, override
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Accelerator, Interconnect, Machine
from qwen_advisor.probes import detect
from qwen_advisor.units import gib, parse_bandwidth, parse_reserve, parse_size
from qwen_advisor.values import replace

if TYPE_CHECKING:
    from qwen_advisor.fit import Calibration  # inspect-hardware need not load all that predicts

RamOption = Annotated[
    str | None,
    typer.Option("--ram", metavar="SIZE", help="Main memory, such as 16G. Alone it describes a machine without a GPU."),
]
VramOption = Annotated[
    str | None,
    typer.Option("--vram", metavar="SIZE", help="Memory of each GPU; picks between sizes of a card, or overrides."),
]
GpuOption = Annotated[
    list[str] | None,
    typer.Option(
        "--gpu",
        metavar="SPEC",
        autocompletion=completion.accelerators,
        help='GPU by name: "RTX 4090", 2x3090, "RTX 3060 12GB", none. Repeatable.',
    ),
]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="NAME",
        autocompletion=completion.devices,
        help='Whole machine by name: "MacBook Pro M3 Max 64GB", g5.xlarge, ubuntu-latest.',
    ),
]
CpuCoresOption = Annotated[int | None, typer.Option("--cpu-cores", metavar="N", min=1, help="Physical cores.")]
HardwareOption = Annotated[
    Path | None,
    typer.Option(
        "--hardware", metavar="FILE", help="Machine from a file: a profile, raw evidence, or a few words like ram: 16G."
    ),
]
NodesOption = Annotated[int, typer.Option("--nodes", metavar="N", min=1, help="How many such machines work together.")]
GpusPerNodeOption = Annotated[
    int | None, typer.Option("--gpus-per-node", metavar="N", min=1, help="How many of the GPU each machine has.")
]
InterconnectOption = Annotated[
    Interconnect | None,
    typer.Option(
        "--interconnect",
        case_sensitive=False,
        help="Network between machines: 10 Gbit/s Ethernet, 100 Gbit/s, InfiniBand NDR, or an NVLink switch.",
        show_default=False,
    ),
]
GpuBandwidthOption = Annotated[
    str | None, typer.Option("--gpu-bandwidth", metavar="GB/S", help="Memory bandwidth of each GPU, such as 1008.")
]
RamBandwidthOption = Annotated[
    str | None, typer.Option("--ram-bandwidth", metavar="GB/S", help="Read bandwidth of main memory, such as 51.2.")
]
ReserveOption = Annotated[
    str | None,
    typer.Option(
        "--reserve", metavar="SIZE", help="Memory to leave free in every pool, instead of what a system usually keeps."
    ),
]


def machine_from_options(
    catalog: Catalog,
    *,
    ram: str | None = None,
    vram: str | None = None,
    gpu: Sequence[str] | None = None,
    device: str | None = None,
    cpu_cores: int | None = None,
    hardware: Path | None = None,
    nodes: int = 1,
    gpus_per_node: int | None = None,
    interconnect: Interconnect | None = None,
    gpu_bandwidth: str | None = None,
    ram_bandwidth: str | None = None,
    reserve: str | None = None,
    measure: bool = False,
) -> Machine:
    """The machine that the options mean. Single figures override those of a described, saved or detected machine.

    ``--ram``, ``--vram``, ``--gpu`` and ``--device`` describe a machine, and nothing of this one is read then;
    ``--hardware`` reads a file; otherwise this machine is detected, with its bandwidth measured if ``measure``.

    Raises:
        UsageError: an option's text is not understood, a name is not known or not clear, or options exclude each other.
        ProbeError: this machine is asked for and cannot be read.
    """
    said = Description(
        ram=read("--ram", parse_size, ram),
        vram=read("--vram", parse_size, vram),
        gpus=tuple(gpu or ()),
        device=device,
        cpu_cores=cpu_cores,
        nodes=nodes,
        interconnect=interconnect,
        gpu_bandwidth=read("--gpu-bandwidth", parse_bandwidth, gpu_bandwidth),
        ram_bandwidth=read("--ram-bandwidth", parse_bandwidth, ram_bandwidth),
        reserve=read("--reserve", parse_reserve, reserve),
    )
    describing = said.ram is not None or said.vram is not None or said.gpus or said.device is not None
    if hardware is None:
        machine = describe(catalog, said) if describing else override(detect(catalog, measure=measure), said)
        return machine if gpus_per_node is None else _with_gpus(machine, gpus_per_node)
    if said.device is not None:
        raise UsageError("--hardware and --device both name a machine", hint="give one of them")
    from qwen_advisor.profiles.files import read_profile  # noqa: PLC0415  with --hardware only

    machine = _changed(catalog, read_profile(hardware, catalog), said)
    return machine if gpus_per_node is None else _with_gpus(machine, gpus_per_node)


def _with_gpus(machine: Machine, count: int) -> Machine:
    """The machine with so many of its GPU."""
    if len(machine.accelerators) == count:
        return machine
    if len(machine.accelerators) != 1 or machine.memory.unified:
        has = len(machine.accelerators)
        raise UsageError(f"--gpus-per-node {count} contradicts the {has} of this machine", hint="name one GPU by --gpu")
    sources = {**machine.sources, "accelerators": "--gpus-per-node"}
    return replace(machine, accelerators=machine.accelerators * count, sources=sources)


def calibration_for(machine: Machine, catalog: Catalog, *, hardware: Path | None) -> Calibration:
    """The factors that were measured on this machine; none where it is another that is asked for.

    Raises:
        UsageError: the file that holds them cannot be read.
    """
    if hardware is not None or machine.described:
        return {}
    from qwen_advisor.calibration import lapsed, load  # noqa: PLC0415  for this very machine only

    if lapsed(machine, catalog):
        talk.hint("speeds were calibrated for another version: measure again by qwen-advisor bench --calibrate")
    return load(machine, catalog)


def _changed(catalog: Catalog, saved: Machine, said: Description) -> Machine:
    """A saved machine with other memory or other GPUs, and with single figures replaced."""
    machine = saved
    if said.ram is not None:
        memory = replace(machine.memory, total=said.ram, available=said.ram, limit=None)
        shared = tuple(_resized(a, said.ram) if a.shared > said.ram else a for a in machine.accelerators)
        sources = {**machine.sources, "memory.total": "--ram"}
        machine = replace(machine, memory=memory, accelerators=shared, sources=sources)
    if said.gpus:
        added = describe(catalog, Description(gpus=said.gpus, vram=said.vram, ram=machine.memory.total))
        if added.memory.unified:
            raise UsageError("this GPU brings its own machine", hint="leave --hardware out, or name a card")
        kept = {key: value for key, value in machine.sources.items() if not key.startswith("accelerators")}
        kept |= {key: value for key, value in added.sources.items() if key.startswith("accelerators")}
        memory = replace(machine.memory, unified=False)
        machine = replace(machine, accelerators=added.accelerators, memory=memory, sources=kept)
    elif said.vram is not None:
        if not machine.accelerators:
            raise UsageError("--vram says nothing of a machine without a GPU", hint="name one by --gpu")
        total = machine.memory.total
        resized = tuple(_resized(a, min(said.vram, total) if a.shared else said.vram) for a in machine.accelerators)
        sources = machine.sources | {f"accelerators[{i}].memory": "--vram" for i in range(len(resized))}
        machine = replace(machine, accelerators=resized, sources=sources)
    return override(machine, said)


def _resized(accelerator: Accelerator, size: int) -> Accelerator:
    """The accelerator with ``size`` bytes, all of them free; what it has apart from main memory it keeps."""
    apart = accelerator.memory - accelerator.shared
    shared = max(0, size - apart) if accelerator.shared else 0
    why = f"limited to {gib(size)} as described"
    return replace(accelerator, memory=size, free=size, shared=shared, reserve=0, reserve_why=why)
