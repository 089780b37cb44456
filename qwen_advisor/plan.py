"""A candidate laid on a machine: settings, placement, memory and speed. Values only, no arithmetic."""

from __future__ import annotations

from typing import Literal

from qwen_advisor.values import dataclass, replace

KvType = Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl", "fp8"]
Basis = Literal["exact", "measured model", "published", "assumed"]
Pool = Literal["host", "device"]
Mode = Literal["gpu", "cpu", "hybrid", "unified"]
Bound = Literal["bandwidth", "compute", "interconnect"]
SpeedBasis = Literal["roofline", "calibrated", "measured"]

# llama-server, and what is built on it, share one context among their slots.
SHARED_CONTEXT = frozenset({"llama.cpp", "ollama", "lmstudio"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the engine is run. Token counts are tokens; ``None`` means the engine's own default.

    ``context`` is what the engine allocates for: where slots share it (`SHARED_CONTEXT`) all of it, such as the whole
    ``--ctx-size`` of llama.cpp; for the other engines the length that one request may reach.
    """

    engine: str
    context: int
    parallel: int = 1
    kv_type: KvType = "f16"
    kv_type_v: KvType | None = None  # where V differs from K
    flash_attention: bool | None = None  # None: on, as llama.cpp decides itself
    batch: int = 2048
    ubatch: int = 512
    gpu_layers: int | None = None  # llama.cpp's -ngl, which counts the head as a layer; None lets the fit decide
    mmap: bool = True
    repack: bool = True
    kv_unified: bool = False
    all_logits: bool = False  # True for llama-bench and the library default, which keep logits of a whole batch
    mtp: bool = False  # speculative decoding with the MTP blocks
    vision: bool = True  # load the projector where there is one
    prompt_tokens: int = 512
    output_tokens: int = 128

    @property
    def context_per_request(self) -> int:
        """Tokens that one request may reach."""
        shared = self.engine in SHARED_CONTEXT and not self.kv_unified
        return self.context // max(1, self.parallel) if shared else self.context


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """What lies where. ``device_layers`` counts decoder layers on each accelerator, in the machine's order.

    llama.cpp counts the output head as one more layer: with all decoder layers on devices the head is there too.
    """

    mode: Mode
    layers: int
    gpu_layers: int = 0
    cpu_expert_layers: int = 0
    tensor_parallel: int = 1
    pipeline_parallel: int = 1
    kv_cache_type: KvType = "f16"
    device_layers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPart:
    """One item of the memory table. ``device`` is the index of the accelerator, None for the host."""

    name: str
    group: Literal["weights", "kv_cache", "recurrent_state", "compute_buffer", "runtime_overhead"]
    bytes: int
    pool: Pool
    basis: Basis
    device: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Memory by part, in bytes. Every total is a sum over the parts."""

    parts: tuple[MemoryPart, ...]
    reclaimable: int = 0  # host bytes that are clean page cache of a mapped file and could be dropped
    untouched: int = 0  # bytes allocated but not yet written: taken off the total, and needed once the context fills
    preallocated: int | None = None  # what an engine takes at its start, whatever is needed (vLLM, SGLang)
    kv_capacity_tokens: int | None = None  # tokens that the KV cache of such an engine then holds

    def group(self, name: str) -> int:
        """Bytes of one group over all pools."""
        return sum(part.bytes for part in self.parts if part.group == name)

    @property
    def total(self) -> int:
        """Bytes over all pools."""
        return sum(part.bytes for part in self.parts)

    @property
    def host(self) -> int:
        """Bytes in main memory."""
        return sum(part.bytes for part in self.parts if part.pool == "host")

    @property
    def device(self) -> int:
        """Bytes on all accelerators together."""
        return sum(part.bytes for part in self.parts if part.pool == "device")

    def on_device(self, index: int) -> int:
        """Bytes on accelerator ``index``."""
        return sum(part.bytes for part in self.parts if part.pool == "device" and part.device == index)

    def adding(self, *parts: MemoryPart) -> Memory:
        """The same memory with further parts."""
        return replace(self, parts=self.parts + parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Tokens per second with its range (an 80 % interval)."""

    low: float
    expected: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Rates of one request at the given concurrency.

    ``decode`` is the mean over the output, which begins at a depth of ``prompt_tokens``; ``prefill`` is over the
    prompt. ``throughput`` is decode over all requests together. Times are seconds.
    """

    decode: Rate
    prefill: Rate
    bound: Bound
    basis: SpeedBasis
    throughput: float
    time_to_first_token: float
    time_to_answer: float
    notes: tuple[str, ...] = ()
