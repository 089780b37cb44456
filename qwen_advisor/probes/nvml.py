"""Asks NVML and writes its answers down as JSON; reading them is `qwen_advisor.probes.nvidia.parse_nvml`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

_MOST_SLICES = 8  # instances of one GPU


def ask_nvml() -> str:
    """What NVML says of every GPU, as JSON. What a driver does not support is left out, call by call.

    Raises:
        Exception: NVML cannot be loaded or started: no driver, a version mismatch, a driver mid-crash.
    """
    import pynvml as nvml  # noqa: PLC0415  only where a driver is there

    nvml.nvmlInit()
    try:
        document: dict[str, Any] = {"driver": _try(nvml, nvml.nvmlSystemGetDriverVersion), "devices": []}
        for index in range(nvml.nvmlDeviceGetCount()):
            document["devices"].append(_device(nvml, index))
    finally:
        nvml.nvmlShutdown()
    return json.dumps(document, default=_plain)


def _plain(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _try(nvml: Any, call: Callable[..., Any], *arguments: Any) -> Any:
    """The answer of one call, None where this driver or this GPU has none."""
    try:
        return call(*arguments)
    except (nvml.NVMLError, AttributeError, TypeError):
        return None


def _device(nvml: Any, index: int) -> dict[str, Any]:
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
    except nvml.NVMLError as error:
        return {"index": index, "failure": str(error)}
    pci = _try(nvml, nvml.nvmlDeviceGetPciInfo, handle)
    capability = _try(nvml, nvml.nvmlDeviceGetCudaComputeCapability, handle)
    mode = _try(nvml, nvml.nvmlDeviceGetMigMode, handle)
    split = bool(mode) and mode[0] == 1
    return {
        "index": index,
        "name": _try(nvml, nvml.nvmlDeviceGetName, handle),
        "uuid": _try(nvml, nvml.nvmlDeviceGetUUID, handle),
        "bus": _plain(pci.busId) if pci is not None else None,
        "device_id": pci.pciDeviceId if pci is not None else None,
        "memory": _memory(nvml, handle),
        "bus_width": _try(nvml, nvml.nvmlDeviceGetMemoryBusWidth, handle),
        "max_memory_clock": _try(nvml, nvml.nvmlDeviceGetMaxClockInfo, handle, nvml.NVML_CLOCK_MEM),
        "compute_capability": f"{capability[0]}.{capability[1]}" if capability else None,
        "display": _display(nvml, handle),
        "pcie_generation": _try(nvml, nvml.nvmlDeviceGetMaxPcieLinkGeneration, handle),
        "pcie_width": _try(nvml, nvml.nvmlDeviceGetMaxPcieLinkWidth, handle),
        "mig": split,
        "slices": _slices(nvml, handle) if split else [],
    }


def _display(nvml: Any, handle: Any) -> bool | None:
    state = _try(nvml, nvml.nvmlDeviceGetDisplayActive, handle)
    return None if state is None else bool(state)


def _memory(nvml: Any, handle: Any) -> dict[str, int] | None:
    """Version 2 of the answer tells what the driver reserves; drivers before 510 know only version 1."""
    second = getattr(nvml, "nvmlMemory_v2", None)
    info = _try(nvml, nvml.nvmlDeviceGetMemoryInfo, handle, second) if second is not None else None
    if info is None:
        info = _try(nvml, nvml.nvmlDeviceGetMemoryInfo, handle)
    if info is None:
        return None
    values = {name: getattr(info, name, None) for name in ("total", "reserved", "free", "used")}
    return {name: int(value) for name, value in values.items() if value is not None}


def _slices(nvml: Any, handle: Any) -> list[dict[str, Any]]:
    count = _try(nvml, nvml.nvmlDeviceGetMaxMigDeviceCount, handle) or _MOST_SLICES
    slices = []
    for i in range(count):
        device = _try(nvml, nvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, i)
        if device is None:
            continue
        memory = _memory(nvml, device) or {}
        name = _plain(_try(nvml, nvml.nvmlDeviceGetName, device) or "")
        slices.append(
            {
                "uuid": _try(nvml, nvml.nvmlDeviceGetUUID, device),
                "gpu_instance": _try(nvml, nvml.nvmlDeviceGetGpuInstanceId, device),
                "profile": name.partition(" MIG ")[2],
                "total": memory.get("total"),
                "used": memory.get("used"),
            }
        )
    return slices
