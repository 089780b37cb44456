"""The catalogue as one value: every fact that an answer rests on. Reading it from files is the door's work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from qwen_advisor.engine import EngineSpec
from qwen_advisor.evidence import Ability
from qwen_advisor.footprint import Footprint
from qwen_advisor.model import Architecture, Checkpoint
from qwen_advisor.quantization import BlockType, Format
from qwen_advisor.task import TaskProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class License:
    """A license and what it means for a user."""

    id: str
    title: str
    spdx: str | None
    permissive: bool
    summary: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceleratorSpec:
    """One accelerator by its data sheet. Memory in bytes, bandwidth in bytes per second, dense FLOP/s."""

    id: str
    name: str
    vendor: str
    kind: str
    memory: int
    memory_bandwidth: float | None
    fp16_flops: float | None
    compute_capability: str | None
    aliases: tuple[str, ...] = ()
    pci_ids: tuple[str, ...] = ()
    fp16_basis: str = ""
    low_precision: str = ""
    released: int | None = None
    tdp_watts: float | None = None
    memory_type: str = ""
    bus_bits: int | None = None
    reported_memory: int | None = None  # what the driver reports as total, where known
    cores: int | None = None
    default_of: tuple[str, ...] = ()  # ambiguous names for which this is clearly the common card
    source: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPlatform:
    """Memory bandwidth of a CPU platform or module class, bytes per second."""

    id: str
    record_type: str
    platform: str
    cpu_examples: tuple[str, ...]
    memory_type: str
    bandwidth: float
    channels: float | None = None
    transfers_per_second: float | None = None
    measured: float | None = None
    basis: str = ""
    source: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSpec:
    """A whole machine by name: a laptop, a board, a cloud instance, a CI runner, a class of phone."""

    id: str
    name: str
    kind: Literal["laptop", "desktop", "mini", "board", "cloud", "runner", "phone", "workstation", "server"]
    os: str
    arch: str
    memory: tuple[int, ...]  # bytes; more than one where it is sold in sizes
    cpu: str
    physical_cores: int
    performance_cores: int | None = None
    logical_cores: int | None = None
    cpu_features: tuple[str, ...] = ()
    memory_bandwidth: float | None = None
    accelerators: tuple[str, ...] = ()  # ids of accelerator entries, repeated for several
    unified: bool = False
    aliases: tuple[str, ...] = ()
    source: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Catalog:
    """All facts. Mappings are keyed by id and may decode their values when asked."""

    version: str
    models: Mapping[str, Checkpoint]
    architectures: Mapping[str, Architecture]
    licenses: Mapping[str, License]
    block_types: Mapping[str, BlockType]
    formats: Mapping[str, Format]
    footprints: Mapping[str, Mapping[str, Footprint]]  # architecture id -> format name -> footprint
    engines: Mapping[str, EngineSpec]
    tasks: Mapping[str, TaskProfile]
    accelerators: Mapping[str, AcceleratorSpec]
    devices: Mapping[str, DeviceSpec]
    platforms: Mapping[str, MemoryPlatform]
    abilities: Mapping[str, Mapping[str, tuple[Ability, ...]]]  # scale -> checkpoint -> settings
    quantization_loss: Mapping[str, Any] = field(default_factory=dict)  # parameters of the fitted loss curves
    efficiency: Mapping[str, Any] = field(default_factory=dict)  # fitted speed parameters, with their sources
    memory_models: Mapping[str, Any] = field(default_factory=dict)  # measured constants of runtimes, with sources
    families: Mapping[str, Any] = field(default_factory=dict)  # order of generations, lines, what they are for
