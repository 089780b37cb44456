"""From latent cells to the catalogue's abilities: units, origins, errors and the scores that carry each."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.ability.checkpoints import SCALES, Checkpoint
from benchmarks.ability.effects import Array, Cell
from benchmarks.ability.latent import TAILS, Solution
from benchmarks.ability.order import constrain, pairs

MOST_EVIDENCE = 4
_CARRIES = 0.3  # a benchmark that loads less than this on a scale is no score of it
_REFERENCE = 0.5  # a benchmark that loads this much on a scale helps to set its unit and origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Unit and origin of a scale, and what a new board adds to the error.

    An ability is ``slope x (latent - difficulty)``: the logit of the share solved on the scale's average benchmark.
    ``transfer`` is the variance, in the scale's unit, with which one evaluator's board departs from the abilities.
    """

    slope: float
    weights: Mapping[str, float]  # of the benchmarks whose mean difficulty is the origin
    transfer: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """One score that carries an ability, with its share of the information."""

    benchmark: str
    score: float
    source: str
    independent: bool
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An ability, as it goes into the catalogue; ``spread`` is its error without what a new board adds."""

    checkpoint: str
    setting: str
    scale: str
    value: float
    error: float
    spread: float
    published: bool
    carriers: tuple[Carrier, ...]


def cells_of(checkpoints: Mapping[str, Checkpoint], scale: str) -> list[Cell]:
    """Every checkpoint and setting that has a place on the scale."""
    return [(c.id, t, scale) for c in checkpoints.values() if scale in c.scales for t in c.settings]


def units(solution: Solution) -> dict[str, Unit]:
    """The units of all scales. Ratings and ranks have no origin that others share, so they set none."""
    design = solution.design
    totals: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    departures: dict[str, list[tuple[float, float]]] = defaultdict(list)
    parameters = solution.parameters
    shared = parameters.variances.evaluator + parameters.variances.group
    noise = parameters.noise[design.benchmark] * (shared + TAILS / (TAILS - 2))
    for row, seen in enumerate(design.observations):
        for scale, loading in seen.loadings:
            if loading >= _REFERENCE and seen.kind == "share":
                totals[scale][design.benchmark[row]] += loading / seen.copies
            if loading >= _REFERENCE and (seen.independent or not _has_independent(design.observations, scale)):
                slope = parameters.slopes[design.benchmark[row]]
                departures[scale].append((float(noise[row]) / slope**2, 1.0))
    found = {}
    for scale, weights in totals.items():
        whole = sum(weights.values())
        slope = sum(w * float(parameters.slopes[b]) for b, w in weights.items()) / whole
        departure = float(np.median([d for d, _ in departures[scale]]))
        found[scale] = Unit(
            slope=slope,
            weights={design.benchmarks[b]: w / whole for b, w in weights.items()},
            transfer=slope**2 * departure,
        )
    return found


def _has_independent(observations: Sequence, scale: str) -> bool:
    return any(o.independent and any(k == scale and w >= _REFERENCE for k, w in o.loadings) for o in observations)


def place(solution: Solution) -> list[Placed]:
    """All abilities, ordered by scale, checkpoint and setting."""
    known = units(solution)
    gains = _gains(solution)
    found = []
    for scale in SCALES:
        unit = known[scale]
        cells = cells_of(solution.checkpoints, scale)
        values, covariance = in_units(solution, cells, unit)
        values, covariance = constrain(values, covariance, pairs(solution.checkpoints, cells))
        spread = np.sqrt(np.maximum(np.diag(covariance), 0))
        for cell, value, sd in zip(cells, values, spread, strict=True):
            carriers = _carriers(solution, gains, cell)
            found.append(
                Placed(
                    checkpoint=cell[0],
                    setting=cell[1],
                    scale=scale,
                    value=float(value),
                    error=float(np.sqrt(sd**2 + unit.transfer)),
                    spread=float(sd),
                    published=bool(carriers),
                    carriers=carriers[:MOST_EVIDENCE],
                )
            )
    return found


def in_units(solution: Solution, cells: Sequence[Cell], unit: Unit) -> tuple[Array, Array]:
    """Values of cells in a scale's unit, and their covariance."""
    design = solution.design
    mean, covariance = solution.predict(cells)
    origin = np.zeros(design.size)
    for benchmark, weight in unit.weights.items():
        origin[design.column["benchmark", benchmark]] = weight
    contrast = np.hstack([np.eye(len(cells)), -np.tile(origin, (len(cells), 1))])
    values = mean - float(origin @ solution.mean)
    return unit.slope * values, unit.slope**2 * contrast @ covariance @ contrast.T


def residuals(solution: Solution) -> Array:
    """What the fit leaves of each observation, in latent units."""
    design = solution.design
    left = design.value / solution.parameters.slopes[design.benchmark]
    for block in design.blocks:
        left[block.rows] -= block.matrix @ solution.mean[block.columns]
    return np.asarray(left)


def _gains(solution: Solution) -> dict[tuple[str, str], tuple[Array, Array]]:
    """By subject: rows of its observations, and how a unit of each moves the unknowns that it is a sum of."""
    design = solution.design
    return {
        block.subject: (block.rows, block.matrix.T @ solution.parameters.noise_precision(design, block)[0])
        for block in design.blocks
    }


def _carriers(
    solution: Solution, gains: Mapping[tuple[str, str], tuple[Array, Array]], cell: Cell
) -> tuple[Carrier, ...]:
    design = solution.design
    if cell not in design.column:
        return ()
    rows, weighted = gains[cell[:2]]
    block = next(b for b in design.blocks if b.subject == cell[:2])
    gain = solution.covariance[design.column[cell], block.columns] @ weighted
    best: dict[str, Carrier] = {}
    for row, pull in zip(rows, gain, strict=True):
        seen = design.observations[row]
        loading = dict(seen.loadings).get(cell[2], 0.0)
        if loading < _CARRIES:
            continue
        weight = max(0.0, float(pull) * loading)
        name = re.sub(r" \((FC|Prompt) mode\)", "", seen.benchmark)
        if name not in best or best[name].weight < weight:
            best[name] = Carrier(
                benchmark=name,
                score=seen.score,
                source=seen.source,
                independent=seen.independent,
                weight=weight,
            )
    return tuple(sorted(best.values(), key=lambda c: (-c.weight, c.benchmark)))
