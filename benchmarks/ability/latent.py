"""Fits the latent abilities: a Gaussian model in closed form, its variances and slopes by expectation maximization.

For observation i of subject s on benchmark b, with x the mix of cells that b loads on::

    value_i = a_b (x + origin + maker - difficulty_b - item) + noise,

where the noise has a part of its own with Student's t tails (a broken run does not drag a model), a part that the
benchmarks of a group share, a part that an evaluator's benchmarks share, and the sampling error of the questions.
Given slopes and variances everything is normal and one linear solve gives the posterior of all unknowns together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.ability import effects
from benchmarks.ability.checkpoints import Checkpoint
from benchmarks.ability.design import Block, Design
from benchmarks.ability.effects import PATTERNS, START, Array, Cell
from benchmarks.ability.parameters import Parameters, Variances, first, inverse, prior_slopes
from benchmarks.ability.scores import Observation

ITERATIONS = 14
TAILS = 4.0  # degrees of freedom of Student's t
_DIFFICULTY = {"share": 25.0, "rank": 25.0, "elo": 400.0}  # prior variance; ratings have no common origin
_SLOPE_SPREAD = 0.35  # prior standard deviation of a slope, as a share of its mean
_LEAST_SLOPE = 0.15
_PSEUDO = 4.0  # benchmarks with few scores borrow their noise from the others, as if by so many scores
_JITTER = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """The posterior of all unknowns: ``mean`` and ``covariance`` by the design's columns."""

    checkpoints: Mapping[str, Checkpoint]
    design: Design
    parameters: Parameters
    mean: Array
    covariance: Array
    precision: Array  # of the cells, before the scores
    likelihood: float

    def predict(self, cells: Sequence[Cell]) -> tuple[Array, Array]:
        """Posterior means of any cells, and the covariance of ``[cells, unknowns of the design]``."""
        known = self.design.cells
        count = len(known)
        variances = self.parameters.variances.effects
        cross = effects.covariance(variances, self.checkpoints, cells, known)
        prior = effects.covariance(variances, self.checkpoints, cells, cells)
        gain = cross @ self.precision
        with_unknowns = gain @ self.covariance[:count]
        own = prior - gain @ cross.T + with_unknowns[:, :count] @ gain.T
        total = np.block([[own, with_unknowns], [with_unknowns.T, self.covariance]])
        return gain @ self.mean[:count], total


def fit(
    checkpoints: Mapping[str, Checkpoint], observations: Sequence[Observation], *, iterations: int = ITERATIONS
) -> Solution:
    """Fit the model to the observations; the same input gives the same output."""
    state = _Fit(checkpoints, Design(observations))
    for _ in range(iterations):
        state.step()
    return state.solve()


class _Fit:
    """The search: `solve` given the parameters, then better ones in `step`."""

    def __init__(self, checkpoints: Mapping[str, Checkpoint], design: Design) -> None:
        self.checkpoints, self.design = checkpoints, design
        subjects = [block.subject for block in design.blocks]
        places = {s: i for i, s in enumerate(subjects)}
        scales = sorted({cell[2] for cell in design.cells})
        self.subject = np.array([places[cell[:2]] for cell in design.cells])
        self.scale = np.array([scales.index(cell[2]) for cell in design.cells])
        self.kernels = effects.subject_kernels(checkpoints, subjects, subjects)
        self.patterns = effects.scale_patterns(scales, scales)
        self.parameters = first(design)

    def step(self) -> None:
        """One round of expectation maximization."""
        solution = self.solve()
        residuals, projections = self._residuals(solution)
        shared = self._shared(solution, residuals, projections)
        noise, weights = self._noise(residuals, projections)
        self.parameters = Parameters(
            variances=replace(self.parameters.variances, effects=self._effects(solution), **shared),
            slopes=self._slopes(solution, noise, weights),
            noise=noise,
            weights=weights,
        )

    def solve(self) -> Solution:
        """The posterior, given the parameters."""
        design, count = self.design, len(self.design.cells)
        prior_precision, log_prior = inverse(self._prior())
        precision = np.zeros((design.size, design.size))
        precision[:count, :count] = prior_precision
        rest = self._rest()
        precision[np.arange(count, design.size), np.arange(count, design.size)] = 1 / rest
        response = np.zeros(design.size)
        value = design.value / self.parameters.slopes[design.benchmark]
        quadratic = log_noise = 0.0
        for block in design.blocks:
            weight, log_block = self.parameters.noise_precision(design, block)
            scaled = block.matrix.T @ weight
            precision[np.ix_(block.columns, block.columns)] += scaled @ block.matrix
            response[block.columns] += scaled @ value[block.rows]
            quadratic += float(value[block.rows] @ weight @ value[block.rows])
            log_noise += log_block
        covariance, log_precision = inverse(precision)
        mean = covariance @ response
        quadratic -= float(response @ mean)
        logs = log_noise + log_precision + log_prior + float(np.log(rest).sum())
        return Solution(
            checkpoints=self.checkpoints,
            design=design,
            parameters=self.parameters,
            mean=mean,
            covariance=covariance,
            precision=prior_precision,
            likelihood=-0.5 * (quadratic + logs) - float(np.log(self.parameters.slopes[design.benchmark]).sum()),
        )

    def _prior(self) -> Array:
        count = len(self.design.cells)
        prior = np.zeros((count, count))
        for pattern in PATTERNS:
            own = effects.shared(self.parameters.variances.effects, self.kernels, pattern)
            among = self.patterns[pattern]
            prior += own[np.ix_(self.subject, self.subject)] * among[np.ix_(self.scale, self.scale)]
        prior[np.diag_indices(count)] += _JITTER
        return prior

    def _rest(self) -> Array:
        """Prior variances of all unknowns but the cells."""
        design, v = self.design, self.parameters.variances
        difficulty = np.array([_DIFFICULTY[design.kinds[b]] for b in design.benchmarks]) / self.parameters.slopes**2
        counts = (len(design.items), len(design.origins), 1)
        return np.concatenate([difficulty, np.repeat((v.item, v.origin, v.maker), counts)])

    def _residuals(self, solution: Solution) -> tuple[list[Array], list[Array]]:
        """By block: the residuals weighted by the noise's precision, and that precision as the unknowns leave it."""
        value = self.design.value / self.parameters.slopes[self.design.benchmark]
        residuals, projections = [], []
        for block in self.design.blocks:
            weight, _ = self.parameters.noise_precision(self.design, block)
            scaled = block.matrix.T @ weight
            inner = solution.covariance[np.ix_(block.columns, block.columns)]
            residuals.append(weight @ (value[block.rows] - block.matrix @ solution.mean[block.columns]))
            projections.append(weight - scaled.T @ inner @ scaled)
        return residuals, projections

    def _effects(self, solution: Solution) -> dict[tuple[str, str], float]:
        """Better variances of the cells' effects."""
        count, subjects = len(self.design.cells), len(self.design.blocks)
        precision = solution.precision
        left = precision - precision @ solution.covariance[:count, :count] @ precision
        table = np.zeros((subjects, len(self.patterns["scale"])))
        table[self.subject, self.scale] = precision @ solution.mean[:count]
        member = np.zeros((count, subjects))
        member[np.arange(count), self.subject] = 1
        among = {p: self.patterns[p][np.ix_(self.scale, self.scale)] for p in PATTERNS}
        traces = {p: member.T @ (left * among[p]) @ member for p in PATTERNS}
        forms = {p: table @ self.patterns[p] @ table.T for p in PATTERNS}

        def sums(effect: str, p: str) -> tuple[float, float]:
            kernel = self.kernels[effect]
            return float((forms[p] * kernel).sum()), float((traces[p] * kernel).sum())

        old = self.parameters.variances.effects
        return {key: _better(v, *sums(*key), START[key], 1) for key, v in old.items()}

    def _shared(self, solution: Solution, residuals: Sequence[Array], projections: Sequence[Array]) -> dict[str, float]:
        """Better variances of everything else but the benchmarks' own noise."""
        design, v, start = self.design, self.parameters.variances, Variances()
        form = dict.fromkeys(("evaluator", "own", "group"), 0.0)
        trace = dict(form)
        for block, residual, projection in zip(design.blocks, residuals, projections, strict=True):
            evaluators, groups = self.parameters.shared_noise(design, block)
            squares, traces = (evaluators.T @ residual) ** 2, ((projection @ evaluators) * evaluators).sum(0)
            for name, which in (("own", block.own), ("evaluator", ~block.own)):
                form[name] += float(squares[which].sum())
                trace[name] += float(traces[which].sum())
            form["group"] += float(((groups.T @ residual) ** 2).sum())
            trace["group"] += float(((projection @ groups) * groups).sum())
        for name, begin, end in (("item", *design.starts[2:4]), ("origin", *design.starts[3:5])):
            old = getattr(v, name)
            form[name] = float((solution.mean[begin:end] ** 2).sum()) / old**2
            trace[name] = float((old - np.diag(solution.covariance)[begin:end]).sum()) / old**2
        return {n: _better(getattr(v, n), form[n], trace[n], getattr(start, n), 2) for n in form}

    def _noise(self, residuals: Sequence[Array], projections: Sequence[Array]) -> tuple[Array, Array]:
        """Better noise of each benchmark, and how far each observation is trusted."""
        design, old = self.design, self.parameters
        own, squares = old.own_noise(design), np.zeros(len(design.value))
        for block, residual, projection in zip(design.blocks, residuals, projections, strict=True):
            part = own[block.rows]
            squares[block.rows] = (part * residual) ** 2 + part - part**2 * np.diag(projection)
        b = design.benchmark
        squares *= old.slopes[b] ** 2 / design.copies
        item = old.noise[b] / old.weights
        share = item / (item + design.sampling)
        deviation = share**2 * squares + item * (1 - share)
        count = np.bincount(b, 1 / design.copies)
        common = math.exp(float((count * np.log(old.noise)).sum() / count.sum()))
        total = np.bincount(b, old.weights * deviation / design.copies)
        noise = (total + _PSEUDO * common) / (count + _PSEUDO)
        return noise, (TAILS + 1) / (TAILS + deviation / noise[b])

    def _slopes(self, solution: Solution, noise: Array, weights: Array) -> Array:
        """Better slopes: each benchmark's values regressed on its latent values, drawn to the prior; half a step."""
        design, v = self.design, self.parameters.variances
        latent = np.zeros(len(design.value))
        for block in design.blocks:
            latent[block.rows] = block.matrix @ solution.mean[block.columns]
        own = noise[design.benchmark]
        weight = 1 / design.copies / (own / weights + design.sampling + (v.evaluator + v.group) * own)
        slopes = self.parameters.slopes.copy()
        for i, prior in enumerate(prior_slopes(design)):
            rows = np.flatnonzero(design.benchmark == i)
            w, x, y = weight[rows], latent[rows], design.value[rows]
            x, y = x - np.average(x, weights=w), y - np.average(y, weights=w)
            drawn = 1 / (_SLOPE_SPREAD * prior) ** 2
            slope = (float((w * x * y).sum()) + drawn * prior) / (float((w * x * x).sum()) + drawn)
            slopes[i] = 0.5 * slopes[i] + 0.5 * max(slope, _LEAST_SLOPE * prior)
        return slopes


def _better(old: float, form: float, trace: float, prior: float, count: int) -> float:
    """The MM step for a variance component, with a prior worth ``count`` effects (Zhou et al., arXiv:1509.07426)."""
    step = math.sqrt((form + count * prior / old**2) / (trace + count / old))
    return min(max(old * step, 1e-5), 20.0)


__all__ = ["ITERATIONS", "TAILS", "Block", "Solution", "fit"]
