"""A command for ms-swift. Options: https://swift.readthedocs.io/en/latest/Instruction/Command-line-parameters.html."""

from __future__ import annotations

import shlex

from qwen_advisor.training.plan import TrainingPlan
from qwen_advisor.training.recipes.common import (
    WARMUP,
    alpha,
    dense_modules,
    header,
    learning_rate,
    total_batch,
)

_OPTIMIZERS = {"adamw": "adamw_torch_fused", "adamw-8bit": "adamw_bnb_8bit", "adafactor": "adafactor"}


def swift(plan: TrainingPlan, data: str) -> str:
    """A shell script with one command: ``swift sft``, or ``megatron sft`` where the model is split by Megatron."""
    run = plan.run
    options = _megatron(plan) if run.sharding == "megatron" else _transformers(plan)
    command = "megatron sft" if run.sharding == "megatron" else "swift sft"
    lines = [f"  --{name} {shlex.join(value.split(' ')) if value else value}" for name, value in options.items()]
    lines.insert(1, f"  --dataset {shlex.quote(data)}")
    environment = "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True "
    if run.sharding == "layers":
        environment += f"CUDA_VISIBLE_DEVICES={','.join(map(str, range(run.gpus_per_node)))} "
    elif run.gpus_per_node > 1:
        environment += f"NPROC_PER_NODE={run.gpus_per_node} "
    if run.nodes > 1:
        environment += f'NNODES={run.nodes} NODE_RANK="$NODE_RANK" MASTER_ADDR="$MASTER_ADDR" '
    body = " \\\n".join([f"{environment}{command}", *lines])
    return "#!/bin/sh\n" + header(plan, "sh FILE") + f"set -eu\n{body}\n"


def _transformers(plan: TrainingPlan) -> dict[str, str]:
    run = plan.run
    options = {"model": plan.checkpoint.id, "use_hf": "true", "tuner_type": "lora" if run.adapters else "full"}
    if run.adapters:
        options |= {
            "lora_rank": str(run.rank),
            "lora_alpha": str(alpha(run)),
            "lora_dropout": str(run.dropout),
            "target_modules": " ".join(dense_modules(plan)),
        }
        if run.train_embeddings:
            options["modules_to_save"] = "embed_tokens lm_head"
    if run.method == "qlora" and run.base_format is None:
        options |= {"quant_method": "bnb", "quant_bits": "4", "bnb_4bit_use_double_quant": "true"}
    if plan.architecture.vision or plan.architecture.audio:
        options |= {"freeze_vit": "true", "freeze_aligner": "true"}
    options |= {
        "torch_dtype": "bfloat16",
        "max_length": str(run.seq_len),
        "packing": str(run.packing).lower(),
        "attn_impl": "flash_attn" if run.packing else "sdpa",
        "per_device_train_batch_size": str(run.batch),
        "gradient_accumulation_steps": str(run.accumulation),
        "gradient_checkpointing": str(run.checkpointing).lower(),
        "use_liger_kernel": str(run.loss != "full").lower(),
        "learning_rate": f"{learning_rate(run):g}",
        "num_train_epochs": f"{plan.epochs:g}",
        "lr_scheduler_type": "cosine",
        "warmup_ratio": str(WARMUP),
    }
    options["optimizer" if run.optimizer == "muon" else "optim"] = _OPTIMIZERS.get(run.optimizer, "muon")
    if run.sharding.startswith("zero"):
        options["deepspeed"] = run.sharding
    if run.sharding == "fsdp":
        options["fsdp"] = "fsdp2"
    return options | {"logging_steps": "10", "save_strategy": "epoch", "output_dir": "output"}


def _megatron(plan: TrainingPlan) -> dict[str, str]:
    run = plan.run
    options = {"model": plan.checkpoint.id, "use_hf": "true", "tuner_type": "lora" if run.adapters else "full"}
    if run.adapters:
        options |= {
            "lora_rank": str(run.rank),
            "lora_alpha": str(alpha(run)),
            "target_modules": "all-linear",
        }
    options |= {
        "tensor_model_parallel_size": str(run.tensor_parallel),
        "pipeline_model_parallel_size": str(run.pipeline_parallel),
        "expert_model_parallel_size": str(run.expert_parallel),
        "sequence_parallel": str(run.tensor_parallel > 1).lower(),
        "max_length": str(run.seq_len),
        "packing": str(run.packing).lower(),
        "micro_batch_size": str(run.batch),
        "global_batch_size": str(total_batch(run)),
        "lr": f"{learning_rate(run):g}",
        "lr_warmup_fraction": str(WARMUP),
        "num_train_epochs": f"{plan.epochs:g}",
    }
    if run.checkpointing:
        options |= {"recompute_granularity": "full", "recompute_method": "uniform", "recompute_num_layers": "1"}
    if run.optimizer == "muon":
        options["optimizer"] = "muon"
    return options | {"save_strategy": "epoch", "output_dir": "output"}
