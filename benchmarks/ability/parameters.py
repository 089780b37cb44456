"""The parameters of the latent model that are searched for, and the noise that follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import scipy.linalg

from benchmarks.ability.design import Block, Design
from benchmarks.ability.effects import START, Array

_SLOPE = {"share": 1.0, "elo": 1.0, "rank": 0.6}  # prior mean; a rank is no logit
_FIRST_NOISE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Variances:
    """Every variance of the model, in latent units; those of the shared noise are relative to the benchmark's own."""

    effects: Mapping[tuple[str, str], float] = field(default_factory=lambda: dict(START))
    item: float = 0.015
    origin: float = 0.005
    maker: float = 0.1
    evaluator: float = 0.5
    own: float = 0.3
    group: float = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Variances, the slope and the noise of each benchmark (working scale), and how far each observation is trusted."""

    variances: Variances
    slopes: Array
    noise: Array
    weights: Array

    def own_noise(self, design: Design) -> Array:
        """The independent part of each observation's noise: a variance in latent units."""
        b = design.benchmark
        own = (self.noise[b] / self.weights + design.sampling) / self.slopes[b] ** 2
        return np.asarray(design.copies * own + self.variances.item * design.lone_item)

    def shared_noise(self, design: Design, block: Block) -> tuple[Array, Array]:
        """Indicators of evaluators and groups, in units of the benchmarks' noise."""
        b = design.benchmark[block.rows]
        spread = (np.sqrt(self.noise[b]) / self.slopes[b])[:, None]
        return block.evaluators * spread, block.groups * spread

    def noise_precision(self, design: Design, block: Block) -> tuple[Array, float]:
        """The inverse covariance of a subject's noise, and the logarithm of the covariance's determinant."""
        evaluators, groups = self.shared_noise(design, block)
        by_evaluator = np.where(block.own, self.variances.own, self.variances.evaluator)
        total = (evaluators * by_evaluator) @ evaluators.T + self.variances.group * groups @ groups.T
        total[np.diag_indices(len(total))] += self.own_noise(design)[block.rows]
        return inverse(total)


def first(design: Design) -> Parameters:
    """Where the search starts."""
    slopes = prior_slopes(design)
    return Parameters(
        variances=Variances(),
        slopes=slopes,
        noise=_FIRST_NOISE * slopes**2,
        weights=np.ones(len(design.value)),
    )


def prior_slopes(design: Design) -> Array:
    """What the slopes of the benchmarks are drawn to."""
    return np.array([_SLOPE[design.kinds[b]] for b in design.benchmarks])


def inverse(matrix: Array) -> tuple[Array, float]:
    """The inverse of a positive definite matrix and the logarithm of its determinant."""
    factor = scipy.linalg.cho_factor(matrix, lower=True)
    found = scipy.linalg.cho_solve(factor, np.eye(len(matrix)))
    return np.asarray(found), 2 * float(np.log(np.diag(factor[0])).sum())
