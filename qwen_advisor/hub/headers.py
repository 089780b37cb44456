"""Headers of weight files, read by ranges: what tensors there are, never what is in them. Every length is bounded.

Both formats begin with what they hold: safetensors with the length of a JSON text and that text
(huggingface/safetensors, README "Format"), GGUF with counts and key-value pairs (ggml-org/ggml, ``docs/gguf.md``).
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterator

from qwen_advisor.errors import NetworkError
from qwen_advisor.values import dataclass

Read = Callable[[int, int], bytes]  # bytes from the first up to and without the second; fewer at the end of the file

MOST_SAFETENSORS = 32 << 20  # bytes of a header; the library itself takes 100 MB, no official file has 2
MOST_GGUF = 4 << 20  # bytes until the type is known; it stands before the vocabulary
_MOST_TENSORS = 400_000
_MOST_PAIRS = 10_000
_MOST_WEIGHTS = 1 << 50
_STEP = 64 << 10  # bytes of a GGUF header that are fetched at once
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _LIST = 8, 9

# enum llama_ftype of llama.cpp's include/llama.h, under the catalogue's names
FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS",
    20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M",
    28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16-GGUF", 38: "MXFP4_MOE",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorHead:
    """One tensor of a safetensors file."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def weights(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


def safetensors(read: Read, what: str) -> tuple[TensorHead, ...]:
    """The tensors of a safetensors file.

    Raises:
        NetworkError: it is none, or its header is longer than any that was ever written.
    """
    start = read(0, 8)
    if len(start) < 8:
        raise NetworkError(f"{what} is too short for a safetensors file")
    length = int.from_bytes(start, "little")
    if not 2 <= length <= MOST_SAFETENSORS:
        raise NetworkError(f"{what} says that its header has {length} bytes, which none has")
    text = read(8, 8 + length)
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        header = None
    if len(text) != length or not isinstance(header, dict):
        raise NetworkError(f"{what} has no safetensors header")
    tensors = [_tensor(name, entry, what) for name, entry in header.items() if name != "__metadata__"]
    if len(tensors) > _MOST_TENSORS or sum(each.weights for each in tensors) > _MOST_WEIGHTS:
        raise NetworkError(f"{what} describes more weights than any model has")
    return tuple(tensors)


def _tensor(name: str, entry: object, what: str) -> TensorHead:
    shape = entry.get("shape") if isinstance(entry, dict) else None
    dtype = entry.get("dtype") if isinstance(entry, dict) else None
    sizes = shape if isinstance(shape, list) else [None]
    if not isinstance(dtype, str) or not all(type(size) is int and 0 <= size < 1 << 40 for size in sizes):
        raise NetworkError(f"{what} describes a tensor that none is: {name[:60]!a}")
    return TensorHead(name=name, dtype=dtype, shape=tuple(int(size) for size in sizes if size is not None))


def gguf(read: Read, what: str) -> dict[str, int | float | str | bool]:
    """Plain values of a GGUF file's head, up to ``general.file_type``.

    Raises:
        NetworkError: it is none, or says lengths that none has.
    """
    window = _Window(read, what)
    if window.take(4) != b"GGUF" or window.number("I") not in (2, 3):
        raise NetworkError(f"{what} is no GGUF file of a version that is known")
    tensors, pairs = window.number("Q"), window.number("Q")
    if tensors > _MOST_TENSORS or pairs > _MOST_PAIRS:
        raise NetworkError(f"{what} says that it has {tensors} tensors and {pairs} values, which none has")
    return dict(_pairs(window, pairs, what))


def _pairs(window: _Window, count: int, what: str) -> Iterator[tuple[str, int | float | str | bool]]:
    for _ in range(count):
        key, kind = window.text(), window.number("I")
        if kind in _SCALARS:
            yield key, window.value(_SCALARS[kind])
        elif kind == _TEXT:
            yield key, window.text()
        elif kind == _LIST:
            _skip_list(window, what)
        else:
            raise NetworkError(f"{what} holds a value of an unknown type ({kind})")
        if key == "general.file_type":
            return


def _skip_list(window: _Window, what: str) -> None:
    kind, length = window.number("I"), window.number("Q")
    if length > MOST_GGUF:
        raise NetworkError(f"{what} says that a list has {length} values, which none has here")
    if kind in _SCALARS:
        window.take(length * struct.calcsize(f"<{_SCALARS[kind]}"))
    elif kind == _TEXT:
        for _ in range(length):
            window.text()
    else:
        raise NetworkError(f"{what} holds a list of an unknown type ({kind})")


class _Window:
    """The head of a file, fetched in steps as it is read."""

    def __init__(self, read: Read, what: str) -> None:
        self._read, self._what = read, what
        self._data = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > MOST_GGUF:
            raise NetworkError(f"{self._what} does not tell its type in its first {MOST_GGUF >> 20} MiB")
        if end > len(self._data):
            self._data += self._read(len(self._data), max(end, len(self._data) + _STEP))
        if end > len(self._data):
            raise NetworkError(f"{self._what} ends within its header")
        piece = self._data[self._at : end]
        self._at = end
        return piece

    def value(self, code: str) -> int | float | bool:
        result: int | float | bool = struct.unpack(f"<{code}", self.take(struct.calcsize(f"<{code}")))[0]
        return result

    def number(self, code: str) -> int:
        return int(self.value(code))

    def text(self) -> str:
        return self.take(self.number("Q")).decode("utf-8", "replace")
