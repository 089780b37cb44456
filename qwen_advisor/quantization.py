"""Number formats: how many bytes a block of weights takes, and which formats a checkpoint can be had in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
class Format:
    """A quantization by its field name: ``Q4_K_M``, ``AWQ``, ``FP8``, ``MLX-4bit``, ``BF16``."""

    name: str
    container: Container
    bits: float  # nominal bits per quantized weight, scales not counted; only for ordering and words
    kind: Literal["gguf-mix", "float", "weight-only", "fp8", "fp4", "int8", "mlx", "bitsandbytes"]
    publisher_mix: bool = False  # an ``UD-*`` mix: sizes are modelled, not derived
    aliases: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
