"""The training script of ``finetune``, run for two steps on a tiny Qwen with random weights, on the CPU."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from qwen_advisor.cli import main

pytestmark = pytest.mark.heavy
for name in ("torch", "transformers", "trl", "peft", "datasets"):
    pytest.importorskip(name, reason=f"{name} is not installed")

WHERE = ("--gpu", "RTX 4090", "--ram", "64G")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Qwen3 with two layers, and a tokenizer of bytes with Qwen3's own chat template."""
    import trl  # noqa: PLC0415
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: PLC0415
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("tiny")
    words = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"]
    words += sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={word: number for number, word in enumerate(words)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|endoftext|>")  # noqa: S106
    tokenizer.add_special_tokens({"additional_special_tokens": words[1:2]})
    tokenizer.chat_template = Path(trl.__file__).with_name("chat_templates").joinpath("qwen3.jinja").read_text("utf-8")
    tokenizer.save_pretrained(folder)
    Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=8,
            max_position_embeddings=512,
            tie_word_embeddings=False,
        )
    ).save_pretrained(folder)
    return folder


ROWS = {
    "messages": {"messages": [{"role": "user", "content": "What is 2 and 2?"}, {"role": "assistant", "content": "4"}]},
    "instruction": {"instruction": "Add.", "input": "2, 2", "output": "4"},
    "conversations": {"conversations": [{"from": "human", "value": "2 + 2?"}, {"from": "gpt", "value": "4"}]},
    "text": {"text": "two and two are four"},
}


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ("messages", ()),
        ("instruction", ("--method", "full", "--optimizer", "muon")),
        ("conversations", ("--train-embeddings", "--dropout", "0.05", "--optimizer", "adafactor")),
        ("text", ("--target-modules", "attention", "--rank", "4", "--no-gradient-checkpointing")),
    ],
)
def test_two_steps(tiny: Path, tmp_path: Path, shape: str, options: tuple[str, ...]) -> None:
    data, script, out = tmp_path / "train.jsonl", tmp_path / "train.py", tmp_path / "out"
    data.write_text("".join(json.dumps(ROWS[shape]) + "\n" for _ in range(4)), "utf-8")
    words = ["finetune", "Qwen3-0.6B", *WHERE, "--data", str(data), *options, "--format", "script", "-o", str(script)]
    assert main(words) == 0
    train(script, tiny, out)
    saved = {path.name for path in out.iterdir()}
    assert ("model.safetensors" if "full" in options else "adapter_model.safetensors") in saved


def test_two_steps_of_a_model_that_sees(tmp_path: Path) -> None:
    """Qwen3.5 with linear attention and a tower for images: the adapters stand on the decoder alone."""
    import trl  # noqa: PLC0415
    from safetensors import safe_open  # noqa: PLC0415

    spec = importlib.util.spec_from_file_location("tiny_qwen", Path(__file__).with_name("tiny_qwen.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model, data, script, out = (tmp_path / name for name in ("model", "train.jsonl", "train.py", "out"))
    module.hybrid(model)
    template = Path(trl.__file__).with_name("chat_templates").joinpath("qwen3_5_think.jinja")
    (model / "chat_template.jinja").write_text(template.read_text("utf-8"), "utf-8")
    data.write_text("".join(json.dumps(ROWS["messages"]) + "\n" for _ in range(4)), "utf-8")
    assert main(["finetune", "Qwen3.5-4B", *WHERE, "--data", str(data), "--format", "script", "-o", str(script)]) == 0
    train(script, model, out)
    with safe_open(out / "adapter_model.safetensors", "pt") as adapters:
        names = list(adapters.keys())
    assert any("linear_attn.in_proj_qkv" in name for name in names)
    assert any("self_attn.q_proj" in name for name in names)
    assert not any("visual" in name for name in names)


def train(script: Path, model: Path, out: Path) -> None:
    """Two steps of the script, without a network and without a GPU."""
    done = subprocess.run(
        [sys.executable, str(script), "--model", str(model), "--output", str(out), "--max-steps", "2"],
        capture_output=True,
        check=False,
        text=True,
        timeout=600,
        cwd=script.parent,
        env={
            **os.environ,
            "HF_HUB_OFFLINE": "1",
            "HF_HOME": str(script.parent / "cache"),
            "CUDA_VISIBLE_DEVICES": "",
        },
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "'train_runtime'" in done.stdout
