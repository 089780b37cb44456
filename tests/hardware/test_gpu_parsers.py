"""What tools print of GPUs, read: one row for each form and each way of not knowing. The texts are ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qwen_advisor.probes import (
    amd,
    intel,
    nvidia,
    pci,
    vulkan,
    windows,
)
from qwen_advisor.probes.found import FoundGpu
from qwen_advisor.units import GIB, MIB

UUID = "GPU-0a1b2c3d-1111-2222-3333-444455556666"


def of(gpus: list[FoundGpu]) -> list[tuple[Any, ...]]:
    """The facts of each GPU that decide what it is and what fits."""
    return [(g.name, g.total and g.total // MIB, g.free and g.free // MIB, g.pci_id) for g in gpus]


XML = """<?xml version="1.0" ?><nvidia_smi_log><driver_version>580.95.05</driver_version>
<gpu id="00000000:01:00.0"><product_name>NVIDIA GeForce RTX 3090</product_name><uuid>{uuid}</uuid>
<pci><pci_bus_id>00000000:01:00.0</pci_bus_id><pci_device_id>220410DE</pci_device_id><pci_gpu_link_info>
<pcie_gen><max_link_gen>4</max_link_gen></pcie_gen><link_widths><max_link_width>16x</max_link_width></link_widths>
</pci_gpu_link_info></pci><fb_memory_usage><total>24576 MiB</total>{reserved}<used>10 MiB</used><free>24247 MiB</free>
</fb_memory_usage><max_clocks><mem_clock>9751 MHz</mem_clock></max_clocks></gpu></nvidia_smi_log>"""


@pytest.mark.parametrize("reserved", ["", "<reserved>319 MiB</reserved>", "<reserved>N/A</reserved>"])
def test_nvidia_smi_as_xml_with_tags_that_come_and_go(reserved: str) -> None:
    (gpu,) = nvidia.parse_xml(XML.format(uuid=UUID, reserved=reserved))
    assert of([gpu]) == [("NVIDIA GeForce RTX 3090", 24576, 24247, "10de:2204")]
    assert gpu.reserved == (319 * MIB if "319" in reserved else None)
    assert gpu.uuid == UUID
    assert gpu.bus == "0000:01:00.0"
    assert gpu.driver == "580.95.05"
    assert gpu.pcie_bandwidth == pytest.approx(31.5e9, rel=0.001)  # PCIe 4.0, sixteen lanes


def test_xml_with_entities_or_broken_is_no_account() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
    assert nvidia.parse_xml(bomb) == []
    assert nvidia.parse_xml("<nvidia_smi_log><gpu>") == []


@pytest.mark.parametrize("unknown", ["[N/A]", "N/A", "[Not Supported]", "[Unknown Error]"])
def test_unknown_memory_is_not_zero(unknown: str) -> None:
    (gpu,) = nvidia.parse_csv(f"name, memory.total [MiB], memory.free [MiB]\nNVIDIA GB10, {unknown}, {unknown}\n")
    assert (gpu.name, gpu.total, gpu.free, gpu.integrated) == ("NVIDIA GB10", None, None, True)


def test_csv_with_and_without_header() -> None:
    header = "index, name, pci.device_id, memory.total [MiB], memory.free [MiB], compute_cap\n"
    row = "0, NVIDIA GeForce RTX 4090, 0x268410DE, 24564 MiB, 23000 MiB, 8.9\n"
    columns = ("index", "name", "pci.device_id", "memory.total", "memory.free", "compute_cap")
    bare = row.replace(" MiB", "")
    for gpus in (nvidia.parse_csv(header + row), nvidia.parse_csv(bare, columns)):
        assert of(gpus) == [("NVIDIA GeForce RTX 4090", 24564, 23000, "10de:2684")]
        assert gpus[0].compute_capability == "8.9"


def test_list_of_gpus_with_mig_instances() -> None:
    text = (
        f"GPU 0: NVIDIA H100 80GB HBM3 (UUID: {UUID})\n"
        "  MIG 3g.40gb     Device  0: (UUID: MIG-aaaa)\n"
        "  MIG 1g.10gb     Device  1: (UUID: MIG-bbbb)\n"
    )
    (gpu,) = nvidia.parse_list(text)
    assert gpu.mig
    assert [(one.profile, one.uuid) for one in gpu.slices] == [("3g.40gb", "MIG-aaaa"), ("1g.10gb", "MIG-bbbb")]
    assert gpu.total is None


def test_compute_instances_of_one_gpu_instance_share_its_memory() -> None:
    device = {"index": 0, "name": "NVIDIA H100 80GB HBM3", "mig": True, "memory": {"total": 80 * GIB}}
    one = {"gpu_instance": 2, "total": 40 * GIB, "used": 0}
    shared = [one | {"profile": "1c.3g.40gb"}, one | {"profile": "2c.3g.40gb"}, {"gpu_instance": 9, "total": 10 * GIB}]
    (gpu,) = nvidia.parse_nvml(json.dumps({"devices": [device | {"slices": shared}]}))
    assert [s.total for s in gpu.slices] == [40 * GIB, 10 * GIB]


TABLE = """\
| NVIDIA-SMI 560.94                 Driver Version: 560.94         CUDA Version: 12.6     |
|   0  NVIDIA GeForce RTX 3070 ...  WDDM  |   00000000:01:00.0  On |                  N/A |
| N/A   45C    P8             10W /  115W |     512MiB /   8192MiB |      0%      Default |
"""


def test_the_table_cuts_names_off() -> None:
    (gpu,) = nvidia.parse_table(TABLE)
    assert (gpu.name, gpu.total, gpu.used, gpu.display) == (
        "NVIDIA GeForce RTX 3070 ...",
        8192 * MIB,
        512 * MIB,
        True,
    )


@pytest.mark.parametrize("memory", ["None", "{}", '{"total": 0}', '{"total": "24 GiB"}', '{"total": true}'])
def test_nvml_without_memory(memory: str) -> None:
    value = None if memory == "None" else json.loads(memory)
    (gpu,) = nvidia.parse_nvml(json.dumps({"devices": [{"name": "NVIDIA GB10", "memory": value}]}))
    assert (gpu.total, gpu.free, gpu.integrated) == (None, None, True)


def test_nvml_tells_bandwidth_by_clock_and_width() -> None:
    device = {"name": "NVIDIA L40S", "bus_width": 384, "max_memory_clock": 9001, "memory": {"total": 46068 * MIB}}
    (gpu,) = nvidia.parse_nvml(json.dumps({"driver": "550.54.15", "devices": [device]}))
    assert gpu.bandwidth == pytest.approx(864.1e9, rel=1e-4)  # data sheet of the L40S: 864 GB/s


@pytest.mark.parametrize(("text", "bus"), [("00000000:01:00.0", "0000:01:00.0"), ("01:00.0", "0000:01:00.0"), ("", "")])
def test_bus_addresses(text: str, bus: str) -> None:
    assert nvidia.normal_bus(text) == bus


@pytest.mark.parametrize(
    ("version", "target"),
    [(110000, "gfx1100"), (90010, "gfx90a"), (90402, "gfx942"), (110501, "gfx1151"), (120001, "gfx1201"), (0, None)],
)
def test_targets_of_rocm(version: int, target: str | None) -> None:
    assert amd.gfx_target(version) == target


ROCM = {
    "old keys": '{"card0": {"Card series": "Navi 22 [Radeon RX 6700 XT]", "VRAM Total Memory (B)": "12868124672",'
    ' "VRAM Total Used Memory (B)": "24576"}}',
    "new keys": '{"card0": {"Card Series": "Radeon RX 6700 XT", "Device ID": "0x73df", "GFX Version": "gfx1031",'
    ' "VRAM Total Memory (B)": "12868124672", "VRAM Total Used Memory (B)": "24576"}, "system": {"Driver": "6.8"}}',
    "after a warning": "WARNING: AMD GPU device(s) is/are in a low-power state. Check power control/runtime_status\n\n"
    '{"card0": {"Card Series": "AMD Radeon RX 6700 XT", "VRAM Total Memory (B)": "12868124672"}}',
}


@pytest.mark.parametrize("form", ROCM)
def test_rocm_smi_of_every_version(form: str) -> None:
    (gpu,) = amd.parse_rocm_smi(ROCM[form])
    assert (gpu.name, gpu.total) == ("AMD Radeon RX 6700 XT", 12868124672)
    assert gpu.used == (None if "warning" in form else 24576)


def test_rocm_smi_as_csv_and_as_text() -> None:
    text = "device,Card Series,VRAM Total Memory (B)\ncard0,Radeon RX 7900 XTX,25753026560\n"
    lines = "GPU[0]\t\t: Card Series: \t\tRadeon RX 7900 XTX\nGPU[0]\t\t: VRAM Total Memory (B): 25753026560\n"
    for gpus in (amd.parse_rocm_smi_csv(text), amd.parse_rocm_smi_text(lines)):
        assert [(g.name, g.total) for g in gpus] == [("AMD Radeon RX 7900 XTX", 25753026560)]


@pytest.mark.parametrize("text", ["", "WARNING: No JSON data to report", "{", "[]", '{"card0": 3}', "null"])
def test_rocm_smi_without_an_answer(text: str) -> None:
    assert amd.parse_rocm_smi(text) == []


CARD = {
    "gpu": 0,
    "asic": {"market_name": "AMD Instinct MI300X", "device_id": "0x74a1", "target_graphics_version": "gfx942"},
    "vram": {"size": {"value": 196592, "unit": "MB"}},
    "bus": {"bdf": "0000:05:00.0"},
}


@pytest.mark.parametrize("document", [[CARD], {"gpu_data": [CARD]}])
def test_amd_smi_wraps_its_list_or_not(document: Any) -> None:
    (gpu,) = amd.parse_amd_smi(json.dumps(document))
    assert of([gpu]) == [("AMD Instinct MI300X", 196592, None, "1002:74a1")]
    assert gpu.compute_capability == "gfx942"


def test_amd_smi_without_memory_is_unknown() -> None:
    (gpu,) = amd.parse_amd_smi(json.dumps([CARD | {"vram": {"size": "N/A"}}]))
    assert gpu.total is None


@pytest.mark.parametrize(
    ("files", "total"),
    [
        ({"tile0/physical_vram_size_bytes": "12616466432\n"}, 12616466432),
        ({"tile0/physical_vram_size_bytes": "64", "tile1/physical_vram_size_bytes": "64"}, 128),
        ({"drm/card1/lmem_total_bytes": "17028874240"}, 17028874240),
        ({"drm/card1/lmem_total_bytes": "x"}, None),
        ({"resource2": "268435456"}, None),  # a window of the bus is no memory
    ],
)
def test_intel_memory_of_its_own(files: dict[str, str], total: int | None) -> None:
    assert intel.local_memory(files) == total


def test_lspci_names_and_classes() -> None:
    text = (
        "0000:01:00.0 VGA compatible controller [0300]: NVIDIA Corporation AD102 [GeForce RTX 4090] [10de:2684]"
        " (rev a1)\n"
        "0000:01:00.1 Audio device [0403]: NVIDIA Corporation AD102 High Definition Audio [10de:22ba] (rev a1)\n"
        "03:00.0 Display controller: Advanced Micro Devices, Inc. [AMD/ATI] Aldebaran [Instinct MI210]\n"
        "00:02.0 VGA compatible controller: Intel Corporation Device a780\n"
    )
    assert [(g.vendor, g.name, g.bus, g.integrated) for g in pci.parse_lspci(text)] == [
        ("nvidia", "NVIDIA GeForce RTX 4090", "0000:01:00.0", None),
        ("amd", "AMD Instinct MI210", "0000:03:00.0", None),
        ("intel", "Intel Device a780", "0000:00:02.0", True),
    ]


def test_vulkan_names_without_software() -> None:
    text = (
        "GPU0:\n\tdeviceName        = AMD Radeon RX 7900 XTX (RADV NAVI31)\nGPU1:\n\tdeviceName = llvmpipe (LLVM 17)\n"
    )
    assert [(g.vendor, g.name, g.total) for g in vulkan.parse_vulkan(text)] == [("amd", "AMD Radeon RX 7900 XTX", None)]


@pytest.mark.parametrize(
    ("ram", "total"),
    [(2147483648, 2147483648), (4293918720, None), (-1048576, None), (None, None), ("4294967295", None)],
)
def test_adapter_sizes_of_32_bits(ram: Any, total: int | None) -> None:
    (gpu,) = windows.parse_cim(json.dumps({"Name": "NVIDIA GeForce RTX 4090", "AdapterRAM": ram}))
    assert gpu.total == total


def test_adapters_that_only_software_makes() -> None:
    rows = [{"Name": name, "AdapterRAM": 0} for name in ("Microsoft Basic Display Adapter", "Parsec Virtual Display")]
    assert windows.parse_cim(json.dumps(rows)) == []


def folder(bus: str, kind: str, vendor: str, device: str, **more: str) -> dict[str, str]:
    """Files of one device of the bus."""
    named = {"class": kind, "vendor": vendor, "device": device, "revision": "0xc8"} | more
    return {f"/sys/bus/pci/devices/{bus}/{name}": text for name, text in named.items()}


@pytest.mark.parametrize(
    ("kind", "vendor", "device", "is_gpu"),
    [
        ("0x030000", "0x10de", "0x2684", True),
        ("0x030200", "0x10de", "0x2330", True),  # a 3D controller without a display
        ("0x038000", "0x1002", "0x740f", True),  # Instinct
        ("0x120000", "0x1002", "0x74a1", True),  # Instinct as a processing accelerator
        ("0x120000", "0x8086", "0x643e", False),  # Intel's NPU
        ("0x118000", "0x1022", "0x17f0", False),  # AMD's NPU
        ("0x040300", "0x10de", "0x22ba", False),  # the card's sound
    ],
)
def test_what_is_a_gpu_on_the_bus(kind: str, vendor: str, device: str, *, is_gpu: bool) -> None:
    assert bool(pci.sysfs_gpus(folder("0000:03:00.0", kind, vendor, device))) == is_gpu


@pytest.mark.parametrize(("device", "target", "shared"), [("0x744c", "gfx1100", None), ("0x1586", "gfx1151", 64 * GIB)])
def test_only_a_chip_without_memory_of_its_own_maps_main_memory(device: str, target: str, shared: int | None) -> None:
    sizes = {"mem_info_vram_total": str(GIB), "mem_info_vram_used": "0", "mem_info_gtt_total": str(64 * GIB)}
    (found,) = pci.sysfs_gpus(folder("0000:c3:00.0", "0x030000", "0x1002", device, **sizes))
    gpu = amd.from_sysfs(found, {"0000:c3:00.0": target})
    assert (gpu.total, gpu.shared_total, gpu.integrated) == (GIB, shared, shared is not None)
    assert gpu.revision == "c8"


def test_kfd_tells_the_target_of_a_bus_address() -> None:
    text = "simd_count 192\ngfx_target_version 110000\nlocation_id 768\ndomain 0\n"
    nodes = "/sys/class/kfd/kfd/topology/nodes"
    cpu = "simd_count 0\ngfx_target_version 0\nlocation_id 0\n"
    assert amd.kfd_targets({f"{nodes}/0/properties": cpu, f"{nodes}/1/properties": text}) == {"0000:03:00.0": "gfx1100"}
