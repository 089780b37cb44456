"""Counted weights against published ones, part by part."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_advisor.errors import CatalogError
from qwen_advisor.model import Architecture, Moe, TextDecoder
from qwen_advisor.parameters import count, inventory

# Totals that the Hub reads from the safetensors headers (https://huggingface.co/<repository>, "Safetensors"); where a
# repository stores a tied head twice, one of the two is taken off.
PUBLISHED = {
    "Qwen/Qwen-7B": 7_721_324_544,
    "Qwen/Qwen1.5-0.5B": 619_570_176 - 151_936 * 1024,
    "Qwen/Qwen1.5-MoE-A2.7B": 14_315_784_192,
    "Qwen/CodeQwen1.5-7B-Chat": 7_250_284_544,
    "Qwen/Qwen2-57B-A14B": 57_408_658_944,
    "Qwen/Qwen2-72B": 72_706_203_648,
    "Qwen/Qwen2.5-0.5B": 494_032_768,
    "Qwen/Qwen2.5-7B-Instruct": 7_615_616_512,
    "Qwen/QwQ-32B": 32_763_876_352,
    "Qwen/Qwen3-0.6B": 751_632_384 - 151_936 * 1024,
    "Qwen/Qwen3-1.7B": 2_031_739_904 - 151_936 * 2048,
    "Qwen/Qwen3-4B-SafeRL": 4_411_424_256 - 151_936 * 2560,
    "Qwen/Qwen3-8B": 8_190_735_360,
    "Qwen/Qwen3-30B-A3B-Base": 30_532_122_624,
    "Qwen/Qwen3-235B-A22B": 235_093_634_560,
    "Qwen/Qwen3-Coder-480B-A35B-Instruct": 480_154_875_392,
    "Qwen/Qwen3-Next-80B-A3B-Instruct": 81_324_862_720,
    "Qwen/Qwen3-Coder-Next": 79_674_391_296,
    "Qwen/Qwen3.5-0.8B": 873_438_784,
    "Qwen/Qwen3.5-9B": 9_653_104_368,
    "Qwen/Qwen3.5-27B": 27_781_427_952,
    "Qwen/Qwen3.5-35B-A3B": 35_951_822_704,
    "Qwen/Qwen3.5-122B-A10B": 125_086_497_008,
    "Qwen/Qwen3.5-397B-A17B": 403_397_928_944,
    "Qwen/Qwen3.8-Flash-Next": 179_999_981_424,
    "Qwen/Qwen2-VL-7B-Instruct": 8_291_375_616,
    "Qwen/Qwen2.5-VL-7B-Instruct": 8_292_166_656,
    "Qwen/Qwen3-VL-8B-Instruct": 8_767_123_696,
    "Qwen/Qwen2-Audio-7B": 8_397_094_912,
    "Qwen/Qwen2.5-Omni-7B": 10_732_225_440,
    "Qwen/Qwen3-Omni-30B-A3B-Instruct": 35_259_818_545,
    "Qwen/Qwen3-ASR-1.7B": 2_349_217_408,
    "Qwen/Qwen3-Embedding-8B": 7_567_295_488,
    "Qwen/Qwen3-Reranker-8B": 8_188_548_096,
    "Qwen/Qwen3-VL-Embedding-8B": 8_144_793_840,
    "Alibaba-NLP/gte-Qwen2-7B-instruct": 7_069_121_024,
    "Alibaba-NLP/UEmbed-9B": 9_146_608_576,
}


@pytest.mark.parametrize(("model", "total"), PUBLISHED.items(), ids=list(PUBLISHED))
def test_totals_are_the_published_ones(models, architectures, model, total):
    assert count(architectures[models[model].architecture]).total == total


# Parts as the headers have them: (language model, n-gram table, MTP, vision, audio, other).
PARTS = {
    "qwen3-next-80b-a3b": (79_674_391_296, 0, 1_650_471_424, 0, 0, 0),
    "qwen3.5-0.8b": (752_393_024, 0, 20_452_864, 100_592_896, 0, 0),
    "qwen3.5-4b": (4_205_751_296, 0, 120_599_552, 333_514_240, 0, 0),
    "qwen3.5-27b": (26_895_998_464, 0, 424_699_392, 460_730_096, 0, 0),
    "qwen3.5-35b-a3b": (34_660_610_688, 0, 844_640_768, 446_571_248, 0, 0),
    "qwen3.5-397b-a17b": (396_346_350_336, 0, 6_595_568_128, 456_010_480, 0, 0),
    "qwen3.8-2.4t-a95b": (2_419_804_697_984, 0, 26_378_027_520, 0, 0, 0),
    "qwen3.8-flash-next": (125_743_653_760, 51_200_245_760, 2_607_150_848, 448_931_056, 0, 0),
    "qwen2-vl-2b": (1_543_714_304, 0, 0, 665_271_296, 0, 0),
    "qwen2.5-vl-72b": (72_706_203_648, 0, 0, 704_573_696, 0, 0),
    "qwen3-vl-2b": (1_720_574_976, 0, 0, 406_957_056, 0, 0),
    "qwen3-vl-235b-a22b": (235_093_634_560, 0, 0, 576_388_336, 0, 0),
    "qwen2-audio-7b": (7_754_878_976, 0, 0, 0, 642_215_936, 0),
    "qwen2.5-omni-3b": (3_397_103_616, 0, 0, 668_684_288, 637_676_544, 833_656_224),
    "qwen3-omni-30b-a3b": (30_532_646_912, 0, 0, 538_631_408, 647_927_168, 3_540_613_057),
    "qwen-vl": (7_721_324_544, 0, 0, 1_935_610_624, 0, 0),
}


@pytest.mark.parametrize(("architecture_id", "parts"), PARTS.items(), ids=list(PARTS))
def test_parts_are_the_published_ones(architectures, architecture_id, parts):
    c = count(architectures[architecture_id])
    assert (c.language_model, c.ngram_embedding, c.mtp, c.vision, c.audio, c.other) == parts


# Weights that one token uses, embedding and head included; the makers' nominal figures are 2.7B, 3.3B, 22B, 3B, 17B,
# 95B and 6B without one or both of them.
ACTIVE = {
    "qwen1.5-moe-a2.7b": 2_689_173_504,
    "qwen3-30b-a3b": 3_353_032_704,
    "qwen3-235b-a22b": 22_190_763_520,
    "qwen3-next-80b-a3b": 3_874_929_408,
    "qwen3.5-397b-a17b": 17_349_040_896,
    "qwen3.8-2.4t-a95b": 95_287_866_752,
    "qwen3.8-flash-next": 7_306_994_560,
}


@pytest.mark.parametrize(("architecture_id", "active"), ACTIVE.items(), ids=list(ACTIVE))
def test_active_weights(architectures, architecture_id, active):
    assert count(architectures[architecture_id]).active == active


# https://huggingface.co/Qwen/Qwen3-8B: "Number of Paramaters (Non-Embedding): 6.95B"; likewise the other cards.
NON_EMBEDDING = {"qwen3-0.6b": 0.44, "qwen3-1.7b": 1.4, "qwen3-8b": 6.95, "qwen3-14b": 13.2, "qwen3-30b-a3b": 29.9}


@pytest.mark.parametrize(("architecture_id", "billions"), NON_EMBEDDING.items(), ids=list(NON_EMBEDDING))
def test_non_embedding_weights_round_to_the_cards(architectures, architecture_id, billions):
    digits = len(str(billions).split(".")[1])
    assert round(count(architectures[architecture_id]).non_embedding / 1e9, digits) == billions


# Published only rounded, or as the size of files: (billions, digits after the point).
ROUNDED = {
    "Qwen/Qwen-72B": (72, 0),  # its name
    "Qwen/Qwen1.5-110B": (111, 0),  # the Hub
    "Qwen/Qwen-VL": (9.7, 1),  # arXiv 2308.12966: 1.9B + 0.08B + 7.7B
    "Qwen/Qwen-Audio": (8.4, 1),  # arXiv 2311.07919
    "Qwen/Qwen3-VL-235B-A22B-Instruct": (236, 0),  # the Hub
    "Qwen/Qwen3-ForcedAligner-0.6B": (0.9, 1),  # the Hub
    "Qwen/Qwen3-TTS-Tokenizer-12Hz": (0.2, 1),  # the Hub
    "Qwen/Qwen-AgentWorld-35B-A3B": (34.66, 2),  # a merge of the checkpoint
    "Qwen/Qwen-Image-2.1": (16, 0),  # 7B + 8.77B + the autoencoder's file
    "Qwen/Qwen2.5-Math-RM-72B": (72, 0),  # its name
}


@pytest.mark.parametrize(("model", "published"), ROUNDED.items(), ids=list(ROUNDED))
def test_totals_that_are_published_rounded(models, architectures, model, published):
    billions, digits = published
    assert round(count(architectures[models[model].architecture]).total / 1e9, digits) == billions
    assert any("parameters_total" in doubt for doubt in models[model].unverified)


def test_largest_model_is_within_the_size_of_its_index(architectures):
    # model.safetensors.index.json of Qwen/Qwen3.8-2.4T-A95B: total_size 4,892,388,705,238 bytes in bf16
    assert count(architectures["qwen3.8-2.4t-a95b"]).total * 2 == pytest.approx(4_892_388_705_238, rel=1e-5)


def test_planner_repository_is_within_the_size_of_its_files(architectures):
    # https://huggingface.co/Qwen/Qwen-Drive-1.0-4B: bf16 files of 9.1 GB for the vision-language model
    c = count(architectures["qwen-drive-1.0-4b"])
    assert (c.language_model + c.vision) * 2 / 1e9 == pytest.approx(9.1, abs=0.05)


def test_rows_sum_to_the_count(architecture: Architecture):
    assert sum(tensor.parameters for tensor in inventory(architecture)) == count(architecture).total
    assert all(tensor.parameters > 0 for tensor in inventory(architecture))


def test_names_are_unique(architecture: Architecture):
    names = [tensor.name for tensor in inventory(architecture)]
    assert len(names) == len(set(names))


def test_components_weigh_what_their_tensors_weigh(architecture: Architecture):
    for component in architecture.components:
        if component.weights:
            assert sum(math.prod(w.shape) * w.count for w in component.weights) == component.parameters


def test_no_two_architectures_are_the_same(architectures):
    bare = [replace(a, id="", sources=(), unverified=(), note="") for a in architectures.values()]
    assert len(set(bare)) == len(bare)


def tensors(architectures, architecture_id):
    return {t.name: (t.shape, t.count) for t in inventory(architectures[architecture_id])}


# As transformers builds them (models/<model_type>/modeling_<model_type>.py) and the repositories store them.
SHAPES = [
    ("qwen2-7b", "model.layers.{layer}.self_attn.k_proj.bias", (512,), 28),
    ("qwen3-8b", "model.layers.{layer}.self_attn.q_norm.weight", (128,), 36),
    ("qwen-7b", "transformer.h.{layer}.attn.c_attn.weight", (12288, 4096), 32),
    ("qwen3-30b-a3b", "model.layers.{layer}.mlp.experts.{expert}.up_proj.weight", (768, 2048), 48 * 128),
    ("qwen1.5-moe-a2.7b", "model.layers.{layer}.mlp.shared_expert_gate.weight", (1, 2048), 24),
    ("qwen3-next-80b-a3b", "model.layers.{layer}.linear_attn.in_proj_qkvz.weight", (12288, 2048), 36),
    ("qwen3-next-80b-a3b", "model.layers.{layer}.self_attn.q_proj.weight", (8192, 2048), 12),
    ("qwen3-next-80b-a3b", "mtp.fc.weight", (2048, 4096), 1),
    ("qwen3.5-27b", "model.language_model.layers.{layer}.linear_attn.conv1d.weight", (10240, 1, 4), 48),
    ("qwen3.5-27b", "model.language_model.layers.{layer}.linear_attn.A_log", (48,), 48),
    ("qwen3.5-35b-a3b", "model.language_model.layers.{layer}.mlp.experts.gate_up_proj", (256, 1024, 2048), 40),
    ("qwen3-vl-30b-a3b", "model.language_model.layers.{layer}.mlp.experts.down_proj", (128, 768, 2048), 48),
    ("qwen3-vl-8b", "model.visual.deepstack_merger_list.{layer}.norm.weight", (4608,), 3),
    ("qwen3-vl-8b", "model.visual.pos_embed.weight", (2304, 1152), 1),
    ("qwen2.5-vl-7b", "visual.merger.mlp.2.weight", (3584, 5120), 1),
    ("qwen2-vl-7b", "visual.patch_embed.proj.weight", (1280, 3, 2, 14, 14), 1),
    ("qwen3-omni-30b-a3b", "thinker.audio_tower.conv_out.weight", (1280, 7680), 1),
    (
        "qwen3.8-flash-next",
        "model.language_model.layers.{layer}.self_attn.indexer.index_qk_proj.weight",
        (640, 2560),
        12,
    ),
    ("qwen3.8-flash-next", "model.language_model.hyper_connection_mixer.hc_norm.weight", (10240,), 1),
    (
        "qwen3.8-flash-next",
        "model.language_model.layers.{layer}.ple.ple_embedding.ngram_embedding.shard_{part}.weight",
        (2_500_012, 160),
        128,
    ),
    ("qwen3-tts-1.7b", "talker.codec_head.weight", (3072, 2048), 1),
]


@pytest.mark.parametrize(("architecture_id", "name", "shape", "number"), SHAPES, ids=[f"{r[0]}:{r[1]}" for r in SHAPES])
def test_shapes_are_those_of_the_repositories(architectures, architecture_id, name, shape, number):
    assert tensors(architectures, architecture_id)[name] == (shape, number)


@pytest.mark.parametrize(
    ("architecture_id", "name"),
    [
        ("qwen3-0.6b", "lm_head.weight"),  # tied
        ("qwen3-embedding-8b", "lm_head.weight"),  # has none
        ("qwen3-8b", "model.layers.{layer}.self_attn.k_proj.bias"),  # Qwen3 has no bias
        ("qwen2-7b", "model.layers.{layer}.self_attn.o_proj.bias"),  # only Q, K and V have
        ("qwen3.5-35b-a3b", "model.language_model.layers.{layer}.mlp.gate_proj.weight"),  # every layer is sparse
        ("qwen3.8-flash-next", "model.language_model.norm.weight"),  # the mixer stands in for it
        ("qwen3-coder-next", "mtp.fc.weight"),  # ships no MTP block
    ],
)
def test_what_a_model_does_not_have(architectures, architecture_id, name):
    assert name not in tensors(architectures, architecture_id)


def test_unknown_model_type_is_an_error(architectures):
    with pytest.raises(CatalogError, match="qwen9"):
        count(replace(architectures["qwen3-8b"], model_type="qwen9"))


def test_ngram_table_without_streams_is_an_error(architectures):
    flash = architectures["qwen3.8-flash-next"]
    with pytest.raises(CatalogError, match="hyper_connections"):
        count(replace(flash, text=replace(flash.text, hyper_connections=None)))


decoders = st.builds(
    TextDecoder,
    num_hidden_layers=st.integers(1, 96),
    hidden_size=st.sampled_from([256, 1024, 4096]),
    intermediate_size=st.integers(1, 30_000),
    num_attention_heads=st.integers(1, 64),
    num_key_value_heads=st.integers(1, 64),
    head_dim=st.sampled_from([64, 128, 256]),
    vocab_size=st.integers(1, 300_000),
    tie_word_embeddings=st.booleans(),
    attention_bias=st.booleans(),
    qk_norm=st.booleans(),
    moe=st.none()
    | st.builds(
        Moe,
        num_experts=st.just(64),
        num_experts_per_tok=st.integers(1, 64),
        moe_intermediate_size=st.integers(1, 4096),
        shared_expert_intermediate_size=st.sampled_from([0, 512]),
        decoder_sparse_step=st.integers(1, 3),
        mlp_only_layers=st.just((0,)),
    ),
    mtp_num_hidden_layers=st.integers(0, 2),
)


def counted(text: TextDecoder):
    return count(Architecture(id="drawn", model_type="qwen3_moe", text=text))


@given(decoders)
def test_tying_the_head_saves_exactly_one_embedding(text):
    tied = counted(replace(text, tie_word_embeddings=True))
    untied = counted(replace(text, tie_word_embeddings=False))
    assert untied.total - tied.total == text.vocab_size * text.hidden_size == untied.head
    assert tied.head == 0
    assert tied.non_embedding == untied.non_embedding


@given(decoders)
def test_each_layer_adds_weights(text):
    longer = replace(text, num_hidden_layers=text.num_hidden_layers + 1)
    assert counted(longer).language_model > counted(text).language_model
    assert counted(longer).mtp == counted(text).mtp


@given(decoders)
def test_active_weights_are_a_part_of_the_language_model(text):
    c = counted(text)
    assert 0 < c.active <= c.language_model
    if text.moe is None or text.moe.num_experts_per_tok == text.moe.num_experts:
        assert c.active == c.language_model
