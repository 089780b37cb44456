"""GPUs on the PCI bus: what sysfs and ``lspci`` tell of every one, whatever its driver."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from qwen_advisor.machine import Vendor
from qwen_advisor.probes.found import FoundGpu
from qwen_advisor.probes.nvidia import normal_bus
from qwen_advisor.values import dataclass, field

VENDORS: dict[str, Vendor] = {"10de": "nvidia", "1002": "amd", "8086": "intel"}
MAKERS = {"nvidia": "NVIDIA", "amd": "AMD", "intel": "Intel"}
SYSFS = "/sys/bus/pci/devices"
_FOLDER = re.compile(rf"{SYSFS}/([0-9a-f]{{4,8}}:[0-9a-f]{{2}}:[0-9a-f]{{2}}\.[0-9a-f])/(.+)")
_DISPLAYS = ("0x0300", "0x0301", "0x0302", "0x0380")  # VGA, XGA, 3D, other
_ACCELERATOR = "0x1200"
_LSPCI = re.compile(
    r"(?:([0-9a-f]{4,8}:)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f])) ([^:\[]+?)(?: \[[0-9a-f]{4}\])?: (.+?)"
    r"(?: \[([0-9a-f]{4}):([0-9a-f]{4})\])?(?: \(rev ([0-9a-f]{2})\))?\s*",
    re.IGNORECASE,
)
_GPU_CLASSES = ("vga compatible controller", "3d controller", "display controller", "processing accelerators")


@dataclass(frozen=True, slots=True, kw_only=True)
class PciDevice:
    """One device of the bus with the files of its folder, by name."""

    bus: str
    vendor: str
    device: str
    revision: str
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """``10de:2684``."""
        return f"{self.vendor}:{self.device}"


def _hex(text: str | None) -> str:
    match = re.fullmatch(r"(?:0x)?([0-9a-f]{1,8})", (text or "").strip().lower())
    return match[1] if match else ""


def sysfs_gpus(files: Mapping[str, str]) -> list[PciDevice]:
    """The GPUs among files of ``/sys/bus/pci/devices``, by address."""
    folders: dict[str, dict[str, str]] = {}
    for path, text in files.items():
        match = _FOLDER.fullmatch(path)
        if match:
            folders.setdefault(match[1], {})[match[2]] = text
    found = []
    for bus, inside in sorted(folders.items()):
        kind, vendor = inside.get("class", "").strip().lower(), _hex(inside.get("vendor")).zfill(4)
        # Intel's and AMD's NPUs are processing accelerators too; under AMD's graphics vendor it is an Instinct.
        if not kind.startswith(_DISPLAYS) and not (kind.startswith(_ACCELERATOR) and vendor == "1002"):
            continue
        revision = _hex(inside.get("revision")).zfill(2)
        device = _hex(inside.get("device")).zfill(4)
        found.append(PciDevice(bus=normal_bus(bus), vendor=vendor, device=device, revision=revision, files=inside))
    return found


def parse_lspci(text: str) -> list[FoundGpu]:
    """Read ``lspci``, ``lspci -nnD`` or ``lspci -k``. The name is the one in brackets, where there is one."""
    gpus: list[FoundGpu] = []
    for line in text.splitlines():
        match = _LSPCI.fullmatch(line)
        if not match or match[3].strip().lower() not in _GPU_CLASSES:
            continue
        vendor = VENDORS.get((match[5] or "").lower()) or _named_vendor(match[4])
        if vendor is None:
            continue
        identity = f"{match[5]}:{match[6]}".lower() if match[5] else ""
        bus = normal_bus(f"{(match[1] or '0000:')}{match[2]}")
        gpus.append(
            FoundGpu(
                vendor=vendor,
                source="lspci",
                name=_card_name(match[4], vendor),
                bus=bus,
                pci_id=identity,
                revision=(match[7] or "").lower(),
                # Integrated Intel graphics has always been device 2 of the root bus.
                integrated=(vendor == "intel" and bus == "0000:00:02.0") or None,
            )
        )
    return gpus


def _named_vendor(text: str) -> Vendor | None:
    return next((v for name, v in (("NVIDIA", "nvidia"), ("AMD/ATI", "amd"), ("Intel", "intel")) if name in text), None)  # type: ignore[misc]


def _card_name(text: str, vendor: Vendor) -> str:
    text = re.sub(r"^(?:NVIDIA|Intel) Corporation\s+|^Advanced Micro.*?Inc\.\s+(?:\[AMD/ATI\]\s+)?", "", text)
    brackets = re.findall(r"\[([^\[\]]+)\]", text)
    name = brackets[-1] if brackets else text
    if name in ("Device", "Graphics Device"):
        return ""
    return name if name.startswith(MAKERS.get(vendor, "?")) else f"{MAKERS.get(vendor, '')} {name}".strip()


def unnamed(devices: list[PciDevice]) -> Iterator[FoundGpu]:
    """GPUs as the bus alone tells them: an id, no memory."""
    for device in devices:
        vendor = VENDORS.get(device.vendor)
        if vendor is not None:
            yield FoundGpu(
                vendor=vendor,
                source="sysfs",
                bus=device.bus,
                pci_id=device.id,
                revision=device.revision,
                integrated=(vendor == "intel" and device.bus == "0000:00:02.0") or None,
            )
