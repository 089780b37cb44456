"""The catalogue as one value: every fact that an answer rests on. Reading it from files is the door's work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from qwen_advisor.engine import EngineSpec
from qwen_advisor.evidence import Ability
from qwen_advisor.footprint import Footprint
from qwen_advisor.model import Architecture, Checkpoint
from qwen_advisor.quantization import BlockType, Format
from qwen_advisor.task import TaskProfile
from qwen_advisor.values import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)  # identity is enough, and lets it stand in a union of types
class Written:
    """Marks a quantity that the catalogue writes with its unit, as a data sheet does: ``24 GiB``, ``1008 GB/s``.

    The field itself holds a plain number of ``unit``; the loader refuses a bare one.
    """

    unit: str
    scales: Mapping[str, int]  # the units that may be written, and what one of them is in ``unit``


MemorySize = Annotated[int, Written("bytes", {"MiB": 2**20, "GiB": 2**30, "TiB": 2**40})]
Bandwidth = Annotated[float, Written("bytes per second", {"MB/s": 10**6, "GB/s": 10**9, "TB/s": 10**12})]
Throughput = Annotated[float, Written("FLOP/s", {"GFLOPS": 10**9, "TFLOPS": 10**12, "PFLOPS": 10**15})]
TransferRate = Annotated[float, Written("transfers per second", {"MT/s": 10**6, "GT/s": 10**9})]


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
    memory: MemorySize | None  # None: it shares main memory, whose size is the machine's
    memory_bandwidth: Bandwidth | None
    fp16_flops: Throughput | None
    compute_capability: str | None
    aliases: tuple[str, ...] = ()
    pci_ids: tuple[str, ...] = ()
    fp16_basis: str = ""
    low_precision: str = ""
    released: int | None = None
    tdp_watts: float | None = None
    memory_type: str = ""
    bus_bits: int | None = None
    reported_memory: MemorySize | None = None  # what the driver reports as total, where known
    driver_reserved: MemorySize | None = None  # of that total, what the driver keeps, where captured
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
    bandwidth: Bandwidth | None  # None: only the channels are known, the modules decide
    channels: float | None = None
    transfers_per_second: TransferRate | None = None
    measured: Bandwidth | None = None
    cpu_pattern: str = ""  # regular expression that a CPU's name is searched with, in any case
    cpu_models: tuple[str, ...] = ()  # "AuthenticAMD 25 17": vendor, family, model; "0x41 0xd4f": implementer, part
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
    memory: tuple[MemorySize, ...]  # bytes; more than one where it is sold in sizes
    cpu: str
    physical_cores: int
    performance_cores: int | None = None
    logical_cores: int | None = None
    cpu_features: tuple[str, ...] = ()
    memory_bandwidth: Bandwidth | None = None
    memory_platform: str | None = None  # id of a platform, where the machine is a share of one (cloud instances)
    reported_memory: MemorySize | None = None  # what the system reports as total, where known
    accelerators: tuple[str, ...] = ()  # ids of entries, repeated for several; unified: one for each memory size
    unified: bool = False
    aliases: tuple[str, ...] = ()
    source: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingMode:
    """Sampling values of one card for one way of asking; ``None`` where the card leaves a value to the server."""

    thinking: Literal["on", "off"]
    use: Literal["general", "code", "reasoning", "vision"] = "general"  # general is whatever no other mode names
    temperature: float
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the makers of some checkpoints say that they are asked: sampling values, and switches of the template."""

    id: str
    models: tuple[str, ...]
    modes: tuple[SamplingMode, ...] = ()  # none where the card gives no values
    switches: tuple[Literal["enable_thinking", "soft", "preserve_thinking", "reasoning_effort"], ...] = ()
    template_system: str | None = None  # the system message that the template adds where none is given
    output_tokens: int | None = None  # room for an answer
    output_tokens_hard: int | None = None  # the same for problems of competitions
    sources: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    note: str = ""

    def mode(self, thinking: Literal["on", "off"], use: str = "general") -> SamplingMode | None:
        """The values for a use, or the general ones of that state of thinking; ``None`` where there are none."""
        mine = [mode for mode in self.modes if mode.thinking == thinking]
        return next((mode for wanted in (use, "general") for mode in mine if mode.use == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RopeScaling:
    """What ``rope_parameters`` of ``config.json`` become where some checkpoints go beyond their native context."""

    id: str
    models: tuple[str, ...]
    parameters: Mapping[str, Any]  # all but the factor and the native length, which depend on the context asked for
    largest_factor: float
    within: str = ""  # the part of config.json that holds them, "text_config"; empty for the file itself
    sources: tuple[str, ...] = ()


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
    variants: Mapping[str, Mapping[str, Footprint]]  # the same for files of a variant, by "FORMAT|word+word"
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
    languages: Mapping[str, Any] = field(default_factory=dict)  # languages.yaml: ISO 639 code -> {title, since}
    ranking: Mapping[str, Any] = field(default_factory=dict)  # ranking.yaml: the weights of the ranking
    sampling: Mapping[str, Sampling] = field(default_factory=dict)  # sampling.yaml: how checkpoints are asked
    rope: Mapping[str, RopeScaling] = field(default_factory=dict)  # rope.yaml: how contexts are stretched
    training: Mapping[str, Any] = field(default_factory=dict)  # training.yaml: constants of fine-tuning

    def sampling_of(self, model: str) -> Sampling | None:
        """What is known of how this checkpoint, by its id, is asked; ``None`` where no card says it."""
        return next((entry for entry in self.sampling.values() if model in entry.models), None)

    def rope_of(self, model: str) -> RopeScaling | None:
        """How the context of this checkpoint, by its id, is stretched; ``None`` where no source says it."""
        return next((entry for entry in self.rope.values() if model in entry.models), None)
