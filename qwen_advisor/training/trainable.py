"""What is trained: the adapters of LoRA on the modules that it targets, or the weights themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qwen_advisor.errors import UsageError
from qwen_advisor.model import Architecture
from qwen_advisor.parameters import inventory
from qwen_advisor.parameters.tensors import Tensor
from qwen_advisor.training.settings import Training
from qwen_advisor.values import dataclass

# A word of --target-modules -> groups of the tensor inventory. PEFT's "all-linear" takes every nn.Linear but the head;
# routed experts are one three-dimensional parameter a layer since Transformers 5, so it passes them by.
GROUPS = {
    "attention": ("attention",),
    "linear-attention": ("linear_attention",),
    "mlp": ("feed_forward", "shared_expert"),
    "experts": ("experts",),
    "all-linear": ("attention", "linear_attention", "feed_forward", "shared_expert"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainable:
    """The trained weights of a run, in parameters.

    Attributes:
        matrices: in matrices of decoder layers or adapters.
        embeddings: in embedding and head.
        vectors: in norms, biases and other vectors.
        factored: rows and columns of all matrices added up, what Adafactor keeps of them.
        largest: in the largest matrix.
        modules: names of the linear modules with adapters, routed experts apart; empty where weights are trained.
        experts: of the matrices, those on or in routed experts.
        inputs: width of the inputs of all adapted modules of all layers, a token's share of what they keep.
    """

    matrices: int
    embeddings: int
    vectors: int
    factored: int
    largest: int
    modules: tuple[str, ...] = ()
    experts: int = 0
    inputs: float = 0

    @property
    def total(self) -> int:
        """All trained parameters."""
        return self.matrices + self.embeddings + self.vectors


def trainable(architecture: Architecture, run: Training) -> Trainable:
    """Count what the run trains. Vision and audio towers stay frozen, as every framework has it for text.

    LoRA adds ``rank * (rows + columns)`` for each matrix. Source: Hu et al. 2021, arXiv 2106.09685, section 4.1.

    Raises:
        UsageError: a target names no module of the model.
    """
    tensors = [t for t in inventory(architecture) if t.part == "language_model"]
    ends = [t for t in tensors if t.group in ("token_embedding", "head")]
    if not run.adapters:
        body = [t for t in tensors if t.group not in ("token_embedding", "head")]
        return _whole(body, ends)
    chosen = targeted(tensors, run.targets, architecture)
    factors = [shape for t in chosen for shape in _factors(t, run.rank)]
    embeddings = sum(t.parameters for t in ends) if run.train_embeddings else 0
    if run.train_embeddings and len(ends) == 1:
        embeddings *= 2  # embedding and tied head become two trained copies
    return Trainable(
        matrices=sum(rows * columns * count for rows, columns, count in factors),
        embeddings=embeddings,
        vectors=0,
        factored=sum((rows + columns) * count for rows, columns, count in factors)
        + _sides(ends) * run.train_embeddings,
        largest=max((rows * columns for rows, columns, _ in factors), default=0),
        modules=tuple(dict.fromkeys(_module(t.name) for t in chosen if t.group != "experts")),
        experts=sum(r * c * n for t in chosen if t.group == "experts" for r, c, n in _factors(t, run.rank)),
        inputs=sum(_sizes(t)[1] * _layers(t, architecture) for t in chosen),
    )


def targeted(tensors: Sequence[Tensor], targets: Sequence[str], architecture: Architecture) -> list[Tensor]:
    """The matrices that ``targets`` name, by group or by the module's own name.

    Raises:
        UsageError: a word names no module of this model.
    """
    linear = [t for t in tensors if t.name.endswith(("_proj.weight", "_proj")) or _legacy(t)]
    linear += [t for t in tensors if t.group == "linear_attention" and ".in_proj" in t.name and t not in linear]
    chosen: list[Tensor] = []
    for word in targets:
        groups = GROUPS.get(word, ())
        found = [t for t in linear if t.group in groups or _module(t.name) == word]
        if not found:
            names = dict.fromkeys(_module(t.name) for t in linear)
            raise UsageError(
                f"{architecture.id} has no module {word!r} to put an adapter on",
                hint=f"its modules are {', '.join(names)}; groups are {', '.join(GROUPS)}",
                suggestions=(),
            )
        chosen += [t for t in found if t not in chosen]
    return chosen


def _legacy(tensor: Tensor) -> bool:
    """Linear modules of Qwen 1 that have names of their own."""
    return tensor.name.endswith((".c_attn.weight", ".mlp.w1.weight", ".mlp.w2.weight")) and len(tensor.shape) > 1


def _module(name: str) -> str:
    return name.removesuffix(".weight").rpartition(".")[2]


def _sizes(tensor: Tensor) -> tuple[int, int]:
    rows, columns = tensor.shape[-2:]
    return rows, columns


def _factors(tensor: Tensor, rank: int) -> Iterator[tuple[int, int, int]]:
    """Rows, columns and number of the two factors; experts stored together have a pair each."""
    rows, columns = _sizes(tensor)
    count = tensor.count * (tensor.shape[0] if len(tensor.shape) > 2 else 1)
    yield rank, columns, count
    yield rows, rank, count


def _layers(tensor: Tensor, architecture: Architecture) -> float:
    """How often a token passes modules like this one: once a layer, or through the experts that it is routed to."""
    moe = architecture.text.moe if architecture.text else None
    if tensor.group != "experts" or moe is None:
        return tensor.count
    layers = tensor.count if len(tensor.shape) > 2 else tensor.count / moe.num_experts
    return layers * moe.num_experts_per_tok


def _whole(body: Sequence[Tensor], ends: Sequence[Tensor]) -> Trainable:
    matrices = [t for t in body if len(t.shape) > 1]
    return Trainable(
        matrices=sum(t.parameters for t in matrices),
        embeddings=sum(t.parameters for t in ends),
        vectors=sum(t.parameters for t in body if len(t.shape) == 1),
        factored=_sides(matrices) + _sides(ends),
        experts=sum(t.parameters for t in body if t.group == "experts"),
        largest=max((t.shape[-1] * t.shape[-2] * (t.shape[0] if len(t.shape) > 2 else 1) for t in matrices), default=0),
    )


def _sides(tensors: Sequence[Tensor]) -> int:
    return sum(sum(_sizes(t)) * t.count * (t.shape[0] if len(t.shape) > 2 else 1) for t in tensors)
