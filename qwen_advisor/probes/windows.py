"""Windows: display adapters as CIM, ``wmic`` and the registry tell them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from qwen_advisor.machine import Vendor
from qwen_advisor.probes.found import FoundGpu
from qwen_advisor.probes.numbers import whole

CIM, REGISTRY = "Win32_VideoController", "registry (qwMemorySize)"
# AdapterRAM holds 32 bits; every adapter of 4 GiB and more shows this value, 1 MiB short of them.
ADAPTER_RAM_LIMIT = 4293918720
_VENDORS: tuple[tuple[str, Vendor], ...] = (
    ("nvidia", "nvidia"),
    ("geforce", "nvidia"),
    ("quadro", "nvidia"),
    ("tesla", "nvidia"),
    ("radeon", "amd"),
    ("amd", "amd"),
    ("intel", "intel"),
    ("adreno", "qualcomm"),
    ("qualcomm", "qualcomm"),
    ("snapdragon", "qualcomm"),
)
_VIRTUAL = re.compile(r"basic (?:render|display)|virtual|remote|hyper-v|parsec|indirect|mirage|citrix", re.IGNORECASE)
_INTEGRATED = re.compile(
    r"\bUHD\b|\bHD Graphics\b|Iris|^Intel\(R\) Graphics|^AMD Radeon\(TM\) (?:\d{3,4}M )?Graphics|"
    r"Radeon(?:\(TM\))? (?:\d{3}M|80[56]0S)|Arc\(TM\) (?:Graphics|\d{3}[VT])|Adreno",
    re.IGNORECASE,
)


def adapter_vendor(name: str) -> Vendor | None:
    """The maker of an adapter, None for those that only software makes."""
    if _VIRTUAL.search(name):
        return None
    return next((vendor for word, vendor in _VENDORS if word in name.lower()), None)


def is_integrated(name: str) -> bool:
    """Whether an adapter of this name works in main memory."""
    return bool(_INTEGRATED.search(name))


def _listed(document: Any) -> Iterable[Mapping[str, Any]]:
    """PowerShell does not wrap a single object in a list."""
    rows = document if isinstance(document, list) else [document]
    return (row for row in rows if isinstance(row, dict))


def _adapter(name: Any, total: Any, source: str, *, capped: bool) -> FoundGpu | None:
    vendor = adapter_vendor(name) if isinstance(name, str) else None
    if vendor is None:
        return None
    value = total if isinstance(total, int) and not isinstance(total, bool) else whole(str(total or ""))
    known = value if value is not None and value > 0 else None  # 32 bits read as signed turn negative
    if capped and known is not None and known >= ADAPTER_RAM_LIMIT:
        known = None  # "4 GiB or more" is no size
    return FoundGpu(
        vendor=vendor,
        source=source,
        name=" ".join(name.split()),
        total=known if known is not None and known < 1 << 60 else None,
        integrated=is_integrated(name) or None,
    )


def parse_cim(text: str) -> list[FoundGpu]:
    """Read ``Get-CimInstance Win32_VideoController | ConvertTo-Json``. Sizes from 4 GiB on are not told there."""
    try:
        document = json.loads(text)
    except ValueError:
        return []
    found = (_adapter(row.get("Name"), row.get("AdapterRAM"), CIM, capped=True) for row in _listed(document))
    return [gpu for gpu in found if gpu is not None]


def parse_registry(text: str) -> list[FoundGpu]:
    """Read ``HardwareInformation.qwMemorySize`` of the display class, as JSON: 64 bits, equal to what drivers say."""
    try:
        document = json.loads(text)
    except ValueError:
        return []
    size = "HardwareInformation.qwMemorySize"
    found = (_adapter(row.get("DriverDesc"), row.get(size), REGISTRY, capped=False) for row in _listed(document))
    return [gpu for gpu in found if gpu is not None]


def parse_wmic(text: str) -> list[FoundGpu]:
    """Read the columns of ``wmic path Win32_VideoController``; they are as wide as their widest value."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return []
    columns = [(match[0].strip(), match.start(), match.end()) for match in re.finditer(r"\S+\s*", lines[0])]
    found = []
    for line in lines[1:]:
        row = {
            name: line[start : None if i == len(columns) - 1 else end].strip()
            for i, (name, start, end) in enumerate(columns)
        }
        found.append(_adapter(row.get("Name"), row.get("AdapterRAM"), "wmic", capped=True))
    return [gpu for gpu in found if gpu is not None]


def parse_pairs(text: str, *, source: str = CIM, capped: bool = True) -> list[FoundGpu]:
    """Read lines of ``name|bytes``; lines without both are left out."""
    found = []
    for line in text.splitlines():
        name, bar, total = line.partition("|")
        if bar and name.strip() and whole(total):
            found.append(_adapter(name.strip(), whole(total), source, capped=capped))
    return [gpu for gpu in found if gpu is not None]


def paired(adapters: list[FoundGpu], registry: list[FoundGpu]) -> list[FoundGpu]:
    """Live adapters with the sizes of the registry, joined by name: the two list them in different orders.

    The registry keeps keys of cards that were taken out; only adapters that are there now are returned.
    """
    sizes: dict[str, list[FoundGpu]] = {}
    for entry in registry:
        sizes.setdefault(entry.name.lower(), []).append(entry)
    result = []
    for adapter in adapters or registry:
        entries = sizes.get(adapter.name.lower(), [])
        known = entries.pop(0) if len(entries) > 1 else entries[0] if entries else None
        result.append(known if known is not None and known.total else adapter)
    return result
