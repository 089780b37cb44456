"""Memory of a training run on each of its GPUs, by part, at its peak."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.model import Architecture, TextDecoder
from qwen_advisor.parameters import inventory
from qwen_advisor.plan import Basis
from qwen_advisor.training.activations import activations
from qwen_advisor.training.loss import loss_bytes
from qwen_advisor.training.optimizer import state_bytes, step_bytes
from qwen_advisor.training.settings import READY_QUANTIZED, Training
from qwen_advisor.training.sharding import communication_bytes, shares
from qwen_advisor.training.stack import Stack, stack_of
from qwen_advisor.training.trainable import Trainable, trainable
from qwen_advisor.values import dataclass

_HALF, _SINGLE = 2, 4

PartName = Literal[
    "weights",
    "adapters",
    "gradients",
    "optimizer_states",
    "activations",
    "loss",
    "recomputed_layer",
    "optimizer_step",
    "dequantized_weight",
    "communication",
    "cuda_context",
    "allocator_slack",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPart:
    """One item of the table: bytes on each GPU, on what they rest, and where the formula comes from."""

    name: PartName
    bytes: int
    basis: Basis
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingMemory:
    """The peak on each GPU; all GPUs of a run hold as much."""

    parts: tuple[TrainingPart, ...]
    trained: Trainable
    gpus: int

    @property
    def device(self) -> int:
        """Bytes on one GPU."""
        return sum(part.bytes for part in self.parts)

    @property
    def total(self) -> int:
        """Bytes on all GPUs together."""
        return self.device * self.gpus

    def part(self, name: PartName) -> int:
        """Bytes of one part on one GPU; 0 where there is none."""
        return sum(part.bytes for part in self.parts if part.name == name)


def training_memory(
    catalog: Catalog, architecture: Architecture, run: Training, stack: Stack | None = None
) -> TrainingMemory:
    """The peak on one GPU: what stands all the time, and the greatest of what comes and goes.

    Three moments can be the peak: the loss, when everything that the backward pass needs is there; the first layer
    that is computed again; the step of the optimizer, when activations are gone.

    Args:
        catalog: the facts, for the sizes of quantized bases and for constants of the software.
        architecture: of the model.
        run: how it is trained.
        stack: other software than today's.

    Raises:
        UsageError: the model is no language model, or a target or the format of the base is not known of it.
    """
    text = architecture.text
    if text is None:
        raise UsageError(f"{architecture.id} is no language model", hint="choose another model to train")
    trained = trainable(architecture, run)
    used = stack or stack_of(catalog.training, run)
    parts = _parts(catalog, architecture, text, run, used, trained)
    return TrainingMemory(parts=tuple(part for part in parts if part.bytes > 0), trained=trained, gpus=run.gpus)


def _parts(
    catalog: Catalog, architecture: Architecture, text: TextDecoder, run: Training, stack: Stack, trained: Trainable
) -> Iterator[TrainingPart]:
    def part(name: PartName, size: float, basis: Basis, source: str) -> TrainingPart:
        return TrainingPart(name=name, bytes=round(size), basis=basis, source=source)

    split, constants = shares(run), catalog.training
    master = run.sharding.startswith("zero") or run.sharding == "megatron"
    width = stack.adapter_bytes if run.adapters else _SINGLE if run.sharding == "fsdp" else _HALF
    # FSDP under mixed precision keeps what is trained in float32; what is frozen stays as it was loaded.
    wide = 2 if run.sharding == "fsdp" and not run.adapters else 1
    dense, experts = base_bytes(catalog, architecture, run, stack)
    basis: Basis = "exact" if run.format == "BF16" else "measured model"
    own = trained.total - trained.experts + trained.experts * split.weights / split.experts
    gradient = _SINGLE if run.sharding == "megatron" else _HALF if master else width
    states = state_bytes(run.optimizer, trained, _SINGLE if master else width) + master * _SINGLE * trained.total
    held = [
        part("weights", wide * (dense / split.weights + experts / split.experts), basis, "shapes of the repository"),
        part("gradients", own * gradient / split.gradients, "exact", "one a trained parameter"),
        part("optimizer_states", states / split.states, "exact", _OPTIMIZERS[run.optimizer]),
    ]
    if run.adapters:
        size = own * (_HALF if master else width) / split.weights
        held.insert(1, part("adapters", size, "exact", "arXiv 2106.09685, 4.1"))
    yield from held
    per_token = activations(architecture, run, trained)
    kept = per_token.kept * run.tokens
    working = per_token.working * run.tokens
    loss = loss_bytes(text, run, head_trained=not run.adapters or run.train_embeddings, full=stack.logit_bytes)
    step = (step_bytes(run.optimizer, trained) + stack.step_copies * width * trained.total) / split.states
    if run.sharding.startswith("zero"):
        # DeepSpeed turns gradients into float32 before it steps; ZeRO-3 does so for a group of weights at a time.
        group = constants["deepspeed_group_elements"] if run.sharding == "zero3" else trained.total
        step += _SINGLE * min(trained.total / split.states, group)
    standing = sum(part.bytes for part in held)
    yield part("activations", kept, "measured model", "arXiv 1604.06174, Transformers")
    if loss >= working:
        yield part("loss", loss, "measured model", _LOSSES[run.loss])
    else:
        yield part("recomputed_layer", working, "measured model", "Transformers")
    peak = kept + max(loss, working)
    yield part("optimizer_step", max(0.0, step - peak), "measured model", _OPTIMIZERS[run.optimizer])
    if run.format != "BF16" and run.format not in READY_QUANTIZED:
        yield part("dequantized_weight", _HALF * _widest(architecture), "measured model", "bitsandbytes, by layer")
    yield part(
        "communication",
        communication_bytes(architecture, run, trained.total, width, constants),
        "published",
        "https://www.deepspeed.ai/docs/config-json/" if master else "torch.distributed",
    )
    yield part("cuda_context", stack.context_bytes, "measured model", "finetune-accuracy")
    # What an optimizer step takes has one size every time, so no block is held in vain beside it.
    slack = stack.standing_slack * standing + max(peak * (1 + stack.slack), step) - max(peak, step)
    yield part("allocator_slack", slack, "measured model", "finetune-accuracy")


def base_bytes(catalog: Catalog, architecture: Architecture, run: Training, stack: Stack) -> tuple[int, int]:
    """Bytes of the loaded weights, those of routed experts apart; without the block that drafts tokens.

    Raises:
        UsageError: the base is not known in that format.
    """
    known = catalog.footprints.get(architecture.id, {})
    if run.format not in known:
        raise UsageError(
            f"sizes of {architecture.id} are not known in {run.format}",
            hint=f"they are for {', '.join(sorted(known))}" if known else "its architecture is not known",
        )
    footprint = known[run.format]
    experts = footprint.layers_experts
    dense = footprint.tensor_bytes - footprint.mtp - experts
    if not stack.experts_quantized and run.format != "BF16":
        experts = known["BF16"].layers_experts
    return dense, experts


def _widest(architecture: Architecture) -> int:
    """Weights of the largest matrix of a decoder layer."""
    shapes = [t.shape for t in inventory(architecture) if t.group in ("feed_forward", "attention", "linear_attention")]
    return max((shape[-1] * shape[-2] for shape in shapes if len(shape) == 2), default=0)


_OPTIMIZERS = {
    "adamw": "arXiv 1711.05101, fused",
    "adamw-8bit": "arXiv 2110.02861; bitsandbytes",
    "adafactor": "arXiv 1804.04235",
    "muon": "https://kellerjordan.github.io/posts/muon/",
}
_LOSSES = {
    "full": "ForCausalLMLoss, in float32",
    "chunked": "trl/kernels/chunked_logprob.py",
    "fused": "liger_kernel/ops/fused_linear_cross_entropy.py",
}
