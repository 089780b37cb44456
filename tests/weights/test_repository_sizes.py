"""Sizes of repositories outside GGUF, and formats worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from qwen_advisor.footprint import Footprint

Weigh = Callable[..., Footprint]
_QWEN3_8B = 36 * (2 * 4_096 * 4_096 + 2 * 4_096 * 1_024 + 3 * 4_096 * 12_288)  # linear layers
_TABLE = 151_936 * 4_096
_NORMS = 36 * (2 * 4_096 + 2 * 128) + 4_096


@pytest.mark.parametrize(
    ("architecture", "fmt", "size", "within"),
    [
        # https://github.com/vllm-project/recipes/blob/8959cf6/models/Qwen/Qwen3.8-27B.yaml
        ("qwen3.5-27b", "BF16", 55_563_006_776, 1e-4),
        ("qwen3.5-27b", "FP8", 30_866_866_928, 1e-4),
        # https://github.com/vllm-project/recipes/blob/8959cf6/models/Qwen/Qwen3.8-2.4T-A95B.yaml
        ("qwen3.8-2.4t-a95b", "BF16", 4_892_388_705_238, 1e-4),
        ("qwen3.8-2.4t-a95b", "FP8", 2_496_154_358_768, 1e-4),
        ("qwen3.8-2.4t-a95b", "NVFP4", 1_447_265_951_488, 1e-4),
        ("qwen3.8-2.4t-a95b", "MXFP4", 1_597_051_793_152, 1e-9),
        # https://github.com/leo-kreisman/Qwen3.5-9B-MLX-8bit/blob/HEAD/model.safetensors.index.json
        ("qwen3.5-9b", "MLX-8bit", 10_426_433_504, 1e-3),
        # https://huggingface.co/skyxiaobaibai/Qwen1.5-1.8B-GPTQ-4-Bit
        ("qwen1.5-1.8b", "GPTQ-Int4", 1_877_792_888, 1e-3),
    ],
)
def test_repository_is_told(weigh: Weigh, architecture: str, fmt: str, size: int, within: float) -> None:
    assert weigh(architecture, fmt).file_bytes == pytest.approx(size, rel=within)


@pytest.mark.parametrize(
    ("fmt", "linear_bits", "table_bits"),
    [
        # https://arxiv.org/abs/2305.14314: 4 bits, 8 for each block of 64, 32 for each 256 of those
        ("NF4", 4 + 8 / 64 + 32 / (64 * 256), (16, 16)),
        # groups of 128 with a 16-bit scale and a 4-bit zero point
        ("AWQ", 4 + 20 / 128, (16, 16)),
        # groups of 64 with scale and bias in 16 bit, embedding and head too
        ("MLX-4bit", 4 + 32 / 64, (4.5, 4.5)),
        ("MLX-3bit", 3 + 32 / 64, (3.5, 3.5)),
        ("MLX-6bit", 6 + 32 / 64, (6.5, 6.5)),
        ("MLX-bf16", 16, (16, 16)),
        ("BF16", 16, (16, 16)),
        # one 16-bit scale for each 128 by 128 weights
        ("FP8", 8 + 16 / (128 * 128), (16, 16)),
        # groups of 16 with an 8-bit scale
        ("NVFP4", 4 + 8 / 16, (16, 16)),
    ],
)
def test_worked_bits_of_a_dense_model(
    weigh: Weigh, fmt: str, linear_bits: float, table_bits: tuple[float, float]
) -> None:
    found = weigh("qwen3-8b", fmt)
    expected = _QWEN3_8B * linear_bits / 8 + _TABLE * sum(table_bits) / 8 + 2 * _NORMS
    assert found.tensor_bytes == pytest.approx(expected, abs=1)


def test_int8_has_a_float_for_each_row(weigh: Weigh) -> None:
    rows = 36 * (2 * 4_096 + 2 * 1_024 + 2 * 12_288 + 4_096)
    expected = _QWEN3_8B + 4 * rows + 2 * (2 * _TABLE + _NORMS)
    assert weigh("qwen3-8b", "INT8").tensor_bytes == expected


@pytest.mark.parametrize("fmt", ["NF4", "INT8"])
def test_quantized_on_load_is_downloaded_in_16_bit(weigh: Weigh, fmt: str) -> None:
    found = weigh("qwen3-8b", fmt)
    assert found.file_bytes == weigh("qwen3-8b", "BF16").file_bytes
    assert found.tensor_bytes < found.file_bytes


def test_gptq_indices_are_counted(weigh: Weigh) -> None:
    # a 32-bit g_idx for each input column, once for a matrix: 4 of 4,096 and two of 4,096 and one of 12,288 a layer
    columns = 36 * (4 * 4_096 + 2 * 4_096 + 12_288)
    difference = weigh("qwen3-8b", "GPTQ-Int4").file_bytes - weigh("qwen3-8b", "AWQ").file_bytes
    assert difference == 4 * columns


def test_small_parts_of_hybrids_stay_in_16_bit(weigh: Weigh) -> None:
    found = weigh("qwen3.5-27b", "AWQ")
    full = weigh("qwen3.5-27b", "BF16")
    assert (found.vision, found.token_embedding, found.output) == (full.vision, full.token_embedding, full.output)


def test_groups_of_128_are_smaller(weigh: Weigh) -> None:
    # 16 bits of scale and bias each, for half as many groups: a quarter of a bit
    saved = weigh("qwen3-8b", "MLX-4bit").file_bytes - weigh("qwen3-8b", "MLX-4bit", "group-128").file_bytes
    assert saved == pytest.approx((_QWEN3_8B + 2 * _TABLE) / 32, rel=1e-9)
