"""NVIDIA: what NVML answered and what ``nvidia-smi`` prints, in every form of it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from qwen_advisor.describe.gpus import PCIE_LANE
from qwen_advisor.probes.found import FoundGpu, FoundSlice
from qwen_advisor.probes.numbers import number, size, whole

NVML, XML, TEXT, CSV, LIST, TABLE = (
    "NVML",
    "nvidia-smi -q -x",
    "nvidia-smi -q",
    "nvidia-smi --query-gpu",
    "nvidia-smi -L",
    "nvidia-smi",
)
_MIB = 1024**2
# Systems whose GPU has no memory of its own, by the name that the driver prints.
_UNIFIED = re.compile(r"\bGB10\b|\bOrin\b|\bnvgpu\b|\bThor\b|\bXavier\b|\bTegra\b", re.IGNORECASE)
_MAX_TEXT = 8 << 20


def normal_bus(text: str | None) -> str:
    """A PCI address as sysfs writes it: ``0000:01:00.0``."""
    match = re.fullmatch(r"(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([0-9a-f]{2})\.([0-9a-f])", (text or "").strip().lower())
    return f"{(match[1] or '0000')[-4:]}:{match[2]}:{match[3]}.{match[4]}" if match else ""


def pci_id(text: str | int | None) -> str:
    """``10de:2684`` from a device id that holds the vendor in its lower half, as NVML writes it (``268410DE``)."""
    value = text if isinstance(text, int) else whole(f"0x{(text or '').removeprefix('0x').strip()}")
    return f"10de:{value >> 16:04x}" if value is not None and value & 0xFFFF == 0x10DE and value >> 16 < 1 << 16 else ""


def is_unified(name: str) -> bool:
    """Whether a GPU of this name works in main memory."""
    return bool(_UNIFIED.search(name))


def _pcie(generation: float | None, width: float | None) -> float | None:
    lane = PCIE_LANE.get(int(generation or 0))
    return lane * width if lane and width else None


def _gpu(source: str, values: Mapping[str, Any]) -> FoundGpu:
    """One GPU from values under our names. Text that is no number stands for what is not known."""
    name = str(values.get("name") or "").strip()
    slices = tuple(values.get("slices", ()))
    return FoundGpu(
        vendor="nvidia",
        source=source,
        name=name,
        index=values.get("index"),
        bus=normal_bus(values.get("bus")),
        uuid=str(values.get("uuid") or "").strip(),
        pci_id=pci_id(values.get("device_id")),
        total=size(values.get("total"), unit="mib"),
        reserved=size(values.get("reserved"), unit="mib"),
        used=size(values.get("used"), unit="mib"),
        free=size(values.get("free"), unit="mib"),
        memory_clock=number(values.get("memory_clock")),
        compute_capability=_capability(values.get("compute_capability")),
        driver=_driver(values.get("driver")),
        integrated=is_unified(name) or None,
        display={"enabled": True, "disabled": False}.get(str(values.get("display") or "").strip().lower()),
        mig=str(values.get("mig") or "").strip().lower() == "enabled" or bool(slices),
        slices=slices,
        pcie_bandwidth=_pcie(number(values.get("generation")), number(values.get("width"))),
    )


def _capability(text: Any) -> str | None:
    return text.strip() if isinstance(text, str) and re.fullmatch(r"\s*\d{1,2}\.\d\s*", text) else None


def _driver(text: Any) -> str | None:
    return text.strip() if isinstance(text, str) and re.fullmatch(r"\s*\d{3}[\d.]*\s*", text) else None


def group_slices(slices: Iterable[FoundSlice]) -> tuple[FoundSlice, ...]:
    """One for each GPU instance: compute instances of one share its memory, and would count it twice."""
    groups: dict[str, FoundSlice] = {}
    for i, one in enumerate(slices):
        groups.setdefault(one.gpu_instance or f"#{i}", one)
    return tuple(groups.values())


def parse_nvml(text: str) -> list[FoundGpu]:
    """Read the answers of NVML as `qwen_advisor.probes.nvml` writes them down: JSON, memory in bytes."""
    try:
        document = json.loads(text)
    except ValueError:
        return []
    gpus = []
    for device in _list(_mapping(document).get("devices")):
        if not isinstance(device, dict):
            continue
        memory = _mapping(device.get("memory"))
        name = str(device.get("name") or "")
        clock, bits = _positive(device.get("max_memory_clock")), _positive(device.get("bus_width"))
        slices = _list(device.get("slices"))
        found = _gpu(NVML, {"name": name, "bus": device.get("bus"), "driver": document.get("driver")})
        capability = device.get("compute_capability")
        gpus.append(
            FoundGpu(
                vendor="nvidia",
                source=NVML,
                name=name,
                index=_positive(device.get("index"), zero=True),
                bus=found.bus,
                uuid=str(device.get("uuid") or ""),
                pci_id=pci_id(_positive(device.get("device_id"))),
                total=_positive(memory.get("total")),
                reserved=_positive(memory.get("reserved"), zero=True),
                used=_positive(memory.get("used"), zero=True),
                free=_positive(memory.get("free"), zero=True) if _positive(memory.get("total")) else None,
                # Double data rate: two transfers a clock, as NVML counts clocks.
                bandwidth=clock * 1e6 * 2 * bits / 8 if clock and bits else None,
                memory_clock=float(clock) if clock else None,
                compute_capability=_capability(capability),
                driver=found.driver,
                integrated=is_unified(name) or None,
                display=device.get("display") if isinstance(device.get("display"), bool) else None,
                mig=device.get("mig") is True,
                slices=group_slices(_nvml_slice(one) for one in slices if isinstance(one, dict)),
                pcie_bandwidth=_pcie(_positive(device.get("pcie_generation")), _positive(device.get("pcie_width"))),
            )
        )
    return gpus


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _positive(value: Any, *, zero: bool = False) -> int | None:
    good = isinstance(value, int) and not isinstance(value, bool) and (value > 0 or (zero and value == 0))
    return value if good and value < 1 << 60 else None


def _nvml_slice(device: Mapping[str, Any]) -> FoundSlice:
    return FoundSlice(
        uuid=str(device.get("uuid") or ""),
        gpu_instance="" if device.get("gpu_instance") is None else str(device["gpu_instance"]),
        profile=str(device.get("profile") or ""),
        total=_positive(device.get("total")),
        used=_positive(device.get("used"), zero=True),
    )


def parse_xml(text: str) -> list[FoundGpu]:
    """Read ``nvidia-smi -q -x``. Tags come and go between driver versions: each is looked up, none is relied on."""
    import xml.etree.ElementTree as ET  # noqa: PLC0415  only this form pays for it; no entities pass

    if len(text) > _MAX_TEXT or "<!ENTITY" in text:
        return []
    try:
        root = ET.fromstring(text)  # noqa: S314
    except (ET.ParseError, ValueError):
        return []
    driver = root.findtext("driver_version")
    gpus = []
    for index, gpu in enumerate(root.iter("gpu")):
        slices = [
            FoundSlice(
                uuid=device.findtext("uuid") or "",
                gpu_instance=device.findtext("gpu_instance_id") or "",
                total=size(device.findtext("fb_memory_usage/total")),
                used=size(device.findtext("fb_memory_usage/used")),
            )
            for device in gpu.iter("mig_device")
        ]
        values = {
            "name": gpu.findtext("product_name"),
            "index": index,
            "bus": gpu.findtext("pci/pci_bus_id") or gpu.get("id"),
            "uuid": gpu.findtext("uuid"),
            "device_id": gpu.findtext("pci/pci_device_id"),
            "total": gpu.findtext("fb_memory_usage/total"),
            "reserved": gpu.findtext("fb_memory_usage/reserved"),
            "used": gpu.findtext("fb_memory_usage/used"),
            "free": gpu.findtext("fb_memory_usage/free"),
            "memory_clock": gpu.findtext("max_clocks/mem_clock"),
            "driver": driver,
            "display": gpu.findtext("display_active"),
            "mig": gpu.findtext("mig_mode/current_mig"),
            "slices": group_slices(slices),
            "generation": gpu.findtext("pci/pci_gpu_link_info/pcie_gen/max_link_gen"),
            "width": gpu.findtext("pci/pci_gpu_link_info/link_widths/max_link_width"),
        }
        gpus.append(_gpu(XML, values))
    return gpus


def _outline(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Lines of an indented report as (titles above and key, value)."""
    above: list[tuple[int, str]] = []
    for line in text.splitlines():
        key, colon, value = line.partition(" : ")
        key = key.rstrip()
        if not key.strip():
            continue
        indent = len(key) - len(key.lstrip())
        while above and above[-1][0] >= indent:
            above.pop()
        yield (*(title for _, title in above), key.strip()), value.strip() if colon else ""
        above.append((indent, key.strip()))


def parse_text(text: str) -> list[FoundGpu]:
    """Read ``nvidia-smi -q``."""
    driver = ""
    gpus: list[dict[str, Any]] = []
    slices: list[dict[str, str]] = []
    for path, value in _outline(text[:_MAX_TEXT]):
        if path == ("Driver Version",):
            driver = value
        elif len(path) == 1 and re.fullmatch(r"GPU [0-9A-Fa-f:.]+", path[0]):
            slices = []
            gpus.append({"index": len(gpus), "bus": path[0][4:], "driver": driver, "mig_devices": slices})
        elif gpus and len(path) > 1 and path[1] == "MIG Device":
            if len(path) == 2:
                slices.append({})
            elif slices:
                slices[-1]["/".join(path[2:])] = value
        elif gpus and len(path) > 1:
            name = _TEXT_FIELDS.get("/".join(path[1:]))
            if name:
                gpus[-1].setdefault(name, value)
    for gpu in gpus:
        gpu["slices"] = group_slices(
            FoundSlice(
                gpu_instance=one.get("GPU Instance ID", ""),
                total=size(one.get("Shared FB Memory Usage/Total") or one.get("FB Memory Usage/Total")),
                used=size(one.get("Shared FB Memory Usage/Used") or one.get("FB Memory Usage/Used")),
            )
            for one in gpu["mig_devices"]
        )
    return [_gpu(TEXT, gpu) for gpu in gpus]


_TEXT_FIELDS = {
    "Product Name": "name",
    "GPU UUID": "uuid",
    "Display Active": "display",
    "MIG Mode/Current": "mig",
    "PCI/Device Id": "device_id",
    "PCI/Bus Id": "bus",
    "PCI/GPU Link Info/PCIe Generation/Max": "generation",
    "PCI/GPU Link Info/Link Width/Max": "width",
    "FB Memory Usage/Total": "total",
    "FB Memory Usage/Reserved": "reserved",
    "FB Memory Usage/Used": "used",
    "FB Memory Usage/Free": "free",
    "Max Clocks/Memory": "memory_clock",
}
_CSV_FIELDS = {
    "index": "index",
    "uuid": "uuid",
    "name": "name",
    "gpu_name": "name",
    "pci.bus_id": "bus",
    "gpu_bus_id": "bus",
    "pci.device_id": "device_id",
    "memory.total": "total",
    "memory.reserved": "reserved",
    "memory.used": "used",
    "memory.free": "free",
    "clocks.max.memory": "memory_clock",
    "compute_cap": "compute_capability",
    "driver_version": "driver",
    "display_active": "display",
    "mig.mode.current": "mig",
    "pcie.link.gen.max": "generation",
    "pcie.link.width.max": "width",
}
QUERY = tuple(name for name in _CSV_FIELDS if not name.startswith("gpu_"))


def parse_csv(text: str, columns: Iterable[str] | None = None) -> list[FoundGpu]:
    """Read ``nvidia-smi --query-gpu=... --format=csv``. Without a header line, ``columns`` are what was asked for.

    Parents of MIG instances are listed here without their instances.
    """
    rows = [row for row in csv.reader(text[:_MAX_TEXT].splitlines(), skipinitialspace=True) if row]
    header = (
        list(columns)
        if columns is not None
        else [re.sub(r" \[.*\]$", "", cell).strip() for cell in rows.pop(0)]
        if rows
        else []
    )
    gpus = []
    for row in rows:
        values = {
            _CSV_FIELDS[name]: cell.strip() for name, cell in zip(header, row, strict=False) if name in _CSV_FIELDS
        }
        if any(value and not value.startswith("[") for value in values.values()):
            gpus.append(_gpu(CSV, {**values, "index": whole(values.get("index"))}))
    return gpus


def parse_list(text: str) -> list[FoundGpu]:
    """Read ``nvidia-smi -L``: names, UUIDs and MIG instances; no memory."""
    gpus: list[dict[str, Any]] = []
    for line in text.splitlines():
        gpu = re.fullmatch(r"GPU (\d+): (.+?) \(UUID: (\S+?)\)\s*", line)
        mig = re.fullmatch(r"\s+MIG (\S+)\s+Device\s+\d+: \(UUID: (\S+?)\)\s*", line)
        if gpu:
            gpus.append({"index": int(gpu[1][:6]), "name": gpu[2], "uuid": gpu[3], "slices": []})
        elif mig and gpus:
            gpus[-1]["slices"].append(FoundSlice(uuid=mig[2], profile=mig[1]))
    return [_gpu(LIST, gpu) for gpu in gpus]


_TABLE_GPU = re.compile(r"\|\s+(\d+)\s+(\S.*?)\s+(?:On|Off|N/A|WDDM|TCC|MCDM)\s+\|\s*(\S+)\s+(On|Off|N/A)\s+\|")
_TABLE_MEMORY = re.compile(r"\|[^|]*\|\s*(?:(\d+MiB)\s*/\s*(\d+MiB)|Not Supported|N/A[^|]*)\s*\|")
_TABLE_MIG = re.compile(r"\|\s+(\d+)\s+(\d+)\s+\d+\s+\d+\s+\|\s+(\d+MiB)\s*/\s*(\d+MiB)\s*\|")


def parse_table(text: str) -> list[FoundGpu]:
    """Read the table that ``nvidia-smi`` prints for people, where nothing better is at hand.

    It cuts names off ("NVIDIA GeForce RTX 3070 ..."): such a name is not trusted.
    """
    driver = re.search(r"Driver Version: (\S+)", text)
    gpus: list[dict[str, Any]] = []
    slices: dict[int, list[FoundSlice]] = {}
    awaiting_memory = False
    for line in text.splitlines():
        gpu, mig = _TABLE_GPU.match(line), _TABLE_MIG.match(line)
        if mig:
            one = FoundSlice(gpu_instance=mig[2], total=size(mig[4]), used=size(mig[3]))
            slices.setdefault(int(mig[1][:6]), []).append(one)
        elif gpu:
            display = {"On": "enabled", "Off": "disabled"}.get(gpu[4])
            values = {"index": int(gpu[1][:6]), "name": gpu[2], "bus": gpu[3], "display": display}
            gpus.append({**values, "driver": driver[1] if driver else None})
            awaiting_memory = True
        elif awaiting_memory and (memory := _TABLE_MEMORY.match(line)):
            gpus[-1] |= {"used": memory[1], "total": memory[2]}
            awaiting_memory = False
    return [_gpu(TABLE, {**gpu, "slices": group_slices(slices.get(gpu["index"], []))}) for gpu in gpus]


_READERS = ((XML, parse_xml), (TEXT, parse_text), (CSV, parse_csv), (LIST, parse_list), (TABLE, parse_table))


def read_best(nvml: str, commands: Mapping[str, str]) -> list[FoundGpu]:
    """The richest account among the answers of NVML and the outputs of ``nvidia-smi``; a table comes last."""
    gpus = parse_nvml(nvml) if nvml else []
    for label, read in _READERS:
        if gpus:
            break
        text = next((t for line, t in commands.items() if line == label or line.startswith(f"{label}=")), None)
        gpus = read(text) if text else []
    return gpus
