"""The variables that hide GPUs, and several GPUs told apart and joined."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Machine
from qwen_advisor.probes.assemble import interpret
from qwen_advisor.probes.evidence import Evidence
from qwen_advisor.probes.found import FoundGpu, FoundSlice, joined
from qwen_advisor.probes.visibility import listed, visible
from qwen_advisor.units import GIB, MIB

A, B, C = (f"GPU-{letter * 8}-1111-2222-3333-444455556666" for letter in "abc")
NVIDIA = [
    FoundGpu(vendor="nvidia", source="NVML", name="NVIDIA GeForce RTX 3060", uuid=A),
    FoundGpu(vendor="nvidia", source="NVML", name="NVIDIA GeForce RTX 4090", uuid=B),
    FoundGpu(vendor="nvidia", source="NVML", name="NVIDIA GeForce RTX 4090", uuid=C),
]
AMD = [FoundGpu(vendor="amd", source="sysfs", name=f"card {n}", uuid=f"GPU-{n}{n}") for n in range(4)]
INTEL = FoundGpu(vendor="intel", source="sysfs", name="Arc B580")


@pytest.mark.parametrize(
    ("text", "devices"),
    [(None, None), ("", []), ("-1", []), ("none", []), ("NoDevFiles", []), ("0", ["0"]), ("1, 0", ["1", "0"])],
)
def test_lists(text: str | None, devices: list[str] | None) -> None:
    assert listed(text) == devices


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("0", [A]),
        ("2,0", [C, A]),
        ("0,1,2", [A, B, C]),
        ("", []),
        ("-1", []),
        ("1,-1,2", [B]),  # the first entry that names none ends the list
        ("0,7,1", [A]),
        ("0,0,1", [A]),
        (B, [B]),
        ("GPU-bbbb", [B]),
        ("GPU-", []),  # begins the name of three
        ("GPU-zzzz", []),
        ("hello", []),
    ],
)
def test_cuda_visible_devices(value: str, left: list[str]) -> None:
    seen, notes = visible([*NVIDIA, INTEL], {"CUDA_VISIBLE_DEVICES": value, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"})
    assert [gpu.uuid for gpu in seen if gpu.vendor == "nvidia"] == left
    assert seen[-1] is INTEL
    assert notes == [f"CUDA_VISIBLE_DEVICES={value} leaves {len(left)} of 3 NVIDIA GPUs visible; unset it to use all"]


def test_an_index_among_unlike_cards_depends_on_the_order() -> None:
    notes = visible(NVIDIA, {"CUDA_VISIBLE_DEVICES": "0"})[1]
    assert any("CUDA_DEVICE_ORDER" in note for note in notes)
    assert not any("CUDA_DEVICE_ORDER" in note for note in visible(NVIDIA[1:], {"CUDA_VISIBLE_DEVICES": "0"})[1])
    assert not any("CUDA_DEVICE_ORDER" in note for note in visible(NVIDIA, {"CUDA_VISIBLE_DEVICES": B})[1])


@pytest.mark.parametrize(
    ("environment", "left"),
    [
        ({"ROCR_VISIBLE_DEVICES": "1,2,3"}, [1, 2, 3]),
        ({"HIP_VISIBLE_DEVICES": "3"}, [3]),
        ({"ROCR_VISIBLE_DEVICES": "1,2,3", "HIP_VISIBLE_DEVICES": "0"}, [1]),  # counts what ROCR has left
        ({"ROCR_VISIBLE_DEVICES": "GPU-22"}, [2]),
        ({"HIP_VISIBLE_DEVICES": "-1"}, []),
        ({"CUDA_VISIBLE_DEVICES": "2"}, [2]),  # HIP honours it too
        ({"CUDA_VISIBLE_DEVICES": "2", "HIP_VISIBLE_DEVICES": "1"}, [1]),
        ({"GPU_DEVICE_ORDINAL": "0,1"}, [0, 1]),
        ({}, [0, 1, 2, 3]),
    ],
)
def test_variables_of_rocm(environment: dict[str, str], left: list[int]) -> None:
    seen, notes = visible(AMD, environment)
    assert seen == [AMD[n] for n in left]
    assert len(notes) == len(environment) - (
        "HIP_VISIBLE_DEVICES" in environment and "CUDA_VISIBLE_DEVICES" in environment
    )


def test_cuda_hides_no_amd_card_beside_an_nvidia_one() -> None:
    seen, _ = visible([NVIDIA[0], AMD[0]], {"CUDA_VISIBLE_DEVICES": ""})
    assert seen == [AMD[0]]


def test_one_mig_instance_by_its_uuid() -> None:
    slices = (FoundSlice(uuid="MIG-aaaa", total=GIB), FoundSlice(uuid="MIG-bbbb", total=2 * GIB))
    parent = FoundGpu(vendor="nvidia", source="NVML", name="NVIDIA H100", uuid=A, mig=True, slices=slices)
    (seen,), _ = visible([parent], {"CUDA_VISIBLE_DEVICES": "MIG-bbbb"})
    assert seen.slices == slices[1:]


def test_two_accounts_of_one_card_complete_each_other() -> None:
    first = FoundGpu(vendor="nvidia", source="NVML", name="NVIDIA GeForce RTX 4090", total=None, bus="0000:01:00.0")
    second = FoundGpu(vendor="nvidia", source="registry", name="other", total=24 * GIB, driver="581.57")
    both = joined(first, second)
    assert (both.name, both.source, both.total, both.driver) == (first.name, "NVML", 24 * GIB, "581.57")


def seen_by(facts: Catalog, devices: list[dict[str, Any]], **more: Any) -> Machine:
    files = {"/proc/meminfo": "MemTotal: 65536000 kB\nMemAvailable: 60000000 kB\n", **more.pop("files", {})}
    nvml = json.dumps({"driver": "580.95.05", "devices": devices})
    return interpret(Evidence(system="linux", arch="x86_64", files=files, readings={"nvml": nvml}, **more), facts)


def card(name: str, device: int, total: int, bus: str, **more: Any) -> dict[str, Any]:
    memory = {"total": total * MIB, "free": (total - 400) * MIB, "reserved": 400 * MIB, "used": 0}
    return {"name": name, "device_id": device << 16 | 0x10DE, "memory": memory, "bus": bus, **more}


def test_free_and_total_are_two_numbers(facts: Catalog) -> None:
    busy = card("NVIDIA GeForce RTX 4090", 0x2684, 24564, "0000:01:00.0")
    busy["memory"] |= {"free": 3000 * MIB, "used": 21164 * MIB}
    (accelerator,) = seen_by(facts, [busy]).accelerators
    assert (accelerator.memory, accelerator.free) == (24564 * MIB, 3000 * MIB)
    assert "20.7 GiB is in use now" in accelerator.reserve_why


def test_the_same_card_seen_on_the_bus_and_by_lspci_is_one(facts: Catalog) -> None:
    folder = "/sys/bus/pci/devices/0000:01:00.0"
    files = {f"{folder}/class": "0x030000", f"{folder}/vendor": "0x10de", f"{folder}/device": "0x2684"}
    listing = "01:00.0 VGA compatible controller [0300]: NVIDIA Corporation AD102 [GeForce RTX 4090] [10de:2684]\n"
    shown = "GPU0:\n\tdeviceName = NVIDIA GeForce RTX 4090\n"
    device = card("NVIDIA GeForce RTX 4090", 0x2684, 24564, "00000000:01:00.0")
    commands = {"lspci -nn": listing, "vulkaninfo --summary": shown}
    machine = seen_by(facts, [device], files=files, commands=commands)
    assert [a.name for a in machine.accelerators] == ["NVIDIA GeForce RTX 4090"]
    assert not any("no driver answers" in note for note in machine.notes)


def test_like_cards_stay_two(facts: Catalog) -> None:
    cards = [card("NVIDIA GeForce RTX 3090", 0x2204, 24576, f"00000000:0{n}:00.0") for n in (1, 2)]
    assert len(seen_by(facts, cards).accelerators) == 2


@pytest.mark.parametrize(
    ("name", "device", "total", "spec", "rate"),
    [
        ("NVIDIA GeForce RTX 3060", 0x2503, 12288, "rtx-3060-12gb", 360),
        ("NVIDIA GeForce RTX 3060", 0x2504, 8192, "rtx-3060-8gb", 240),
        ("NVIDIA GeForce RTX 3080", 0x2206, 10240, "rtx-3080-10gb", 760.3),
        ("NVIDIA GeForce RTX 3080", 0x220A, 12288, "rtx-3080-12gb", 912.4),
        ("NVIDIA GeForce RTX 4060 Ti", 0x2803, 8188, "rtx-4060-ti-8gb", 288),
        ("NVIDIA GeForce RTX 4060 Ti", 0x2805, 16380, "rtx-4060-ti-16gb", 288),
        ("NVIDIA A100-SXM4-80GB", 0x20B2, 81920, "a100-sxm4-80gb", 2039),
        ("NVIDIA A100-SXM4-40GB", 0x20B0, 40960, "a100-sxm4-40gb", 1555),
        ("NVIDIA RTX A1000", 0xFFFF, 8192, "rtx-a1000", 192),
        ("Tesla M40 24GB", 0xFFFF, 22945, "tesla-m40-24gb", 288),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", 0xFFFF, 16376, "rtx-4090-laptop", 576),
        ("NVIDIA L40S", 0xFFFF, 46068, "l40s", 864),
    ],
)
def test_name_id_and_memory_tell_a_card(
    name: str, device: int, total: int, spec: str, rate: float, facts: Catalog
) -> None:
    (accelerator,) = seen_by(facts, [card(name, device, total, "0000:01:00.0")]).accelerators
    assert accelerator.spec == spec
    assert accelerator.memory == total * MIB
    assert accelerator.memory_bandwidth == pytest.approx(rate * 1e9, rel=0.006)


def test_the_clock_tells_two_memories_of_one_name(facts: Catalog) -> None:
    def bandwidth(clock: int) -> float | None:
        device = card("NVIDIA GeForce GTX 1650", 0xFFFF, 4096, "0000:01:00.0", bus_width=128, max_memory_clock=clock)
        return seen_by(facts, [device]).accelerators[0].memory_bandwidth

    assert bandwidth(4001) == pytest.approx(128e9, rel=0.002)  # GDDR5
    assert bandwidth(6001) == pytest.approx(192e9, rel=0.002)  # GDDR6


def test_a_card_that_no_catalogue_knows_keeps_what_its_driver_tells(facts: Catalog) -> None:
    device = card("NVIDIA RTX 9999", 0xFFFF, 49152, "0000:01:00.0", bus_width=512, max_memory_clock=14001)
    machine = seen_by(facts, [device])
    (accelerator,) = machine.accelerators
    assert (accelerator.spec, accelerator.memory) == (None, 49152 * MIB)
    assert accelerator.memory_bandwidth == pytest.approx(1792e9, rel=0.001)
    assert any("RTX 9999 is not in the catalogue" in note for note in machine.notes)


def test_clock_and_data_sheet_that_differ_are_said(facts: Catalog) -> None:
    device = card("NVIDIA H200", 0x2335, 143771, "0000:01:00.0", bus_width=6144, max_memory_clock=3500)
    machine = seen_by(facts, [device])
    assert machine.accelerators[0].memory_bandwidth == 4800e9
    assert any("data sheet 4800" in note for note in machine.notes)


def test_an_old_driver_is_said(facts: Catalog) -> None:
    files = {"/proc/meminfo": "MemTotal: 65536000 kB\nMemAvailable: 60000000 kB\n"}
    device = card("NVIDIA GeForce RTX 3090", 0x2204, 24576, "0000:01:00.0")
    nvml = json.dumps({"driver": "470.256.02", "devices": [device]})
    machine = interpret(Evidence(system="linux", arch="x86_64", files=files, readings={"nvml": nvml}), facts)
    assert any("470.256.02 is too old for CUDA 12" in note for note in machine.notes)


def test_mig_without_instances_cannot_be_used(facts: Catalog) -> None:
    device = card("NVIDIA H100 80GB HBM3", 0x2330, 81559, "0000:01:00.0", mig=True, slices=[])
    machine = seen_by(facts, [device])
    assert machine.accelerators == ()
    assert any("split by MIG and its instances cannot be read" in note for note in machine.notes)


def test_memory_that_cannot_be_read_is_no_zero(facts: Catalog) -> None:
    device = {"name": "NVIDIA RTX 9999", "memory": None, "bus": "0000:01:00.0"}
    machine = seen_by(facts, [device])
    assert machine.accelerators == ()
    assert any("its memory cannot be read" in note for note in machine.notes)
