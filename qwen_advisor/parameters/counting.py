"""The inventory of a whole architecture, and the numbers that follow from it."""

from __future__ import annotations

from functools import lru_cache

from qwen_advisor.model import Architecture, Component
from qwen_advisor.parameters.audio import audio_encoder
from qwen_advisor.parameters.decoder import language_model, mtp
from qwen_advisor.parameters.naming import naming_of
from qwen_advisor.parameters.tensors import Tensor
from qwen_advisor.parameters.vision import vision_tower
from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterCount:
    """How many unique weights an architecture has.

    Attributes:
        total: all of them, a tied head counted once.
        language_model: the decoder with embedding and head, without the four parts below.
        ngram_embedding: the hashed n-gram table, which may stay in host memory.
        mtp: the block that drafts tokens.
        vision: the vision tower with its merger.
        audio: the audio encoder with its projector.
        other: components that are no decoder: talkers, diffusion transformers, score heads.
        embedding: the token embedding, a part of ``language_model``.
        head: the output matrix, a part of ``language_model``; 0 where it is tied or absent.
        active: weights of ``language_model`` that one token uses: all but the experts it is not routed to. The
            embedding and the head count whole; the few rows of the n-gram table do not.
    """

    total: int
    language_model: int
    ngram_embedding: int
    mtp: int
    vision: int
    audio: int
    other: int
    embedding: int
    head: int
    active: int

    @property
    def non_embedding(self) -> int:
        """Weights of the language model without embedding and head."""
        return self.language_model - self.embedding - self.head


@lru_cache(maxsize=512)
def inventory(architecture: Architecture) -> tuple[Tensor, ...]:
    """Every weight tensor of the repository, grouped: rows of equal tensors with their number.

    Raises:
        CatalogError: the ``model_type`` is one whose tensors are not known.
    """
    tensors: list[Tensor] = []
    if architecture.text is not None:
        naming = naming_of(architecture.model_type)
        tensors += language_model(architecture, architecture.text, naming)
        tensors += mtp(architecture.text, naming)
        if architecture.vision:
            tensors += vision_tower(architecture.vision, naming.vision)
        if architecture.audio:
            tensors += audio_encoder(architecture.audio, naming.audio)
    return (*tensors, *(tensor for component in architecture.components for tensor in _component(component)))


@lru_cache(maxsize=512)
def count(architecture: Architecture) -> ParameterCount:
    """Count the weights of an architecture by part.

    Raises:
        CatalogError: the ``model_type`` is one whose tensors are not known.
    """
    tensors = inventory(architecture)
    parts = dict.fromkeys(("language_model", "ngram_embedding", "mtp", "vision", "audio", "component"), 0)
    groups = dict.fromkeys(("token_embedding", "head", "experts"), 0)
    for tensor in tensors:
        parts[tensor.part] += tensor.parameters
        if tensor.part == "language_model" and tensor.group in groups:
            groups[tensor.group] += tensor.parameters
    moe = architecture.text.moe if architecture.text else None
    idle = groups["experts"] * (moe.num_experts - moe.num_experts_per_tok) // moe.num_experts if moe else 0
    other = parts.pop("component")
    return ParameterCount(
        total=sum(parts.values()) + other,
        **parts,
        other=other,
        embedding=groups["token_embedding"],
        head=groups["head"],
        active=parts["language_model"] - idle,
    )


def _component(component: Component) -> list[Tensor]:
    if not component.weights:
        return [Tensor(name=component.name, shape=(component.parameters,), part="component", group="component")]
    return [
        Tensor(name=w.name, shape=w.shape, count=w.count, part="component", group="component")
        for w in component.weights
    ]
