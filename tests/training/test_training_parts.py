"""Each part against a figure that can be worked out by hand, or that its source states."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.model import Architecture, Moe, TextDecoder
from qwen_advisor.training import Training, TrainingMemory
from qwen_advisor.training.activations import activations
from qwen_advisor.training.loss import loss_bytes
from qwen_advisor.training.optimizer import state_bytes
from qwen_advisor.training.trainable import trainable

Reckon = Callable[..., TrainingMemory]

QWEN3_8B = 8_190_735_360  # safetensors header of the repository


def test_full_training_in_16_bit_holds_eight_bytes_for_each_weight(memory_of: Reckon) -> None:
    memory = memory_of("Qwen3-8B", method="full")
    assert memory.trained.total == QWEN3_8B
    assert memory.part("weights") == 2 * QWEN3_8B
    assert memory.part("gradients") == 2 * QWEN3_8B
    assert memory.part("optimizer_states") == 4 * QWEN3_8B


@pytest.mark.parametrize(
    ("targets", "rank", "parameters"),
    [
        # peft's print_trainable_parameters for Qwen/Qwen2.5-7B-Instruct: rank 8 on all linear modules 20,185,088
        # (ms-swift, docs/source_en: "20.1851M Trainable [0.2643%]").
        (("all-linear",), 8, 20_185_088),
        # rank x (rows + columns): q and o 3584 + 3584, k and v 512 + 3584, 28 layers.
        (("attention",), 16, 16 * 28 * 2 * (7168 + 4096)),
        (("q_proj", "v_proj"), 4, 4 * 28 * (7168 + 4096)),
    ],
)
def test_parameters_of_adapters(memory_of: Reckon, targets: tuple[str, ...], rank: int, parameters: int) -> None:
    trained = memory_of("Qwen2.5-7B-Instruct", targets=targets, rank=rank).trained
    assert trained.total == parameters


def test_adapters_of_qwen_1_are_those_of_the_published_table(memory_of: Reckon) -> None:
    """ms-swift's table of 2024: rank 8 on c_attn of Qwen-7B trains 4.19 M, on all linear modules 17.89 M."""
    assert memory_of("Qwen-7B-Chat", targets=("c_attn",), rank=8).trained.total == pytest.approx(4.19e6, rel=2e-3)
    assert memory_of("Qwen-7B-Chat", rank=8).trained.total == pytest.approx(17.89e6, rel=2e-3)


def test_adapters_are_held_in_float32_with_gradient_and_two_states(memory_of: Reckon) -> None:
    memory = memory_of("Qwen3-8B")
    assert memory.part("adapters") == 4 * memory.trained.total
    assert memory.part("gradients") == 4 * memory.trained.total
    assert memory.part("optimizer_states") == 8 * memory.trained.total


def test_linear_attention_projections_get_adapters(memory_of: Reckon) -> None:
    modules = memory_of("Qwen3.5-9B").trained.modules
    assert {"in_proj_qkv", "in_proj_z", "out_proj", "q_proj", "down_proj"} <= set(modules)
    only = memory_of("Qwen3.5-9B", targets=("linear-attention",)).trained.modules
    assert set(only) == {"in_proj_qkv", "in_proj_z", "in_proj_b", "in_proj_a", "out_proj"}


def test_experts_get_a_pair_of_factors_each(memory_of: Reckon) -> None:
    # Qwen3-30B-A3B: 48 layers of 128 experts, 2048 wide with 768 inside: gate, up and down.
    trained = memory_of("Qwen3-30B-A3B", targets=("experts",), rank=2).trained
    assert trained.total == trained.experts == 48 * 128 * 3 * 2 * (2048 + 768)
    assert trained.modules == ()


def test_a_module_that_the_model_lacks_is_named(memory_of: Reckon) -> None:
    with pytest.raises(UsageError, match="no module 'c_attn'") as caught:
        memory_of("Qwen3-8B", targets=("c_attn",))
    assert "q_proj" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("optimizer", "per_parameter"), [("adamw", 8.0), ("adamw-8bit", 2 * (1 + 4 / 256)), ("muon", 4.0)]
)
def test_states_for_each_weight_of_a_matrix(catalog: Catalog, optimizer: str, per_parameter: float) -> None:
    trained = trainable(catalog.architectures["qwen3-8b"], Training(rank=8))
    assert state_bytes(optimizer, trained, 4) == pytest.approx(per_parameter * trained.total)  # type: ignore[arg-type]


def test_adafactor_keeps_rows_and_columns(catalog: Catalog) -> None:
    trained = trainable(catalog.architectures["qwen3-0.6b"], Training(method="full"))
    assert state_bytes("adafactor", trained, 2) < 0.01 * trained.total


def test_eight_bit_adamw_leaves_embeddings_in_32_bit(catalog: Catalog) -> None:
    """transformers/trainer.py registers every embedding with optim_bits 32."""
    trained = trainable(catalog.architectures["qwen3-0.6b"], Training(method="full"))
    assert trained.embeddings == 151936 * 1024
    assert state_bytes("adamw-8bit", trained, 2) > 8 * trained.embeddings


def test_the_logits_of_a_large_vocabulary_dominate_a_small_model(memory_of: Reckon) -> None:
    memory = memory_of("Qwen3.5-0.8B", seq_len=8192)
    assert memory.part("loss") == 14 * 248320 * 8192
    assert memory.part("loss") > 0.7 * memory.device


def test_chunked_and_fused_losses_never_hold_all_logits(catalog: Catalog) -> None:
    text = catalog.architectures["qwen3-8b"].text
    assert text is not None
    tokens = {"seq_len": 4096, "batch": 2}
    # trl/kernels/chunked_logprob.py: a tile of 4,096 tokens and 32,768 entries, and a float32 gradient of the states.
    chunked = loss_bytes(text, Training(loss="chunked", **tokens), head_trained=False)  # type: ignore[arg-type]
    assert chunked == 2 * 4096 * 32768 + 4 * 4096 * 8192
    # Liger: ceil(151936 / 4096) = 38 chunks of 8,192 tokens, each a power of two: 256 rows.
    fused = loss_bytes(text, Training(loss="fused", **tokens), head_trained=False)  # type: ignore[arg-type]
    assert fused == 6 * 256 * 151936 + 2 * 4096 * 8192


def text_decoder(**fields: int | bool) -> TextDecoder:
    shape = {"num_hidden_layers": 4, "hidden_size": 256, "intermediate_size": 768, "vocab_size": 512, "head_dim": 64}
    return TextDecoder(tie_word_embeddings=False, **{**shape, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model_type", "text", "method", "measured"),
    [
        # Bytes that autograd keeps for each token and layer, read off Transformers 5.24 with saved_tensors_hooks;
        # tests/heavy/test_training_activations.py reads them again.
        ("qwen3", text_decoder(num_attention_heads=8, num_key_value_heads=2, qk_norm=True), "full", 16720),
        ("qwen3", text_decoder(num_attention_heads=8, num_key_value_heads=2, qk_norm=True), "lora", 17424),
        ("qwen2", text_decoder(num_attention_heads=4, num_key_value_heads=2, attention_bias=True), "full", 11800),
        ("qwen2", text_decoder(num_attention_heads=4, num_key_value_heads=2, attention_bias=True), "lora", 13240),
    ],
)
def test_activations_are_what_autograd_keeps(model_type: str, text: TextDecoder, method: str, measured: int) -> None:
    architecture = Architecture(id="small", model_type=model_type, text=text)
    run = Training(method=method, rank=8, checkpointing=False)  # type: ignore[arg-type]
    kept = activations(architecture, run, trainable(architecture, run)).kept / 4
    assert kept == pytest.approx(measured, rel=0.01)


def test_activations_of_experts_are_what_autograd_keeps() -> None:
    moe = Moe(num_experts=8, num_experts_per_tok=2, moe_intermediate_size=128)
    text = TextDecoder(
        num_hidden_layers=4,
        hidden_size=256,
        intermediate_size=0,
        vocab_size=512,
        head_dim=64,
        num_attention_heads=8,
        num_key_value_heads=2,
        qk_norm=True,
        tie_word_embeddings=False,
        moe=moe,
    )
    architecture = Architecture(id="small", model_type="qwen3_moe", text=text)
    run = Training(method="full", checkpointing=False)
    kept = activations(architecture, run, trainable(architecture, run)).kept / 4
    assert kept == pytest.approx(14772, rel=0.02)


def test_checkpointing_keeps_the_inputs_of_layers_only(memory_of: Reckon) -> None:
    # Qwen3-8B: 36 layers, 4096 wide, 2 bytes.
    assert memory_of("Qwen3-8B", seq_len=2048, loss="fused").part("activations") == 36 * 4096 * 2 * 2048
    assert memory_of("Qwen3-8B", seq_len=2048, checkpointing=False).part("activations") > 10 * 36 * 4096 * 2 * 2048


def test_experts_stay_in_16_bit_under_bitsandbytes_except_where_a_tool_sees_to_it(memory_of: Reckon) -> None:
    """Transformers 5 holds experts in nn.Parameter, and bitsandbytes replaces nn.Linear alone."""
    plain = memory_of("Qwen3-30B-A3B", method="qlora").part("weights")
    seen = memory_of("Qwen3-30B-A3B", method="qlora", framework="unsloth").part("weights")
    assert plain > 50 << 30
    assert seen < 20 << 30


def test_an_embedding_model_has_no_loss_over_a_vocabulary(memory_of: Reckon) -> None:
    assert memory_of("Qwen3-Embedding-0.6B").part("loss") == 0


@pytest.mark.parametrize(
    ("sharding", "weights", "gradients", "states"),
    [
        # Rajbhandari et al., figure 1: what N replicas divide among themselves. 12 bytes of states with the master.
        ("none", 1, 1, 1),
        ("zero1", 1, 1, 8),
        ("zero2", 1, 8, 8),
        ("zero3", 8, 8, 8),
    ],
)
def test_zero_divides_states_then_gradients_then_weights(
    memory_of: Reckon, sharding: str, weights: int, gradients: int, states: int
) -> None:
    memory = memory_of("Qwen3-8B", method="full", sharding=sharding, gpus_per_node=8)
    held = 4 if sharding == "none" else 12
    assert memory.part("weights") == pytest.approx(2 * QWEN3_8B / weights)
    assert memory.part("gradients") == pytest.approx(2 * QWEN3_8B / gradients)
    assert memory.part("optimizer_states") == pytest.approx(held * QWEN3_8B / states)


def test_fsdp_keeps_what_is_trained_in_float32(memory_of: Reckon) -> None:
    memory = memory_of("Qwen3-8B", method="full", sharding="fsdp", gpus_per_node=4)
    assert memory.part("weights") == pytest.approx(4 * QWEN3_8B / 4)
    assert memory.part("optimizer_states") == pytest.approx(8 * QWEN3_8B / 4)


def test_every_part_says_on_what_it_rests(memory_of: Reckon) -> None:
    for part in memory_of("Qwen3.5-9B", method="qlora", sharding="zero2", gpus_per_node=2).parts:
        assert part.source
        assert part.basis in ("exact", "measured model", "published", "assumed")
