"""Bytes of weights: what one checkpoint takes in one format, whole and by layer."""

from __future__ import annotations

from qwen_advisor.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerWeights:
    """One decoder layer in bytes. Experts are all routed experts of the layer together."""

    dense: int  # attention, norms, router, dense or shared feed-forward
    experts: int = 0

    @property
    def total(self) -> int:
        """Bytes of the whole layer."""
        return self.dense + self.experts


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """The weights of one checkpoint in one format, in bytes.

    ``token_embedding`` is read a row at a time (unless tied); ``output`` is the head, 0 where it is tied to the
    embedding. ``by_type`` splits ``tensor_bytes`` of the language model by stored tensor type, ``repack`` those
    bytes that llama.cpp may re-lay out on a CPU (rows divisible by 8, embeddings excluded), by type.
    """

    format: str
    token_embedding: int
    output: int
    output_norm: int
    layers_dense: int  # sum over layers
    layers_experts: int
    layers: int  # how many decoder layers
    experts_used: float = 1.0  # num_experts_per_tok / num_experts
    mtp: int = 0  # MTP blocks where the file stores them
    vision: int = 0  # vision tower (GGUF: in the projector file)
    audio: int = 0
    other: int = 0  # talkers, heads, encoders of other kinds
    file_bytes: int = 0  # what is downloaded, without a separate projector
    projector_bytes: int = 0  # the separate vision or audio projector file of GGUF
    parameters: int = 0  # weights stored
    by_type: dict[str, int] = field(default_factory=dict)
    repack: dict[str, int] = field(default_factory=dict)
    basis: str = "exact"  # "exact" | "measured model" | "published" | "assumed"

    @property
    def tensor_bytes(self) -> int:
        """Bytes of all weight tensors that the main file or repository holds."""
        body = self.token_embedding + self.output + self.output_norm + self.layers_dense + self.layers_experts
        inline = 0 if self.projector_bytes else self.vision + self.audio
        return body + self.mtp + inline + self.other

    @property
    def tied(self) -> bool:
        """Whether the embedding serves as the head too."""
        return self.output == 0

    @property
    def active_bytes(self) -> float:
        """Bytes of weights that one decoded token reads: layers, used experts and the head."""
        head = self.token_embedding if self.tied else self.output
        return self.layers_dense + self.layers_experts * self.experts_used + self.output_norm + head
