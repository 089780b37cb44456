"""A Python script on Unsloth. API: https://unsloth.ai/docs/get-started/fine-tuning-llms-guide."""

from __future__ import annotations

from qwen_advisor.errors import UsageError
from qwen_advisor.training.plan import TrainingPlan
from qwen_advisor.training.recipes.common import WARMUP, alpha, dense_modules, header, learning_rate, quoted

_OPTIMIZERS = {"adamw": "adamw_torch_fused", "adamw-8bit": "adamw_8bit", "adafactor": "adafactor"}


def unsloth(plan: TrainingPlan, data: str) -> str:
    """The script.

    Raises:
        UsageError: Unsloth has no such setting.
    """
    run = plan.run
    if run.optimizer not in _OPTIMIZERS:
        raise UsageError(f"Unsloth has no {run.optimizer}", hint="choose adamw or adamw-8bit")
    if run.base_format is not None:
        raise UsageError("the script quantizes the base itself", hint="leave --base-format out")
    checkpointing = '"unsloth"' if run.checkpointing else "False"
    adapters = ""
    if run.adapters:
        modules = dense_modules(plan) + (["embed_tokens", "lm_head"] if run.train_embeddings else [])
        names = "".join(f'        "{name}",\n' for name in modules)
        adapters = f"""model = FastModel.get_peft_model(
    model,
    r={run.rank},
    lora_alpha={alpha(run)},
    lora_dropout={run.dropout},
    target_modules=[
{names}    ],
    finetune_vision_layers=False,
    bias="none",
    use_gradient_checkpointing={checkpointing},
    random_state=3407,
)
"""
    kind = "parquet" if data.endswith(".parquet") else "json"
    return f"""{header(plan, "python FILE").rstrip()}
# pip install unsloth
# Data: JSON lines or Parquet, each row with "messages" (role and content).
from unsloth import FastModel  # before trl and transformers, which it patches

from datasets import load_dataset
from trl import SFTConfig, SFTTrainer
from unsloth.chat_templates import train_on_responses_only

model, tokenizer = FastModel.from_pretrained(
    model_name={quoted(plan.checkpoint.id)},
    max_seq_length={run.seq_len},
    load_in_4bit={run.method == "qlora"},
    full_finetuning={not run.adapters},
    use_gradient_checkpointing={checkpointing},
)
{adapters}

def render(rows):
    return {{"text": [tokenizer.apply_chat_template(talk, tokenize=False) for talk in rows["messages"]]}}


rows = load_dataset("{kind}", data_files={quoted(data)}, split="train").map(render, batched=True)
trainer = SFTTrainer(
    model=model,
    processing_class=tokenizer,
    train_dataset=rows,
    args=SFTConfig(
        output_dir="output",
        dataset_text_field="text",
        max_length={run.seq_len},
        packing={run.packing},
        per_device_train_batch_size={run.batch},
        gradient_accumulation_steps={run.accumulation},
        learning_rate={learning_rate(run):g},
        num_train_epochs={plan.epochs},
        lr_scheduler_type="cosine",
        warmup_steps={WARMUP},
        optim="{_OPTIMIZERS[run.optimizer]}",
        logging_steps=10,
        save_strategy="epoch",
        report_to="none",
    ),
)
trainer = train_on_responses_only(
    trainer, instruction_part="<|im_start|>user\\n", response_part="<|im_start|>assistant\\n"
)
trainer.train()
model.save_pretrained("output")
tokenizer.save_pretrained("output")
"""
