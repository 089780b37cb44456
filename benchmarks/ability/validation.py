"""Hides an evaluator whole, fits without it, and predicts its boards: order and error bars."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import kendalltau, spearmanr

from benchmarks.ability.checkpoints import Checkpoint
from benchmarks.ability.effects import Array
from benchmarks.ability.latent import Solution, fit
from benchmarks.ability.placing import Unit, units
from benchmarks.ability.scores import Observation

FEWEST = 8  # checkpoints below which an order says little
ITERATIONS = 5  # of the fits without one evaluator; the variances have settled by then to what order and errors need
_NINETY_FIVE = 1.96
_MAIN = 0.5  # a loading that makes a board one of its scale; below it for all scales, it is a board of many


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One benchmark of one hidden evaluator: how well its order was predicted, and by what else it could be."""

    evaluator: str
    benchmark: str
    topic: str
    checkpoints: int
    kendall: float
    spearman: float
    by_size: float  # Spearman of the logarithm of all parameters
    by_release: float  # of the day of release
    by_mean: float  # of the mean of all other scores, each board standardized
    inside: int  # abilities whose 95 % interval holds what the board says
    judged: int  # abilities held against the board


def validate(checkpoints: Mapping[str, Checkpoint], observations: Sequence[Observation]) -> list[Board]:
    """Every board of at least `FEWEST` checkpoints of every independent evaluator, predicted without that evaluator."""
    boards: dict[str, dict[str, list[Observation]]] = defaultdict(lambda: defaultdict(list))
    for seen in observations:
        if seen.independent and seen.language is None:
            boards[seen.evaluator][seen.benchmark].append(seen)
    found = []
    for evaluator in sorted(boards):
        large = {n: rows for n, rows in sorted(boards[evaluator].items()) if len(_best(rows)) >= FEWEST}
        if not large:
            continue
        rest = [seen for seen in observations if seen.evaluator != evaluator]
        solution = fit(checkpoints, rest, iterations=ITERATIONS)
        known = units(solution)
        means = _means(rest)
        found += [
            board
            for name, rows in large.items()
            if (board := _board(evaluator, name, _best(rows), solution, known, means)) is not None
        ]
    return found


def _best(rows: Sequence[Observation]) -> list[Observation]:
    """One observation for each checkpoint and setting: the last."""
    return list({(o.checkpoint, o.setting): o for o in rows}.values())


def _board(
    evaluator: str,
    name: str,
    rows: list[Observation],
    solution: Solution,
    known: Mapping[str, Unit],
    means: Mapping[tuple[str, str], float],
) -> Board | None:
    rows = [seen for seen in rows if seen.checkpoint in solution.checkpoints]
    if len(rows) < FEWEST:
        return None
    actual = np.array([seen.value for seen in rows])
    cells = sorted({(seen.checkpoint, seen.setting, scale) for seen in rows for scale, _ in seen.loadings})
    mixes = np.zeros((len(rows), len(cells)))
    for i, seen in enumerate(rows):
        for scale, weight in seen.loadings:
            mixes[i, cells.index((seen.checkpoint, seen.setting, scale))] = weight
    mean, covariance = solution.predict(cells)
    expected = mixes @ mean
    own = covariance[: len(cells), : len(cells)]
    departure = float(np.mean([_departure(known, scale) for scale, _ in rows[0].loadings]))
    error = np.sqrt(np.einsum("ij,jk,ik->i", mixes, own, mixes) + departure)
    inside = np.abs(_in_ability(actual, expected) - expected) <= _NINETY_FIVE * error
    chosen = [solution.checkpoints[seen.checkpoint] for seen in rows]
    return Board(
        evaluator=evaluator,
        benchmark=name,
        topic=_topic(rows[0]),
        checkpoints=len(rows),
        kendall=float(kendalltau(actual, expected).statistic),
        spearman=_spearman(actual, expected),
        by_size=_spearman(actual, np.array([c.total for c in chosen])),
        by_release=_spearman(actual, np.array([c.year for c in chosen])),
        by_mean=_spearman(actual, np.array([means.get((s.checkpoint, s.setting), 0.0) for s in rows])),
        inside=int(inside.sum()),
        judged=len(rows),
    )


def _departure(known: Mapping[str, Unit], scale: str) -> float:
    """Variance, in latent units, with which a board of this scale departs from the abilities."""
    unit = known.get(scale) or known["reasoning"]
    return unit.transfer / unit.slope**2


def _in_ability(actual: Array, expected: Array) -> Array:
    """A board's values on the scale of the abilities: same median and spread, as a board has a unit of its own."""
    spread = np.std(actual) or 1.0
    return np.asarray((actual - np.mean(actual)) / spread * np.std(expected) + np.mean(expected))


def _spearman(actual: Array, other: Array) -> float:
    return float(spearmanr(actual, other).statistic) if np.std(other) > 0 else 0.0


def _topic(seen: Observation) -> str:
    scale, weight = max(seen.loadings, key=lambda item: item[1])
    return scale if weight > _MAIN else "several"


def _means(observations: Sequence[Observation]) -> dict[tuple[str, str], float]:
    """The mean standardized score of each checkpoint and setting: what a table of averages would rank by."""
    by_benchmark: dict[str, list[Observation]] = defaultdict(list)
    for seen in observations:
        by_benchmark[seen.benchmark].append(seen)
    scores: dict[tuple[str, str], list[float]] = defaultdict(list)
    for rows in by_benchmark.values():
        values = np.array([o.value for o in rows])
        spread = float(np.std(values))
        if len(rows) > 2 and spread > 0:
            for seen, value in zip(rows, values, strict=True):
                scores[seen.checkpoint, seen.setting].append(float((value - values.mean()) / spread))
    return {key: float(np.mean(found)) for key, found in scores.items()}
