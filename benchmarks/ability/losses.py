"""Fits what quantization takes from ability: divergence by bits, size and family, and lost logits by divergence.

Both fits are robust (soft-L1 or Student's t weights) and drawn to priors, so that a family with few rows stays near
the others. Divergence is the mean Kullback-Leibler divergence from the unquantized model in nats per token, or the
logarithm of the ratio of perplexities; each corpus with its base has an offset of its own, since neither compares
across corpora.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from benchmarks.ability.checkpoints import Checkpoint
from benchmarks.ability.effects import Array
from benchmarks.ability.scores import DATA

REFERENCE_BITS = 4.5  # where Q4_K stands, the format that most rows share
REFERENCE_PARAMETERS = 8_000_000_000
REFERENCE_CORPUS = "vs bf16 [ubergarm imatrix-calibration-corpus-v02 ctx512"  # the corpus of most divergences
LARGEST = 5.0  # nats; beyond it a model's text is noise
_PAIRED = 0.5  # both runs answer the same questions: half of the sampling error is common to them
_MISFIT = 0.35  # relative; scores of equal divergence spread by so much
_LEAST = 0.02  # logits, from one run to the next of one model
_SMALLEST = {"kld": 2e-4, "perplexity": 4e-3}  # below it rounding decides
EIGHT_BITS = ("fp8", "gptq-int8", "int8")  # their error is that of the arithmetic, above what the line in bits gives
# In the unit of the format's own bits, where scales are not counted in them: 16-bit scale and bias for 64 weights.
OVERHEADS = {"mlx": 0.5}
CACHE_BITS = {"q8_0": 8.5, "fp8": 8.0, "q5_1": 6.0, "q5_0": 5.5, "q4_1": 5.0, "q4_0": 4.5, "iq4_nl": 4.5}
# Scales whose answers are written, token after token, each on what went wrong before; the others are chosen answers.
WRITTEN = ("code", "instruction", "long-context", "math", "reasoning")
LIKE = {
    "chat": "instruction",
    "writing": "instruction",
    "agent": "code",
    "multilingual": "knowledge",
    "video": "vision",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """One measured loss. ``bits`` per quantized weight; ``size`` in decades from the reference."""

    checkpoint: str
    family: str
    bits: float
    kind: str
    corpus: str
    value: float
    baseline: float
    scale: str
    chance: float
    questions: float
    size: float
    moe: bool
    source: str

    @property
    def divergence(self) -> float:
        """Nats per token, for the two kinds that measure it."""
        return self.value - self.baseline if self.kind == "kld" else math.log(self.value / self.baseline)

    @property
    def lost(self) -> tuple[float, float]:
        """Lost logits and their variance, for shares."""
        edge = 0.5 / self.questions
        logits, variance = [], 0.0
        for share in (self.baseline, self.value):
            solved = min(max((share - self.chance) / (1 - self.chance), edge), 1 - edge)
            logits.append(math.log(solved / (1 - solved)))
            slope = (1 - self.chance) * solved * (1 - solved)
            variance += _PAIRED * share * (1 - share) / self.questions / slope**2
        return logits[0] - logits[1], variance


def read_losses(checkpoints: Mapping[str, Checkpoint], path: Path = DATA / "quantization_loss.csv") -> list[Loss]:
    """All measured losses, in the file's order."""
    found = []
    with path.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            model = checkpoints[row["checkpoint"]]
            found.append(
                Loss(
                    checkpoint=row["checkpoint"],
                    family=row["family"],
                    bits=float(row["bits"]),
                    kind=row["kind"],
                    corpus=row["corpus"],
                    value=float(row["value"]),
                    baseline=float(row["baseline"]),
                    scale=row["scale"],
                    chance=float(row["chance"] or 0),
                    questions=float(row["questions"] or 500),
                    size=math.log10(model.total / REFERENCE_PARAMETERS),
                    moe=model.active < model.total,
                    source=row["source"],
                )
            )
    return found


def fit_losses(losses: Sequence[Loss]) -> dict[str, Any]:
    """The parameters that ``quality.quantization_loss`` reads."""
    divergence, offsets = _fit_divergence([x for x in losses if x.family != "kv" and x.kind != "share"])
    shares = [x for x in losses if x.family != "kv" and x.kind == "share" and _served(x)]
    conversion, families = _fit_conversion(shares, divergence, offsets)
    cache = _fit_cache([x for x in losses if x.family == "kv"], divergence, conversion)
    return {"divergence": divergence, "families": families, "conversion": conversion, "kv_cache": cache}


def _served(loss: Loss) -> bool:
    """Whether the catalogue has formats like it: no channel-wise scales, no two- and three-bit AWQ and GPTQ."""
    return not loss.family.startswith("per-channel") and (
        4 <= loss.bits < 8 or loss.family in EIGHT_BITS or loss.family.startswith(("gguf", "mlx", "autoround"))
    )


def _fit_divergence(losses: Sequence[Loss]) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Robust ridge regression of the logarithm of divergence; offsets of families with their errors."""
    rows = [x for x in losses if x.divergence > _SMALLEST[x.kind] and (x.bits < 8 or x.family in EIGHT_BITS)]
    families = sorted({x.family for x in rows} - {"gguf-k"})
    corpora = sorted({(x.kind, x.corpus) for x in rows} - {("kld", REFERENCE_CORPUS)})
    models = sorted({x.checkpoint for x in rows})
    groups = (families, corpora, models)
    starts = np.cumsum([4, *map(len, groups)])
    matrix = np.zeros((len(rows), int(starts[-1])))
    for i, x in enumerate(rows):
        matrix[i, :4] = (1, REFERENCE_BITS - x.bits, -x.size, x.moe)
        for start, names, name in zip(starts, groups, (x.family, (x.kind, x.corpus), x.checkpoint), strict=False):
            if name in names:
                matrix[i, start + names.index(name)] = 1  # type: ignore[arg-type]
    precision = np.repeat([0.01, 1 / 0.7**2, 1 / 1.5**2, 1 / 0.35**2], [4, *map(len, groups)])
    for i, name in enumerate(families):
        if name in EIGHT_BITS:
            precision[4 + i] = 1 / 3.0**2
    value = np.array([math.log(x.divergence) for x in rows])
    weight, spread = np.ones(len(rows)), 0.1
    for _ in range(30):
        inner = matrix.T * (weight / spread) @ matrix + np.diag(precision)
        found = np.linalg.solve(inner, matrix.T @ (weight / spread * value))
        left = value - matrix @ found
        weight = 5 / (4 + left**2 / spread)  # Student's t with four degrees of freedom
        spread = float((weight * left**2).mean())
    error = np.sqrt(np.diag(np.linalg.inv(inner)))
    offsets = {f: (float(found[4 + i]), float(error[4 + i])) for i, f in enumerate(families)}
    names = ("log_at_reference", "per_bit", "per_decade", "moe")
    return {
        "reference_bits": REFERENCE_BITS,
        "reference_parameters": float(REFERENCE_PARAMETERS),
        **dict(zip(names, map(float, found[:4]), strict=True)),
    }, {"gguf-k": (0.0, float(error[0])), **offsets}


def log_divergence(loss: Loss, divergence: Mapping[str, float], offset: float) -> float:
    """The logarithm of the divergence that the curve gives."""
    bits = divergence["log_at_reference"] - divergence["per_bit"] * (loss.bits - REFERENCE_BITS)
    value = bits - divergence["per_decade"] * loss.size + divergence["moe"] * loss.moe + offset
    return min(value, math.log(LARGEST))


def _fit_conversion(
    losses: Sequence[Loss], divergence: Mapping[str, float], offsets: Mapping[str, tuple[float, float]]
) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """Lost logits as a power of divergence: one exponent, a factor for each scale, better offsets of the families."""
    scales, families = sorted({x.scale for x in losses}), sorted({x.family for x in losses})
    lost, variance = (np.array(part) for part in zip(*(x.lost for x in losses), strict=True))
    start = np.array([log_divergence(x, divergence, offsets.get(x.family, (0.0, 0.0))[0]) for x in losses])
    scale = np.array([scales.index(x.scale) for x in losses])
    family = np.array([families.index(x.family) for x in losses])
    written = np.array([k in WRITTEN for k in scales])
    known = np.array([max(offsets[f][1], 0.1) if f in offsets else 3.0 if f in EIGHT_BITS else 0.7 for f in families])

    def predicted(p: Array) -> Array:
        logs = start + p[1 + len(scales) :][family]
        return np.asarray(np.exp(p[1 : 1 + len(scales)][scale] + p[0] * np.minimum(logs, math.log(LARGEST))))

    def residuals(p: Array, mean: Array) -> Array:
        left = (lost - predicted(p)) / np.sqrt(variance + _LEAST**2 + (_MISFIT * mean) ** 2)
        soft = np.sign(left) * np.sqrt(2 * (np.sqrt(1 + left**2) - 1))
        factors = p[1 : 1 + len(scales)]
        drawn = [(factors[group] - factors[group].mean()) / 0.3 for group in (written, ~written)]
        priors = [(p[0] - 0.9) / 0.2, *np.concatenate(drawn), *(p[1 + len(scales) :] / known)]
        return np.concatenate([soft, priors])

    p, mean = np.array([0.9, *[0.8] * len(scales), *[0.0] * len(families)]), np.full(len(losses), 0.05)
    for _ in range(10):
        solved = least_squares(residuals, p, args=(mean,))
        p, mean = solved.x, predicted(solved.x)
    error = np.sqrt(np.diag(np.linalg.inv(solved.jac.T @ solved.jac)))
    factor = {k: (float(p[1 + i]), float(error[1 + i])) for i, k in enumerate(scales)}
    moved = {f: (float(p[1 + len(scales) + i]), float(error[1 + len(scales) + i])) for i, f in enumerate(families)}
    return _conversion(factor, float(p[0])), _families(offsets, moved)


def _conversion(factor: Mapping[str, tuple[float, float]], exponent: float) -> dict[str, Any]:
    values = [value for value, _ in factor.values()]
    spread = float(np.std(values))
    entries = {k: {"log_factor": v, "error": math.hypot(e, _MISFIT)} for k, (v, e) in factor.items()}
    for scale, like in LIKE.items():
        entries[scale] = {**entries[like], "error": math.hypot(entries[like]["error"], spread)}
    entries["other"] = {"log_factor": float(np.mean(values)), "error": math.hypot(_MISFIT, 2 * spread)}
    return {
        "exponent": exponent,
        "largest_divergence": LARGEST,
        "least_error": _LEAST,
        "scales": {k: entries[k] for k in sorted(entries) if k not in ("commonsense", "instruction", "knowledge")},
    }


def _families(
    offsets: Mapping[str, tuple[float, float]], moved: Mapping[str, tuple[float, float]]
) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for name in sorted({*offsets, *moved}):
        if name.startswith("per-channel") or name in ("autoround", "gguf-tuned"):
            continue  # no format of the catalogue
        base, base_error = offsets.get(name, (0.0, 0.0))
        step, step_error = moved.get(name, (0.0, base_error))
        found[name] = {"log_offset": base + step, "error": math.hypot(step_error, 0.1)}
        if name in OVERHEADS:
            found[name]["overhead"] = OVERHEADS[name]
    four = [found[name]["log_offset"] for name in ("awq", "gptq")]
    found["nf4"] = {"log_offset": sum(four) / len(four), "error": 0.7}  # not measured: as the other 4-bit formats
    return found


def _fit_cache(
    losses: Sequence[Loss], divergence: Mapping[str, float], conversion: Mapping[str, Any]
) -> dict[str, Any]:
    """The divergence of a quantized KV cache: a line in bits, through what scores and divergences say together."""
    logs, bits, weight = [], [], []
    exponent = conversion["exponent"]
    entries: Mapping[str, Mapping[str, float]] = conversion["scales"]
    by_bits: dict[float, list[tuple[float, float]]] = {}
    for x in losses:
        fixed = -divergence["per_decade"] * x.size + divergence["moe"] * x.moe
        if x.kind == "share":
            lost, variance = x.lost
            factor = entries.get(x.scale, entries["other"])["log_factor"]
            unit = math.exp(factor + exponent * fixed)  # what a divergence of 1 would cost this model
            by_bits.setdefault(x.bits, []).append((lost / unit, (variance + _LEAST**2) / unit**2))
        elif x.kind == "kld":
            unit = math.exp(exponent * (math.log(x.divergence) - fixed))
            by_bits.setdefault(x.bits, []).append((unit, (_MISFIT * unit) ** 2))
    for b, each in sorted(by_bits.items()):
        precision = sum(1 / v for _, v in each)
        mean = sum(m / v for m, v in each) / precision
        error = precision**-0.5
        mean = max(mean, error / 2)  # a loss that noise hides is not negative
        logs.append(math.log(mean) / exponent)
        bits.append(b)
        weight.append(exponent * mean / error)
    slope = max(0.0, (logs[0] - logs[-1]) / (bits[-1] - bits[0]))
    return {
        "reference_bits": REFERENCE_BITS,
        "log_at_reference": logs[0] + slope * (bits[0] - REFERENCE_BITS),
        "per_bit": slope,
        "error": 1 / min(weight),
        "bits": dict(CACHE_BITS),
    }
