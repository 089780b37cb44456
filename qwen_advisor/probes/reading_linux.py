"""Evidence of a Linux machine, read: also inside WSL, containers and virtual machines, and on boards."""

from __future__ import annotations

from qwen_advisor.describe.names import words
from qwen_advisor.probes import amd, intel, nvidia
from qwen_advisor.probes.cgroup import CgroupLimits, parse_limits
from qwen_advisor.probes.cpuinfo import parse_cpuinfo, parse_lscpu
from qwen_advisor.probes.evidence import Evidence
from qwen_advisor.probes.found import FoundCpu, FoundGpu, FoundModules, joined
from qwen_advisor.probes.jetson import jetson_name, parse_tegrastats
from qwen_advisor.probes.meminfo import parse_meminfo
from qwen_advisor.probes.numbers import cpu_list, whole
from qwen_advisor.probes.parts import Parts, normal_arch
from qwen_advisor.probes.pci import VENDORS, parse_lspci, sysfs_gpus, unnamed
from qwen_advisor.probes.smbios import parse_memory_devices
from qwen_advisor.probes.vulkan import parse_vulkan
from qwen_advisor.values import replace

_NPU_DRIVERS = {
    "intel_vpu": "Intel NPU",
    "amdxdna": "AMD Ryzen AI NPU",
    "qaic": "Qualcomm Cloud AI",
    "rocket": "Rockchip NPU",
}
_CONTAINER_GROUPS = ("docker", "kubepods", "containerd", "libpod", "lxc", "crio")
_PAGE = 4096


def read_linux(evidence: Evidence) -> Parts:
    """The parts of a Linux machine."""
    parts = Parts(arch=normal_arch(evidence.arch))
    limits = parse_limits(evidence.file("/proc/self/cgroup"), evidence.file("/proc/self/mountinfo"), evidence.files)
    parts.notes += limits.notes
    _processor(evidence, limits, parts)
    _memory(evidence, limits, parts)
    parts.modules = _modules(evidence, parts.cpu)
    board = _board(evidence)
    parts.names = tuple(name for name in (board, parts.cpu.name) if name)
    if board and "Jetson" not in board and parts.arch != "x86_64":
        name = f"{parts.cpu.name} ({board})" if parts.cpu.name else board
        parts.cpu = replace(parts.cpu, name=name)
    _gpus(evidence, board, parts)
    release = evidence.file("/proc/sys/kernel/osrelease").lower()
    parts.wsl = "microsoft" in release
    parts.container = _in_container(evidence)
    drivers = [text for _, text in evidence.matching("/sys/class/accel/", "/device/uevent")]
    parts.npus = tuple(
        name for driver, name in _NPU_DRIVERS.items() if any(f"DRIVER={driver}" in text for text in drivers)
    )
    return parts


def _board(evidence: Evidence) -> str:
    model = evidence.file("/proc/device-tree/model").replace("\0", "").strip()
    jetson = jetson_name(model, evidence.file("/proc/device-tree/compatible"))
    if jetson or model:
        return jetson or model
    product = evidence.file("/sys/class/dmi/id/product_name").strip()
    return "" if product in ("", "System Product Name", "To Be Filled By O.E.M.", "Default string") else product


def _in_container(evidence: Evidence) -> bool:
    marked = "/.dockerenv" in evidence.files or "/run/.containerenv" in evidence.files
    named = "container" in evidence.environment or "KUBERNETES_SERVICE_HOST" in evidence.environment
    groups = evidence.file("/proc/self/cgroup")
    return marked or named or any(word in groups for word in _CONTAINER_GROUPS)


def _processor(evidence: Evidence, limits: CgroupLimits, parts: Parts) -> None:
    cpu = parse_cpuinfo(evidence.file("/proc/cpuinfo"))
    parts.sources["cpu"] = "/proc/cpuinfo"
    if not cpu.name and not cpu.features and "lscpu" in evidence.commands:
        cpu = parse_lscpu(evidence.commands["lscpu"])
        parts.sources["cpu"] = "lscpu"
    nodes = cpu_list(evidence.file("/sys/devices/system/node/has_cpu"))  # a GPU's memory may be a node without CPUs
    fast, slow = _core_kinds(evidence, cpu)
    cpu = replace(cpu, numa_nodes=max(1, len(nodes)), performance_cores=fast, efficiency_cores=slow)
    parts.cpu = cpu
    allowed = cpu_list(evidence.readings.get("affinity"))
    fenced = cpu_list(limits.cpus)
    allowed = allowed & fenced if allowed and fenced else allowed or fenced
    usable = cpu.physical_cores
    if allowed and cpu.cores_of:
        usable = len({cpu.cores_of.get(number, str(number)) for number in allowed})
    elif allowed and usable:
        usable = min(usable, len(allowed))
    if limits.cores is not None and usable:
        usable = max(1, min(usable, int(limits.cores)))
    parts.usable_cores = usable
    threads = len(allowed) if allowed else cpu.logical_cores
    if threads and limits.cores is not None:
        threads = max(1, min(threads, int(limits.cores)))
    parts.usable_threads = threads
    if usable and cpu.physical_cores and usable < cpu.physical_cores:
        why = (
            f"a CPU quota of {limits.cores:g} cores"
            if limits.cores is not None
            else "the CPUs that this process may use"
        )
        parts.notes.append(f"{usable} of {cpu.physical_cores} cores can be used: {why}")
        parts.sources["cpu.usable_cores"] = "cgroup quota and affinity"


def _core_kinds(evidence: Evidence, cpu: FoundCpu) -> tuple[int | None, int | None]:
    """Fast and slow cores: by the two device folders of hybrid x86, by capacity on Arm."""
    fast, slow = (cpu_list(evidence.file(f"/sys/devices/cpu_{kind}/cpus")) for kind in ("core", "atom"))
    if fast and slow:
        return tuple(len({cpu.cores_of.get(n, str(n)) for n in group}) for group in (fast, slow))  # type: ignore[return-value]
    capacities = [whole(text) for _, text in evidence.matching("/sys/devices/system/cpu/", "/cpu_capacity")]
    known = [capacity for capacity in capacities if capacity]
    if len(set(known)) < 2:
        return None, None
    # Cores within a tenth of the fastest run at its pace: prime and big cores differ by clock alone.
    quick = sum(capacity >= 0.9 * max(known) for capacity in known)
    return quick, len(known) - quick


def _memory(evidence: Evidence, limits: CgroupLimits, parts: Parts) -> None:
    memory = parse_meminfo(evidence.file("/proc/meminfo"))
    parts.sources["memory.total"] = "/proc/meminfo"
    if memory.total is None and "tegrastats" in evidence.commands:
        memory = parse_tegrastats(evidence.commands["tegrastats"])
        parts.sources["memory.total"] = "tegrastats"
    parts.notes += memory.notes
    total = memory.total
    if limits.memory is not None and (total is None or limits.memory < total):
        left = max(0, limits.memory - limits.in_use)
        available = left if memory.available is None else min(memory.available, left)
        memory = replace(memory, limit=limits.memory, available=available, limit_source=limits.memory_file)
        parts.sources["memory.limit"] = limits.memory_file
    parts.memory = memory


def _modules(evidence: Evidence, cpu: FoundCpu) -> FoundModules:
    """Memory modules; those that a hypervisor makes up say nothing of the bus."""
    text = next((t for line, t in evidence.commands.items() if line.startswith("dmidecode")), "")
    return FoundModules() if cpu.virtual else parse_memory_devices(text)


def _gpus(evidence: Evidence, board: str, parts: Parts) -> None:
    on_bus = sysfs_gpus(evidence.files)
    targets = amd.kfd_targets(evidence.files)
    answered = nvidia.read_best(evidence.readings.get("nvml", ""), evidence.commands)
    if board.startswith("Jetson"):
        answered = [_jetson(gpu, board) for gpu in answered] or [
            FoundGpu(vendor="nvidia", source="/proc/device-tree", name=board, integrated=True)
        ]
    found: list[FoundGpu] = list(answered)
    idle: list[FoundGpu] = []
    for device, bare in ((device, next(unnamed([device]), None)) for device in on_bus):
        if bare is None:
            continue
        match VENDORS[device.vendor]:
            case "amd":
                gpu = amd.from_sysfs(device, targets)
                (found if gpu.total or gpu.shared_total else idle).append(gpu)
            case "intel":
                driver = device.files.get("driver", "").strip()
                (found if driver in ("xe", "i915", "") else idle).append(intel.from_sysfs(device))
            case _:
                if not any(gpu.bus == device.bus for gpu in answered) and not board.startswith("Jetson"):
                    idle.append(bare)
    for group in _from_tools(evidence):
        _join(found, idle, group)
    found = [_overridden(gpu, evidence.environment.get("HSA_OVERRIDE_GFX_VERSION")) for gpu in found]
    kfd = evidence.readings.get("/dev/kfd")
    if any(gpu.vendor == "amd" for gpu in found) and kfd != "usable":
        why = "/dev/kfd is not there" if kfd is None else "this user may not open /dev/kfd (groups render and video)"
        parts.notes.append(f"ROCm cannot be used: {why}; Vulkan may still work")
    if any(gpu.vendor == "nvidia" for gpu in idle) and answered:
        idle = [gpu for gpu in idle if gpu.vendor != "nvidia" or all(a.bus for a in answered)]
    parts.gpus, parts.idle_gpus = found, idle


def _jetson(gpu: FoundGpu, board: str) -> FoundGpu:
    """The driver names the chip; the device tree names the module, which has a bandwidth."""
    return replace(gpu, name=board, integrated=True)


def _overridden(gpu: FoundGpu, version: str | None) -> FoundGpu:
    """ROCm takes the card for another where ``HSA_OVERRIDE_GFX_VERSION`` says so, such as 10.3.0."""
    numbers = [whole(part) for part in (version or "").split(".")]
    if gpu.vendor != "amd" or len(numbers) != 3 or None in numbers:
        return gpu
    target = amd.gfx_target(sum((number or 0) * scale for number, scale in zip(numbers, (10000, 100, 1), strict=True)))
    return replace(gpu, compute_capability=target)


def _from_tools(evidence: Evidence) -> list[list[FoundGpu]]:
    """GPUs that tools list, where evidence holds their output; one list for each tool."""
    found: list[list[FoundGpu]] = []
    for line, text in evidence.commands.items():
        if line.startswith("rocm-smi"):
            found.append(amd.parse_rocm_smi(text) or amd.parse_rocm_smi_csv(text) or amd.parse_rocm_smi_text(text))
        elif line.startswith("amd-smi"):
            found.append(amd.parse_amd_smi(text))
        elif line.startswith("xpu-smi"):
            found.append(intel.parse_xpu_smi(text))
        elif line.startswith("lspci"):
            found.append(parse_lspci(text))
        elif line.startswith("vulkaninfo"):
            found.append(parse_vulkan(text))
    return found


def _join(found: list[FoundGpu], idle: list[FoundGpu], told: list[FoundGpu]) -> None:
    """Add what one tool says of GPUs to what is known of them: one GPU seen by two drivers is one.

    The bus address tells which is which; without it the PCI id or the name does, each known GPU taken once.
    """
    taken: set[int] = set()
    for gpu in told:
        places = [(group, i) for group in (found, idle) for i in range(len(group)) if id(group[i]) not in taken]
        match = next(((g, i) for g, i in places if gpu.bus and g[i].bus == gpu.bus), None)
        if match is None:
            match = next(((g, i) for g, i in places if _alike(g[i], gpu)), None)
        if match is None:
            # A tool of the driver's own sees what can be used; the bus and Vulkan also show what cannot.
            (idle if gpu.source in ("lspci", "vulkaninfo") else found).append(gpu)
            continue
        group, i = match
        group[i] = joined(group[i], gpu)
        taken.add(id(group[i]))


def _alike(known: FoundGpu, gpu: FoundGpu) -> bool:
    if known.vendor != gpu.vendor or (known.bus and gpu.bus):
        return False
    if known.pci_id and gpu.pci_id:
        return known.pci_id == gpu.pci_id
    return bool(gpu.name) and words(known.name).words == words(gpu.name).words
