"""The tensors of one GGUF file, each in its type, summed by layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from qwen_advisor.errors import CatalogError
from qwen_advisor.quantization import BlockType
from qwen_advisor.values import dataclass, field
from qwen_advisor.weights.gguf_mixes import Rules, Setting, matrix_type
from qwen_advisor.weights.gguf_places import Layout, Place
from qwen_advisor.weights.gguf_tensors import Block, Decoder, Matrix

_FLOATS = frozenset({"F32", "F16", "BF16"})
OUTSIDE = Place.nowhere()


@dataclass(slots=True)
class Sum:
    """Bytes of some blocks: what experts hold, what the rest holds, both by type."""

    dense: int = 0
    experts: int = 0
    weights: int = 0
    expert_weights: int = 0
    floats: int = 0  # weights that are always F32
    by_type: Counter[str] = field(default_factory=Counter)
    repack: Counter[str] = field(default_factory=Counter)

    def add(self, other: Sum, times: int = 1) -> None:
        """Add another sum ``times`` over."""
        self.dense += other.dense * times
        self.experts += other.experts * times
        self.weights += other.weights * times
        self.expert_weights += other.expert_weights * times
        self.floats += other.floats * times
        for name, size in other.by_type.items():
            self.by_type[name] += size * times
        for name, size in other.repack.items():
            self.repack[name] += size * times


class GgufFile:
    """Sums of the blocks of a file; a kind of layer at a kind of place is counted once."""

    def __init__(
        self, tensors: Decoder, layout: Layout, setting: Setting, types: Mapping[str, BlockType], rules: Rules
    ) -> None:
        """Nothing is counted yet."""
        self.tensors = tensors
        self.layout = layout
        self.setting = setting
        self.types = types
        self.rules = rules
        self.mtp = tensors.mtp if setting.mtp else None
        self._known: dict[tuple[int, Place], Sum] = {}

    def matrix(self, matrix: Matrix, at: Place = OUTSIDE, number: int = 0) -> tuple[str, int]:
        """Type and bytes of one matrix."""
        kind = matrix_type(matrix, self.setting, at, number, self.rules)
        return kind, self._bytes(kind, matrix)

    def _bytes(self, kind: str, matrix: Matrix) -> int:
        if kind not in self.types:
            raise CatalogError(f"the block type {kind} is not known", hint="add it to catalog/quantizations.yaml")
        return self.types[kind].bytes_for(matrix.weights)

    def block(self, block: Block, at: Place, pinned: str = "") -> Sum:
        """Sum of one block at a place, or with all its matrices in a ``pinned`` type."""
        floats = sum(vector.weights for vector in block.vectors)
        total = Sum(weights=floats, floats=floats, dense=4 * floats, by_type=Counter(F32=4 * floats))
        downs = 0
        for matrix in block.matrices:
            kind, size = self.matrix(matrix, at, downs)
            if pinned and kind not in _FLOATS:
                kind, size = pinned, self._bytes(pinned, matrix)
            downs += matrix.role == "ffn_down"
            total.weights += matrix.weights
            total.by_type[kind] += size
            if matrix.depth > 1:
                total.experts += size
                total.expert_weights += matrix.weights
            else:
                total.dense += size
            if kind not in _FLOATS and matrix.rows % 8 == 0:
                total.repack[kind] += size
        return total

    def layers(self) -> list[Sum]:
        """Sum of each decoder layer, first to last; layers alike share one."""
        return [self._layer(key) for key in self.layout.layers]

    def body(self) -> Sum:
        """Sum of all decoder layers."""
        total = Sum()
        for key, times in self.layout.counts:
            total.add(self._layer(key), times)
        return total

    def mtp_block(self) -> Sum:
        """Sum of the MTP block, which stands after the last layer; empty where the file has none."""
        if self.mtp is None:
            return Sum()
        return self.block(self.mtp, self.layout.end, self.setting.mtp_type)

    def _layer(self, key: tuple[int, Place]) -> Sum:
        if key not in self._known:
            self._known[key] = self.block(self.tensors.kinds[key[0]], key[1])
        return self._known[key]
