"""Publishers' own mixes: sizes from mean bits per weight, learned over the publisher's files.

The ``UD-*`` mixes choose a type for every tensor of every model anew, so that no rule gives their sizes. What they
spend on each kind of weight is steady, though. ``benchmarks/learn_publisher_mixes.py`` fits it and says how well it
foretells the files of a model that was left out.
"""

from __future__ import annotations

from qwen_advisor.errors import UsageError
from qwen_advisor.footprint import Footprint, LayerWeights
from qwen_advisor.model import TextDecoder
from qwen_advisor.quantization import Format, LearnedBits
from qwen_advisor.values import replace
from qwen_advisor.weights.gguf_file import Sum

LARGE = 150_000_000_000  # weights from which experts have bits of their own


def recipe(text: TextDecoder, variant: frozenset[str]) -> str:
    """Which of the publisher's recipes a model was quantized by; they changed with generations of models."""
    if "recipe-2026-08" in variant:
        return "2026-08"
    if text.linear_attention is None or text.linear_attention.fused_projections:
        return "2025"
    return "2026-mtp" if "mtp" in variant else "2026"  # files with the MTP block were made later, and differently


def learned_bits(fmt: Format, text: TextDecoder, variant: frozenset[str]) -> LearnedBits:
    """What the mix spends on models like this one.

    Raises:
        UsageError: no file of the mix was seen for this generation of models.
    """
    found = fmt.learned.get(recipe(text, variant))
    if found is None or text.ngram_embedding is not None:
        raise UsageError(f"no {fmt.name} file of a model of this generation is known", hint="ask for the plain mix")
    return found


class Model:
    """Sizes of one model in a publisher's mix, from the sums of the plain mix that it resembles."""

    def __init__(self, fmt: Format, text: TextDecoder, bits: LearnedBits, body: Sum, mtp: Sum) -> None:
        """Work out by how much dense matrices and experts differ from the plain mix."""
        self._fmt = fmt
        embedding = text.vocab_size * text.hidden_size
        tied = text.tie_word_embeddings or not text.lm_head
        total = body.weights + mtp.weights + embedding * (1 if tied else 2)
        experts = bits.experts_large if total > LARGE and bits.experts_large else bits.experts
        dense = bits.moe_dense if text.moe else bits.dense
        self.embedding = self._bytes(embedding, bits.tied_embedding if tied else bits.embedding)
        self.output = 0 if tied else self._bytes(embedding, bits.head)
        self.dense = self._dense(body, dense)
        self.experts = self._bytes(body.expert_weights, experts) if text.moe else 0
        self.mtp = self._dense(mtp, dense) + (self._bytes(mtp.expert_weights, experts) if text.moe else 0)

    def _bytes(self, weights: int, bits: float | None) -> int:
        if bits is None:
            raise UsageError(f"no {self._fmt.name} file of a model of this kind is known", hint="ask for the plain mix")
        return round(weights * bits / 8)

    def _dense(self, part: Sum, bits: float | None) -> int:
        return self._bytes(part.weights - part.expert_weights - part.floats, bits) + 4 * part.floats

    def footprint(self, plain: Footprint, header: int) -> Footprint:
        """The footprint; types are shared out as the plain mix has them."""
        norms = plain.output_norm
        total = self.embedding + self.output + norms + self.dense + self.experts + self.mtp
        return replace(
            plain,
            token_embedding=self.embedding,
            output=self.output,
            layers_dense=self.dense,
            layers_experts=self.experts,
            mtp=self.mtp,
            file_bytes=header + total,
            by_type=_shared_out(plain.by_type, total),
            repack={kind: round(size * total / plain.tensor_bytes) for kind, size in plain.repack.items()},
            basis="measured model",
        )

    def layers(self, plain: list[Sum]) -> tuple[LayerWeights, ...]:
        """Each layer, in proportion to the plain mix; sums agree with the footprint."""
        dense = _in_proportion([layer.dense for layer in plain], self.dense)
        experts = _in_proportion([layer.experts for layer in plain], self.experts)
        return tuple(LayerWeights(dense=d, experts=e) for d, e in zip(dense, experts, strict=True))


def _shared_out(by_type: dict[str, int], total: int) -> dict[str, int]:
    floats = by_type.get("F32", 0)
    quantized = {kind: size for kind, size in by_type.items() if kind != "F32"}
    sizes = _in_proportion(list(quantized.values()), total - floats)
    return dict(zip(quantized, sizes, strict=True)) | {"F32": floats}


def _in_proportion(sizes: list[int], total: int) -> list[int]:
    """``total`` split in the proportions of ``sizes``, to the byte."""
    whole, done, given = sum(sizes), 0, 0
    shares = []
    for size in sizes:
        done += size
        share = total * done // whole - given if whole else 0
        given += share
        shares.append(share)
    return shares
