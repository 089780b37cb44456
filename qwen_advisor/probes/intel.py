"""Intel: sysfs of the ``xe`` and ``i915`` drivers, and ``xpu-smi discovery``."""

from __future__ import annotations

import json
import re
from typing import Any

from qwen_advisor.probes.found import FoundGpu
from qwen_advisor.probes.numbers import size, whole
from qwen_advisor.probes.pci import PciDevice

SYSFS, XPU_SMI = "sysfs (xe, i915)", "xpu-smi discovery"
_LOCAL_MEMORY = re.compile(r"tile\d+/physical_vram_size_bytes|drm/card\d+/lmem_total_bytes")


def local_memory(files: dict[str, str]) -> int | None:
    """Bytes of a card's own memory: the sum over its tiles (``xe``), or ``lmem_total_bytes`` (``i915``).

    The size of a PCI window is never taken: without resizable BAR a 12 GB card shows 256 MB.
    """
    values = {name: whole(text) for name, text in files.items() if _LOCAL_MEMORY.fullmatch(name)}
    tiles = [value for name, value in values.items() if name.startswith("tile") and value]
    return sum(tiles) or next((value for name, value in sorted(values.items()) if value and "lmem" in name), None)


def from_sysfs(device: PciDevice) -> FoundGpu:
    """One GPU from its folder; without memory of its own it is an integrated one."""
    total = local_memory(dict(device.files))
    root_bus = device.bus == "0000:00:02.0"
    return FoundGpu(
        vendor="intel",
        source=SYSFS,
        bus=device.bus,
        pci_id=device.id,
        revision=device.revision,
        total=total,
        integrated=root_bus if total is None else False,
    )


def parse_xpu_smi(text: str) -> list[FoundGpu]:
    """Read ``xpu-smi discovery``, as a table or as JSON (``-j``). Integrated graphics stand there without memory."""
    start = text.find("{")
    if start >= 0:
        try:
            document = json.loads(text[start:])
        except ValueError:
            document = None
        devices = document.get("device_list") if isinstance(document, dict) else None
        if isinstance(devices, list):
            return [_xpu(one) for one in devices if isinstance(one, dict)]
    found: list[dict[str, str]] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 2:
            continue
        if cells[0].isdigit():
            found.append({"device_id": cells[0]})
        key, _, value = cells[1].partition(":")
        if found and value:
            found[-1][key.strip().lower().replace(" ", "_")] = value.strip()
    return [_xpu(one) for one in found]


def _xpu(values: dict[str, Any]) -> FoundGpu:
    number = whole(str(values.get("pci_device_id", "")))
    memory = values.get("memory_physical_size_byte") or values.get("memory_physical_size")
    total = size(str(memory), unit="b") if memory else None
    return FoundGpu(
        vendor="intel",
        source=XPU_SMI,
        name=str(values.get("device_name", "")),
        index=whole(str(values.get("device_id", ""))),
        bus=str(values.get("pci_bdf_address", "")).lower(),
        pci_id=f"8086:{number:04x}" if number and number < 1 << 16 else "",
        total=total,
        integrated=None if total else True,
    )
