"""The page of machines that are recognised, from the evidence that the tests replay."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from qwen_advisor.catalog import load_catalog
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Machine
from qwen_advisor.profiles.files import read_profile
from qwen_advisor.units import gib

_HEAD = """# Hardware that is recognised

`qwen-advisor inspect-hardware` asks the system and the drivers, and the catalogue completes what they do not tell:
{accelerators} accelerators, {devices} whole machines and {platforms} memory platforms.
What each value came from stands in the row `sources` of its answer, and under `sources` in its JSON.

## Machines of the tests

Each row is a file of `tests/hardware/fixtures/`: evidence as `inspect-hardware --raw` prints it, in the formats of
real drivers and systems.
The tests replay it and hold the outcome against the file `.expected.yaml` beside it.
Memory is given as usable of total.

| machine | processor | main memory | accelerators | sources |
| --- | --- | --- | --- | --- |
"""
_TAIL = """
A file of your own is replayed in the same way: `qwen-advisor inspect-hardware --raw > evidence.yaml` there,
`qwen-advisor inspect-hardware --hardware evidence.yaml` anywhere.

## What is asked

| | Linux, WSL | macOS | Windows |
| --- | --- | --- | --- |
| NVIDIA | NVML; else `nvidia-smi -q -x`, `--query-gpu` | | NVML; else `nvidia-smi`; else the registry |
| AMD | sysfs of amdgpu, topology of KFD | | registry, `Win32_VideoController` |
| Intel | sysfs of xe and i915 | | registry, `Win32_VideoController` |
| Apple | | Metal, `ioreg`, `sysctl iogpu`; else the default of macOS | |
| processor | `/proc/cpuinfo`, capacities of cores | `sysctl` | registry, `IsProcessorFeaturePresent` |
| main memory | `/proc/meminfo` | `sysctl`, `vm_stat` | `GlobalMemoryStatusEx` |
| memory modules | SMBIOS, as root | | `Win32_PhysicalMemory` |
| limits | cgroup v1 and v2, affinity | `iogpu.wired_limit_mb` | affinity |

Evidence that holds the output of `nvidia-smi`, `nvidia-smi -q`, `nvidia-smi -L`, `rocm-smi`, `amd-smi`, `xpu-smi`,
`lspci`, `lscpu`, `vulkaninfo`, `tegrastats`, `dmidecode -t 17`, `system_profiler` or `wmic` is read as well.

`CUDA_VISIBLE_DEVICES`, `ROCR_VISIBLE_DEVICES`, `HIP_VISIBLE_DEVICES` and `GPU_DEVICE_ORDINAL` hide what they hide
from the engines.
Engines are found by their programs, their Python packages, and their servers on the default ports of this host alone.
All is asked at once; what fails or does not answer in time costs one note.

## What memory bandwidth rests on

The first of these that is known: `--ram-bandwidth`; a measurement (`--measure`, or saved by it in a profile); the
speed and channels of the modules; the platform of the processor; the usual memory of such a platform, which is said to
be assumed.
A virtual machine, a container with a CPU quota or a process that is pinned to some cores reads no more than its cores
can.
"""


def hardware(fixtures: Path) -> str:
    """The page, with one row for each file of evidence."""
    catalog = load_catalog()
    head = _HEAD.format(
        accelerators=len(catalog.accelerators), devices=len(catalog.devices), platforms=len(catalog.platforms)
    )
    paths = sorted(path for path in fixtures.glob("*.yaml") if not path.stem.endswith(".expected"))
    return head + "".join(_row(path, catalog) for path in paths) + _TAIL


def _row(path: Path, catalog: Catalog) -> str:
    machine = read_profile(path, catalog)
    cells = (f"`{path.stem}`", _processor(machine), _memory(machine), _accelerators(machine), _sources(machine))
    return f"| {' | '.join(cells)} |\n"


def _processor(machine: Machine) -> str:
    cpu = machine.cpu
    cores = f"{cpu.physical_cores} cores"
    return f"{cpu.name}, {cores}" + (f", {cpu.usable_cores} usable" if cpu.usable_cores < cpu.physical_cores else "")


def _memory(machine: Machine) -> str:
    rate = machine.cpu.memory_bandwidth
    return f"{gib(machine.memory.budget)} of {gib(machine.memory.total)}, {_rate(rate)}"


def _accelerators(machine: Machine) -> str:
    told = Counter(
        f"{a.name}: {gib(a.budget)} of {gib(a.memory)}, {_rate(a.memory_bandwidth)}" for a in machine.accelerators
    )
    return "; ".join(f"{count} x {text}" if count > 1 else text for text, count in told.items()) or "none"


def _rate(rate: float | None) -> str:
    return "bandwidth not known" if rate is None else f"{rate / 1e9:.0f} GB/s"


def _sources(machine: Machine) -> str:
    short = (source.rpartition("/")[2] if source.startswith("/sys") else source for source in machine.sources.values())
    return "; ".join(dict.fromkeys(short))
