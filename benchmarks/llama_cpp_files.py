"""GGUF files with random weights and true layer kinds, small enough to load in a test.

Needs the packages ``gguf`` and ``numpy``. The vocabulary is made up: bytes and numbered words, of the asked size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from qwen_advisor.footprint import Footprint
from qwen_advisor.model import Architecture, TextDecoder

_NAMES = {
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "qwen3_moe": "qwen3moe",
    "qwen3_5": "qwen35",
}
_BLOCKS = {"Q8_0": (32, 34), "Q4_0": (32, 18), "F32": (1, 4)}


@dataclass(slots=True)
class Written:
    """What was written: the file, and its bytes by place."""

    path: Path
    footprint: Footprint
    tensors: dict[str, int] = field(default_factory=dict)


def _random(rows: int, columns: int, kind: str, dice: Any) -> Any:
    """Blocks of small random weights in their stored layout."""
    if kind == "F32":
        return dice.standard_normal((rows, columns), dtype=np.float32) * 0.02 + 1
    weights, size = _BLOCKS[kind]
    blocks = dice.integers(0, 256, (rows * columns // weights, size), dtype=np.uint8)
    blocks[:, :2] = np.frombuffer(np.float16(0.001).tobytes(), dtype=np.uint8)
    return blocks.reshape(rows, columns // weights * size)


class _File:
    """A file being written."""

    def __init__(self, path: Path, architecture: Architecture, matrices: str) -> None:
        self.name = _NAMES[architecture.model_type]
        self.writer = gguf.GGUFWriter(path, self.name)
        self.matrices = matrices
        self.dice = np.random.default_rng(7)
        self.tensors: dict[str, int] = {}

    def number(self, key: str, value: float) -> None:
        """One key of metadata, under the architecture's name."""
        add = self.writer.add_float32 if isinstance(value, float) else self.writer.add_uint32
        add(f"{self.name}.{key}", value)

    def matrix(self, name: str, columns: int, rows: int, count: int = 1, *, kind: str | None = None) -> None:
        """A matrix, or ``count`` of them in one tensor."""
        kind = kind or self.matrices
        data = _random(rows * count, columns, kind, self.dice)
        if count > 1:
            data = data.reshape(count, rows, -1)
        self.writer.add_tensor(name, data, raw_dtype=gguf.GGMLQuantizationType[kind])
        self.tensors[name] = data.nbytes

    def vector(self, name: str, width: int) -> None:
        """A norm or bias."""
        self.writer.add_tensor(name, np.ones(width, dtype=np.float32))
        self.tensors[name] = 4 * width


def byte_letters() -> list[str]:
    """The letters by which GPT-2's vocabulary writes the bytes 0 to 255: each its own, or one beyond 255."""
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    beyond = iter(range(0x100, 0x200))
    return [chr(byte if byte in plain else next(beyond)) for byte in range(256)]


def _metadata(file: _File, text: TextDecoder, *, reads_text: bool) -> None:
    pairs: dict[str, float] = {
        "block_count": text.num_hidden_layers,
        "context_length": 40960,
        "embedding_length": text.hidden_size,
        "feed_forward_length": text.intermediate_size or 128,
        "attention.head_count": text.num_attention_heads,
        "attention.head_count_kv": text.num_key_value_heads,
        "attention.key_length": text.head_dim,
        "attention.value_length": text.head_dim,
        "attention.layer_norm_rms_epsilon": 1e-6,
        "rope.freq_base": 1e6,
    }
    if text.moe:
        pairs |= {
            "expert_count": text.moe.num_experts,
            "expert_used_count": text.moe.num_experts_per_tok,
            "expert_feed_forward_length": text.moe.moe_intermediate_size,
        }
    if text.linear_attention:
        linear = text.linear_attention
        pairs |= {
            "ssm.conv_kernel": linear.linear_conv_kernel_dim,
            "ssm.inner_size": linear.linear_num_value_heads * linear.linear_value_head_dim,
            "ssm.state_size": linear.linear_key_head_dim,
            "ssm.time_step_rank": linear.linear_num_value_heads,
            "ssm.group_count": linear.linear_num_key_heads,
            "full_attention_interval": linear.full_attention_interval,
            "rope.dimension_count": text.head_dim // 4,
        }
        file.writer.add_array(f"{file.name}.rope.dimension_sections", [11, 11, 10, 0])
    for key, value in pairs.items():
        file.number(key, value)
    letters = byte_letters() if reads_text else [f"<{byte}>" for byte in range(256)]
    words = [*letters, *(f"w{index}" for index in range(text.vocab_size - 256))]
    file.writer.add_tokenizer_model("gpt2")
    file.writer.add_tokenizer_pre("qwen2")
    file.writer.add_token_list(words)
    file.writer.add_token_types([1] * len(words))
    file.writer.add_token_merges(["w 0", "w 1"])
    file.writer.add_eos_token_id(text.vocab_size - 1)


def _attention(file: _File, text: TextDecoder, block: str) -> None:
    hidden, width = text.hidden_size, text.num_attention_heads * text.head_dim
    keys = text.num_key_value_heads * text.head_dim
    query = width * (2 if text.linear_attention else 1)
    file.matrix(block + "attn_q.weight", hidden, query)
    file.matrix(block + "attn_k.weight", hidden, keys)
    file.matrix(block + "attn_v.weight", hidden, keys)
    file.matrix(block + "attn_output.weight", width, hidden)
    if text.attention_bias:
        for name, size in (("q", query), ("k", keys), ("v", keys)):
            file.vector(f"{block}attn_{name}.bias", size)
    if text.qk_norm:
        file.vector(block + "attn_q_norm.weight", text.head_dim)
        file.vector(block + "attn_k_norm.weight", text.head_dim)


def _linear_attention(file: _File, text: TextDecoder, block: str) -> None:
    linear = text.linear_attention
    if linear is None:
        return
    hidden = text.hidden_size
    values = linear.linear_num_value_heads * linear.linear_value_head_dim
    joined = 2 * linear.linear_num_key_heads * linear.linear_key_head_dim + values
    file.matrix(block + "attn_qkv.weight", hidden, joined)
    file.matrix(block + "attn_gate.weight", hidden, values)
    file.matrix(block + "ssm_conv1d.weight", linear.linear_conv_kernel_dim, joined, kind="F32")
    file.vector(block + "ssm_dt.bias", linear.linear_num_value_heads)
    file.vector(block + "ssm_a", linear.linear_num_value_heads)
    file.matrix(block + "ssm_beta.weight", hidden, linear.linear_num_value_heads)
    file.matrix(block + "ssm_alpha.weight", hidden, linear.linear_num_value_heads)
    file.vector(block + "ssm_norm.weight", linear.linear_value_head_dim)
    file.matrix(block + "ssm_out.weight", values, hidden)


def _feed_forward(file: _File, text: TextDecoder, block: str) -> None:
    hidden, moe = text.hidden_size, text.moe
    if moe is None:
        for name in ("gate", "up"):
            file.matrix(f"{block}ffn_{name}.weight", hidden, text.intermediate_size)
        file.matrix(block + "ffn_down.weight", text.intermediate_size, hidden)
        return
    width, experts = moe.moe_intermediate_size, moe.num_experts
    file.matrix(block + "ffn_gate_inp.weight", hidden, experts, kind="F32")
    for name in ("gate", "up"):
        file.matrix(f"{block}ffn_{name}_exps.weight", hidden, width, experts)
    file.matrix(block + "ffn_down_exps.weight", width, hidden, experts)


def write(path: Path, architecture: Architecture, matrices: str, *, reads_text: bool = False) -> Written:
    """Write a file whose layers' matrices are of one type; embedding and head are Q8_0, the head never tied.

    With ``reads_text`` the bytes of any text are tokens, otherwise only numbers of tokens can be sent.
    """
    text = architecture.text
    if text is None:
        message = f"{architecture.id} has no language model"
        raise ValueError(message)
    file = _File(path, architecture, matrices)
    _metadata(file, text, reads_text=reads_text)
    file.matrix("token_embd.weight", text.hidden_size, text.vocab_size, kind="Q8_0")
    second = "post_attention_norm.weight" if text.linear_attention else "ffn_norm.weight"
    for index, kind in enumerate(text.layer_types):
        block = f"blk.{index}."
        file.vector(block + "attn_norm.weight", text.hidden_size)
        file.vector(block + second, text.hidden_size)
        mixer = _linear_attention if kind == "linear_attention" else _attention
        mixer(file, text, block)
        _feed_forward(file, text, block)
    # Last, as converters write them: pages of the file beyond the last tensor that is used in place are given back.
    file.matrix("output.weight", text.hidden_size, text.vocab_size, kind="Q8_0")
    file.vector("output_norm.weight", text.hidden_size)
    file.writer.write_header_to_file()
    file.writer.write_kv_data_to_file()
    file.writer.write_tensors_to_file()
    file.writer.close()
    return Written(path, _footprint(file, text, matrices), file.tensors)


def _footprint(file: _File, text: TextDecoder, matrices: str) -> Footprint:
    """The bytes that were written, as the project holds them."""
    layers = {name: size for name, size in file.tensors.items() if name.startswith("blk.")}
    small = ("norm", "bias", "ssm_a", "ssm_conv1d", "gate_inp", "ssm_alpha", "ssm_beta")
    moved = {name: size for name, size in layers.items() if not any(word in name for word in small)}
    moved |= {name: size for name, size in layers.items() if "ssm_alpha.w" in name or "ssm_beta.w" in name}
    return Footprint(
        format=matrices,
        token_embedding=file.tensors["token_embd.weight"],
        output=file.tensors["output.weight"],
        output_norm=file.tensors["output_norm.weight"],
        layers_dense=sum(layers.values()),
        layers_experts=0,
        layers=text.num_hidden_layers,
        repack={matrices: sum(moved.values())},
        by_type={matrices: sum(moved.values())},
    )
