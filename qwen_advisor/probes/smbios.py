"""Memory modules: SMBIOS type 17, as ``dmidecode`` prints it and as firmware stores it.

Source of the layout: DMTF DSP0134 (SMBIOS 3.7), 7.18 Memory Device.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from qwen_advisor.probes.found import FoundModules
from qwen_advisor.probes.numbers import number, size

_TYPES = {0x18: "DDR3", 0x1A: "DDR4", 0x1B: "LPDDR", 0x1C: "LPDDR2", 0x1D: "LPDDR3", 0x1E: "LPDDR4", 0x20: "HBM"}
_TYPES |= {0x21: "HBM2", 0x22: "DDR5", 0x23: "LPDDR5", 0x24: "HBM3"}
_TYPE_17 = 17
_MEGA = 1_000_000
# "P0 CHANNEL A", "Controller1-DIMMB2", "ChannelA-DIMM0", "DIMM_B2": the letter, and the controller, tell the channel.
_CHANNEL = re.compile(r"channel[ _-]?([a-z0-9])|dimm[ _-]?([a-z])\d", re.IGNORECASE)
_CONTROLLER = re.compile(r"(?:controller|cpu|p|node)[ _-]?(\d)", re.IGNORECASE)


def _devices(text: str) -> Iterator[dict[str, str]]:
    device: dict[str, str] | None = None
    for line in text.splitlines():
        if not line.startswith(("\t", " ")):
            if device:
                yield device
            device = {} if line.strip() == "Memory Device" else None
        elif device is not None:
            key, _, value = line.strip().partition(":")
            device.setdefault(key.strip(), value.strip())
    if device:
        yield device


def _channel(device: dict[str, str]) -> str | None:
    for place in (device.get("Bank Locator", ""), device.get("Locator", "")):
        match = _CHANNEL.search(place)
        if match:
            controller = _CONTROLLER.search(place)
            return f"{controller[1] if controller else ''}{(match[1] or match[2]).upper()}"
    return None


def _transfers(text: str | None) -> float | None:
    value = number(text)
    return value * _MEGA if value else None


def parse_memory_devices(text: str) -> FoundModules:
    """Read ``dmidecode -t 17``: the speed that is configured, never the rated one, and the channels that hold modules.

    Modules that share a channel's name count once. Soldered memory (LPDDR) shows several narrow devices, whose widths
    add up. Where no name tells the channels, every module is taken for one and the figure is marked as an estimate.
    """
    devices = list(_devices(text))
    filled = [d for d in devices if size(d.get("Size")) and "No Module" not in d.get("Size", "")]
    if not filled:
        return FoundModules(empty=len(devices))
    kind = next((d["Type"] for d in filled if d.get("Type") not in (None, "Unknown", "Other")), "")
    speeds = [_transfers(d.get("Configured Memory Speed") or d.get("Configured Clock Speed")) for d in filled]
    known = [speed for speed in speeds if speed]
    rated = [speed for speed in (_transfers(d.get("Speed")) for d in filled) if speed]
    channels = {_channel(d) for d in filled}
    every = {_channel(d) for d in devices}
    widths = [int(number(d.get("Data Width")) or 0) for d in filled]
    soldered = kind.startswith("LPDDR")
    estimated = None in channels
    if soldered:
        bits = sum(widths) or None
    elif estimated:
        bits = 64 * len(filled)
    else:
        bits = 64 * len(channels)
    return FoundModules(
        memory_type=kind,
        transfers=min(known) if known else min(rated, default=None),
        rated=min(rated, default=None),
        bits=bits,
        modules=len(filled),
        empty=len(devices) - len(filled),
        channels=None if estimated or soldered else len(channels),
        empty_channels=0 if estimated or soldered else len(every - channels - {None}),
        estimated=estimated and not soldered,
    )


def memory_devices_text(table: bytes) -> str:
    """Type 17 structures of a raw SMBIOS table, in the words of ``dmidecode`` and without serial numbers."""
    lines: list[str] = []
    at = 0
    while at + 4 <= len(table):
        kind, length = table[at], table[at + 1]
        end = table.find(b"\0\0", at + length)
        if length < 4 or end < 0:
            break
        if kind == _TYPE_17 and length >= 0x15:
            body = table[at : at + length]
            lines += _memory_device(body, table[at + length : end].split(b"\0"))
        at = end + 2
    return "\n".join(lines) + "\n" if lines else ""


def _memory_device(body: bytes, strings: list[bytes]) -> list[str]:
    def word(offset: int) -> int:
        return int.from_bytes(body[offset : offset + 2], "little") if offset + 2 <= len(body) else 0

    def double(offset: int) -> int:
        return int.from_bytes(body[offset : offset + 4], "little") if offset + 4 <= len(body) else 0

    def string(offset: int) -> str:
        index = body[offset] if offset < len(body) else 0
        return strings[index - 1].decode("ascii", "replace") if 0 < index <= len(strings) else "Not Specified"

    raw = word(0x0C)
    megabytes = double(0x1C) & 0x7FFFFFFF if raw == 0x7FFF else raw & 0x7FFF
    unit = "kB" if raw & 0x8000 and raw != 0x7FFF else "MB"
    width = word(0x0A)
    speed = double(0x54) if word(0x15) == 0xFFFF else word(0x15)
    configured = double(0x58) if word(0x20) == 0xFFFF else word(0x20)
    return [
        "Memory Device",
        f"\tData Width: {width} bits" if 0 < width < 0xFFFF else "\tData Width: Unknown",
        f"\tSize: {megabytes} {unit}" if raw not in (0, 0xFFFF) else "\tSize: No Module Installed",
        f"\tLocator: {string(0x10)}",
        f"\tBank Locator: {string(0x11)}",
        f"\tType: {_TYPES.get(body[0x12], 'Unknown')}",
        f"\tSpeed: {speed} MT/s" if speed else "\tSpeed: Unknown",
        f"\tConfigured Memory Speed: {configured} MT/s" if configured else "\tConfigured Memory Speed: Unknown",
        "",
    ]
