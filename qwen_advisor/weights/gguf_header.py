"""Bytes of a GGUF file that are not tensor data: magic, metadata, tensor infos.

Layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Tensor data of every Qwen tensor is a multiple
of the alignment of 32 bytes, so that no padding is counted.
"""

from __future__ import annotations

from functools import lru_cache

from qwen_advisor.model import TextDecoder
from qwen_advisor.weights.gguf_tensors import Block, decoder

_FIXED = 24  # magic, version, number of tensors, number of metadata pairs
_PAD_TOKEN = 8 + 11 + 4  # "[PAD151937]" with its length, and its token type
# Metadata of real files without their tensor infos, mostly tokens and merges; the chat template makes it differ by
# 4 KB between models. From exact sizes of files of each vocabulary.
_METADATA = {
    92_416: 2_060_800,  # CodeQwen1.5-7B 2,060,832
    151_936: 5_932_500,  # Qwen2.5-0.5B-Instruct 5,931,168 ... Qwen3-Coder-30B-A3B 5,936,752
    248_320: 10_943_000,  # Qwen3.5-9B 10,942,250 ... Qwen3.8-27B 10,945,438
}
_METADATA_PER_TOKEN = 39.05  # 5,932,500 / 151,936: for a vocabulary of which no file was seen


def _metadata(vocab_size: int) -> int:
    if vocab_size in _METADATA:
        return _METADATA[vocab_size]
    if 151_000 < vocab_size < 156_000:  # the same tokenizer, padded to another width or with tokens for codes
        return _METADATA[151_936] + (vocab_size - 151_936) * _PAD_TOKEN
    return round(vocab_size * _METADATA_PER_TOKEN)


def _infos(block: Block, prefix: int) -> int:
    """Tensor infos of a block: name with its length, dimensions, type and offset."""
    names = sum(len(m.name) + 8 * (3 if m.depth > 1 else 2) for m in block.matrices)
    names += sum(len(v.name) + 8 * v.dims for v in block.vectors)
    return names + block.tensors * (8 + prefix + 4 + 4 + 8)


@lru_cache(maxsize=1024)
def header_bytes(
    text: TextDecoder, model_type: str, *, vocab_size: int, one_input: bool, mtp: bool, stored_head: bool
) -> int:
    """Bytes before the tensor data of a file, within about 4 KB of real ones."""
    tensors = decoder(text, model_type, one_input=one_input)
    total = _FIXED + _metadata(vocab_size) + _infos(tensors.head, 0)
    if stored_head:
        total += _infos(Block((tensors.stored_head,), ()), 0)
    blocks = [tensors.kinds[kind] for kind in tensors.kind_of_layer]
    if mtp and tensors.mtp is not None:
        blocks.append(tensors.mtp)
    return total + sum(_infos(block, len(f"blk.{index}.")) for index, block in enumerate(blocks))
