"""Every parser survives every text: none raises, none makes memory of nothing, and a whole machine stays in bounds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qwen_advisor.catalog import load_catalog
from qwen_advisor.describe import Description, describe
from qwen_advisor.errors import AdvisorError, ProbeError, UsageError
from qwen_advisor.probes import (
    amd,
    apple,
    cgroup,
    cpuinfo,
    engines,
    intel,
    jetson,
    meminfo,
    numbers,
    nvidia,
    pci,
    smbios,
    vulkan,
    windows,
)
from qwen_advisor.probes.assemble import interpret
from qwen_advisor.probes.evidence import Evidence, from_document
from qwen_advisor.probes.visibility import visible

FIXTURES = Path(__file__).parent / "fixtures"
EVIDENCE = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in sorted(FIXTURES.glob("*.yaml"))
    if not path.stem.endswith(".expected")
}
# Texts that fit each parser, to be cut, mixed and bent.
SEEDS = sorted(
    {
        text
        for document in EVIDENCE.values()
        for part in ("files", "commands", "readings")
        for text in document.get(part, {}).values()
    }
    | {'{"card0": {"Card Series": "x", "VRAM Total Memory (B)": "1"}}', '[{"gpu": 0, "vram": {"size": "1 GB"}}]'}
    | {"GPU 0: NVIDIA H100 (UUID: GPU-1)\n  MIG 1g.10gb  Device  0: (UUID: MIG-1)\n", "RAM 5/7844MB", "a,b\n1,2\n"}
    | {
        "GPU 00000000:01:00.0\n    Product Name : NVIDIA L4\n    FB Memory Usage\n        Total : 23034 MiB\n",
        "GPU 00000000:01:00.0\n    MIG Device\n        GPU Instance ID : 1\n        Device Attributes\n",
        "name, memory.total [MiB], mig.mode.current\nNVIDIA L4, 23034 MiB, Disabled\n",
        "|   0  NVIDIA L4      Off |   00000000:01:00.0 Off |  0 |\n| N/A   45C   P8  10W | 1MiB / 23034MiB | 0% |\n",
        "|  0    1   0   0  |  20MiB / 20096MiB |\n",
        "01:00.0 VGA compatible controller [0300]: NVIDIA Corporation AD104GL [L4] [10de:27b8] (rev a1)\n",
        "0, 1, 2, 3, 4, 5\n7, 0, 1, 2, 3, 4\n",
        "Name            AdapterRAM\nNVIDIA L4       4293918720\n",
    },
    key=lambda text: (len(text), text),
)
PARSERS: dict[str, Callable[[str], Any]] = {
    "whole": numbers.whole,
    "number": numbers.number,
    "size": numbers.size,
    "cpu_list": numbers.cpu_list,
    "nvml": nvidia.parse_nvml,
    "nvidia-smi -q -x": nvidia.parse_xml,
    "nvidia-smi -q": nvidia.parse_text,
    "nvidia-smi csv": nvidia.parse_csv,
    "nvidia-smi -L": nvidia.parse_list,
    "nvidia-smi": nvidia.parse_table,
    "rocm-smi json": amd.parse_rocm_smi,
    "rocm-smi csv": amd.parse_rocm_smi_csv,
    "rocm-smi text": amd.parse_rocm_smi_text,
    "amd-smi": amd.parse_amd_smi,
    "xpu-smi": intel.parse_xpu_smi,
    "lspci": pci.parse_lspci,
    "vulkaninfo": vulkan.parse_vulkan,
    "cim": windows.parse_cim,
    "registry": windows.parse_registry,
    "wmic": windows.parse_wmic,
    "pairs": windows.parse_pairs,
    "cpuinfo": cpuinfo.parse_cpuinfo,
    "condense": cpuinfo.condense_cpuinfo,
    "lscpu": cpuinfo.parse_lscpu,
    "cpuid": cpuinfo.parse_cpuid_dump,
    "meminfo": meminfo.parse_meminfo,
    "dmidecode": smbios.parse_memory_devices,
    "sysctl": lambda text: apple.cpu_of(apple.parse_sysctl(text)),
    "vm_stat": lambda text: apple.memory_of(apple.parse_sysctl(text), text),
    "ioreg": apple.parse_ioreg,
    "metal": apple.parse_metal,
    "list-devices": apple.parse_list_devices,
    "system_profiler": lambda text: apple.profiler_memory(apple.parse_profiler(text)),
    "tegrastats": jetson.parse_tegrastats,
    "jetson": lambda text: jetson.jetson_name(text, text),
    "cgroup": lambda text: cgroup.parse_limits(text, text, {"/sys/fs/cgroup/memory.max": text}),
    "cpu.max": cgroup.cpu_quota_v2,
    "cfs_quota": lambda text: cgroup.cpu_quota_v1(text, text),
    "versions": lambda text: [engines.program_version(program, text) for program in engines.PROGRAMS],
    "packages": lambda text: engines.packages(text.splitlines()),
    "servers": lambda text: [engines.server(port, text) for port in engines.PORTS],
    "visibility": lambda text: visible([], {"CUDA_VISIBLE_DEVICES": text}),
}
WORDS = st.sampled_from(
    (
        "[N/A]",
        "N/A",
        "-1",
        "0",
        "max",
        "9" * 30,
        "1e999",
        "\0",
        "²",
        "٣",
        "{",
        "}",
        "[",
        "]",
        "|",
        ":",
        ",",
        " MiB",
        "null",
    )
)


@st.composite
def bent(draw: st.DrawFn) -> str:
    """A fitting text, cut, doubled, with words in it that do not belong there; or any text at all."""
    if draw(st.integers(0, 3)) == 0:
        return draw(st.text(max_size=60))
    text = draw(st.sampled_from(SEEDS))[:3000]
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        change = draw(st.integers(0, 3))
        if change == 0:
            text = text[:at]
        elif change == 1:
            text = text[:at] + draw(WORDS) + text[at:]
        elif change == 2:
            text = text[:at] + text[at + draw(st.integers(1, 40)) :]
        else:
            text = re.sub(r"\d+", lambda _: draw(WORDS), text[at:], count=2)
    return text


def sound(value: Any) -> None:
    """What is found has no negative and no endless sizes, and none that is zero for unknown."""
    for gpu in value if isinstance(value, list) else [value]:
        for name in ("total", "shared_total"):
            amount = getattr(gpu, name, None)
            assert amount is None or 0 < amount < 1 << 64 or (name == "shared_total" and amount == 0)
        for name in ("used", "free", "reserved", "available"):
            amount = getattr(gpu, name, None)
            assert amount is None or 0 <= amount < 1 << 64


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(text=bent())
def test_parsers_survive_every_text(name: str, text: str) -> None:
    value = PARSERS[name](text)
    if name not in ("cim", "registry", "meminfo", "visibility", "versions", "servers"):
        sound(value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    "devices",
                    "name",
                    "memory",
                    "total",
                    "free",
                    "slices",
                    "bus",
                    "index",
                    "uuid",
                    "driver",
                    "device_id",
                    "card0",
                    "VRAM Total Memory (B)",
                    "GFX Version",
                    "gpu_data",
                    "asic",
                    "vram",
                    "size",
                    "value",
                    "unit",
                    "device_list",
                    "memory_physical_size_byte",
                    "Name",
                    "AdapterRAM",
                    "bus_width",
                    "max_memory_clock",
                    "recommendedMaxWorkingSetSize",
                    "SPHardwareDataType",
                    "compute_capability",
                    "mig",
                    "profile",
                )
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=VALUES)
def test_parsers_of_json_survive_every_document(document: Any) -> None:
    text = json.dumps(document)
    for name in (
        "nvml",
        "rocm-smi json",
        "amd-smi",
        "xpu-smi",
        "cim",
        "registry",
        "metal",
        "system_profiler",
        "servers",
    ):
        PARSERS[name](text)


@settings(max_examples=80, deadline=None)
@given(table=st.binary(max_size=300))
def test_the_firmware_table_survives_every_byte(table: bytes) -> None:
    smbios.parse_memory_devices(smbios.memory_devices_text(table))
    smbios.memory_devices_text(b"\x11\x28" + table)


FACTS = load_catalog()


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data(), name=st.sampled_from(sorted(EVIDENCE)))
def test_bent_evidence_comes_to_a_machine_in_bounds_or_to_none(data: st.DataObject, name: str) -> None:
    document = {**EVIDENCE[name]}
    for part in ("files", "commands", "readings"):
        texts = dict(document.get(part, {}))
        for place in sorted(texts):
            match data.draw(st.integers(0, 5)):
                case 0:
                    texts[place] = data.draw(bent())
                case 1:
                    del texts[place]
        document[part] = texts
    try:
        machine = interpret(from_document(document, name), FACTS)
    except ProbeError:
        return
    assert 0 <= machine.memory.budget <= machine.memory.available <= machine.memory.total
    assert 1 <= machine.cpu.usable_cores <= machine.cpu.physical_cores <= machine.cpu.logical_cores
    for accelerator in machine.accelerators:
        assert 0 <= accelerator.budget <= accelerator.memory
        assert accelerator.memory_bandwidth is None or accelerator.memory_bandwidth > 0


@settings(max_examples=80, deadline=None)
@given(document=st.dictionaries(st.sampled_from(("schema", "system", "files", "readings", "arch")), VALUES, max_size=5))
def test_no_document_is_evidence_by_accident(document: dict[str, Any]) -> None:
    whole = {"schema": "qwen-advisor/evidence/1", "system": "linux"} | document
    try:
        assert isinstance(from_document(whole, "x"), Evidence)
    except UsageError as error:
        assert error.message  # noqa: PT017  most documents raise nothing


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=20) | st.from_regex(r"[0-9x× ]{0,5}(RTX|RX|M|H|A)[ 0-9A-Za-z,()x]{0,14}", fullmatch=True))
def test_every_name_means_something_or_is_one_fault(text: str) -> None:
    for said in (Description(gpus=(text,)), Description(device=text)):
        try:
            assert describe(FACTS, said).cpu.name
        except AdvisorError as error:
            assert error.exit_code == 2  # noqa: PT017  most names raise nothing
            assert "\n" not in error.message or "\n" in text  # noqa: PT017
