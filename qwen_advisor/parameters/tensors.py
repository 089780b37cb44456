"""A tensor inventory in groups: one row stands for all tensors that share a name pattern and a shape."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

from qwen_advisor.values import dataclass, replace

Part = Literal["language_model", "ngram_embedding", "mtp", "vision", "audio", "component"]
Group = Literal[
    "token_embedding",
    "head",
    "attention",
    "linear_attention",
    "indexer",
    "feed_forward",
    "router",
    "experts",
    "shared_expert",
    "norm",
    "hyper_connection",
    "ngram_embedding",
    "ngram_mixer",
    "mtp_projection",
    "patch_embedding",
    "position_embedding",
    "merger",
    "resampler",
    "convolution",
    "projector",
    "component",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """``count`` tensors of one shape. ``{layer}``, ``{expert}`` and ``{part}`` in the name stand for an index.

    Attributes:
        name: the name in the Hugging Face repository, indices left open.
        shape: as stored there, output dimension first.
        count: how many tensors the row stands for.
        part: which part of the model it belongs to.
        group: what it does in that part.
    """

    name: str
    shape: tuple[int, ...]
    count: int = 1
    part: Part = "language_model"
    group: Group

    @property
    def parameters(self) -> int:
        """Weights of all tensors of the row."""
        return math.prod(self.shape) * self.count


def linear(name: str, rows: int, columns: int, group: Group, *, bias: bool = False, count: int = 1) -> list[Tensor]:
    """A linear layer: ``name.weight`` and, where it has one, ``name.bias``."""
    tensors = [Tensor(name=f"{name}.weight", shape=(rows, columns), group=group, count=count)]
    if bias:
        tensors.append(Tensor(name=f"{name}.bias", shape=(rows,), group=group, count=count))
    return tensors


def norm(name: str, size: int, *, bias: bool = False) -> list[Tensor]:
    """RMSNorm (weight only) or, with ``bias``, LayerNorm."""
    names = ("weight", "bias") if bias else ("weight",)
    return [Tensor(name=f"{name}.{suffix}", shape=(size,), group="norm") for suffix in names]


def placed(tensors: Iterable[Tensor], prefix: str, part: Part, *, layers: int = 1) -> list[Tensor]:
    """The rows under a name prefix, in a part of the model, as often as there are layers of the kind."""
    if layers == 0:
        return []
    return [replace(t, name=prefix + t.name, part=part, count=t.count * layers) for t in tensors]
