"""What is read of files that nobody vouches for: headers with absurd lengths, configs of unknown kinds."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_advisor import load_catalog
from qwen_advisor.errors import AdvisorError, CatalogError, NetworkError
from qwen_advisor.hub.configs import KNOWN, architecture_of
from qwen_advisor.hub.headers import gguf, safetensors
from qwen_advisor.hub.proposals import quantized_of, same_shape
from qwen_advisor.values import replace
from tests.hub import weight_files
from tests.hub.written_configs import config_of, preprocessor_of

READABLE = sorted(
    name for name, a in load_catalog().architectures.items() if a.model_type in KNOWN and not a.components
)


def reading(data: bytes) -> Callable[[int, int], bytes]:
    return lambda start, end: data[start:end]


class TestConfigs:
    def test_two_thirds_of_the_catalogue_can_be_read(self) -> None:
        assert len(READABLE) == 66
        assert len(load_catalog().architectures) == 99

    @pytest.mark.parametrize("name", READABLE)
    def test_gives_the_catalogue_s_own_entry(self, name: str) -> None:
        entry = load_catalog().architectures[name]
        assert entry.text is not None
        read = architecture_of(
            config_of(entry),
            id=name,
            source=entry.sources[0],
            preprocessor=preprocessor_of(entry.vision),
            tensors=[f"mtp.layers.{layer}.input_layernorm.weight" for layer in range(entry.text.mtp_num_hidden_layers)],
            headless=not entry.text.lm_head,
        )
        assert read == replace(entry, sources=entry.sources[:1], unverified=(), note="")

    def test_a_real_config_of_a_mixture_that_sees(self) -> None:
        # As Qwen/Qwen3-VL-30B-A3B-Instruct has it.
        text = {
            "attention_bias": False, "decoder_sparse_step": 1, "head_dim": 128, "hidden_size": 2048,
            "intermediate_size": 6144, "max_position_embeddings": 262144, "mlp_only_layers": [],
            "model_type": "qwen3_vl_moe_text", "moe_intermediate_size": 768, "norm_topk_prob": True,
            "num_attention_heads": 32, "num_experts": 128, "num_experts_per_tok": 8, "num_hidden_layers": 48,
            "num_key_value_heads": 4, "vocab_size": 151936,
        }  # fmt: skip
        vision = {
            "deepstack_visual_indexes": [8, 16, 24], "depth": 27, "hidden_act": "gelu_pytorch_tanh",
            "hidden_size": 1152, "in_channels": 3, "intermediate_size": 4304, "model_type": "qwen3_vl_moe",
            "num_heads": 16, "num_position_embeddings": 2304, "out_hidden_size": 2048, "patch_size": 16,
            "spatial_merge_size": 2, "temporal_patch_size": 2,
        }  # fmt: skip
        config = {
            "architectures": ["Qwen3VLMoeForConditionalGeneration"], "model_type": "qwen3_vl_moe",
            "text_config": text, "tie_word_embeddings": False, "vision_config": vision,
        }  # fmt: skip
        shape = architecture_of(config, id="x", source="https://example.com")
        found = same_shape(load_catalog().architectures.values(), shape)
        assert found is not None
        assert found.id == "qwen3-vl-30b-a3b"

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"model_type": "llama"}, "model_type 'llama' is not one"),
            ({"model_type": None}, "model_type 'None' is not one"),
            ({"num_hidden_layers": None}, "num_hidden_layers is None"),
            ({"num_hidden_layers": -1}, "num_hidden_layers is -1"),
            ({"num_hidden_layers": 1 << 40}, "num_hidden_layers is 1099511627776"),
            ({"num_hidden_layers": True}, "num_hidden_layers is True"),
            ({"num_hidden_layers": 36.5}, "num_hidden_layers is 36.5"),
            ({"num_attention_heads": 0}, "num_attention_heads is 0"),
            ({"vocab_size": "many\x1b[2J"}, r"vocab_size is 'many\\x1b[2J'"),
        ],
    )
    def test_what_is_no_config_is_said(self, change: dict[str, Any], sentence: str) -> None:
        config = config_of(load_catalog().architectures["qwen3-8b"]) | change
        with pytest.raises(CatalogError) as caught:
            architecture_of(config, id="x", source="s")
        assert sentence.replace("\\\\", "\\") in caught.value.message

    def test_an_irregular_order_of_layers_is_not_guessed_at(self) -> None:
        config = config_of(load_catalog().architectures["qwen3.5-4b"])
        config["text_config"]["layer_types"][0] = "full_attention"
        with pytest.raises(CatalogError, match="follow no rule"):
            architecture_of(config, id="x", source="s")

    @given(
        st.dictionaries(
            st.sampled_from(
                [
                    "model_type",
                    "text_config",
                    "vision_config",
                    "vocab_size",
                    "layer_types",
                    "num_experts",
                    "hidden_size",
                ]
            ),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers()
                | st.floats()
                | st.text(max_size=5)
                | st.sampled_from(sorted(KNOWN)),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["hidden_size", "num_hidden_layers"]), inner, max_size=2)
                ),
                max_leaves=5,
            ),
        )
    )
    def test_any_object_is_an_architecture_or_a_sentence(self, change: dict[str, Any]) -> None:
        for base in ("qwen3-8b", "qwen3.5-35b-a3b"):
            config = config_of(load_catalog().architectures[base]) | change
            try:
                architecture_of(config, id="x", source="s", preprocessor=change)
            except AdvisorError as error:
                assert error.message  # noqa: PT017  either is right


class TestSafetensors:
    def test_names_types_and_shapes(self) -> None:
        header = {"__metadata__": {"format": "pt"}, "a": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}}
        found = safetensors(reading(weight_files.safetensors(json.dumps(header).encode())), "x")
        assert [(each.name, each.dtype, each.shape, each.weights) for each in found] == [("a", "BF16", (2, 3), 6)]

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"1234567",
            weight_files.safetensors(b"{}", 1 << 62),
            weight_files.safetensors(b"{}", 33 << 20),
            weight_files.safetensors(b"{}", 0),
            weight_files.safetensors(b"{}", 1000),
            weight_files.safetensors(b"[]"),
            weight_files.safetensors(b"[" * 200_000),
            weight_files.safetensors(b"not json"),
            weight_files.safetensors(b'{"a": 1}'),
            weight_files.safetensors(b'{"a": {"dtype": "BF16", "shape": [-1]}}'),
            weight_files.safetensors(b'{"a": {"dtype": "BF16", "shape": [true]}}'),
            weight_files.safetensors(b'{"a": {"dtype": "BF16", "shape": [1e3]}}'),
            weight_files.safetensors(b'{"a": {"dtype": 1, "shape": [1]}}'),
            weight_files.safetensors(b'{"a": {"dtype": "BF16", "shape": [1000000000, 1000000000]}}'),
        ],
    )
    def test_what_is_none_is_said_and_not_read_on(self, data: bytes) -> None:
        asked: list[tuple[int, int]] = []

        def read(start: int, end: int) -> bytes:
            asked.append((start, end))
            return data[start:end]

        with pytest.raises(NetworkError):
            safetensors(read, "x")
        assert max(end for _, end in asked) <= (32 << 20) + 8


class TestGguf:
    def test_the_type_without_the_vocabulary(self) -> None:
        asked: list[int] = []
        data = weight_files.gguf(15)

        def read(start: int, end: int) -> bytes:
            asked.append(end)
            return data[start:end]

        assert gguf(read, "x")["general.file_type"] == 15
        assert gguf(read, "x")["general.architecture"] == "qwen3"
        assert max(asked) == 64 << 10

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"GGML" + bytes(100),
            weight_files.gguf(15, version=99),
            weight_files.gguf(15, tensors=1 << 60),
            b"GGUF" + struct.pack("<IQQ", 3, 1, 1 << 60),
            weight_files.gguf(15, before=[weight_files.text("x") + struct.pack("<I", 77)]),
            weight_files.gguf(15, before=[struct.pack("<Q", 1 << 62) + b"x"]),
            weight_files.gguf(15, before=[weight_files.text("x") + struct.pack("<IIQ", 9, 4, 1 << 60)]),
            weight_files.gguf(15, before=[weight_files.text("x") + struct.pack("<IIQ", 9, 9, 1)]),
            weight_files.gguf(15)[:60],
        ],
    )
    def test_what_is_none_is_said(self, data: bytes) -> None:
        with pytest.raises(NetworkError):
            gguf(reading(data), "x")

    @given(st.binary(max_size=200))
    def test_any_bytes_are_a_head_or_a_sentence(self, tail: bytes) -> None:
        for head in (b"", b"GGUF\x03\x00\x00\x00"):
            for parse in (gguf, safetensors):
                try:
                    parse(reading(head + tail), "x")
                except NetworkError as error:
                    assert error.message  # noqa: PT017  either is right


@pytest.mark.parametrize(
    ("repo", "expected"),
    [
        ("Qwen/Qwen3-8B-GGUF", ("Qwen/Qwen3-8B", "GGUF")),
        ("Qwen/Qwen3-8B-GPTQ-Int4", ("Qwen/Qwen3-8B", "GPTQ-Int4")),
        ("Qwen/Qwen3-8B-MLX-4bit", ("Qwen/Qwen3-8B", "MLX-4bit")),
        ("Qwen/Qwen3-8B", None),
    ],
)
def test_quantized_repositories_by_their_names(repo: str, expected: tuple[str, str] | None) -> None:
    assert quantized_of(repo) == expected


def test_every_official_repository_of_the_catalogue_is_told_by_its_name() -> None:
    odd = [
        repo.repo
        for model in load_catalog().models.values()
        for repo in model.quantized
        if repo.official and quantized_of(repo.repo) != (model.id, repo.format)
    ]
    # Their names say nothing of the bits.
    assert odd == [f"Qwen/Qwen2-{size}-Instruct-MLX" for size in ("0.5B", "1.5B", "7B")]
