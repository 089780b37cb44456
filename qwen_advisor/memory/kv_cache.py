"""The KV cache and the recurrent state: what an engine keeps of the tokens it has read.

Only layers with softmax attention have a KV cache; a Gated DeltaNet layer has a state of fixed size per sequence.
"""

from __future__ import annotations

from qwen_advisor.errors import UsageError
from qwen_advisor.model import TextDecoder
from qwen_advisor.plan import KvType

# Bytes of 32 values. llama.cpp: `ggml/src/ggml-common.h`; fp8 is one byte per value (vLLM, SGLang).
_BYTES_OF_32: dict[str, int] = {
    "f32": 128,
    "f16": 64,
    "bf16": 64,
    "q8_0": 34,
    "q5_1": 24,
    "q5_0": 22,
    "q4_1": 20,
    "q4_0": 18,
    "iq4_nl": 18,
    "fp8": 32,
}
_UNQUANTIZED = frozenset({"f32", "f16", "bf16"})
_STATE_VALUE = 4  # float32, in every engine that was read


def bytes_of_32(kv_type: str) -> int:
    """Bytes that 32 cached values take.

    Raises:
        UsageError: the type is unknown.
    """
    try:
        return _BYTES_OF_32[kv_type]
    except KeyError:
        known = ", ".join(_BYTES_OF_32)
        raise UsageError(f"{kv_type!r} is not a KV cache type", hint=f"the types are {known}") from None


def is_quantized(kv_type: str) -> bool:
    """Whether values are stored in blocks with scales, or in 8 bit."""
    return kv_type not in _UNQUANTIZED


def softmax_layers(text: TextDecoder) -> int:
    """How many decoder layers have a KV cache."""
    if text.linear_attention is None:
        return text.num_hidden_layers
    return text.num_hidden_layers // text.linear_attention.full_attention_interval


def layer_kv_bytes_per_token(text: TextDecoder, kv_type: KvType, kv_type_v: KvType | None = None) -> int:
    """Bytes that one token takes in one layer that has a KV cache."""
    values = text.num_key_value_heads * text.head_dim
    return values * (bytes_of_32(kv_type) + bytes_of_32(kv_type_v or kv_type)) // 32


def kv_bytes_per_token(text: TextDecoder, kv_type: KvType, kv_type_v: KvType | None = None) -> int:
    """Bytes that one token takes in the KV cache, over all layers that have one; MTP layers are not counted.

    ``layers x num_key_value_heads x head_dim x (bytes of a K value + bytes of a V value)``; with the indexer of
    sparse attention, its keys come on top, raw and pooled side by side (llama.cpp's ``idx_`` cache).

    Raises:
        UsageError: a type is unknown.
    """
    per_layer = layer_kv_bytes_per_token(text, kv_type, kv_type_v)
    if text.sparse_attention:
        indexer = text.sparse_attention
        per_layer += 2 * indexer.indexer_kv_heads * indexer.indexer_head_dim * bytes_of_32(kv_type) // 32
    return softmax_layers(text) * per_layer


def recurrent_state_bytes(text: TextDecoder, sequences: int, *, rollback: int = 0) -> int:
    """Convolution and recurrent state of all Gated DeltaNet layers, float32, independent of the context length.

    Per layer and sequence: ``(kernel - 1) x (2 x keys + values) + values x value_head_dim`` numbers, with keys and
    values summed over their heads (``llama-memory-recurrent.cpp``; the same tensors as in Transformers).

    Args:
        text: the decoder.
        sequences: how many sequences are kept at once.
        rollback: tokens that speculative decoding may take back; each needs a copy of the state.
    """
    linear = text.linear_attention
    if linear is None:
        return 0
    keys = linear.linear_num_key_heads * linear.linear_key_head_dim
    values = linear.linear_num_value_heads * linear.linear_value_head_dim
    numbers = (linear.linear_conv_kernel_dim - 1) * (2 * keys + values) + values * linear.linear_value_head_dim
    layers = text.num_hidden_layers - softmax_layers(text)
    return _STATE_VALUE * layers * numbers * sequences * (1 + rollback)
