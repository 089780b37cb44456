"""Number formats: how many bytes a block of weights takes, and which formats a checkpoint can be had in."""

from __future__ import annotations

from typing import Literal

from qwen_advisor.values import dataclass, field

Container = Literal["gguf", "safetensors", "mlx", "onnx", "openvino"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockType:
    """A tensor type of ggml: ``block_weights`` values are stored in ``block_bytes`` bytes, never split over rows."""

    name: str  # "Q4_K"
    block_weights: int
    block_bytes: int

    def bytes_for(self, weights: int) -> int:
        """Bytes of ``weights`` values; raises ValueError where they do not fill whole blocks."""
        blocks, rest = divmod(weights, self.block_weights)
        if rest:
            raise ValueError(f"{weights} weights do not fill blocks of {self.block_weights} ({self.name})")
        return blocks * self.block_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """How a format outside GGUF stores the matrices of some tensor groups.

    Every group of ``group_size`` weights of a row (times ``block_rows`` rows) has a scale, and an offset where the
    scheme has one. What no scheme of a format names stays in 16 bit.
    """

    type: str  # the name under which `Footprint.by_type` counts the bytes: "int4"
    bits: int  # of one weight
    groups: tuple[str, ...]  # tensor groups, by the names of `qwen_advisor.parameters`
    parts: tuple[str, ...] = ("language_model",)
    excluding: tuple[str, ...] = ()  # parts of tensor names that keep 16 bit for all that
    model_types: tuple[str, ...] = ()  # only of these; empty means of all
    group_size: int = 0  # weights along a row; 0: the whole row
    block_rows: int = 1
    flat: bool = False  # groups run on over the ends of rows
    scale_bits: float = 16
    offset_bits: float = 0  # zero point or bias of each group
    column_bits: int = 0  # of each input column, once for a matrix: GPTQ's g_idx


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedBits:
    """Mean bits of a weight in the files of a publisher's own mix, by what the weight does; None: no such file seen."""

    tied_embedding: float | None = None
    embedding: float | None = None
    head: float | None = None
    dense: float | None = None  # all other matrices of a model without experts
    moe_dense: float | None = None  # those of a model with experts, the experts left out
    experts: float | None = None
    experts_large: float | None = None  # of models above 150e9 weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A quantization by its field name: ``Q4_K_M``, ``AWQ``, ``FP8``, ``MLX-4bit``, ``BF16``."""

    name: str
    container: Container
    bits: float  # nominal bits per quantized weight, scales not counted; only for ordering and words
    kind: Literal["gguf-mix", "float", "weight-only", "fp8", "fp4", "int8", "mlx", "bitsandbytes"]
    publisher_mix: bool = False  # an ``UD-*`` mix: sizes are modelled, not derived
    aliases: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    mix: str = ""  # GGUF: what llama-quantize is asked for
    embedding_type: str = ""  # GGUF: ``--token-embedding-type``, where the publisher gives one
    output_type: str = ""  # GGUF: ``--output-tensor-type``
    learned: dict[str, LearnedBits] = field(default_factory=dict)  # GGUF, publisher's mixes: by recipe
    schemes: tuple[Scheme, ...] = ()  # other containers: the first that names a tensor's group stores it
    drops: tuple[str, ...] = ()  # parts of the model that its converter leaves out
    stores_tied_head: bool = False  # writes a tied head out as a matrix of its own
    quantized_on_load: bool = False  # downloaded in 16 bit; these are the bytes in memory
    note: str = ""
