"""What a machine is: processors, memory pools, accelerators, and where each value came from."""

from __future__ import annotations

from typing import Literal

from qwen_advisor.values import dataclass, field

AcceleratorKind = Literal["discrete", "integrated", "unified", "mig", "npu"]
BandwidthBasis = Literal["measured", "modules", "platform", "assumed"]
Interconnect = Literal["ethernet", "100g", "infiniband", "nvlink"]
Vendor = Literal["nvidia", "amd", "intel", "apple", "qualcomm", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """The processor. Features are the Linux names: ``avx2``, ``avx512f``, ``amx_int8``, ``asimddp``, ``i8mm``."""

    name: str
    arch: str = "x86_64"  # "x86_64" or "arm64"
    physical_cores: int = 1
    performance_cores: int | None = None
    logical_cores: int = 1
    usable_cores: int = 1
    features: tuple[str, ...] = ()
    memory_bandwidth: float | None = None  # bytes per second, read
    memory_bandwidth_basis: BandwidthBasis = "assumed"
    efficiency_cores: int | None = None
    numa_nodes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HostMemory:
    """Main memory in bytes. ``limit`` is the least of all cgroup limits, None where there is none."""

    total: int
    available: int
    limit: int | None = None
    unified: bool = False
    reserve: int = 0  # what the system and the desktop keep
    reserve_why: str = ""

    @property
    def budget(self) -> int:
        """Bytes that a model may take: what is available or allowed, less the reserve."""
        return max(0, min(self.available, self.limit if self.limit is not None else self.available) - self.reserve)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """One accelerator as the engines see it. Memory in bytes, bandwidth in bytes per second, FLOP/s dense."""

    name: str
    vendor: Vendor
    kind: AcceleratorKind = "discrete"
    memory: int
    free: int
    reserve: int = 0  # driver, display and safety; taken off free
    reserve_why: str = ""
    memory_bandwidth: float | None = None
    fp16_flops: float | None = None
    compute_capability: str | None = None  # "8.9" for NVIDIA, "gfx1100" for AMD
    spec: str | None = None  # the catalogue entry that the figures come from
    cores: int | None = None  # GPU cores where the bin matters (Apple)
    pcie_bandwidth: float | None = None  # bytes per second, one way
    shared: int = 0  # of ``memory``, bytes that lie in main memory (unified, GTT): what is used there leaves the host
    driver: str | None = None  # version

    @property
    def budget(self) -> int:
        """Bytes that a model may take on this accelerator."""
        return max(0, self.free - self.reserve)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """Where downloads go."""

    path: str
    free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledEngine:
    """An engine found on this machine."""

    name: str
    version: str | None = None
    running: bool = False


Holder = Literal["huggingface", "llama.cpp", "lmstudio", "ollama", "folder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Weights on a disk: in whose folder they lie, and where. Ollama's are named by their tag, not by a path."""

    holder: Holder
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Everything downloaded that was found on a disk. Repositories and tags are in lower case."""

    files: dict[tuple[str, str], Stored] = field(default_factory=dict)  # (repository, path in it)
    repositories: dict[str, Stored] = field(default_factory=dict)  # those with all their weights
    tags: dict[str, Stored] = field(default_factory=dict)  # of Ollama


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine, detected or described. With ``nodes`` above 1, that many machines of this kind."""

    os: str  # "linux", "macos", "windows"
    cpu: Cpu
    memory: HostMemory
    accelerators: tuple[Accelerator, ...] = ()
    disk: Disk | None = None
    engines: tuple[InstalledEngine, ...] = ()
    nodes: int = 1
    interconnect: Interconnect | None = None  # between nodes
    described: bool = False  # True where nothing of this machine was read
    wsl: bool = False
    container: bool = False
    fanless: bool = False  # a phone: its full clocks last for seconds
    virtual: bool = False  # a virtual machine: its share of the memory bus is not the whole
    npus: tuple[str, ...] = ()
    shelf: Shelf | None = None  # models on its disk; None where nobody looked
    sources: dict[str, str] = field(default_factory=dict)  # field path -> where the value came from
    notes: tuple[str, ...] = ()
