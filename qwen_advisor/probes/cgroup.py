"""Limits that control groups set, version 1 and 2: the least along the whole path up to the root.

Source: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of Linux.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from posixpath import join, normpath

from qwen_advisor.probes.numbers import whole
from qwen_advisor.values import dataclass

_UNLIMITED = 1 << 60  # version 1 writes 9223372036854771712 for "no limit"
_DEFAULT_PERIOD = 100_000  # microseconds
_V1_CONTROLLERS = ("memory", "cpu", "cpuset")
_FILES = {
    "v2": ("memory.max", "memory.high", "memory.current", "memory.stat", "cpu.max", "cpuset.cpus.effective"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat"),
    "cpu": ("cpu.cfs_quota_us", "cpu.cfs_period_us"),
    "cpuset": ("cpuset.effective_cpus", "cpuset.cpus"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CgroupLimits:
    """What control groups allow. Memory in bytes, cores as a number that may be broken; None where nothing is set."""

    memory: int | None = None
    memory_file: str = ""
    in_use: int = 0  # of that limit, not to be dropped
    cores: float | None = None
    cpus: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Mount:
    point: str
    root: str
    controllers: frozenset[str]  # {"v2"} for the unified hierarchy


def _mounts(mountinfo: str) -> Iterator[_Mount]:
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if not separator or len(fields) < 6 or len(kind) < 3:
            continue
        root, point = (field.replace("\\040", " ") for field in (fields[3], fields[4]))
        if kind[0] == "cgroup2":
            yield _Mount(point, root, frozenset({"v2"}))
        elif kind[0] == "cgroup":
            yield _Mount(point, root, frozenset(kind[2].split(",")))


def _groups(cgroup: str) -> dict[str, str]:
    """Controller -> path of this process's group; ``v2`` for the unified hierarchy."""
    groups: dict[str, str] = {}
    for line in cgroup.splitlines():
        parts = line.split(":", 2)
        if len(parts) != 3 or not parts[2].startswith("/"):
            continue
        if parts[0] == "0" and not parts[1]:
            groups["v2"] = parts[2]
        for controller in parts[1].split(","):
            if controller:
                groups[controller] = parts[2]
    return groups


def _folders(mount: _Mount, group: str) -> list[str]:
    """Folders from the group's own up to the mount point. A group outside the mount's root has the mount alone."""
    inside = group if mount.root == "/" else group.removeprefix(mount.root) if _below(group, mount.root) else None
    if inside is None or "/../" in f"{group}/":
        return [mount.point]
    folder = normpath(join(mount.point, inside.lstrip("/")))
    folders = [folder]
    while folder != mount.point and len(folder) > len(mount.point):
        folder = folder.rpartition("/")[0]
        folders.append(folder)
    return folders


def _below(group: str, root: str) -> bool:
    return group == root or group.startswith(f"{root.rstrip('/')}/")


def limit_files(cgroup: str, mountinfo: str) -> list[str]:
    """The files to read for `parse_limits`, from ``/proc/self/cgroup`` and ``/proc/self/mountinfo``."""
    groups = _groups(cgroup)
    files: dict[str, None] = {}
    for mount in _mounts(mountinfo):
        for controller in (*_V1_CONTROLLERS, "v2"):
            if controller in mount.controllers and controller in groups:
                for folder in _folders(mount, groups[controller]):
                    files.update(dict.fromkeys(f"{folder}/{name}" for name in _FILES[controller]))
    return list(files)


def memory_limit(text: str | None) -> int | None:
    """Bytes of a memory limit; None for ``max``, for version 1's huge number and for what is no number."""
    value = whole(text)
    return value if value is not None and 0 < value < _UNLIMITED else None


def cpu_quota_v2(text: str | None) -> tuple[float | None, bool]:
    """Cores that ``cpu.max`` allows (``quota period``), and whether the text was understood."""
    fields = (text or "").split()
    if not 1 <= len(fields) <= 2:
        return None, not text
    if fields[0] == "max":
        return None, True
    quota, period = whole(fields[0]), whole(fields[1]) if len(fields) == 2 else _DEFAULT_PERIOD
    return (quota / period, True) if quota and period else (None, False)


def cpu_quota_v1(quota_text: str | None, period_text: str | None) -> tuple[float | None, bool]:
    """Cores that ``cpu.cfs_quota_us`` and ``cpu.cfs_period_us`` allow (-1: any), and whether they were understood."""
    if quota_text is None or quota_text.strip() in ("", "-1"):
        return None, not quota_text or bool(quota_text.strip())
    quota, period = whole(quota_text), whole(period_text)
    return (quota / period, True) if quota and period else (None, False)


def parse_limits(cgroup: str, mountinfo: str, files: Mapping[str, str]) -> CgroupLimits:
    """The limits of this process: the least of all groups on the way up, of every hierarchy."""
    memory: tuple[int, str] | None = None
    cores: float | None = None
    notes: list[str] = []
    cpus = ""
    for name in limit_files(cgroup, mountinfo):
        text = files.get(name)
        if text is None:
            continue
        kind = name.rpartition("/")[2]
        if kind in ("memory.max", "memory.high", "memory.limit_in_bytes"):
            limit = memory_limit(text)
            if limit is not None and (memory is None or limit < memory[0]):
                memory = (limit, name)
        elif kind in ("cpu.max", "cpu.cfs_quota_us"):
            if kind == "cpu.max":
                allowed, understood = cpu_quota_v2(text)
            else:
                allowed, understood = cpu_quota_v1(text, files.get(name.replace("quota", "period")))
            if not understood:
                notes.append(f"{name} could not be understood and is left out: {text.strip()[:60]!r}")
            if allowed is not None:
                cores = allowed if cores is None else min(cores, allowed)
        elif kind.startswith("cpuset") and text.strip() and not cpus:
            cpus = text.strip()
    return CgroupLimits(
        memory=memory[0] if memory else None,
        memory_file=memory[1] if memory else "",
        in_use=_in_use(memory[1], files) if memory else 0,
        cores=cores,
        cpus=cpus,
        notes=tuple(notes),
    )


def _in_use(limit_file: str, files: Mapping[str, str]) -> int:
    """The working set of the limiting group: usage less file pages that can be dropped, as the kubelet reckons."""
    folder = limit_file.rpartition("/")[0]
    usage = whole(files.get(f"{folder}/memory.current") or files.get(f"{folder}/memory.usage_in_bytes"))
    inactive = 0
    for line in files.get(f"{folder}/memory.stat", "").splitlines():
        key, _, value = line.partition(" ")
        if key in ("inactive_file", "total_inactive_file"):
            inactive = max(inactive, whole(value) or 0)
    return max(0, (usage or 0) - inactive)
