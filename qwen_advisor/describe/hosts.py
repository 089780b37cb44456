"""The machine around what was described: an ordinary one of today, named so that it can be disagreed with."""

from __future__ import annotations

from qwen_advisor.describe.platforms import readable_bandwidth
from qwen_advisor.describe.reserves import system_reserve
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Cpu, HostMemory
from qwen_advisor.units import GIB, gib
from qwen_advisor.values import dataclass, replace

_DESKTOP_CLASS = "ddr4-3200-dual-channel"
_SERVER_PLATFORM = "amd-epyc-7002-rome-7003-milan"
_DESKTOP_CORES, _SERVER_CORES = 8, 32
_LARGEST_DESKTOP = 128 * GIB  # four modules of 32 GiB
_LEAST_RAM = 32 * GIB
_AVX2 = ("avx2", "f16c", "fma")


@dataclass(frozen=True, slots=True)
class Host:
    """A processor with its memory, and what was assumed of them."""

    cpu: Cpu
    memory: HostMemory
    sources: dict[str, str]
    notes: tuple[str, ...]


def generic_host(
    catalog: Catalog,
    *,
    ram: int | None,
    cores: int | None = None,
    vram: int = 0,
    server: bool = False,
    gpus: int = 0,
    bandwidth: float | None = None,
) -> Host:
    """An ordinary host with ``ram`` bytes, or with what suits ``gpus`` accelerators of ``vram`` bytes together.

    A desktop with eight cores and two channels of DDR4-3200; a server with 32 cores and eight such channels where the
    accelerators are for data centres or where there is more memory than desktops hold. Of ``cores`` and ``bandwidth``
    (bytes per second) nothing is assumed where they are said.
    """
    suited = ram if ram is not None else _suitable_ram(vram, server=server)
    server = server or suited > _LARGEST_DESKTOP
    platform = catalog.platforms[_SERVER_PLATFORM if server else _DESKTOP_CLASS]
    usual = _SERVER_CORES if server else _DESKTOP_CORES
    what = f"generic {'server' if server else 'x86-64'} processor with AVX2"
    counted = f" and {usual} cores" if cores is None else ""
    memory_kind = f", {platform.platform} memory, {(platform.bandwidth or 0) / 1e9:.1f} GB/s"
    reserve, why = system_reserve(suited, "server" if server else "linux")
    options = (["--ram-bandwidth"] if bandwidth is None else []) + (["--cpu-cores"] if cores is None else [])
    advice = "name the machine by --device" + (f", or say {' and '.join(options)}" if options else "")
    notes = [f"assumed: a {what}{counted}{memory_kind if bandwidth is None else ''}; {advice}"]
    if ram is None:
        notes.append(f"assumed: {gib(suited)} of main memory beside the accelerator{'s' * (gpus > 1)}; say --ram")
    cpu = Cpu(
        name=what[0].upper() + what[1:],
        physical_cores=usual,
        performance_cores=usual,
        logical_cores=2 * usual,
        usable_cores=usual,
        features=_AVX2,
        memory_bandwidth=platform.bandwidth,
    )
    assumed = f"assumed: {platform.platform}"
    sources = {"cpu": "assumed", "cpu.memory_bandwidth": assumed, "memory.total": "--ram" if ram else "assumed"}
    memory = HostMemory(total=suited, available=suited, reserve=reserve, reserve_why=why)
    return Host(cpu, memory, sources, tuple(notes))


def _suitable_ram(vram: int, *, server: bool) -> int:
    """At least 32 GiB; as much as the accelerators hold (twice that in a server), rounded up to a power of two."""
    wanted = max(_LEAST_RAM, vram * (2 if server else 1))
    size = _LEAST_RAM
    while size < wanted:
        size *= 2
    return size


def with_cores(cpu: Cpu, cores: int, *, threads: int | None = None, virtual: bool = False) -> Cpu:
    """The same processor with so many cores; its bandwidth is what these can read of the bus."""
    bandwidth = cpu.memory_bandwidth
    if bandwidth is not None and cpu.memory_bandwidth_basis != "measured":
        bandwidth = readable_bandwidth(bandwidth, cores=cores, threads=threads or cores, virtual=virtual)
    fast = None if cpu.performance_cores is None else min(cores, cpu.performance_cores)
    if cpu.performance_cores == cpu.physical_cores:
        fast = cores
    return replace(
        cpu,
        physical_cores=cores,
        performance_cores=fast,
        efficiency_cores=None if fast is None else cores - fast,
        logical_cores=threads or cores,
        usable_cores=cores,
        memory_bandwidth=bandwidth,
    )
