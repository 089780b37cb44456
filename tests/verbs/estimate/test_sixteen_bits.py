"""BF16 is one name in the field, and each engine finds it in its own container."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qwen_advisor import load_catalog
from qwen_advisor.requirements import formats_meant

Say = Callable[..., Any]


@pytest.mark.parametrize(
    ("engines", "formats"),
    [
        (("llama.cpp",), ("BF16-GGUF",)),
        (("vllm",), ("BF16",)),
        (("vllm", "ollama"), ("BF16", "BF16-GGUF")),
        ((), ("BF16", "BF16-GGUF", "MLX-bf16")),
    ],
)
def test_the_name_means_what_the_engines_read(engines: tuple[str, ...], formats: tuple[str, ...]) -> None:
    assert formats_meant(load_catalog(), "bf16", engines) == formats


def test_llama_cpp_is_estimated_in_bf16(say: Say) -> None:
    document = say("estimate", "Qwen3.5-9B", "--ram", "32G", "--quant", "BF16", "--json").json
    # Qwen3.5-9B-BF16.gguf, as tests/weights/test_gguf_files.py has it with its source
    assert document["file_bytes"] == pytest.approx(17_920_697_312, rel=1e-3)


def test_its_tag_is_the_one_in_file_names(say: Say) -> None:
    text = say("launch", "Qwen3-0.6B", "--ram", "16G", "--quant", "BF16").out
    assert "-hf ggml-org/Qwen3-0.6B-GGUF:BF16 " in text
    table = say("recommend", "--family", "Qwen3", "--ram", "32G", "--quant", "BF16", "--engine", "llama.cpp").out
    assert "in BF16-GGUF, not quantized, with llama.cpp" in table
    assert ":BF16-GGUF" not in table
