"""Judging predictions: each row against efficiencies fitted without its device, or without its model there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Any

import numpy as np

from benchmarks.speed_fit.fit import Fitted, held_out, without_cells
from benchmarks.speed_fit.rows import Row
from benchmarks.speed_fit.writing import Documents
from qwen_advisor.plan import Rate
from qwen_advisor.speed import speed
from qwen_advisor.speed.efficiency import efficiency_of
from qwen_advisor.speed.predict import Prediction

_EIGHTY_PERCENT = 1.2816
# A range of a factor of two from end to end is the widest that the project allows itself on known hardware.
WIDEST = log(2.0) / (2 * _EIGHTY_PERCENT)
_NARROWEST = 0.08
_KNOWN_DEVICES = 2  # a class is known from this many devices, or from many rows of one
_KNOWN_ROWS = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """One row beside its prediction, in tokens per second as the row's source counts them."""

    row: Row
    predicted: float
    low: float
    high: float
    known: bool  # False: the class of hardware was known by specification only

    @property
    def error(self) -> float:
        """Relative error."""
        return self.predicted / self.row.tokens_per_second - 1.0

    @property
    def factor(self) -> float:
        """How many times too fast or too slow, at least 1."""
        ratio = self.predicted / self.row.tokens_per_second
        return max(ratio, 1.0 / ratio)

    @property
    def inside(self) -> bool:
        """Whether the measurement lies in the stated range."""
        return self.low <= self.row.tokens_per_second <= self.high


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the project and how the predictions stand to it."""

    name: str
    bound: float
    found: float
    at_least: bool = False

    @property
    def passes(self) -> bool:
        """Whether it is met."""
        return self.found >= self.bound if self.at_least else self.found <= self.bound


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything the page shows."""

    judged: tuple[Judged, ...]  # each device predicted without any of its rows
    documents: Documents
    bars: tuple[Bar, ...]
    new_models: tuple[Judged, ...]  # each model on a device predicted without its rows there
    new_models_bars: tuple[Bar, ...]

    @property
    def passes(self) -> bool:
        """Whether all bars are met, for new devices and for new models."""
        return all(bar.passes for bar in (*self.bars, *self.new_models_bars))


def predict(row: Row, documents: Mapping[str, Any]) -> tuple[float, Rate]:
    """The prediction in the row's own measure, and the range of its phase (relative to its expected value)."""
    rates = speed(
        row.architecture,
        row.footprint,
        row.settings,
        row.placement,
        row.machine,
        documents,
        format_kind=row.format.kind,
    )
    if row.measure == "decode":
        return rates.decode.expected, rates.decode
    assert row.architecture.text is not None  # noqa: S101  rows are of language models
    prediction = Prediction(
        row.architecture.text,
        row.footprint,
        row.settings,
        row.placement,
        row.machine,
        efficiency_of(documents, row.settings.engine, row.format.kind),
        row.format.kind,
    )
    if row.measure == "prefill":
        return row.prompt / prediction.prefill(row.depth, row.prompt).total, rates.prefill
    seconds = prediction.prefill(0, max(1, row.prompt)).total
    seconds += row.output * prediction.decode(row.prompt + row.output / 2).total
    counted = row.output + (row.prompt if row.measure == "total" else 0)
    wider = rates.decode if rates.decode.high / rates.decode.low > rates.prefill.high / rates.prefill.low else None
    return counted / seconds, wider or rates.prefill


def _judged(row: Row, documents: Mapping[str, Any], *, known: bool) -> Judged:
    predicted, rate = predict(row, documents)
    return Judged(
        row=row,
        predicted=predicted,
        low=predicted * rate.low / rate.expected,
        high=predicted * rate.high / rate.expected,
        known=known,
    )


def _phase(row: Row) -> str:
    return "prefill" if row.measure == "prefill" else "decode"


def _spreads(trials: Sequence[tuple[Row, float, bool]]) -> dict[tuple[str, str, str], float]:
    """Standard deviation of log(measured / predicted) by document, class and phase, each device counting alike.

    It is taken at the 80 % point, which is what the range is for, and drawn towards the engine's own figure where a
    class has few devices.
    """
    found: dict[tuple[str, str, str], float] = {}
    for phase in ("decode", "prefill"):
        for document in {row.document for row, _, _ in trials}:
            own = [(r, e) for r, e, k in trials if k and r.document == document and _phase(r) == phase]
            if not own:
                continue
            whole = _eighty(own)
            for family in {row.family for row, _ in own}:
                part = [(r, e) for r, e in own if r.family == family]
                devices = len({row.device for row, _ in part})
                spread = sqrt((devices * _eighty(part) ** 2 + 2 * whole**2) / (devices + 2))
                found[(document, family, phase)] = min(WIDEST, max(_NARROWEST, spread))
    return found


def _eighty(rows: Sequence[tuple[Row, float]]) -> float:
    counts: defaultdict[str, int] = defaultdict(int)
    for row, _ in rows:
        counts[row.device] += 1
    ordered = sorted((abs(error), counts[row.device] ** -0.5) for row, error in rows)
    total = sum(weight for _, weight in ordered)
    passed = 0.0
    for error, weight in ordered:
        passed += weight
        if passed >= 0.8 * total:
            return error / _EIGHTY_PERCENT
    return ordered[-1][0] / _EIGHTY_PERCENT


def finished(documents: Documents, spreads: Mapping[tuple[str, str, str], float]) -> Documents:
    """Documents with ranges, and with what counts as measured."""
    for name, document in documents.items():
        for family, rates in document.get("families", {}).items():
            if name == "hardware":
                continue
            decode, prefill = rates["decode"], rates["prefill"]
            rates["measured"] = decode["devices"] >= _KNOWN_DEVICES or decode["rows"] >= _KNOWN_ROWS
            for phase, figures in (("decode", decode), ("prefill", prefill)):
                unknown = documents["hardware"]["spread"]["roofline"]
                spread = spreads.get((name, family, phase), WIDEST) if _known(figures) else unknown
                figures["spread"] = round(spread, 3)
    return documents


def _known(figures: Mapping[str, Any]) -> bool:
    """Whether a phase of a class was measured often enough to speak of known hardware."""
    return bool(figures["devices"] >= _KNOWN_DEVICES or figures["rows"] >= _KNOWN_ROWS)


def judge(rows: Sequence[Row], fitted: Fitted) -> Verdict:
    """Cross-validate by device, take the ranges from that, and hold both against the bars."""
    trials: list[tuple[Row, Documents]] = []
    errors: list[tuple[Row, float, bool]] = []
    for _, own, documents in held_out(rows, fitted):
        finished(documents, {})
        for row in own:
            rates = documents[row.document]["families"][row.family]
            known = bool(rates["measured"]) and _known(rates[_phase(row)])
            predicted, _ = predict(row, documents)
            errors.append((row, log(row.tokens_per_second / predicted), known))
            trials.append((row, documents))
    spreads = _spreads(errors)
    judged: list[Judged] = []
    seen: set[int] = set()
    for (row, documents), (_, _, known) in zip(trials, errors, strict=True):
        if id(documents) not in seen:
            finished(documents, spreads)
            seen.add(id(documents))
        judged.append(_judged(row, documents, known=known))
    new_models = _new_models(rows, spreads)
    documents = finished(fitted.documents(), spreads)
    return Verdict(tuple(judged), documents, _bars(judged), tuple(new_models), _bars(new_models))


def _new_models(rows: Sequence[Row], spreads: Mapping[tuple[str, str, str], float]) -> list[Judged]:
    """Every row predicted without the rows of its model on its device, in the ranges that are shipped."""
    judged: list[Judged] = []
    for own, documents in without_cells(rows):
        finished(documents, spreads)
        for row in own:
            rates = documents.get(row.document, {}).get("families", {}).get(row.family)
            if rates is not None:
                known = bool(rates["measured"]) and _known(rates[_phase(row)])
                judged.append(_judged(row, documents, known=known))
    return judged


def quantile(values: Iterable[float], share: float) -> float:
    """A quantile of values, 0 where there are none."""
    ordered = list(values)
    return float(np.quantile(ordered, share)) if ordered else 0.0


def _bars(judged: Sequence[Judged]) -> tuple[Bar, ...]:
    def pick(chosen: Callable[[Judged], bool]) -> list[Judged]:
        return [item for item in judged if item.row.own and chosen(item)]

    decode = pick(lambda item: item.row.measure == "decode")
    prefill = pick(lambda item: item.row.measure == "prefill")
    known = pick(lambda item: item.known)
    inside = sum(item.inside for item in known) / max(1, len(known))
    width = max((item.high / item.low for item in known), default=1.0)
    return (
        Bar("decode: median error", 0.20, quantile((abs(item.error) for item in decode), 0.5)),
        Bar("decode: nine in ten within a factor of", 1.6, quantile((item.factor for item in decode), 0.9)),
        Bar("prefill: median error", 0.30, quantile((abs(item.error) for item in prefill), 0.5)),
        Bar("measurements inside the stated range, known hardware", 0.80, inside, at_least=True),
        Bar("widest range on known hardware, high over low", 2.0 + 1e-9, width),
    )


def width(spread: float) -> float:
    """High over low of the 80 % interval."""
    return exp(2 * _EIGHTY_PERCENT * spread)
