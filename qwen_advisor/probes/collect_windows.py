"""Raw evidence on Windows: the registry and system calls, and NVIDIA's tools."""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from typing import Any

from qwen_advisor.probes import asking
from qwen_advisor.probes.nvidia import QUERY
from qwen_advisor.probes.runner import PATIENT, Gathered, Probe

_DISPLAY_CLASS = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
_NPU_CLASS = r"SYSTEM\CurrentControlSet\Control\Class\{f01a9d53-3ff6-48d2-9f97-c8a7004be10c}"  # ComputeAccelerator
_PROCESSOR = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
_LIVE = (
    "Get-CimInstance Win32_VideoController | Where-Object Status -eq OK |"
    " Select-Object Name,AdapterRAM | ConvertTo-Json"
)
_MODULES = (
    "Get-CimInstance Win32_PhysicalMemory |"
    " Select-Object Capacity,ConfiguredClockSpeed,Speed,SMBIOSMemoryType,DeviceLocator,BankLabel,DataWidth |"
    " ConvertTo-Json"
)
# PF_* of winnt.h -> Linux names
_FEATURES = {40: "avx2", 41: "avx512f", 43: "asimddp", 67: "sve", 68: "sve2", 66: "i8mm"}


def probes() -> dict[str, Probe]:
    """What to ask. PowerShell takes seconds to start, so that its answers only complete the registry's."""
    asked = {"processor": Probe(_processor), "memory": Probe(_memory), "display adapters": Probe(_registry)}
    asked["NPUs"] = Probe(_npus)
    shell = asking.where("powershell", r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe")
    if shell is not None:
        for label, script in (("Win32_VideoController", _LIVE), ("Win32_PhysicalMemory", _MODULES)):
            asked[label] = Probe(partial(_powershell, shell, label, script), PATIENT)
    if os.path.exists(r"C:\Windows\System32\nvml.dll"):  # noqa: PTH110
        asked["NVIDIA driver"] = Probe(_nvidia, PATIENT * 2)
    return asked


def _powershell(shell: str, label: str, script: str) -> Gathered:
    words = [shell, "-NoProfile", "-NonInteractive", "-Command", script]
    return asking.command(words, limit=PATIENT - 1, label=label)


def _nvidia() -> Gathered:
    from qwen_advisor.probes.nvml import ask_nvml  # noqa: PLC0415  needs a driver

    try:
        return Gathered(readings={"nvml": ask_nvml()})
    except Exception as error:  # noqa: BLE001  the library raises its own kinds
        gathered = Gathered(failures={"NVML": str(error)[:300]})
    program = asking.where(
        "nvidia-smi",
        r"C:\Windows\System32\nvidia-smi.exe",
        r"C:\Program Files\NVIDIA Corporation\NVSMI\nvidia-smi.exe",
    )
    if program is not None:
        gathered.add(asking.command([program, "-q", "-x"], limit=PATIENT, label="nvidia-smi -q -x"))
    if program is not None and "nvidia-smi -q -x" not in gathered.commands:
        words = [program, f"--query-gpu={','.join(QUERY)}", "--format=csv"]
        gathered.add(asking.command(words, limit=PATIENT, label="nvidia-smi --query-gpu"))
    return gathered


if sys.platform == "win32":
    import ctypes
    import winreg

    class _MemoryStatus(ctypes.Structure):
        _fields_ = [
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            ("total", ctypes.c_ulonglong),
            ("available", ctypes.c_ulonglong),
            ("rest", ctypes.c_ulonglong * 5),
        ]

    def _processor() -> Gathered:
        import psutil  # noqa: PLC0415  the only place that needs it: cores of one package, across processor groups

        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _PROCESSOR) as key:
            name = str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()
            identifier = str(winreg.QueryValueEx(key, "Identifier")[0])
            vendor = str(winreg.QueryValueEx(key, "VendorIdentifier")[0])
        present = ctypes.windll.kernel32.IsProcessorFeaturePresent
        values: dict[str, Any] = {
            "name": name,
            "identifier": identifier,
            "vendor": vendor,
            "physical": psutil.cpu_count(logical=False),
            "logical": psutil.cpu_count(),
            "usable": len(psutil.Process().cpu_affinity() or ()),
            "features": [feature for number, feature in _FEATURES.items() if present(number)],
            "native": os.environ.get("PROCESSOR_ARCHITEW6432") or os.environ.get("PROCESSOR_ARCHITECTURE", ""),
        }
        return Gathered(readings={"processor": json.dumps(values)})

    def _memory() -> Gathered:
        status = _MemoryStatus()
        status.length = ctypes.sizeof(_MemoryStatus)
        if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
            return Gathered(failures={"memory": "GlobalMemoryStatusEx failed"})
        return Gathered(readings={"memory": json.dumps({"total": status.total, "available": status.available})})

    def _registry() -> Gathered:
        """64-bit memory sizes of the display class. Keys that may not be read are passed over."""
        rows: list[dict[str, Any]] = []
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _DISPLAY_CLASS) as parent:
            for index in range(64):
                try:
                    with winreg.OpenKey(parent, f"{index:04d}") as key:
                        row: dict[str, Any] = {"Key": f"{index:04d}"}
                        row["DriverDesc"] = winreg.QueryValueEx(key, "DriverDesc")[0]
                        size = "HardwareInformation.qwMemorySize"
                        row[size] = int(winreg.QueryValueEx(key, size)[0])
                        rows.append(row)
                except OSError:
                    continue
        return Gathered(commands={"registry": json.dumps(rows)})

    def _npus() -> Gathered:
        """Names of the class of compute accelerators, which a machine without an NPU does not have."""
        names: list[str] = []
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _NPU_CLASS) as parent:
                for index in range(16):
                    with winreg.OpenKey(parent, f"{index:04d}") as key:
                        names.append(str(winreg.QueryValueEx(key, "DriverDesc")[0]))
        except OSError:
            pass
        return Gathered(readings={"npus": json.dumps(names)} if names else {})

else:

    def _processor() -> Gathered:
        raise OSError("this is not Windows")

    _memory = _registry = _npus = _processor
