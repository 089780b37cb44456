"""What people who know the models would hold until a score says otherwise, as soft constraints on the order.

A checkpoint is rarely worse than the latest of its line and size that it supersedes; thinking is rarely worse than
not thinking at what it is trained for. Each such pair multiplies the posterior by ``1 - DOUBT`` where the
difference has the expected sign and by ``DOUBT`` where it has not; the product is brought back to a normal by its
moments, pair after pair (assumed density filtering; Minka, arXiv:1301.2294). A difference that scores show clearly
is not moved by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import norm

from benchmarks.ability.checkpoints import Checkpoint
from benchmarks.ability.effects import Array, Cell

DOUBT = 0.05
_SMALLEST = 0.6  # a successor with a smaller share of the parameters is another size class
THINKING_HELPS = (
    "agent",
    "code",
    "documents",
    "long-context",
    "math",
    "multilingual",
    "reasoning",
    "video",
    "vision",
)


def pairs(checkpoints: Mapping[str, Checkpoint], cells: Sequence[Cell]) -> list[tuple[int, int]]:
    """Pairs of places in ``cells``: the second is expected to be at least as able as the first, oldest pair first."""
    place = {cell: i for i, cell in enumerate(cells)}
    latest: dict[Cell, tuple[float, str]] = {}
    for name, setting, scale in place:
        older = checkpoints[name]
        newer = checkpoints.get(older.superseded_by or "")
        if newer is None or newer.line != older.line or newer.total < _SMALLEST * older.total:
            continue
        successor = (newer.id, setting, scale)
        if successor in place:
            latest[successor] = max(latest.get(successor, (0.0, "")), (older.year, name))
    found = [
        (checkpoints[new].year, new, place[old, setting, scale], place[new, setting, scale])
        for (new, setting, scale), (_, old) in latest.items()
    ]
    found += [
        (checkpoints[name].year, name, i, place[name, "on", scale])
        for (name, setting, scale), i in place.items()
        if setting == "off" and scale in THINKING_HELPS and (name, "on", scale) in place
    ]
    return [(i, j) for *_, i, j in sorted(found)]


def constrain(mean: Array, covariance: Array, ordered: Sequence[tuple[int, int]]) -> tuple[Array, Array]:
    """The moments of a normal after the soft constraints."""
    mean, covariance = mean.copy(), covariance.copy()
    for worse, better in ordered:
        direction = covariance[better] - covariance[worse]
        variance = float(direction[better] - direction[worse])
        if variance <= 0:
            continue
        spread = variance**0.5
        z = float(mean[better] - mean[worse]) / spread
        whole = DOUBT + (1 - 2 * DOUBT) * float(norm.cdf(z))
        pull = (1 - 2 * DOUBT) * float(norm.pdf(z)) / whole
        mean += direction * pull / spread
        covariance -= np.outer(direction, direction) * pull * (pull + z) / variance
    return mean, covariance
