"""How a model is trained: everything that memory and speed depend on, as one value."""

from __future__ import annotations

from typing import Literal

from qwen_advisor.values import dataclass

Method = Literal["full", "lora", "qlora"]
Optimizer = Literal["adamw", "adamw-8bit", "adafactor", "muon"]
Framework = Literal["transformers", "trl", "llamafactory", "ms-swift", "axolotl", "unsloth"]
Loss = Literal["full", "chunked", "fused"]
Sharding = Literal["none", "zero1", "zero2", "zero3", "fsdp", "layers", "megatron"]

# Repositories that come quantized, routed experts included; other formats are made while loading.
READY_QUANTIZED = ("GPTQ-Int4", "GPTQ-Int8", "AWQ", "FP8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One training run. Lengths in tokens; ``batch`` counts sequences of one GPU in one forward pass.

    Attributes:
        accumulation: micro-batches before the optimizer steps.
        rank: of the adapters.
        dropout: of the adapters' inputs.
        targets: groups of modules that get adapters, or the modules' own names.
        train_embeddings: train embedding and head whole beside the adapters.
        base_format: of the frozen weights; None means 16 bit, or NF4 for ``qlora``.
        checkpointing: keep only the inputs of layers and compute a layer again in the backward pass.
        packing: fill every sequence with several examples.
        loss: over all logits at once, over tiles as TRL does, or over chunks of tokens as Liger does.
        sharding: ``zero1`` to ``zero3`` and ``fsdp`` split states, gradients and weights between replicas; ``layers``
            gives each GPU some layers (``device_map="auto"``); ``megatron`` splits by the three numbers below.
    """

    method: Method = "lora"
    framework: Framework = "transformers"
    seq_len: int = 1024
    batch: int = 1
    accumulation: int = 1
    rank: int = 16
    dropout: float = 0.0
    targets: tuple[str, ...] = ("all-linear",)
    train_embeddings: bool = False
    base_format: str | None = None
    optimizer: Optimizer = "adamw"
    checkpointing: bool = True
    packing: bool = False
    loss: Loss = "full"
    sharding: Sharding = "none"
    gpus_per_node: int = 1
    nodes: int = 1
    tensor_parallel: int = 1
    expert_parallel: int = 1
    pipeline_parallel: int = 1

    @property
    def gpus(self) -> int:
        """GPUs of all nodes."""
        return self.gpus_per_node * self.nodes

    @property
    def split(self) -> int:
        """GPUs that one copy of the model is split over before any sharding."""
        if self.sharding == "layers":
            return self.gpus
        return self.tensor_parallel * self.pipeline_parallel if self.sharding == "megatron" else 1

    @property
    def replicas(self) -> int:
        """Copies that each work on batches of their own."""
        return max(1, self.gpus // self.split)

    @property
    def tokens(self) -> int:
        """Tokens of one forward pass of one replica."""
        return self.seq_len * self.batch

    @property
    def tokens_per_step(self) -> int:
        """Tokens between two steps of the optimizer, over all replicas."""
        return self.tokens * self.accumulation * self.replicas

    @property
    def adapters(self) -> bool:
        """Whether the base is frozen and adapters are trained."""
        return self.method != "full"

    @property
    def dropout_mask(self) -> int:
        """Bytes that dropout keeps of each input value of an adapter: a mask."""
        return 1 if self.dropout > 0 else 0

    @property
    def format(self) -> str:
        """The format that the base weights are held in."""
        return self.base_format or ("NF4" if self.method == "qlora" else "BF16")
