"""A Qwen of the real architecture, tiny and with random weights, in a folder as the Hub keeps one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
_TEXT = {
    "vocab_size": 512,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 4096,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0},
    "eos_token_id": 1,
    "bos_token_id": 0,
    "pad_token_id": 2,
    "tie_word_embeddings": False,
}


def tokenizer() -> Any:
    """Bytes and a few special tokens, with a chat template that heeds ``enable_thinking``."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: PLC0415  second tier
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415

    special = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {word: number for number, word in enumerate([*special, *letters])}
    made = Tokenizer(models.BPE(vocab=words, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    whole = PreTrainedTokenizerFast(tokenizer_object=made)
    whole.add_special_tokens({"eos_token": special[1], "pad_token": special[2], "bos_token": special[0]})
    whole.chat_template = TEMPLATE
    return whole


def dense(folder: Path) -> Path:
    """Qwen3."""
    import torch  # noqa: PLC0415
    from transformers import Qwen3Config, Qwen3ForCausalLM  # noqa: PLC0415

    torch.manual_seed(7)
    model = Qwen3ForCausalLM(Qwen3Config(**_TEXT)).to(torch.bfloat16)
    model.generation_config.eos_token_id = None  # so that it writes as long as it is let
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def hybrid(folder: Path) -> Path:
    """Qwen3.5, with its linear attention and what sees images."""
    import torch  # noqa: PLC0415
    from transformers import Qwen3_5Config, Qwen3_5ForConditionalGeneration  # noqa: PLC0415

    torch.manual_seed(7)
    text = {
        **_TEXT,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
        "linear_key_head_dim": 16,
        "linear_value_head_dim": 16,
        "full_attention_interval": 4,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000000.0,
            "partial_rotary_factor": 0.5,
            "mrope_section": [2, 1, 1],
            "mrope_interleaved": True,
        },
    }
    vision = {"depth": 1, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": 64}
    config = Qwen3_5Config(text_config=text, vision_config=vision)
    model = Qwen3_5ForConditionalGeneration(config).to(torch.bfloat16)
    model.generation_config.eos_token_id = None
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder
