"""A Python script on TRL and PEFT. API: https://huggingface.co/docs/trl/sft_trainer, version 1.16."""

from __future__ import annotations

import re

from qwen_advisor.errors import UsageError
from qwen_advisor.training.plan import TrainingPlan
from qwen_advisor.training.recipes.common import (
    WARMUP,
    alpha,
    dense_modules,
    expert_parameters,
    header,
    learning_rate,
    quoted,
)

_OPTIMIZERS = {"adamw": "adamw_torch_fused", "adamw-8bit": "adamw_bnb_8bit", "adafactor": "adafactor"}


def trl(plan: TrainingPlan, data: str) -> str:
    """The script; model, data, output and the number of steps can be given to it again.

    Raises:
        UsageError: TRL has no such setting.
    """
    run = plan.run
    if run.base_format is not None:
        raise UsageError("the script quantizes the base itself", hint="leave --base-format out")
    start = "torchrun --nproc_per_node" if run.gpus > 1 and run.sharding != "layers" else "python"
    if start != "python":
        start += f" {run.gpus_per_node}" + (f" --nnodes {run.nodes} ..." if run.nodes > 1 else "")
    needs = ["torch>=2.8", "transformers>=5.20", "trl>=1.16", "datasets"]
    needs += ["peft>=0.21"] if run.adapters else []
    needs += ["bitsandbytes"] if run.method == "qlora" or run.optimizer == "adamw-8bit" else []
    needs += ["deepspeed"] if run.sharding.startswith("zero") else []
    needs += ["flash-attn"] if run.packing else []
    fields = {
        "HEADER": header(plan, f"{start} FILE").rstrip(),
        "NEEDS": " ".join(quoted(need) for need in needs),
        "MODEL": quoted(plan.checkpoint.id),
        "DATA": quoted(data),
        "IMPORTS": _imports(plan),
        "LOADING": _loading(plan),
        "ADAPTERS": _adapters(plan),
        "SETTINGS": _settings(plan),
        "TRAINER": _trainer(plan),
        "FROZEN": _frozen(plan),
        "MUON": _MUON if run.optimizer == "muon" else "",
    }
    text = re.sub(r"@([A-Z]+)@", lambda field: fields[field[1]], _SCRIPT)  # at once: a path may look like a field
    return re.sub(r"\n{4,}", "\n\n\n", text)


def _imports(plan: TrainingPlan) -> str:
    lines = ["from datasets import Dataset, load_dataset"]
    if plan.run.adapters:
        lines.append("from peft import LoraConfig")
    lines.append(
        "from transformers import AutoTokenizer" + (", BitsAndBytesConfig" if plan.run.method == "qlora" else "")
    )
    lines += ["from trl import SFTConfig, SFTTrainer", "from trl.chat_template_utils import get_training_chat_template"]
    return "\n".join(lines)


def _loading(plan: TrainingPlan) -> str:
    run = plan.run
    kwargs = ['"dtype": HALF']
    if run.packing:
        kwargs.append('"attn_implementation": "flash_attention_2" if torch.cuda.is_available() else "sdpa"')
    if run.sharding == "layers":
        kwargs.append('"device_map": "auto"')
    return "{" + ", ".join(kwargs) + "}"


def _adapters(plan: TrainingPlan) -> str:
    run = plan.run
    if not run.adapters:
        return ""
    modules = dense_modules(plan)
    if plan.architecture.vision or plan.architecture.audio:
        names = "|".join(modules)
        target = rf'r"^(?!.*(visual|audio_tower|talker)).*\.({names})$"'
    else:
        target = "[" + ", ".join(f'"{name}"' for name in modules) + "]"
    lines = [
        "ADAPTERS = LoraConfig(",
        f"    r={run.rank},",
        f"    lora_alpha={alpha(run)},",
        f"    lora_dropout={run.dropout},",
        f"    target_modules={target},",
    ]
    if expert_parameters(plan):
        names = ", ".join(f'"{name}"' for name in expert_parameters(plan))
        lines.append(f"    target_parameters=[{names}],")
    if run.train_embeddings:
        lines.append('    modules_to_save=["embed_tokens", "lm_head"],')
    return "\n".join([*lines, '    task_type="CAUSAL_LM",', ")"])


def _settings(plan: TrainingPlan) -> str:
    run = plan.run
    values = {
        "max_length": run.seq_len,
        "packing": run.packing,
        "per_device_train_batch_size": run.batch,
        "gradient_accumulation_steps": run.accumulation,
        "gradient_checkpointing": run.checkpointing,
        "learning_rate": f"{learning_rate(run):g}",
        "num_train_epochs": plan.epochs,
        "lr_scheduler_type": '"cosine"',
        "warmup_steps": WARMUP,
        "logging_steps": 10,
        "save_strategy": '"epoch"',
        "report_to": '"none"',
    }
    if run.optimizer in _OPTIMIZERS:
        values["optim"] = f'"{_OPTIMIZERS[run.optimizer]}"'
    if run.sharding.startswith("zero"):
        values["deepspeed"] = _deepspeed(run.sharding[-1])
    if run.sharding == "fsdp":
        values["fsdp"] = True
        values["fsdp_config"] = '{"version": 2, "auto_wrap_policy": "TRANSFORMER_BASED_WRAP"}'
    return "\n".join(f"        {name}={value}," for name, value in values.items())


def _deepspeed(stage: str) -> str:
    gathered = ', "stage3_gather_16bit_weights_on_model_save": True' if stage == "3" else ""
    return (
        '{"zero_optimization": {"stage": '
        + stage
        + gathered
        + '}, "bf16": {"enabled": "auto"}, "fp16": {"enabled": "auto"},'
        + ' "train_micro_batch_size_per_gpu": "auto", "gradient_accumulation_steps": "auto",'
        + ' "train_batch_size": "auto", "gradient_clipping": "auto"}'
    )


def _trainer(plan: TrainingPlan) -> str:
    run = plan.run
    lines = []
    if run.adapters:
        lines.append("        peft_config=ADAPTERS,")
    if run.method == "qlora":
        lines.append(
            "        quantization_config=BitsAndBytesConfig(\n"
            '            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,\n'
            "            bnb_4bit_compute_dtype=HALF,\n"
            "        ),"
        )
    if run.optimizer == "muon":
        lines.append('        optimizer_cls_and_kwargs=(MuonAndAdamW, {"lr": args.learning_rate}),')
    return "\n".join(lines)


def _frozen(plan: TrainingPlan) -> str:
    lines = []
    if not plan.run.adapters and (plan.architecture.vision or plan.architecture.audio):
        lines += [
            "    for name, parameter in trainer.model.named_parameters():  # text is taught, not sight or hearing",
            '        if "visual" in name or "audio_tower" in name:',
            "            parameter.requires_grad_(False)",
        ]
    return "\n".join(lines)


_MUON = """

class MuonAndAdamW(torch.optim.Optimizer):
    # Muon for the matrices of layers and adapters; AdamW for embeddings, which are taller, and all that is no matrix.
    def __init__(self, groups, lr):
        every = [parameter for group in groups for parameter in group["params"]]
        chosen = [parameter.ndim == 2 and max(parameter.shape) < 100_000 for parameter in every]
        matrices = [parameter for parameter, is_matrix in zip(every, chosen) if is_matrix]
        rest = [parameter for parameter, is_matrix in zip(every, chosen) if not is_matrix]
        self.parts = [torch.optim.Muon(matrices, lr=lr, adjust_lr_fn="match_rms_adamw")]
        if rest:
            self.parts.append(torch.optim.AdamW(rest, lr=lr))
        super().__init__([group for part in self.parts for group in part.param_groups], {"lr": lr})

    def step(self, closure=None):
        for part in self.parts:
            part.step()
"""

_SCRIPT = '''@HEADER@
# pip install @NEEDS@
# Data: JSON lines or Parquet, each row with "messages" (role and content), with "prompt" and "completion", with
# "instruction", "input" and "output", or with "text". Check it first: qwen-advisor finetune MODEL --data FILE
import argparse
import os

os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")

import torch
@IMPORTS@

HALF = torch.bfloat16 if not torch.cuda.is_available() or torch.cuda.is_bf16_supported() else torch.float16
@ADAPTERS@
@MUON@

def conversation(row):
    """The row as messages, whatever form it has."""
    if "messages" in row:
        return row["messages"]
    if "conversations" in row:
        roles = {"human": "user", "gpt": "assistant"}
        turns = [(roles.get(turn["from"], turn["from"]), turn["value"]) for turn in row["conversations"]]
        return [{"role": role, "content": content} for role, content in turns]
    asked = row["instruction"] + ("\\n\\n" + row["input"] if row.get("input") else "")
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": row["output"]}]


def examples(path, answers_only):
    """The data set in a form that SFTTrainer takes; only answers are learned where that can be told apart."""
    kind = "parquet" if path.endswith(".parquet") else "json"
    rows = load_dataset(kind, data_files=path, split="train")
    if "text" in rows.column_names or {"prompt", "completion"} <= set(rows.column_names):
        return rows
    talks = [conversation(row) for row in rows]
    if answers_only:
        return Dataset.from_list([{"messages": talk} for talk in talks])
    return Dataset.from_list([{"prompt": talk[:-1], "completion": talk[-1:]} for talk in talks])


def masks_answers(tokenizer):
    """Whether TRL knows this chat template well enough to tell answers from the rest."""
    try:
        get_training_chat_template(tokenizer)
    except ValueError:
        return False
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default=@MODEL@)
    parser.add_argument("--data", default=@DATA@)
    parser.add_argument("--output", default="output")
    parser.add_argument("--max-steps", type=int, default=-1)
    given = parser.parse_args()

    tokenizer = AutoTokenizer.from_pretrained(given.model)
    answers_only = masks_answers(tokenizer)
    rows = examples(given.data, answers_only)
    args = SFTConfig(
        output_dir=given.output,
        max_steps=given.max_steps,
        model_init_kwargs=@LOADING@,
        bf16=torch.cuda.is_available() and HALF is torch.bfloat16,
        fp16=torch.cuda.is_available() and HALF is torch.float16,
        use_cpu=not torch.cuda.is_available(),
        assistant_only_loss=answers_only and "messages" in rows.column_names,
@SETTINGS@
    )
    trainer = SFTTrainer(
        model=given.model,
        args=args,
        train_dataset=rows,
        processing_class=tokenizer,
@TRAINER@
    )
@FROZEN@
    trainer.train()
    trainer.save_model(given.output)
    if torch.cuda.is_available():
        print(f"peak of device memory: {torch.cuda.max_memory_reserved() / 2**30:.1f} GiB")


if __name__ == "__main__":
    main()
'''
