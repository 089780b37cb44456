"""Jetson: the device tree names the module, ``tegrastats`` tells its memory."""

from __future__ import annotations

import re

from qwen_advisor.probes.found import FoundMemory

# Board ids of modules, as they stand in /proc/device-tree/compatible, in words of the catalogue.
# Source: jetson_stats, jtop/core/jetson_variables.py.
_MODULES = {
    "p3701-0005": "Jetson AGX Orin 64GB",
    "p3701-0004": "Jetson AGX Orin 32GB",
    "p3767-0000": "Jetson Orin NX 16GB",
    "p3767-0001": "Jetson Orin NX 8GB",
    "p3767-0003": "Jetson Orin Nano 8GB",
    "p3767-0004": "Jetson Orin Nano 4GB",
    "p3767-0005": "Jetson Orin Nano 8GB",
    "p3834-0008": "Jetson AGX Thor",
}
_MIB = 1024**2


def jetson_name(model: str, compatible: str = "", super_mode: bool = False) -> str:
    """The module's name from ``/proc/device-tree/model`` and ``compatible``; nothing for other boards."""
    model, compatible = (text.replace("\0", " ").strip() for text in (model, compatible))
    name = next((module for board, module in _MODULES.items() if board in compatible), "")
    if not name and "Jetson" in model:
        name = re.sub(r"^NVIDIA\s+|\s+(?:Developer|Engineering Reference)?\s*(?:Developer )?Kit.*$", "", model).strip()
    if name.startswith("Jetson Orin Nano 8GB") and (super_mode or "Super" in model):
        return "Jetson Orin Nano Super 8GB"
    return name


def parse_tegrastats(text: str) -> FoundMemory:
    """Read ``RAM used/totalMB`` of ``tegrastats``."""
    match = re.search(r"\bRAM (\d{1,9})/(\d{1,9})MB", text)
    if not match:
        return FoundMemory()
    used, total = int(match[1]) * _MIB, int(match[2]) * _MIB
    return FoundMemory(total=total or None, available=total - used if 0 < used <= total else None)
