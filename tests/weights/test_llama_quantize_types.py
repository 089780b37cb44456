"""Every mix of llama-quantize on every shape of the family, against its own dry runs, to the byte."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from qwen_advisor.facts import Catalog
from qwen_advisor.quantization import Format
from qwen_advisor.weights import footprint

# Tensor bytes that llama-quantize of llama.cpp build 11549 printed for synthetic files of each architecture.
_TABLE = Path(__file__).parents[2] / "benchmarks" / "data" / "gguf_types.csv"
_ROWS = list(csv.DictReader(_TABLE.read_text(encoding="utf-8").splitlines()))


def test_there_are_540_dry_runs() -> None:
    assert len(_ROWS) == 540


@pytest.mark.parametrize("architecture", sorted({row["architecture"] for row in _ROWS}))
def test_every_mix_is_exact(catalog: Catalog, architecture: str) -> None:
    rows = [row for row in _ROWS if row["architecture"] == architecture]
    assert len(rows) > 20
    for row in rows:
        fmt = Format(name=row["mix"], container="gguf", bits=0, kind="gguf-mix", mix=row["mix"])
        found = footprint(catalog.architectures[architecture], fmt, catalog.block_types)
        assert found.tensor_bytes == int(row["tensor_bytes"]), row["mix"]


@pytest.mark.parametrize(
    ("name", "weights", "size"),
    [
        # https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-common.h: sizes of block_q4_K, block_q6_K ...
        ("F32", 1, 4),
        ("Q4_0", 32, 2 + 16),
        ("Q4_1", 32, 2 + 2 + 16),
        ("Q5_0", 32, 2 + 4 + 16),
        ("Q8_0", 32, 2 + 32),
        ("MXFP4", 32, 1 + 16),
        ("Q2_K", 256, 16 + 64 + 4),
        ("Q3_K", 256, 32 + 64 + 12 + 2),
        ("Q4_K", 256, 4 + 12 + 128),
        ("Q5_K", 256, 4 + 12 + 32 + 128),
        ("Q6_K", 256, 128 + 64 + 16 + 2),
        ("IQ4_XS", 256, 2 + 2 + 4 + 128),
        ("IQ3_S", 256, 2 + 64 + 8 + 32 + 4),
        ("IQ2_XXS", 256, 2 + 64),
        ("IQ1_S", 256, 2 + 32 + 16),
    ],
)
def test_block_types_are_ggmls_integers(catalog: Catalog, name: str, weights: int, size: int) -> None:
    block = catalog.block_types[name]
    assert (block.block_weights, block.block_bytes) == (weights, size)
    assert block.bytes_for(3 * weights) == 3 * size
    if weights > 1:
        with pytest.raises(ValueError, match="do not fill blocks"):
            block.bytes_for(weights + 1)
