"""The activations that are reckoned, against those that autograd keeps in small models of the real architectures."""

from __future__ import annotations

from typing import Any

import pytest

from qwen_advisor.model import Architecture, Moe, TextDecoder
from qwen_advisor.training import Training
from qwen_advisor.training.activations import activations
from qwen_advisor.training.trainable import trainable

pytestmark = pytest.mark.heavy
torch = pytest.importorskip("torch", reason="torch is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")
peft = pytest.importorskip("peft", reason="peft is not installed")

TOKENS = 256
SHAPE = {"vocab_size": 512, "hidden_size": 256, "intermediate_size": 768, "num_key_value_heads": 2, "head_dim": 64}
MOE = {"moe_intermediate_size": 128, "num_experts": 8, "num_experts_per_tok": 2}
DENSE = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def kept(model_type: str, layers: int, targets: list[str] | None, fields: dict[str, Any]) -> int:
    """Bytes that a forward pass over the decoder keeps for its backward pass, weights apart."""
    config = transformers.AutoConfig.for_model(model_type, num_hidden_layers=layers, **fields)
    model = transformers.AutoModelForCausalLM.from_config(
        config, dtype=torch.bfloat16, attn_implementation="sdpa"
    ).train()
    body = model.model
    if targets is not None:
        model = peft.get_peft_model(model, peft.LoraConfig(r=8, target_modules=targets))
        model.enable_input_require_grads()
    fixed = {each.untyped_storage().data_ptr() for each in (*model.parameters(), *model.buffers())}
    held: dict[int, int] = {}
    alive = []

    def pack(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in fixed:
            held[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)
        return tensor

    with (
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
        torch.autocast("cpu", dtype=torch.bfloat16, enabled=targets is not None),
    ):
        body(input_ids=torch.randint(0, config.vocab_size, (1, TOKENS)))
    return sum(held.values())


def reckoned(model_type: str, targets: list[str] | None, fields: dict[str, Any]) -> float:
    moe = Moe(**MOE) if "num_experts" in fields else None
    plain = {name: value for name, value in fields.items() if name not in MOE}
    text = TextDecoder(
        num_hidden_layers=4,
        tie_word_embeddings=False,
        qk_norm=model_type != "qwen2",
        attention_bias=model_type == "qwen2",
        moe=moe,
        **plain,
    )
    architecture = Architecture(id="small", model_type=model_type, text=text)
    run = Training(
        method="full" if targets is None else "lora", rank=8, targets=tuple(targets or ()), checkpointing=False
    )
    return activations(architecture, run, trainable(architecture, run)).kept / text.num_hidden_layers


@pytest.mark.parametrize(
    ("model_type", "targets", "fields"),
    [
        ("qwen2", None, SHAPE | {"num_attention_heads": 4}),
        ("qwen2", DENSE, SHAPE | {"num_attention_heads": 4}),
        ("qwen3", None, SHAPE | {"num_attention_heads": 8}),
        ("qwen3", DENSE, SHAPE | {"num_attention_heads": 8}),
        ("qwen3_moe", None, SHAPE | MOE | {"num_attention_heads": 8}),
        ("qwen3_moe", DENSE[:4], SHAPE | MOE | {"num_attention_heads": 8}),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_by_layer_and_token(model_type: str, targets: list[str] | None, fields: dict[str, Any]) -> None:
    two, four = (kept(model_type, layers, targets, fields) for layers in (2, 4))
    assert reckoned(model_type, targets, fields) == pytest.approx((four - two) / 2 / TOKENS, rel=0.03)
