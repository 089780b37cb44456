"""The ``mmproj`` file beside a GGUF: vision tower and audio encoder as llama.cpp's converter writes them.

Source: ``MmprojModel`` in ``conversion/base.py``, ``conversion/qwenvl.py``, ``conversion/qwen3vl.py`` and
``conversion/ultravox.py`` of llama.cpp build 11549 (https://github.com/ggml-org/llama.cpp).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

from qwen_advisor.errors import UsageError
from qwen_advisor.model import Architecture
from qwen_advisor.parameters import Tensor, inventory
from qwen_advisor.quantization import BlockType
from qwen_advisor.values import dataclass

PROJECTOR_TYPES = {"projector-BF16": "BF16", "projector-F32": "F32", "projector-Q8_0": "Q8_0"}

_METADATA = 1_500  # the few dozen scalar keys of a projector file
_INFO = 8 + 4 + 4 + 8  # of one tensor: length of its name, number of dimensions, type, offset
_NAME = 22  # "v.blk.26.ffn_up.weight"
_AUDIO_POSITIONS = 1500  # a table of sines that the converter writes out
_UNSUPPORTED = frozenset({"qwen_vl", "qwen_audio"})


@dataclass(frozen=True, slots=True)
class Projector:
    """Tensor bytes of vision tower and audio encoder, and of the file that holds both."""

    vision: int = 0
    audio: int = 0
    file_bytes: int = 0


def projector(architecture: Architecture, types: Mapping[str, BlockType], kind: str) -> Projector:
    """The projector file of an architecture with its matrices in ``kind`` (F16, BF16, F32, Q8_0); empty without one.

    Raises:
        UsageError: llama.cpp converts no projector of this design.
    """
    towers = [tower.kind for tower in (architecture.vision, architecture.audio) if tower is not None]
    if not towers:
        return Projector()
    if not _UNSUPPORTED.isdisjoint(towers):
        raise UsageError(f"llama.cpp has no projector for {architecture.id}", hint="run it with Transformers")
    vision, audio, infos = _sizes(architecture, kind, types["Q8_0"].block_weights, types["Q8_0"].block_bytes)
    return Projector(vision, audio, vision + audio + _METADATA + infos)


@lru_cache(maxsize=512)
def _sizes(architecture: Architecture, kind: str, block_weights: int, block_bytes: int) -> tuple[int, int, int]:
    sizes, infos = {"vision": 0, "audio": 0}, 0
    q8_0 = BlockType(name="Q8_0", block_weights=block_weights, block_bytes=block_bytes)
    for tensor in inventory(architecture):
        if tensor.part not in sizes or tensor.name.endswith("audio_bos_eos_token.weight"):
            continue
        sizes[tensor.part] += _bytes(tensor, kind, q8_0)
        infos += (_INFO + _NAME + 8 * len(tensor.shape)) * tensor.count
    if architecture.audio is not None and architecture.audio.kind != "whisper":  # Whisper's checkpoint has it
        sizes["audio"] += 4 * _AUDIO_POSITIONS * architecture.audio.d_model
    return sizes["vision"], sizes["audio"], infos


def _bytes(tensor: Tensor, kind: str, q8_0: BlockType) -> int:
    if len(tensor.shape) == 1 or tensor.group == "position_embedding":
        return 4 * tensor.parameters
    if tensor.group == "patch_embedding":
        return tensor.parameters * (2 if kind == "F16" else 4)
    if tensor.group == "convolution":
        return 2 * tensor.parameters
    if kind == "Q8_0" and tensor.shape[-1] % q8_0.block_weights == 0:
        return q8_0.bytes_for(math.prod(tensor.shape)) * tensor.count
    return tensor.parameters * (4 if kind == "F32" else 2)
