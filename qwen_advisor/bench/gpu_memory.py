"""What processes hold in the memory of GPUs, as their drivers tell: NVML, and the files of Linux's other drivers."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

PROC = Path("/proc")
# ROCm's compute driver: bytes for each process and GPU (Linux, drivers/gpu/drm/amd/amdkfd/kfd_process.c).
KFD = Path("/sys/class/kfd/kfd/proc")
# Linux, Documentation/gpu/drm-usage-stats.rst. Memory of its own is called vram by amdgpu and xe, local by i915.
_LINE = re.compile(r"^drm-(resident|memory|client-id|pdev)(?:-(?:vram|local)\d*)?:\s*(\S+)(?:\s+(KiB|MiB))?\s*$")
_UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20}


def gpu_bytes(processes: set[int]) -> int | None:
    """Bytes that these processes hold on GPUs with memory of their own; None where no driver tells."""
    told = [held for held in (_nvidia(processes), _linux(processes)) if held is not None]
    return sum(told) if told else None


def _nvidia(processes: set[int]) -> int | None:
    """None where no driver tells of any process of this system.

    In a container a driver tells the numbers that processes have outside it, which are not those of ours.
    """
    import psutil  # noqa: PLC0415  only a measured server is looked at

    try:
        import pynvml as nvml  # noqa: PLC0415  only where a driver may be

        nvml.nvmlInit()
    except Exception:  # noqa: BLE001  no driver, or one that does not answer: both mean that nothing is known
        return None
    held, told = 0, False
    try:
        for index in range(nvml.nvmlDeviceGetCount()):
            for running in nvml.nvmlDeviceGetComputeRunningProcesses(nvml.nvmlDeviceGetHandleByIndex(index)):
                told = told or psutil.pid_exists(running.pid)
                if running.pid in processes and running.usedGpuMemory is not None:
                    held += int(running.usedGpuMemory)
    except nvml.NVMLError:
        return None
    finally:
        with contextlib.suppress(nvml.NVMLError):
            nvml.nvmlShutdown()
    return held if told else None


def _linux(processes: Iterable[int]) -> int | None:
    """None where none of the processes has a GPU open, or nobody may look."""
    found = [held for process in processes if (held := _of_process(process)) is not None]
    return sum(found) if found else None


def _of_process(process: int) -> int | None:
    """Both drivers tell of the same buffers, so that the one that tells of more tells of all."""
    clients: dict[tuple[str, str], int] = {}
    for text in _texts(PROC / str(process) / "fdinfo", "*"):
        client, held = _client(text)
        if held is not None:
            clients[client] = held  # one client may have several files open, which say the same
    compute = [int(text) for text in _texts(KFD / str(process), "vram_*") if text.strip().isdigit()]
    told = ([sum(clients.values())] if clients else []) + ([sum(compute)] if compute else [])
    return max(told, default=None)


def _client(text: str) -> tuple[tuple[str, str], int | None]:
    """Which client of which GPU an open file is, and the bytes that it holds there; None where it is no such file."""
    said: dict[str, str] = {}
    held: dict[str, int] = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        name, value, unit = match[1], match[2], match[3] or ""
        if name in ("client-id", "pdev"):
            said[name] = value
        elif value.isdigit() and "-" in line.partition(":")[0].removeprefix("drm-"):
            held[name] = held.get(name, 0) + int(value) * _UNITS[unit]
    # "memory" is the older word for "resident"; newer drivers say both.
    return (said.get("pdev", ""), said.get("client-id", "")), held.get("resident", held.get("memory"))


def _texts(folder: Path, pattern: str) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for path in folder.glob(pattern):
            with contextlib.suppress(OSError, UnicodeDecodeError):
                yield path.read_text("utf-8")
