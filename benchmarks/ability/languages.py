"""How far a checkpoint departs from its multilingual ability in one language.

Benchmarks in one language are read as multilingual ones by the fit; here their residuals are looked at again. What two
evaluators find in common for one checkpoint in one language, beyond what they find in common for different languages,
is the variance of such departures; it is small beside the noise of one board, so departures are drawn far to zero.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from benchmarks.ability.effects import Subject
from benchmarks.ability.latent import Solution
from benchmarks.ability.placing import MOST_EVIDENCE, Carrier, Placed, Unit, residuals
from benchmarks.ability.scores import Observation

PREFIX = "language-"
_LEAST = 0.002  # a variance below which languages would not differ at all

Rows = dict[Subject, dict[str, dict[str, tuple[float, Observation]]]]  # subject, group of benchmarks, language


def place_languages(solution: Solution, placed: list[Placed], unit: Unit) -> list[Placed]:
    """Abilities in single languages, for the checkpoints that were asked in them; ``unit`` is the multilingual one."""
    rows = _rows(solution)
    variance, noise = _variances(rows)
    multilingual = {(p.checkpoint, p.setting): p for p in placed if p.scale == "multilingual"}
    found = []
    for subject, groups in rows.items():
        base = multilingual.get(subject)
        if base is None or subject[1] == "base":
            continue
        by_language: dict[str, list[tuple[float, Observation]]] = defaultdict(list)
        for languages in groups.values():
            mean = sum(r for r, _ in languages.values()) / len(languages)
            for language, (residual, seen) in languages.items():
                by_language[language].append((residual - mean, seen))
        for language, each in by_language.items():
            share = variance / (variance + noise / len(each))
            departure = share * sum(r for r, _ in each) / len(each)
            left = unit.slope**2 * variance * (1 - share)
            found.append(
                replace(
                    base,
                    scale=PREFIX + language,
                    value=base.value + unit.slope * departure,
                    error=float(np.sqrt(base.error**2 + left)),
                    spread=float(np.sqrt(base.spread**2 + left)),
                    published=True,
                    carriers=tuple(_carrier(seen, share / len(each)) for _, seen in each)[:MOST_EVIDENCE],
                )
            )
    return sorted(found, key=lambda p: (p.scale, p.checkpoint, p.setting))


def _carrier(seen: Observation, weight: float) -> Carrier:
    return Carrier(
        benchmark=seen.benchmark,
        score=seen.score,
        source=seen.source,
        independent=seen.independent,
        weight=weight,
    )


def _rows(solution: Solution) -> Rows:
    rows: Rows = defaultdict(lambda: defaultdict(dict))
    for residual, seen in zip(residuals(solution), solution.design.observations, strict=True):
        if seen.language is not None:
            rows[seen.checkpoint, seen.setting][seen.group][seen.language] = (float(residual), seen)
    return rows


def _variances(rows: Rows) -> tuple[float, float]:
    """The variance of departures in a language, and that of one board's noise about them."""
    same, other, every = [], [], []
    for groups in rows.values():
        tables = list(groups.values())
        for languages in tables:
            mean = sum(r for r, _ in languages.values()) / len(languages)
            every += [(r - mean) ** 2 for r, _ in languages.values()]
        for i, left in enumerate(tables):
            for right in tables[i + 1 :]:
                for a, (x, _) in left.items():
                    for b, (y, _) in right.items():
                        (same if a == b else other).append(x * y)
    variance = max(_LEAST, float(np.mean(same) - np.mean(other)))
    return variance, max(_LEAST, float(np.mean(every)) - variance)
