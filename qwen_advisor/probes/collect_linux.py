"""Raw evidence on Linux: files of /proc and /sys, and the driver's tools where there is a driver."""

from __future__ import annotations

import os

from qwen_advisor.probes import asking
from qwen_advisor.probes.cgroup import limit_files
from qwen_advisor.probes.cpuinfo import condense_cpuinfo
from qwen_advisor.probes.nvidia import QUERY
from qwen_advisor.probes.pci import SYSFS
from qwen_advisor.probes.runner import PATIENT, Gathered, Probe
from qwen_advisor.probes.smbios import memory_devices_text

_CPU = "/sys/devices/system/cpu"
_FILES = (
    "/proc/meminfo",
    "/proc/self/cgroup",
    "/proc/sys/kernel/osrelease",
    "/etc/os-release",
    "/sys/devices/system/node/has_cpu",
    "/sys/devices/cpu_core/cpus",
    "/sys/devices/cpu_atom/cpus",
    "/proc/device-tree/model",
    "/proc/device-tree/compatible",
    "/etc/nv_tegra_release",
    "/proc/driver/nvidia/version",
    "/sys/class/dmi/id/sys_vendor",
    "/sys/class/dmi/id/product_name",
    "/sys/class/dmi/id/product_family",
    "/sys/module/ttm/parameters/pages_limit",
    "/.dockerenv",
    "/run/.containerenv",
)
_PCI_FILES = (
    "class",
    "vendor",
    "device",
    "revision",
    "product_name",
    "mem_info_vram_total",
    "mem_info_vram_used",
    "mem_info_gtt_total",
    "mem_info_gtt_used",
)
_DISPLAY_CLASSES = ("0x0300", "0x0301", "0x0302", "0x0380", "0x1200")
_WSL_LIBRARIES = "/usr/lib/wsl/lib"
_DMI_TABLE = "/sys/firmware/dmi/tables/DMI"


def probes() -> dict[str, Probe]:
    """What to ask; NVIDIA's library only where its driver is there, as loading it takes longer than all the rest."""
    asked = {"system files": Probe(_system), "PCI bus": Probe(_pci), "memory modules": Probe(_modules)}
    if nvidia_driver():
        asked["NVIDIA driver"] = Probe(_nvidia, PATIENT * 2)
    return asked


def nvidia_driver() -> bool:
    """Whether NVIDIA's driver is there, on this machine or behind WSL."""
    signs = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/nvhost-gpu", f"{_WSL_LIBRARIES}/libnvidia-ml.so.1")
    return any(os.path.exists(sign) for sign in signs)  # noqa: PTH110  a fixed path


def _system() -> Gathered:
    files = asking.read_all(_FILES)
    for marker in ("/.dockerenv", "/run/.containerenv"):
        if marker in files:
            files[marker] = ""  # that it is there says it; what podman writes into it names images
    cpuinfo = asking.read("/proc/cpuinfo")
    if cpuinfo is not None:
        files["/proc/cpuinfo"] = condense_cpuinfo(cpuinfo)
    mounts = asking.read("/proc/self/mountinfo") or ""
    files["/proc/self/mountinfo"] = "".join(f"{line}\n" for line in mounts.splitlines() if " - cgroup" in line)
    for path, text in asking.read_all(
        limit_files(files.get("/proc/self/cgroup", ""), files["/proc/self/mountinfo"])
    ).items():
        lines = text.splitlines(keepends=True)
        files[path] = "".join(x for x in lines if "inactive_file" in x) if path.endswith("memory.stat") else text
    if os.uname().machine != "x86_64":
        cpus = [name for name in asking.listed(_CPU) if name[3:].isdigit()]
        files |= asking.read_all(f"{_CPU}/{name}/cpu_capacity" for name in cpus)
    for name in asking.listed("/sys/class/accel"):
        files |= asking.read_all((f"/sys/class/accel/{name}/device/uevent",))
    readings = {}
    if hasattr(os, "sched_getaffinity"):
        readings["affinity"] = ",".join(str(cpu) for cpu in sorted(os.sched_getaffinity(0)))
    return Gathered(files=files, readings=readings)


def _pci() -> Gathered:
    files: dict[str, str] = {}
    for address in asking.listed(SYSFS):
        folder = f"{SYSFS}/{address}"
        kind = asking.read(f"{folder}/class") or ""
        if not kind.startswith(_DISPLAY_CLASSES):
            continue
        files |= asking.read_all(f"{folder}/{name}" for name in _PCI_FILES)
        tiles = [name for name in asking.listed(folder) if name.startswith("tile")]
        files |= asking.read_all(f"{folder}/{tile}/physical_vram_size_bytes" for tile in tiles)
        cards = [name for name in asking.listed(f"{folder}/drm") if name.startswith("card")]
        files |= asking.read_all(f"{folder}/drm/{card}/lmem_total_bytes" for card in cards)
        try:
            files[f"{folder}/driver"] = os.path.basename(os.readlink(f"{folder}/driver"))  # noqa: PTH119, PTH115
        except OSError:
            continue
    nodes = "/sys/class/kfd/kfd/topology/nodes"
    files |= asking.read_all(f"{nodes}/{node}/properties" for node in asking.listed(nodes))
    readings = {}
    if os.path.exists("/dev/kfd"):  # noqa: PTH110
        readings["/dev/kfd"] = "usable" if os.access("/dev/kfd", os.R_OK | os.W_OK) else "no permission"
    return Gathered(files=files, readings=readings)


def _modules() -> Gathered:
    """The firmware's table of memory modules, which only root may read; without serial numbers."""
    try:
        with open(_DMI_TABLE, "rb") as stream:  # noqa: PTH123
            table = stream.read(1 << 20)
    except OSError:
        return Gathered()
    return Gathered(commands={"dmidecode -t 17": memory_devices_text(table)})


def _nvidia() -> Gathered:
    """NVML; where it fails, nvidia-smi, in the richest form that this driver has."""
    from qwen_advisor.probes.nvml import ask_nvml  # noqa: PLC0415  needs a driver

    try:
        return Gathered(readings={"nvml": ask_nvml()})
    except Exception as error:  # noqa: BLE001  the library raises its own kinds
        gathered = Gathered(failures={"NVML": str(error)[:300]})
    program = asking.where("nvidia-smi", f"{_WSL_LIBRARIES}/nvidia-smi")
    if program is None:
        return gathered
    gathered.add(asking.command([program, "-q", "-x"], limit=PATIENT, label="nvidia-smi -q -x"))
    if "nvidia-smi -q -x" not in gathered.commands:
        query = f"--query-gpu={','.join(QUERY)}"
        label = "nvidia-smi --query-gpu"
        gathered.add(asking.command([program, query, "--format=csv"], limit=PATIENT, label=label))
    return gathered
