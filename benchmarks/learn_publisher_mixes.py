"""Learn what the ``UD-*`` mixes spend on each kind of weight: ``python -m benchmarks.learn_publisher_mixes``.

Rewrites the last section of ``catalog/quantizations.yaml``. A file's tensor data is taken as a sum of weights of a few
kinds times their mean bits; bits are fitted per format and recipe, each drawn slightly towards the format's mean, so
that kinds seen in few files stay near it. The errors printed are of models that were left out of the fit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import numpy as np
from scipy.optimize import lsq_linear

from benchmarks.weights_publishers import Reading, reading
from benchmarks.weights_rows import FileRow, file_rows
from qwen_advisor.catalog import load_catalog
from qwen_advisor.model import Architecture, TextDecoder
from qwen_advisor.weights.gguf_header import header_bytes
from qwen_advisor.weights.gguf_tensors import decoder
from qwen_advisor.weights.publisher_mixes import LARGE, recipe

_CATALOGUE = Path(__file__).parents[1] / "catalog" / "quantizations.yaml"
_MARKER = "  # --- GGUF, unsloth's own mixes; written by python -m benchmarks.learn_publisher_mixes ---\n"
_PLAIN = {
    "IQ1_S": "IQ1_S",
    "IQ1_M": "IQ1_M",
    "TQ1_0": "IQ1_S",
    "IQ2_XXS": "IQ2_XXS",
    "IQ2_S": "IQ2_S",
    "IQ2_M": "IQ2_M",
    "IQ3_XXS": "IQ3_XXS",
    "IQ3_S": "IQ3_S",
    "IQ4_XS": "IQ4_XS",
    "IQ4_NL": "IQ4_NL",
    "IQ4_NL_XL": "IQ4_NL",
    "Q2_K_XL": "Q2_K",
    "Q3_K_S": "Q3_K_S",
    "Q3_K_M": "Q3_K_M",
    "Q3_K_XL": "Q3_K_L",
    "Q4_K_S": "Q4_K_S",
    "Q4_K_M": "Q4_K_M",
    "Q4_K_L": "Q4_K_M",
    "Q4_K_XL": "Q4_K_M",
    "Q5_K_S": "Q5_K_S",
    "Q5_K_M": "Q5_K_M",
    "Q5_K_XL": "Q5_K_M",
    "Q6_K": "Q6_K",
    "Q6_K_S": "Q6_K",
    "Q6_K_M": "Q6_K",
    "Q6_K_L": "Q6_K",
    "Q6_K_XL": "Q6_K",
    "Q8_K_L": "Q8_0",
    "Q8_K_XL": "Q8_0",
}
_FINEST_WEIGHT = 0.003  # rows are trusted to 0.3 % at best
_PULL = 2.0  # how strongly a kind's bits are drawn towards the mean, in rows of 100 % error
_BOUNDS = (1.5, 16.0)
_KINDS = ("tied_embedding", "embedding", "head", "dense", "moe_dense", "experts", "experts_large")


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file: weights by (recipe, kind), bytes of its quantized tensors and their relative uncertainty."""

    model: str
    architecture: str
    weights: Mapping[tuple[str, str], int]
    bytes: float
    uncertainty: float


Bits = dict[tuple[str, str], float]


def _seen(row: FileRow, architecture: Architecture, text: TextDecoder, variant: frozenset[str]) -> _Seen:
    mtp = "mtp" in variant
    tensors = decoder(text, architecture.model_type)
    blocks = [tensors.kinds[kind] for kind in tensors.kind_of_layer]
    if mtp and tensors.mtp is not None:
        blocks.append(tensors.mtp)
    embedding = text.vocab_size * text.hidden_size
    experts = sum(m.weights for block in blocks for m in block.matrices if m.depth > 1)
    dense = sum(m.weights for block in blocks for m in block.matrices if m.depth == 1)
    floats = sum(v.weights for block in (*blocks, tensors.head) for v in block.vectors)
    header = header_bytes(
        text, architecture.model_type, vocab_size=text.vocab_size, one_input=False, mtp=mtp, stored_head=False
    )
    weights = {"tied_embedding": embedding} if text.tie_word_embeddings else {"embedding": embedding, "head": embedding}
    large = sum(weights.values()) + experts + dense > LARGE
    weights |= {"moe_dense": dense, "experts_large" if large else "experts": experts} if experts else {"dense": dense}
    size = row.bytes - 4 * floats - (0 if row.counts == "tensors" else header)
    which = recipe(text, variant)
    return _Seen(
        row.model,
        row.architecture,
        {(which, kind): count for kind, count in weights.items()},
        size,
        row.half_place / size,
    )


def _files() -> dict[str, list[_Seen]]:
    """Files by format; of several rows of one model the most exact."""
    architectures = load_catalog().architectures
    best: dict[str, dict[str, _Seen]] = defaultdict(dict)
    for row in file_rows():
        if not row.quantization.startswith("UD-") or row.repository.startswith("hub.docker.com"):
            continue
        architecture = architectures.get(row.architecture)
        read = reading(row, architecture)
        if architecture is None or architecture.text is None or not isinstance(read, Reading):
            continue
        seen = _seen(row, architecture, architecture.text, read.variant)
        old = best[read.format].get(row.model)
        if old is None or seen.uncertainty < old.uncertainty:
            best[read.format][row.model] = seen
    return {name: list(found.values()) for name, found in best.items()}


def _fit(files: Sequence[_Seen]) -> Bits:
    columns = sorted({column for file in files for column in file.weights})
    index = {column: number for number, column in enumerate(columns)}
    mean = float(np.median([8 * file.bytes / sum(file.weights.values()) for file in files]))
    towards = {
        "tied_embedding": max(mean + 1, 5.5),
        "embedding": max(mean, 4.5),
        "head": max(mean + 1, 5.5),
        "moe_dense": max(mean + 2, 5.5),
    }
    left, right = [], []
    for file in files:
        trust = 1 / (file.bytes * max(file.uncertainty, _FINEST_WEIGHT))
        row = np.zeros(len(columns))
        for column, count in file.weights.items():
            row[index[column]] = count / 8 * trust
        left.append(row)
        right.append(file.bytes * trust)
    for column in columns:
        row = np.zeros(len(columns))
        aim = towards.get(column[1], mean)
        row[index[column]] = _PULL / aim
        left.append(row)
        right.append(_PULL)
    fitted = lsq_linear(np.array(left), np.array(right), bounds=_BOUNDS)
    return {column: round(float(bits), 3) for column, bits in zip(columns, fitted.x, strict=True)}


def _left_out(files: Sequence[_Seen]) -> list[float]:
    """Relative errors for each model by bits learned without its architecture; what cannot be told is left out."""
    errors = []
    for held in sorted({file.architecture for file in files}):
        rest = [file for file in files if file.architecture != held]
        bits = _fit(rest) if rest else {}
        for file in files:
            if file.architecture == held and all(column in bits for column in file.weights):
                predicted = sum(bits[column] * count for column, count in file.weights.items()) / 8
                errors.append(abs(predicted / file.bytes - 1))
    return errors


def _entry(name: str, bits: Bits) -> Iterable[str]:
    body = [value for (_, kind), value in bits.items() if kind in {"dense", "experts", "experts_large"}]
    yield f"  {name}:\n"
    yield "    container: gguf\n    kind: gguf-mix\n"
    yield f"    bits: {sum(body) / len(body):.2f}\n"
    yield f"    mix: {_PLAIN[name.removeprefix('UD-')]}\n"
    yield "    publisher_mix: true\n    learned:\n"
    for which in sorted({which for which, _ in bits}):
        values = ", ".join(f"{kind}: {bits[which, kind]:g}" for kind in _KINDS if (which, kind) in bits)
        yield f'      "{which}": {{{values}}}\n'
    yield "    sources: [https://docs.unsloth.ai/basics/unsloth-dynamic-2.0-ggufs, https://huggingface.co/unsloth]\n"


def main() -> None:
    """Fit, say how well models that were left out are foretold, and write the catalogue's section."""
    files = _files()
    errors: list[float] = []
    section = [_MARKER]
    for name in sorted(files):
        bits = _fit(files[name])
        left_out = _left_out(files[name])
        errors += left_out
        worst = f"worst {max(left_out):.1%}" if left_out else "no model that could be left out"
        print(f"{name}: {len(files[name])} files, {worst}")
        section += _entry(name, bits)
    print(
        f"left out: {len(errors)} predictions, median error {median(errors):.2%}, "
        f"90th percentile {quantiles(errors, n=10)[-1]:.2%}, worst {max(errors):.1%}"
    )
    before = _CATALOGUE.read_text(encoding="utf-8").partition(_MARKER)[0]
    _CATALOGUE.write_text(before + "".join(section), encoding="utf-8")


if __name__ == "__main__":
    main()
