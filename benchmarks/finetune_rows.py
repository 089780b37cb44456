"""Rows of published fine-tuning memory as runs of ours: what each source says of its settings, and what not."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from qwen_advisor.describe import Description, describe
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.names import resolve_model
from qwen_advisor.training.memory import training_memory
from qwen_advisor.training.room import place_of
from qwen_advisor.training.settings import Training
from qwen_advisor.training.speed import training_speed
from qwen_advisor.training.stack import Stack, stack_of
from qwen_advisor.units import GIB

ROWS = Path(__file__).parent / "data" / "finetune_memory.csv"

# The data sets of ms-swift's examples (alpaca-gpt4, self-cognition) hardly have longer examples than this, so that a
# greater --max_length cuts nothing, and their usual example is this long. Packed sequences are full.
_LONGEST_EXAMPLE, _USUAL_EXAMPLE = 1024, 384


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One published figure, the run that we take it for, and the prediction; bytes on one GPU."""

    source: str
    what: str
    measured: float
    predicted: float
    run: Training
    stated: bool  # whether the source tells how long its sequences really are

    @property
    def error(self) -> float:
        """Relative error of the prediction."""
        return self.predicted / self.measured - 1


def read(catalog: Catalog, path: Path = ROWS) -> tuple[list[Row], list[str]]:
    """Every row that can be judged, and for the others a sentence that says why not."""
    rows, skipped = [], []
    with path.open(encoding="utf-8", newline="") as stream:
        for number, record in enumerate(csv.DictReader(stream), start=2):
            try:
                rows.append(_row(catalog, record))
            except (UsageError, _Left) as why:
                skipped.append(f"line {number}, {record['model']}: {why}")
    return rows, skipped


class _Left(Exception):
    """Why a row is not judged."""


def _row(catalog: Catalog, record: Mapping[str, str]) -> Row:
    memory = _number(record["memory"])
    if memory is None:
        raise _Left("ran out of memory")
    unit = record["unit"]
    if "ESTIMATE" in unit:
        raise _Left("an estimate of its source, no measurement")
    name = re.sub(r" \(2\*A100\)|-FP8$|-AWQ$|-GPTQ-Int4$", "", record["model"]).replace("Qwen-1.8B", "Qwen-1_8B")
    run, stack, source, stated = _of_source(catalog, record)
    architecture = catalog.architectures[resolve_model(catalog, name).architecture]
    predicted = training_memory(catalog, architecture, run, stack).device
    if "A100-80G" in record["hardware"]:
        predicted = min(predicted, 80 * GIB)  # where memory ends, the allocator gives back what it holds in vain
    share = run.gpus if "per GPU" not in unit else 1
    # Sources that print GB or G take it from tools that divide by 1024 three times.
    return Row(
        source=source,
        what=_what(record, run),
        measured=memory * GIB / share,
        predicted=predicted,
        run=run,
        stated=stated,
    )


def _what(record: Mapping[str, str], run: Training) -> str:
    cards = f", {run.gpus} GPUs" if run.gpus > 1 else ""
    sharded = f", {run.sharding}" if run.sharding != "none" else ""
    return f"{record['model'].removeprefix('Qwen/')}, {run.method}, {run.batch} × {run.seq_len}{cards}{sharded}"


def _of_source(catalog: Catalog, record: Mapping[str, str]) -> tuple[Training, Stack, str, bool]:
    framework = record["framework"]
    if framework.startswith("QwenLM/Qwen"):
        return _qwen_table(catalog, record)
    if framework.startswith("ms-swift 2"):
        return _swift_table(catalog, record)
    if framework.startswith("ms-swift"):
        return _swift_example(catalog, record)
    if framework == "Unsloth":
        if record["method"] != "bf16 LoRA":
            raise _Left("a least size of a graphics card, no measurement")
        run = Training(framework="unsloth", seq_len=2048, loss="fused")
        return run, stack_of(catalog.training, run), "Unsloth's guide", True
    raise _Left(f"nothing is known of how {framework} was run")


def _qwen_table(catalog: Catalog, record: Mapping[str, str]) -> tuple[Training, Stack, str, bool]:
    """QwenLM/Qwen README: finetune.py on torch 2.0, rank 64 on all linear modules, accumulation 8, equal lengths."""
    method, gpus = record["method"], int(record["n_gpus"])
    base: dict[str, Any] = {"method": "lora", "train_embeddings": "emb" in method}
    if method.startswith("Q-LoRA"):
        # finetune_qlora_single_gpu.sh: GPTQ weights, DeepSpeed ZeRO-2 also on one GPU.
        base = {"method": "qlora", "base_format": "GPTQ-Int4", "sharding": "zero2"}
    elif method.startswith("Full"):
        base = {"method": "full", "sharding": "zero3"}
    elif "Zero3" in method:
        base["sharding"] = "zero3"
    elif "multinode" in method:
        base["sharding"] = "zero2"
    nodes = 2 if "multinode" in method else 1
    run = Training(
        seq_len=int(record["seq_len"]),
        accumulation=8,
        rank=64,
        dropout=0.05,
        gpus_per_node=gpus // nodes,
        nodes=nodes,
        **base,
    )
    # DeepSpeed computes in 16 bit, loss included; without it autocast turns logits into float32, and the copy that
    # Accelerate returns is one more. Adapters are 16 bit, as PEFT of 2023 made them.
    stack = replace(_past(catalog, run, "qwen-finetune"), logit_bytes=8 if run.sharding != "none" else 16)
    return run, stack, f"Qwen's README, {method}", True


def _swift_table(catalog: Catalog, record: Mapping[str, str]) -> tuple[Training, Stack, str, bool]:
    """ms-swift's table of 2024: torch 2.1, batches of documents that are cut to the length."""
    notes = record["notes"]
    said = _said(notes)
    quantized = {"int4 (gptq)": "GPTQ-Int4", "int8 (gptq)": "GPTQ-Int8", "int4 (bnb)": "NF4", "int8 (bnb)": "INT8"}
    base = quantized.get(said.get("Quantization", ""))
    gpus = int(record["n_gpus"])
    run = Training(
        method="full" if "FULL" in notes else "qlora" if base else "lora",
        base_format=base,
        seq_len=int(record["seq_len"]),
        batch=int(record["batch"]),
        accumulation=16,
        rank=int(said.get("LoRA Rank", 8)),
        dropout=0.05,
        targets=("all-linear",) if "ALL" in notes else ("c_attn",),
        checkpointing="Gradient Checkpointing=✘" not in notes,
        gpus_per_node=gpus,
        sharding="layers" if gpus > 1 else "none",
    )
    if "Flash Attn=✘" in notes and not run.checkpointing:
        raise _Left("attention that keeps its scores is not offered")
    return run, _past(catalog, run, "ms-swift-2"), "ms-swift's table of 2024", True


def _swift_example(catalog: Catalog, record: Mapping[str, str]) -> tuple[Training, Stack, str, bool]:
    """Comments in ms-swift's example scripts: rounded, and mostly over short examples."""
    notes, said = record["notes"], _said(record["notes"])
    if "rlhf_type" in notes:
        raise _Left("preference training holds a second model or a second sequence")
    if "offload" in notes:
        raise _Left("states in main memory are not offered")
    if "fp8" in notes:
        raise _Left("training in FP8 is not offered")
    if record["method"] in ("adalora", "adapter", "boft", "llamapro") or "full_vit" in record["method"]:
        raise _Left("this way of training is not offered")
    place = record["source"]
    if "seq_cls" in place or "reranker" in place:
        raise _Left("a classifier has no loss over the vocabulary")
    if not said and not record["seq_len"]:
        raise _Left("its settings are not stated")
    megatron = "megatron" in record["framework"] and "ZeRO3" not in record["method"]
    packed = said.get("packing") == "true"
    each = re.search(r"GiB \* (\d+)", notes)
    gpus = int(each[1]) if each else int(record["n_gpus"] or 1)
    full = record["method"].startswith("full") or record["method"] == "lora (full)"
    full = full or ("megatron" in record["framework"] and "lora_rank" not in said)
    base = "AWQ" if "-AWQ" in record["model"] else "GPTQ-Int4" if "GPTQ-Int4" in record["model"] else None
    base = base or ("NF4" if said.get("quant_bits") == "4" else None)
    if full and gpus == 1 and "deepspeed" in said:
        raise _Left("the number of GPUs is not stated")
    sharding: Any = "megatron" if megatron else said.get("deepspeed") or _by_place(place, said, gpus)
    if "ZeRO3" in record["method"]:
        sharding = "zero3"
    length, batch = _lengths(record, said, packed=packed, padding_free=megatron or "padding_free=true" in notes)
    run = Training(
        framework="ms-swift",
        method="full" if full else "qlora" if base else "lora",
        base_format=base,
        seq_len=length,
        batch=batch,
        accumulation=16,
        rank=int(said.get("lora_rank", 8)),
        dropout=0.05,
        # Megatron and Transformers before 5 have experts of linear modules, which "all-linear" takes too.
        targets=("all-linear", "experts")
        if "-A3B" in record["model"] and "VL-" not in record["model"]
        else ("all-linear",),
        optimizer="muon" if "(muon)" in record["method"] else "adamw",
        packing=packed,
        loss="fused" if said.get("use_liger_kernel") == "true" else "full",
        sharding=sharding,
        gpus_per_node=gpus,
        tensor_parallel=int(said.get("tensor_model_parallel_size", 1)) if megatron else 1,
        expert_parallel=int(said.get("expert_model_parallel_size", 1)) if megatron else 1,
        pipeline_parallel=int(said.get("pipeline_model_parallel_size", 1)) if megatron else 1,
        checkpointing=said.get("gradient_checkpointing") != "false" or sharding == "fsdp",
    )
    stack = stack_of(catalog.training, run)
    if megatron:
        # megatron/core/tensor_parallel/cross_entropy.py works in place: 16 bit logits, float32 logits, a mask.
        stack = replace(stack, logit_bytes=8, experts_quantized=True)
    kind = "Megatron" if megatron else "Transformers"
    return run, stack, f"ms-swift's examples, {kind}{', packed' if packed else ''}", packed


def _by_place(place: str, said: Mapping[str, str], gpus: int) -> str:
    """How an example without DeepSpeed uses its GPUs, which only its path tells."""
    if "fsdp" in place:
        return "fsdp"
    if gpus == 1 or "sequence_parallel_size" in said or "/ddp/" in place:
        return "none"
    return "layers"


def _lengths(
    record: Mapping[str, str], said: Mapping[str, str], *, packed: bool, padding_free: bool
) -> tuple[int, int]:
    """Length and batch of a forward pass: full where it is packed, else as long as examples are."""
    length, batch = int(record["seq_len"] or 2048), int(record["batch"] or 1)
    parallel = int(said.get("sequence_parallel_size", 1))
    if packed or parallel > 1:
        return length // parallel, batch
    longest = min(length, _LONGEST_EXAMPLE)
    if padding_free:
        return longest + (batch - 1) * min(length, _USUAL_EXAMPLE), 1
    return longest, batch


def _past(catalog: Catalog, run: Training, name: str) -> Stack:
    """Software of an earlier year, which the tool itself does not offer."""
    return replace(stack_of(catalog.training, run), experts_quantized=True, **_PAST[name])


_PAST: dict[str, dict[str, Any]] = {
    # torch 2.0 with CUDA 11.8 and kernels of its own; AdamW takes two copies while it steps.
    "qwen-finetune": {"adapter_bytes": 2, "step_copies": 2, "slack": 0.1, "context_bytes": 1_300_000_000},
    # torch 2.1; lengths differ from batch to batch, and the allocator keeps blocks for each.
    "ms-swift-2": {"adapter_bytes": 4, "step_copies": 1, "logit_bytes": 16, "slack": 1.0},
}


def _said(notes: str) -> dict[str, str]:
    return {key.strip(): value.strip() for key, value in re.findall(r"([\w ]+)=([^;]*)", notes)}


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedRow:
    """One published rate and the predicted range, in tokens per second."""

    source: str
    measured: float
    low: float
    expected: float
    high: float


def read_speed(catalog: Catalog, path: Path = ROWS) -> list[SpeedRow]:
    """The rates of Qwen's own table: seconds for eight sequences of one length on A100."""
    machine = describe(catalog, Description(gpus=("A100 80GB",), ram=512 << 30))
    found = []
    with path.open(encoding="utf-8", newline="") as stream:
        for record in csv.DictReader(stream):
            seconds = _number(record["speed"])
            if seconds is None or not record["framework"].startswith("QwenLM/Qwen") or record["speed_unit"] != "s/iter":
                continue
            run, _, source, _ = _qwen_table(catalog, record)
            name = record["model"].replace("Qwen-1.8B", "Qwen-1_8B")
            architecture = catalog.architectures[resolve_model(catalog, name).architecture]
            speed = training_speed(catalog, architecture, run, place_of(machine), dataset=None, epochs=1)
            if speed is not None:
                rate = speed.tokens
                measured = run.tokens_per_step / seconds
                found.append(
                    SpeedRow(source=source, measured=measured, low=rate.low, expected=rate.expected, high=rate.high)
                )
    return found
