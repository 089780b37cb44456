"""A configuration for Axolotl. Keys: https://docs.axolotl.ai/docs/config-reference.html."""

from __future__ import annotations

from qwen_advisor.training.plan import TrainingPlan
from qwen_advisor.training.recipes.common import (
    WARMUP,
    Value,
    alpha,
    dense_modules,
    expert_parameters,
    header,
    learning_rate,
    yaml,
)

_OPTIMIZERS = {
    "adamw": "adamw_torch_fused",
    "adamw-8bit": "adamw_bnb_8bit",
    "adafactor": "adafactor",
    "muon": "muon",
}
_LAYERS = {
    "qwen2": "Qwen2DecoderLayer",
    "qwen2_moe": "Qwen2MoeDecoderLayer",
    "qwen3": "Qwen3DecoderLayer",
    "qwen3_moe": "Qwen3MoeDecoderLayer",
    "qwen3_next": "Qwen3NextDecoderLayer",
    "qwen3_5": "Qwen3_5DecoderLayer",
    "qwen3_5_moe": "Qwen3_5MoeDecoderLayer",
    "qwen2_vl": "Qwen2VLDecoderLayer",
    "qwen2_5_vl": "Qwen2_5_VLDecoderLayer",
    "qwen3_vl": "Qwen3VLTextDecoderLayer",
    "qwen3_vl_moe": "Qwen3VLMoeTextDecoderLayer",
}


def axolotl(plan: TrainingPlan, data: str) -> str:
    """The YAML for ``axolotl train``."""
    run = plan.run
    document: dict[str, Value] = {"base_model": plan.checkpoint.id}
    if run.loss != "full":
        document["plugins"] = ["axolotl.integrations.liger.LigerPlugin"]
        document["liger_fused_linear_cross_entropy"] = True
    if run.method == "qlora":
        document["load_in_4bit"] = True
        if plan.architecture.text and plan.architecture.text.moe:
            document["quantize_moe_experts"] = True
    if run.adapters:
        document |= {
            "adapter": run.method,
            "lora_r": run.rank,
            "lora_alpha": alpha(run),
            "lora_dropout": run.dropout,
            "lora_target_modules": dense_modules(plan),
        }
        if expert_parameters(plan):
            document["lora_target_parameters"] = expert_parameters(plan)
        if run.train_embeddings:
            document["lora_modules_to_save"] = ["embed_tokens", "lm_head"]
    elif plan.architecture.vision or plan.architecture.audio:
        # Only what these patterns name is trained: decoder, embedding and head, not the towers.
        document["unfrozen_parameters"] = ["language_model", "lm_head"]
    document |= {
        "datasets": [
            {
                "path": data,
                "ds_type": "parquet" if data.endswith(".parquet") else "json",
                "type": "chat_template",
                "field_messages": "messages",
            }
        ],
        "chat_template": "tokenizer_default",
        "train_on_inputs": False,
        "sequence_len": run.seq_len,
        "sample_packing": run.packing,
        "micro_batch_size": run.batch,
        "gradient_accumulation_steps": run.accumulation,
        "num_epochs": plan.epochs,
        "optimizer": _OPTIMIZERS[run.optimizer],
        "lr_scheduler": "cosine",
        "learning_rate": learning_rate(run),
        "warmup_ratio": WARMUP,
        "bf16": "auto",
        "gradient_checkpointing": run.checkpointing,
        "attn_implementation": "flash_attention_2" if run.packing else "sdpa",
        "logging_steps": 10,
        "saves_per_epoch": 1,
        "val_set_size": 0.0,
        "dataset_prepared_path": "prepared",
        "output_dir": "output",
    }
    match run.sharding:
        case "zero1" | "zero2" | "zero3":
            document["deepspeed"] = f"deepspeed_configs/{run.sharding}.json"
        case "fsdp":
            document["fsdp_version"] = 2
            document["fsdp_config"] = {
                "offload_params": False,
                "auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
                "transformer_layer_cls_to_wrap": _LAYERS.get(plan.architecture.model_type, "Qwen3DecoderLayer"),
                "state_dict_type": "FULL_STATE_DICT",
                "reshard_after_forward": True,
                "activation_checkpointing": run.checkpointing,
            }
            document["gradient_checkpointing"] = False
        case "layers":
            document["device_map"] = "auto"
    return header(plan, "axolotl train FILE") + yaml(document)
