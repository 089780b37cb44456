"""Fit the efficiencies: ``python -m benchmarks.speed_fit.fit`` writes ``catalog/efficiency``.

Each engine's document has parameters for each class of hardware. A class is drawn towards the engine's other classes
where it has few rows, each kind of weights towards the class's others, and no parameter belongs to a row.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from benchmarks.speed_fit.model import Batch
from benchmarks.speed_fit.parameters import Parameters
from benchmarks.speed_fit.rows import Row
from benchmarks.speed_fit.writing import Documents, documents, hardware

Values = dict[str, float]  # parameter name -> logarithm
_OLD_BUILD_WEIGHT = 0.2
_UNTOLD = 0.02  # a value this near to where it was expected was told by no row
_ROBUST = 0.2  # residuals beyond this (22 %) count linearly, not squared


@dataclass(slots=True)
class Fitted:
    """Values of every parameter by document and family, and what they rest on."""

    values: dict[tuple[str, str], Values] = field(default_factory=dict)
    rows: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    crossing: dict[str, Values] = field(default_factory=dict)

    def documents(self) -> Documents:
        """The catalogue's documents, without ranges (those come of cross-validation)."""
        return documents(self.values, self.rows, self.crossing)


def _weights(rows: Sequence[Row]) -> NDArray[np.float64]:
    """Many rows of one model on one device say little more than a few: each cell counts as its rows to the 0.3."""
    cells = Counter((row.device, row.measure, row.model, row.format.name, row.settings.engine) for row in rows)
    raw = np.array(
        [cells[(row.device, row.measure, row.model, row.format.name, row.settings.engine)] ** -0.7 for row in rows]
    )
    raw *= np.array([1.0 if row.current else _OLD_BUILD_WEIGHT for row in rows])
    devices: defaultdict[str, float] = defaultdict(float)
    for row, weight in zip(rows, raw, strict=True):
        devices[row.device] += weight
    raw *= np.array([devices[row.device] ** -0.4 for row in rows])
    result: NDArray[np.float64] = raw * len(rows) / raw.sum()
    return result


def solve(rows: Sequence[Row], document: str, centres: Mapping[str, float] | None = None) -> Values:
    """Values of the parameters that the rows depend on."""
    parameters = Parameters(document, centres)
    batch = Batch(rows, parameters, hardware())
    parameters.place("crossing", "")
    expected, spread = np.array(parameters.expected), np.array(parameters.spread)
    weights = np.sqrt(_weights(rows))

    def residuals(values: NDArray[np.float64]) -> NDArray[np.float64]:
        error = batch.predicted(values) - batch.observed
        robust = np.sign(error) * _ROBUST * np.sqrt(2 * (np.sqrt(1 + (error / _ROBUST) ** 2) - 1))
        result: NDArray[np.float64] = np.concatenate([weights * robust / _ROBUST, (values - expected) / spread])
        return result

    found = least_squares(residuals, expected, method="trf", max_nfev=40, ftol=1e-4, xtol=1e-4).x
    absent = set(parameters.zero_places)
    return {name: float(found[place]) for place, name in enumerate(parameters.names) if place not in absent}


def _families(rows: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    found: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row.placement.mode != "hybrid":
            found[(row.document, row.family)].append(row)
    return dict(found)


def _centres(values: Mapping[tuple[str, str], Values], document: str, family: str) -> Values:
    """Where a class of an engine is expected: the median over the vendor's other classes, or else over all others."""
    gathered: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    nearer: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for (owner, other), found in values.items():
        if owner != document or other == "cpu":
            continue
        plain = Parameters(document)
        for name, value in found.items():
            role, *rest = name.split("/")
            if rest and rest[0] == other:
                kind = rest[1] if len(rest) > 1 else ""
                if abs(value - plain.expected[plain.place(role, other, kind)]) < _UNTOLD:
                    continue
                gathered[(role, kind)].append(value)
                if _vendor(other) == _vendor(family):
                    nearer[(role, kind)].append(value)
    return {"/".join(key): median(nearer.get(key, found)) for key, found in gathered.items()}


def _vendor(family: str) -> str:
    return family.split("-", maxsplit=1)[0]


class _Centred(dict[str, float]):
    """Centres by role and kind, looked up by a family's parameter names."""

    def __init__(self, centres: Mapping[str, float], family: str) -> None:
        super().__init__()
        for key, value in centres.items():
            role, kind = key.split("/")
            self["/".join(part for part in (role, family, kind) if part)] = value


def fit(rows: Sequence[Row]) -> Fitted:
    """Fit every class of every engine."""
    groups = _families(rows)
    first = {key: solve(found, key[0]) for key, found in groups.items()}
    fitted = Fitted(rows=groups)
    for (document, family), found in groups.items():
        fitted.values[(document, family)] = refit(found, document, family, first)
    for document in {row.document for row in rows if row.placement.mode == "hybrid"}:
        fitted.crossing[document] = _hybrid([r for r in rows if r.document == document], document, fitted)
    return fitted


def refit(rows: Sequence[Row], document: str, family: str, first: Mapping[tuple[str, str], Values]) -> Values:
    """Fit one class again, drawn towards what the engine's other classes say."""
    if family == "cpu" or not rows:
        return solve(rows, document) if rows else {}
    others = {key: value for key, value in first.items() if key != (document, family)}
    return solve(rows, document, _Centred(_centres(others, document, family), family))


def _hybrid(rows: Sequence[Row], document: str, fitted: Fitted) -> Values:
    """Links and crossings, from rows with weights on both sides; what both sides do alone is known by now."""
    split = [row for row in rows if row.placement.mode == "hybrid"]
    known: Values = {}
    for (owner, _), values in fitted.values.items():
        if owner == document:
            known |= values
    parameters = Parameters(document, known)
    batch = Batch(split, parameters, hardware())
    parameters.place("crossing", "")
    free = [i for i, name in enumerate(parameters.names) if name.startswith(("link/", "crossing"))]
    base = np.array(parameters.expected)
    expected, spread = base[free], np.array(parameters.spread)[free]
    weights = np.sqrt(_weights(split))

    def residuals(values: NDArray[np.float64]) -> NDArray[np.float64]:
        whole = base.copy()
        whole[free] = values
        error = batch.predicted(whole) - batch.observed
        robust = np.sign(error) * _ROBUST * np.sqrt(2 * (np.sqrt(1 + (error / _ROBUST) ** 2) - 1))
        result: NDArray[np.float64] = np.concatenate([weights * robust / _ROBUST, (values - expected) / spread])
        return result

    found = least_squares(residuals, expected, method="trf", max_nfev=40, ftol=1e-4, xtol=1e-4).x
    return {parameters.names[i]: float(value) for i, value in zip(free, found, strict=True)}


def without_cells(rows: Sequence[Row], folds: int = 5) -> Iterator[tuple[list[Row], Documents]]:
    """A fifth of the models of every device with their rows, and documents fitted without them, five times over."""
    fold_of = {row.cell: crc32("|".join(row.cell).encode()) % folds for row in rows}
    for fold in range(folds):
        own = [row for row in rows if fold_of[row.cell] == fold]
        yield own, fit([row for row in rows if fold_of[row.cell] != fold]).documents()


def held_out(rows: Sequence[Row], fitted: Fitted) -> Iterator[tuple[str, list[Row], Documents]]:
    """Each device with its rows, and documents fitted without any row of it."""
    first = {key: solve(found, key[0]) for key, found in fitted.rows.items()}
    for device in sorted({row.device for row in rows}):
        own = [row for row in rows if row.device == device]
        trial = Fitted(dict(fitted.values), dict(fitted.rows), dict(fitted.crossing))
        touched = {(row.document, row.family) for row in own if row.placement.mode != "hybrid"}
        rest = {key: [row for row in fitted.rows[key] if row.device != device] for key in touched}
        without = {key: value for key, value in first.items() if key not in touched}
        without |= {key: solve(found, key[0]) for key, found in rest.items() if found}
        for key in touched:
            trial.rows[key] = rest[key]
            trial.values[key] = refit(rest[key], *key, without)
            if not rest[key]:
                del trial.values[key], trial.rows[key]
        if any(row.placement.mode == "hybrid" for row in own):
            document = own[0].document
            others = [row for row in rows if row.device != device and row.document == document]
            trial.crossing[document] = _hybrid(others, document, trial)
        yield device, own, trial.documents()
