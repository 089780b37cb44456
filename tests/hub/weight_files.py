"""Small weight files with real headers: every tensor is described, none is there."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable

from qwen_advisor.model import Architecture
from qwen_advisor.parameters.counting import inventory


def safetensors_of(shape: Architecture, *, twice: bool = False) -> bytes:
    """One file that describes all weights of an architecture, and with ``twice`` a head that is tied."""
    tensors: dict[str, tuple[int, ...]] = {}
    for tensor in inventory(shape):
        for number in range(tensor.count):
            name = (
                tensor.name if "{" not in tensor.name else tensor.name.replace("{layer}", "N").replace("{expert}", "E")
            )
            tensors[f"{name}" if tensor.count == 1 else f"{name}#{number}"] = tensor.shape
    if twice and shape.text:
        tensors["lm_head.weight"] = (shape.text.vocab_size, shape.text.hidden_size)
    header = {name: {"dtype": "BF16", "shape": list(sizes), "data_offsets": [0, 0]} for name, sizes in tensors.items()}
    return safetensors(json.dumps({"__metadata__": {"format": "pt"}, **header}).encode())


def safetensors(header: bytes, length: int | None = None) -> bytes:
    """A header with its length in front, or with one that is not its own."""
    return (len(header) if length is None else length).to_bytes(8, "little") + header + b"weights"


def gguf(file_type: int, *, version: int = 3, tensors: int = 1, before: Iterable[bytes] = ()) -> bytes:
    """The head of a GGUF file, as ``docs/gguf.md`` lays it out."""
    pairs = [
        text("general.architecture") + struct.pack("<I", 8) + text("qwen3"),
        text("general.tags") + struct.pack("<IIQ", 9, 8, 2) + text("chat") + text("text"),
        text("general.scale") + struct.pack("<If", 6, 1.0),
        *before,
        text("general.file_type") + struct.pack("<II", 4, file_type),
        text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 1 << 40),  # never come to
    ]
    return b"GGUF" + struct.pack("<IQQ", version, tensors, len(pairs)) + b"".join(pairs)


def text(value: str) -> bytes:
    """A string: its length and its bytes."""
    return struct.pack("<Q", len(value)) + value.encode()
