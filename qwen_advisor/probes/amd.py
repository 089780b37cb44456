"""AMD: sysfs of amdgpu, the topology of KFD, and what ``rocm-smi`` and ``amd-smi`` print."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from qwen_advisor.probes.found import FoundGpu
from qwen_advisor.probes.numbers import size, whole
from qwen_advisor.probes.nvidia import normal_bus
from qwen_advisor.probes.pci import PciDevice

SYSFS, ROCM_SMI, AMD_SMI = "sysfs (amdgpu)", "rocm-smi", "amd-smi"
_KFD = re.compile(r"/sys/class/kfd/kfd/topology/nodes/(\d+)/properties")
# Chips with processor and graphics on one die: no memory of their own beyond a carve-out.
_APU_IDS = frozenset(
    f"1002:{device}"
    for device in (
        *("15bf", "15c8", "1586", "150e", "1114", "1681", "164d", "1638", "1636", "15d8", "15dd"),
        *("164c", "164e", "163f", "1435", "1506", "15e7", "1900", "1901", "13c0"),
    )
)
_APU_TARGETS = frozenset(("gfx902", "gfx90c", "gfx1033", "gfx1035", "gfx1036", "gfx1037"))
_APU_TARGETS |= {"gfx1103", "gfx1150", "gfx1151", "gfx1152", "gfx1153"}


def gfx_target(version: int | None) -> str | None:
    """``gfx1100`` from KFD's ``gfx_target_version``: major * 10000 + minor * 100 + step, printed in hexadecimal."""
    if not version:
        return None
    return f"gfx{version // 10000}{version // 100 % 100:x}{version % 100:x}"


def kfd_targets(files: Mapping[str, str]) -> dict[str, str]:
    """PCI address -> target, of every GPU that ROCm can use."""
    targets: dict[str, str] = {}
    for path, text in sorted(files.items()):
        if not _KFD.fullmatch(path):
            continue
        values = {key: whole(value) for key, _, value in (line.partition(" ") for line in text.splitlines())}
        target = gfx_target(values.get("gfx_target_version"))
        location, domain = values.get("location_id"), values.get("domain") or 0
        if target and location is not None and values.get("simd_count"):
            bus = f"{domain:04x}:{location >> 8 & 0xFF:02x}:{location >> 3 & 0x1F:02x}.{location & 7}"
            targets[normal_bus(bus)] = target
    return targets


def is_apu(pci_id: str, target: str | None) -> bool:
    """Whether this chip works in main memory."""
    return pci_id in _APU_IDS or target in _APU_TARGETS


def from_sysfs(device: PciDevice, targets: Mapping[str, str]) -> FoundGpu:
    """One card from its folder: VRAM, and GTT, the part of main memory that the GPU may map."""
    files = device.files
    total, used = whole(files.get("mem_info_vram_total")), whole(files.get("mem_info_vram_used"))
    gtt, gtt_used = whole(files.get("mem_info_gtt_total")), whole(files.get("mem_info_gtt_used"))
    target = targets.get(device.bus)
    apu = is_apu(device.id, target)
    product = files.get("product_name", "").strip()
    return FoundGpu(
        vendor="amd",
        source=SYSFS,
        name=product if product.startswith(("AMD", "Radeon", "Instinct")) else "",
        bus=device.bus,
        pci_id=device.id,
        revision=device.revision,
        total=total or None,
        used=used if total else None,
        free=total - used if total and used is not None and used <= total else None,
        # A discrete card gains nothing from GTT; the RX 570's old driver even reported it equal to VRAM.
        shared_total=gtt if apu else None,
        shared_used=gtt_used if apu else None,
        compute_capability=target,
        integrated=apu,
        display=None,
    )


def _json(text: str) -> Any:
    """The JSON in a stream that may begin with warnings; None where there is none."""
    for start in sorted((text.find("{"), text.find("["))):
        if start >= 0:
            try:
                return json.JSONDecoder().raw_decode(text[start:])[0]
            except ValueError:
                continue
    return None


def parse_rocm_smi(text: str) -> list[FoundGpu]:
    """Read ``rocm-smi --json`` of any version: keys changed their case and their names over time."""
    document = _json(text)
    if not isinstance(document, dict):
        return []
    return [
        _rocm_card(card, values) for card, values in document.items() if _is_card(card) and isinstance(values, dict)
    ]


def _is_card(name: Any) -> bool:
    return isinstance(name, str) and re.fullmatch(r"card\d{1,4}", name) is not None


def parse_rocm_smi_csv(text: str) -> list[FoundGpu]:
    """Read ``rocm-smi --csv``."""
    rows = csv.DictReader(line for line in text.splitlines() if "," in line)
    return [_rocm_card(row.get("device") or "", row) for row in rows if _is_card(row.get("device"))]


def parse_rocm_smi_text(text: str) -> list[FoundGpu]:
    """Read the lines that ``rocm-smi`` prints for people: ``GPU[0] : Card Series: ...``."""
    cards: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        match = re.fullmatch(r"GPU\[(\d{1,4})\]\s*:\s*([^:]+?):\s*(.*?)\s*", line)
        if match:
            cards.setdefault(f"card{match[1]}", {})[match[2]] = match[3]
    return [_rocm_card(card, values) for card, values in cards.items()]


def _rocm_card(card: str, values: Mapping[str, Any]) -> FoundGpu:
    lower = {str(key).lower(): str(value) for key, value in values.items()}

    def first(*keys: str) -> str | None:
        return next((lower[key] for key in keys if lower.get(key, "n/a").lower() not in ("n/a", "")), None)

    total, used = whole(first("vram total memory (b)")), whole(first("vram total used memory (b)"))
    gtt, gtt_used = whole(first("gtt total memory (b)")), whole(first("gtt total used memory (b)"))
    device = first("device id", "gpu id", "card model")
    number = whole(device) if device and device.startswith("0x") else None
    identity = f"1002:{number:04x}" if number and number < 1 << 16 else ""
    revision = whole(first("device rev"))
    target = first("gfx version")
    apu = is_apu(identity, target)
    return FoundGpu(
        vendor="amd",
        source=ROCM_SMI,
        name=_bracketed(first("card series", "device name")),
        index=whole(card.removeprefix("card")),
        bus=normal_bus(first("pci bus")),
        pci_id=identity,
        revision=f"{revision:02x}" if revision is not None and revision < 256 else "",
        total=total or None,
        used=used if total else None,
        free=total - used if total and used is not None and used <= total else None,
        shared_total=gtt if apu else None,
        shared_used=gtt_used if apu else None,
        compute_capability=target if target and target.startswith("gfx") else None,
        integrated=apu,
    )


def _bracketed(name: str | None) -> str:
    """The product in a name such as ``Navi 31 [Radeon RX 7900 XTX]``; nothing where the field holds an id."""
    if name is None or name.startswith("0x"):
        return ""
    match = re.search(r"\[(.+)\]", name)
    return f"AMD {match[1] if match else name}".replace("AMD AMD", "AMD").strip()


def parse_amd_smi(text: str) -> list[FoundGpu]:
    """Read ``amd-smi static``, as JSON (a list, or a list below ``gpu_data``) or as text."""
    document = _json(text) if text.lstrip()[:1] in ("{", "[") else None
    if isinstance(document, dict):
        document = document.get("gpu_data")
    cards = document if isinstance(document, list) else list(_amd_smi_text(text))
    return [_amd_smi_card(card) for card in cards if isinstance(card, dict)]


def _amd_smi_text(text: str) -> Iterator[dict[str, Any]]:
    card: dict[str, Any] | None = None
    section = ""
    for line in text.splitlines():
        key, _, value = line.strip().partition(":")
        key, value = key.strip().lower(), value.strip()
        if not line.startswith(" ") and key == "gpu":
            if card:
                yield card
            card = {"gpu": whole(value)}
        elif card is not None and key and not value:
            section = key
        elif card is not None and key:
            card.setdefault(section, {})[key] = value
    if card:
        yield card


def _amd_smi_card(card: Mapping[str, Any]) -> FoundGpu:
    def part(name: str) -> Mapping[str, Any]:
        value = card.get(name)
        return value if isinstance(value, dict) else {}

    asic, vram = part("asic"), part("vram")
    total = vram.get("size")
    if isinstance(total, dict):
        total = f"{total.get('value')} {total.get('unit', 'MB')}"
    number = whole(str(asic.get("device_id", "")))
    identity = f"1002:{number:04x}" if number and number < 1 << 16 else ""
    target = str(asic.get("target_graphics_version", ""))
    apu = is_apu(identity, target)
    revision = whole(str(asic.get("rev_id", "")))
    driver = part("driver").get("version")
    return FoundGpu(
        vendor="amd",
        source=AMD_SMI,
        name=str(asic.get("market_name", "")),
        index=card.get("gpu") if isinstance(card.get("gpu"), int) else None,
        bus=normal_bus(str(part("bus").get("bdf", ""))),
        pci_id=identity,
        revision=f"{revision:02x}" if revision is not None and revision < 256 else "",
        total=size(str(total), unit="mib") if total is not None else None,
        compute_capability=target if target.startswith("gfx") else None,
        driver=str(driver) if driver else None,
        integrated=apu,
    )
