"""What single probes find: parts of a machine, before the catalogue completes them and accounts of one are joined."""

from __future__ import annotations

from dataclasses import fields

from qwen_advisor.machine import Vendor
from qwen_advisor.values import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSlice:
    """One MIG instance: memory in bytes, the share of the parent's memory and compute in slices."""

    uuid: str = ""
    gpu_instance: str = ""
    profile: str = ""  # "3g.40gb"
    total: int | None = None
    used: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundGpu:
    """One GPU as one source tells it. Memory in bytes; None where the source does not say, never 0 for unknown."""

    vendor: Vendor
    source: str
    name: str = ""
    index: int | None = None  # in the source's own order
    bus: str = ""  # PCI address, "0000:01:00.0"
    uuid: str = ""
    pci_id: str = ""  # "10de:2684"
    revision: str = ""  # "c8"
    total: int | None = None
    reserved: int | None = None  # of the total, by the driver
    used: int | None = None
    free: int | None = None
    shared_total: int | None = None  # in main memory: GTT, unified
    shared_used: int | None = None
    bandwidth: float | None = None  # bytes per second, from clock and bus width
    memory_clock: float | None = None  # MHz
    compute_capability: str | None = None
    driver: str | None = None
    integrated: bool | None = None
    display: bool | None = None  # a monitor is drawn by it
    mig: bool = False  # split: only the slices can be used
    slices: tuple[FoundSlice, ...] = ()
    cores: int | None = None
    pcie_bandwidth: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCpu:
    """The processor as the system tells it."""

    name: str = ""
    model: str = ""  # "AuthenticAMD 25 17" or "0x41 0xd4f"
    features: tuple[str, ...] = ()
    physical_cores: int | None = None
    logical_cores: int | None = None
    performance_cores: int | None = None
    efficiency_cores: int | None = None
    cores_of: dict[int, str] = field(default_factory=dict)  # logical CPU -> the core that it is a thread of
    virtual: bool = False
    numa_nodes: int = 1

    @property
    def packages(self) -> int:
        """How many processors there are, by the first half of the cores' names."""
        return max(1, len({core.partition(".")[0] for core in self.cores_of.values()}))


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMemory:
    """Main memory in bytes."""

    total: int | None = None
    available: int | None = None
    limit: int | None = None
    limit_source: str = ""
    unusable: int = 0  # of the limit, in use already and not to be dropped
    huge_pages: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundModules:
    """Memory modules. Speed in transfers per second, width in bits over all channels that hold one."""

    memory_type: str = ""
    transfers: float | None = None
    rated: float | None = None
    bits: int | None = None
    modules: int = 0
    empty: int = 0
    channels: int | None = None
    empty_channels: int = 0
    estimated: bool = False

    @property
    def bandwidth(self) -> float | None:
        """Bytes per second: transfers times the width of all channels."""
        return self.transfers * self.bits / 8 if self.transfers and self.bits else None


def joined(first: FoundGpu, second: FoundGpu) -> FoundGpu:
    """Two accounts of one GPU: the first's, completed by the second's."""
    gaps = {
        f.name: getattr(second, f.name)
        for f in fields(FoundGpu)
        if getattr(first, f.name) in (None, "", (), False) and getattr(second, f.name) not in (None, "", ())
    }
    return replace(first, **gaps)
