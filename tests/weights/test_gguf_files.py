"""Sizes of real GGUF files, each published to the byte."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from qwen_advisor.footprint import Footprint

Weigh = Callable[..., Footprint]


# Metadata differ by a chat template or a licence text between files of one kind.
_METADATA = 6_000


@pytest.mark.parametrize(
    ("architecture", "fmt", "words", "size"),
    [
        # https://huggingface.co/Qwen/Qwen3-8B-GGUF
        ("qwen3-8b", "Q4_K_M", (), 5_027_783_488),
        ("qwen3-8b", "Q5_0", (), 5_720_761_152),
        ("qwen3-8b", "Q5_K_M", (), 5_851_112_224),
        ("qwen3-8b", "Q6_K", (), 6_725_899_040),
        ("qwen3-8b", "Q8_0", (), 8_709_518_112),
        # https://huggingface.co/Qwen/Qwen2.5-0.5B-Instruct-GGUF: tied, with the head written out
        ("qwen2-0.5b", "F16", ("stored-head",), 1_266_425_696),
        ("qwen2-0.5b", "Q2_K", ("stored-head",), 415_182_688),
        ("qwen2-0.5b", "Q4_K_M", ("stored-head",), 491_400_032),
        ("qwen2-0.5b", "Q8_0", ("stored-head",), 675_710_816),
        # https://ollama.com/library/qwen2.5: tied, without
        ("qwen2-0.5b", "Q4_K_M", (), 397_807_936),
        ("qwen2.5-3b", "Q4_K_M", (), 1_929_903_008),
        ("qwen2.5-14b", "Q4_K_M", (), 8_988_110_688),
        ("qwen2-72b", "Q4_K_M", (), 47_415_715_200),
        ("qwen3-30b-a3b", "Q4_K_M", (), 18_556_685_856),
        ("qwen3-235b-a22b", "Q4_K_M", (), 142_154_073_664),
        # https://ollama.com/library/qwen3 in May 2025: attn_v in F16
        ("qwen3-8b", "Q4_K_M", ("attention-values-f16",), 5_225_374_496),
        ("qwen3-30b-a3b", "Q4_K_M", ("attention-values-f16",), 18_622_549_504),
        # https://ollama.com/library/qwen: fused attention under its old rule, and another vocabulary
        ("qwen-1_8b", "Q4_0", ("old-qkv-rule",), 1_120_235_328),
        ("codeqwen1.5-7b", "Q4_0", (), 4_179_437_664),
        # https://huggingface.co/unsloth/Qwen3.5-9B-GGUF
        ("qwen3.5-9b", "Q4_K_M", ("imatrix", "unsloth", "old-qkv-rule"), 5_680_522_464),
        ("qwen3.5-9b", "Q5_K_M", ("imatrix", "unsloth", "old-qkv-rule"), 6_577_841_376),
        ("qwen3.5-9b", "IQ4_XS", ("imatrix", "unsloth", "old-qkv-rule"), 5_168_653_536),
        ("qwen3.5-9b", "BF16-GGUF", (), 17_920_697_312),
        # https://huggingface.co/unsloth/Qwen3.8-27B-GGUF: with the MTP block
        ("qwen3.5-27b", "Q8_0", ("mtp",), 29_047_086_048),
    ],
)
def test_file_is_told_but_for_its_metadata(
    weigh: Weigh, architecture: str, fmt: str, words: tuple[str, ...], size: int
) -> None:
    assert weigh(architecture, fmt, *words).file_bytes == pytest.approx(size, abs=_METADATA)


def test_a_wrong_variant_would_show(weigh: Weigh) -> None:
    assert weigh("qwen2-0.5b", "Q4_K_M").file_bytes < 491_400_032 - 90_000_000
    assert weigh("qwen3-8b", "Q4_K_M").file_bytes < 5_225_374_496 - 190_000_000
    assert weigh("qwen3.5-9b", "Q4_K_M").file_bytes != pytest.approx(5_680_522_464, abs=_METADATA)


@pytest.mark.parametrize(
    ("architecture", "size"),
    [
        # mmproj-F16.gguf of https://huggingface.co/unsloth/Qwen3-VL-8B-Instruct-GGUF, Qwen3.5-9B-GGUF, Qwen3.8-27B-GGUF
        ("qwen3-vl-8b", 1_159_030_336),
        ("qwen3.5-9b", 918_166_080),
        ("qwen3.5-27b", 927_607_488),
    ],
)
def test_projector_file_is_told(weigh: Weigh, architecture: str, size: int) -> None:
    assert weigh(architecture, "Q4_K_M").projector_bytes == pytest.approx(size, abs=1_000)


def test_projector_types_take_what_they_say(weigh: Weigh) -> None:
    sizes = [
        weigh("qwen3-vl-8b", "Q4_K_M", *words).projector_bytes
        for words in (("projector-Q8_0",), (), ("projector-F32",))
    ]
    assert sizes[0] < sizes[1] < sizes[2] < 2.01 * sizes[1]
    assert weigh("qwen3-8b", "Q4_K_M").projector_bytes == 0


def test_splits_of_a_worked_file(weigh: Weigh) -> None:
    found = weigh("qwen3-8b", "Q4_K_M")
    table = 151_936 * 4_096
    assert found.token_embedding == table * 144 // 256  # Q4_K
    assert found.output == table * 210 // 256  # Q6_K
    assert found.output_norm == 4 * 4_096
    # norms: two of 4,096 and two of 128 in each of 36 layers, and the last of 4,096, all F32
    assert found.by_type["F32"] == 4 * (36 * (2 * 4_096 + 2 * 128) + 4_096)
    assert found.parameters == 8_190_735_360  # https://huggingface.co/Qwen/Qwen3-8B
    assert found.repack == {"Q4_K": found.by_type["Q4_K"] - found.token_embedding, "Q6_K": found.by_type["Q6_K"]}
    assert not found.tied


def test_tied_embedding_is_in_q6_and_counted_once(weigh: Weigh) -> None:
    found = weigh("qwen3-0.6b", "Q4_K_M")
    assert (found.token_embedding, found.output) == (151_936 * 1_024 * 210 // 256, 0)
    assert found.tied


def test_experts_are_told_apart(weigh: Weigh) -> None:
    found = weigh("qwen3-30b-a3b", "Q4_0")
    # 48 layers of 128 experts of three matrices of 2,048 by 768, all in Q4_0
    assert found.layers_experts == 48 * 128 * 3 * 2_048 * 768 * 18 // 32
    assert found.experts_used == 8 / 128


def test_speech_model_has_the_text_vocabulary_in_its_file(weigh: Weigh) -> None:
    # 988.0 MiB, https://huggingface.co/ggml-org/Qwen3-TTS-12Hz-1.7B-Base-GGUF
    assert weigh("qwen3-tts-1.7b-base", "Q4_K_M").file_bytes / 2**20 == pytest.approx(988.0, abs=0.05)
