"""Published scores as observations: a number on a logit-like scale, its sampling variance, and what it loads on."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from benchmarks.ability.checkpoints import Checkpoint

DATA = Path(__file__).parents[1] / "data"
FILES = ("scores_text.csv", "scores_multimodal.csv", "scores_independent.csv")
MAKER = "Qwen"  # the evaluator of what the makers report themselves

_LN10 = math.log(10)
_UNSTATED = 0.1  # variance added where a source does not say whether the model thought
_TOPS = (("0-100", 100.0), ("0-20", 20.0), ("1-10", 10.0), ("0-10", 10.0), ("1-5", 5.0), ("(0-1)", 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One score of one checkpoint in one setting.

    ``value`` is a logit of the share solved (chance taken off), a rating in logits, or a mean rank with its sign
    turned; ``variance`` is that of sampling the benchmark's questions. A figure that several reports of one evaluator
    reprint counts once: ``copies`` says how many observations share it.
    """

    checkpoint: str
    setting: str
    benchmark: str
    group: str
    evaluator: str
    report: str
    kind: str
    loadings: tuple[tuple[str, float], ...]
    value: float
    variance: float
    score: float
    source: str
    language: str | None = None
    copies: int = 1

    @property
    def independent(self) -> bool:
        """Whether somebody else than the makers measured it."""
        return self.evaluator != MAKER

    @property
    def origin(self) -> str:
        """The report of the makers, or the evaluator: one harness."""
        return self.report or self.evaluator

    @property
    def item(self) -> tuple[str, str]:
        """The benchmark as one harness runs it."""
        return (self.benchmark, self.origin)


class Benchmarks:
    """What each benchmark measures, from ``benchmarks.yaml``."""

    def __init__(self, path: Path = DATA / "benchmarks.yaml") -> None:
        """Read the table."""
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
        self._rules = [(re.compile(rule["match"]), rule) for rule in table["benchmarks"]]
        self._unused = [(re.compile(rule["match"]), rule["why"]) for rule in table["unused_settings"]]
        self._separate = re.compile(table["separate_settings"])
        self.languages: dict[str, str] = table["languages"]

    def rule(self, name: str) -> tuple[dict[str, Any], str | None]:
        """The rule of a benchmark, and the ISO code of the one language it is in, if it is.

        Raises:
            KeyError: no pattern matches the name.
        """
        for pattern, rule in self._rules:
            match = pattern.fullmatch(name)
            if match:
                language = next((text for text in match.groupdict().values() if text), None)
                return rule, None if language is None else self.languages[language]
        raise KeyError(name)

    def unused(self, setting: str) -> str | None:
        """Why a row with this setting is not used, or None."""
        return next((why for pattern, why in self._unused if pattern.search(setting)), None)

    def name(self, name: str, setting: str) -> str:
        """The benchmark's name, with the words of the setting that make another benchmark of it."""
        match = self._separate.search(setting)
        return f"{name} ({match[0].strip('()')})" if match else name


def read_scores(
    checkpoints: Mapping[str, Checkpoint], benchmarks: Benchmarks, directory: Path = DATA
) -> tuple[list[Observation], Counter[str]]:
    """All observations in a fixed order, and how many rows were left out for which reason."""
    left_out: Counter[str] = Counter()
    grouped: dict[tuple[Any, ...], list[Observation]] = defaultdict(list)
    for row in _rows(directory):
        checkpoint = checkpoints.get(row["checkpoint"])
        if checkpoint is None:
            left_out["not a checkpoint of the catalogue"] += 1
            continue
        rule, language = benchmarks.rule(row["benchmark"])
        why = benchmarks.unused(row["setting"]) or _unusable(row, rule, checkpoint)
        if why:
            left_out[why] += 1
            continue
        seen = _observation(row, rule, language, checkpoint, benchmarks.name(row["benchmark"], row["setting"]))
        top = _top(row["metric"], rule)
        grouped[(seen.checkpoint, seen.setting, seen.benchmark, seen.evaluator, seen.report, top)].append(seen)
    merged = [_mean(rows) for rows in grouped.values()]
    copies = Counter(map(_figure, merged))
    merged = [replace(seen, copies=copies[_figure(seen)]) for seen in merged]
    merged.sort(key=lambda o: (o.checkpoint, o.setting, o.benchmark, o.evaluator, o.report, o.value))
    return merged, left_out


def transform(score: float, metric: str, rule: Mapping[str, Any]) -> tuple[float, float]:
    """A score on its working scale, and the variance of sampling there.

    A share p of n questions, of which chance earns c, becomes the logit of q = (p - c) / (1 - c), kept half a question
    away from 0 and 1; by the delta method its variance is p (1 - p) / n / ((1 - c) q (1 - q))^2. A rating on Elo's
    scale is a logit already: 400 points are a factor of ten in the odds. A mean rank is used as it is, sign turned.
    """
    kind = rule.get("kind", "share")
    if kind == "elo":
        return score * _LN10 / 400, 0.02  # about 25 points of rating
    if kind == "rank":
        return -score, 0.01
    questions, chance = float(rule.get("questions", 500)), float(rule.get("chance", 0.0))
    share = score / _top(metric, rule)
    if rule.get("lower"):
        share = 1 - share
    edge = 0.5 / questions
    solved = min(max((share - chance) / (1 - chance), edge), 1 - edge)
    correct = chance + (1 - chance) * solved
    slope = (1 - chance) * solved * (1 - solved)
    return math.log(solved / (1 - solved)), correct * (1 - correct) / questions / slope**2


def _rows(directory: Path) -> Iterator[dict[str, str]]:
    for name in FILES:
        with (directory / name).open(newline="", encoding="utf-8") as stream:
            yield from csv.DictReader(stream)


def _unusable(row: Mapping[str, str], rule: Mapping[str, Any], checkpoint: Checkpoint) -> str | None:
    if rule["scales"] is None:
        return f"benchmark: {rule['why']}"
    if float(row["score"]) == 0 and checkpoint.context < rule.get("context", 0):
        return "scored 0 unasked: the prompts are longer than the context window"
    return None


def _observation(
    row: Mapping[str, str], rule: Mapping[str, Any], language: str | None, checkpoint: Checkpoint, name: str
) -> Observation:
    score = float(row["score"])
    value, variance = transform(score, row["metric"], rule)
    unstated = row["thinking"] == "unstated"
    return Observation(
        checkpoint=row["checkpoint"],
        setting=checkpoint.default if unstated else row["thinking"],
        benchmark=name,
        group=rule.get("group", row["benchmark"]),
        evaluator=row["evaluator"],
        report=row["report"],
        kind=rule.get("kind", "share"),
        loadings=tuple(rule["scales"].items()),
        value=value,
        variance=variance + _UNSTATED * unstated,
        score=score,
        source=row["source"],
        language=language,
    )


def _top(metric: str, rule: Mapping[str, Any]) -> float:
    if "top" in rule:
        return float(rule["top"])
    return next((top for words, top in _TOPS if words in metric), 100.0)


def _mean(rows: Sequence[Observation]) -> Observation:
    """Runs of one thing in one report: their mean, as exact as one of them."""
    count = len(rows)
    return replace(
        rows[0],
        value=sum(o.value for o in rows) / count,
        variance=sum(o.variance for o in rows) / count,
        score=sum(o.score for o in rows) / count,
    )


def _figure(seen: Observation) -> tuple[Any, ...]:
    return (seen.checkpoint, seen.setting, seen.benchmark, seen.evaluator, round(seen.value, 6))
