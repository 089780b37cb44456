"""What abilities have in common before a score is read: the covariance of any two cells.

A cell is a checkpoint in a setting, on a scale. Its latent ability is a sum of effects, each normal around zero: of
size, time, thinking, family, line, lineage and the checkpoint itself. An effect is shared over scales in up to three
degrees: ``domain`` (all scales of language models; speech, retrieval and moderation are domains of their own),
``cluster`` (scales that experience shows together) and ``scale`` (that one alone).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.ability.checkpoints import Checkpoint

Array = NDArray[np.float64]
Cell = tuple[str, str, str]  # checkpoint, setting, scale
Subject = tuple[str, str]  # checkpoint, setting

PATTERNS = ("domain", "cluster", "scale")
DOMAINS = {
    "speech-to-text": "speech-to-text",
    "text-to-speech": "text-to-speech",
    "embedding": "embedding",
    "rerank": "rerank",
    "moderation": "moderation",
}
CLUSTERS = {
    "math": "solving",
    "reasoning": "solving",
    "code": "solving",
    "agent": "solving",
    "chat": "words",
    "writing": "words",
    "instruction": "words",
    "knowledge": "knowing",
    "multilingual": "knowing",
    "long-context": "knowing",
    "vision": "seeing",
    "documents": "seeing",
    "video": "seeing",
    "audio": "hearing",
    "omni": "hearing",
}

# Where the search for the variances starts (logits squared); expectation maximization moves them.
START: dict[tuple[str, str], float] = {
    ("total", "domain"): 0.16,
    ("total", "scale"): 0.01,
    ("active", "domain"): 0.19,
    ("active", "scale"): 0.0045,
    ("curvature", "domain"): 0.1,
    ("year", "domain"): 0.5,
    ("year", "scale"): 0.1,
    ("walk", "domain"): 0.4,
    ("walk", "scale"): 0.078,
    ("thinking", "domain"): 0.13,
    ("thinking", "scale"): 0.1,
    ("thinking x active", "domain"): 0.052,
    ("thinking x active", "scale"): 0.007,
    ("thinking x generation", "domain"): 0.027,
    ("thinking x generation", "scale"): 0.04,
    ("base", "domain"): 0.15,
    ("base", "scale"): 0.4,
    ("base x active", "domain"): 0.052,
    ("family", "domain"): 0.033,
    ("family", "cluster"): 0.0125,
    ("family", "scale"): 0.0085,
    ("line", "cluster"): 0.018,
    ("line", "scale"): 0.052,
    ("lineage", "domain"): 0.023,
    ("lineage", "cluster"): 0.001,
    ("lineage", "scale"): 0.001,
    ("checkpoint", "domain"): 0.009,
    ("checkpoint", "cluster"): 0.0015,
    ("checkpoint", "scale"): 0.0015,
    ("setting", "domain"): 0.0025,
    ("setting", "cluster"): 0.0015,
    ("setting", "scale"): 0.0025,
}


def subject_kernels(
    checkpoints: Mapping[str, Checkpoint], rows: Sequence[Subject], columns: Sequence[Subject]
) -> dict[str, Array]:
    """For each effect, how much two subjects share of it."""

    def same(key: Callable[[Checkpoint, str], Hashable]) -> Array:
        numbers: dict[Hashable, int] = {}
        left, right = (
            np.array([numbers.setdefault(key(checkpoints[c], t), len(numbers)) for c, t in side])
            for side in (rows, columns)
        )
        return np.asarray(left[:, None] == right[None, :], dtype=np.float64)

    def outer(feature: Callable[[Checkpoint, str], float]) -> Array:
        left, right = (np.array([feature(checkpoints[c], t) for c, t in side]) for side in (rows, columns))
        return np.outer(left, right)

    years = [np.array([checkpoints[c].year for c, _ in side]) - _FIRST_YEAR for side in (rows, columns)]
    thinking, base = outer(lambda _, t: float(t == "on")), outer(lambda _, t: float(t == "base"))
    active = outer(lambda c, _: _size(c.active))
    return {
        "total": outer(lambda c, _: _size(c.total)),
        "active": active,
        "curvature": outer(lambda c, _: _size(c.active) ** 2),
        "year": outer(lambda c, _: c.year - _MIDDLE_YEAR),
        "walk": np.minimum(years[0][:, None], years[1][None, :]),
        "thinking": thinking,
        "thinking x active": thinking * active,
        "thinking x generation": thinking * same(lambda c, _: c.generation),
        "base": base,
        "base x active": base * active,
        "family": same(lambda c, _: c.family),
        "line": same(lambda c, _: c.line),
        "lineage": same(lambda c, _: c.lineage),
        "checkpoint": same(lambda c, _: c.id),
        "setting": same(lambda c, t: (c.id, t)),
    }


def scale_patterns(rows: Sequence[str], columns: Sequence[str]) -> dict[str, Array]:
    """For each degree of sharing, which scales share."""
    names: dict[str, Callable[[str], str]] = {
        "domain": lambda k: DOMAINS.get(k, "language"),
        "cluster": lambda k: CLUSTERS.get(k, k),
        "scale": lambda k: k,
    }
    return {p: np.array([[float(name(a) == name(b)) for b in columns] for a in rows]) for p, name in names.items()}


def shared(variances: Mapping[tuple[str, str], float], kernels: Mapping[str, Array], pattern: str) -> Array:
    """The covariance of subjects in what they share in one degree."""
    parts = [variance * kernels[effect] for (effect, degree), variance in variances.items() if degree == pattern]
    return np.asarray(sum(parts[1:], parts[0]))


def covariance(
    variances: Mapping[tuple[str, str], float],
    checkpoints: Mapping[str, Checkpoint],
    rows: Sequence[Cell],
    columns: Sequence[Cell],
) -> Array:
    """The prior covariance of two lists of cells."""
    left, right = (sorted({cell[:2] for cell in side}) for side in (rows, columns))
    kernels = subject_kernels(checkpoints, left, right)
    scales = sorted({cell[2] for cell in (*rows, *columns)})
    patterns = scale_patterns(scales, scales)
    i, j = _places(rows, left, scales), _places(columns, right, scales)
    total = np.zeros((len(rows), len(columns)))
    for pattern in PATTERNS:
        total += shared(variances, kernels, pattern)[np.ix_(i[0], j[0])] * patterns[pattern][np.ix_(i[1], j[1])]
    return total


def _places(cells: Sequence[Cell], subjects: Sequence[Subject], scales: Sequence[str]) -> tuple[Any, Any]:
    subject = {s: i for i, s in enumerate(subjects)}
    scale = {k: i for i, k in enumerate(scales)}
    return np.array([subject[c[:2]] for c in cells]), np.array([scale[c[2]] for c in cells])


_FIRST_YEAR = 2023.5  # the random walk starts before the first checkpoint
_MIDDLE_YEAR = 2024.7


def _size(parameters: int) -> float:
    """Decades from ten billion parameters; two billion where a count is not published."""
    return math.log10((parameters or 2e9) / 1e10)
