"""A configuration for LLaMA-Factory. Keys: https://github.com/hiyouga/LLaMA-Factory/tree/main/examples."""

from __future__ import annotations

from pathlib import PurePath

from qwen_advisor.errors import UsageError
from qwen_advisor.model import Checkpoint
from qwen_advisor.training.plan import TrainingPlan
from qwen_advisor.training.recipes.common import (
    WARMUP,
    Value,
    alpha,
    dense_modules,
    header,
    learning_rate,
    quoted,
    yaml,
)

_OPTIMIZERS = {"adamw": "adamw_torch_fused", "adamw-8bit": "adamw_bnb_8bit", "adafactor": "adafactor"}
_BY_FAMILY = {
    "Qwen2-VL": "qwen2_vl",
    "Qwen2.5-VL": "qwen2_vl",
    "QVQ": "qwen2_vl",
    "Qwen2-Audio": "qwen2_audio",
    "Qwen2.5-Omni": "qwen2_omni",
    "Qwen3-Omni": "qwen3_omni",
    "Qwen3-VL": "qwen3_vl",
    "Qwen3.5": "qwen3_5",
    "Qwen3.6": "qwen3_5",
    "Qwen3.8": "qwen3_5",
    "Qwen3": "qwen3",
    "Qwen3-2507": "qwen3",
    "Qwen3-Next": "qwen3",
    "Qwen3-Coder": "qwen3",
    "Qwen3-Coder-Next": "qwen3",
}


def llamafactory(plan: TrainingPlan, data: str) -> str:
    """The YAML for ``llamafactory-cli train``, with the entry for ``dataset_info.json`` as a comment.

    Raises:
        UsageError: LLaMA-Factory has no such setting.
    """
    run = plan.run
    if run.base_format is not None:
        raise UsageError("LLaMA-Factory is told of a quantized base by its repository", hint="leave --base-format out")
    path = PurePath(data)
    document: dict[str, Value] = {
        "model_name_or_path": plan.checkpoint.id,
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "lora" if run.adapters else "full",
    }
    if run.adapters:
        document |= {
            "lora_rank": run.rank,
            "lora_alpha": alpha(run),
            "lora_dropout": run.dropout,
            "lora_target": ",".join(dense_modules(plan)),
        }
        if run.train_embeddings:
            document["additional_target"] = "embed_tokens,lm_head"
    if run.method == "qlora":
        document |= {"quantization_bit": 4, "quantization_method": "bnb", "double_quantization": True}
    if plan.architecture.vision or plan.architecture.audio:
        document |= {"freeze_vision_tower": True, "freeze_multi_modal_projector": True}
    document |= {
        "dataset_dir": str(path.parent),
        "dataset": path.stem,
        "template": template_of(plan.checkpoint),
        "cutoff_len": run.seq_len,
        "packing": run.packing,
        "per_device_train_batch_size": run.batch,
        "gradient_accumulation_steps": run.accumulation,
        "learning_rate": learning_rate(run),
        "num_train_epochs": plan.epochs,
        "lr_scheduler_type": "cosine",
        "warmup_ratio": WARMUP,
        "bf16": True,
        "disable_gradient_checkpointing": not run.checkpointing,
        "enable_liger_kernel": run.loss != "full",
    }
    if not run.adapters and run.sharding == "none":
        document["pure_bf16"] = True
    if run.optimizer == "muon":
        document["use_muon"] = True
    else:
        document["optim"] = _OPTIMIZERS[run.optimizer]
    if run.packing:
        document["neat_packing"] = True
    match run.sharding:
        case "zero1" | "zero2" | "zero3":
            stage = max(2, int(run.sharding[-1]))
            document["deepspeed"] = f"examples/deepspeed/ds_z{stage}_config.json"
        case "fsdp":
            document["fsdp"] = "full_shard auto_wrap"
    document |= {
        "output_dir": f"saves/{plan.checkpoint.id.split('/')[-1].lower()}/{run.method}",
        "logging_steps": 10,
        "save_strategy": "epoch",
        "plot_loss": True,
    }
    info = quoted(str(path.parent / "dataset_info.json"))
    entry = (
        f'# In {info}: {quoted(path.stem)}: {{"file_name": {quoted(path.name)}, "formatting": "sharegpt",\n'
        '#   "columns": {"messages": "messages"}, "tags": {"role_tag": "role", "content_tag": "content",\n'
        '#   "user_tag": "user", "assistant_tag": "assistant", "system_tag": "system"}}\n'
    )
    start = "FORCE_TORCHRUN=1 llamafactory-cli train FILE" if run.gpus > 1 else "llamafactory-cli train FILE"
    return header(plan, start) + entry + yaml(document)


def template_of(checkpoint: Checkpoint) -> str:
    """The name of the chat template. Source: src/llamafactory/data/template.py."""
    name = _BY_FAMILY.get(checkpoint.family, "qwen")
    if name in ("qwen3", "qwen3_vl", "qwen3_5") and checkpoint.thinking == "none":
        return f"{name}_nothink"
    return name
