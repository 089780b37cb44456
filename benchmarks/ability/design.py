"""The linear model of the observations: which unknowns each one is a sum of, subject by subject."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.ability.effects import Array, Cell, Subject
from benchmarks.ability.scores import Observation

Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The observations of one subject, whose noise is correlated: ``rows`` of all observations, ``columns`` unknowns.

    ``evaluators`` and ``groups`` tell (one column each) which observations share an evaluator or a group of benchmarks;
    ``own`` which of the evaluators are the makers themselves.
    """

    subject: Subject
    rows: Index
    columns: Index
    matrix: Array
    evaluators: Array
    own: NDArray[np.bool_]
    groups: Array


class Design:
    """The unknowns, in this order: cells, benchmark difficulties, items, harnesses, the makers' bias.

    An observation is (in latent units) the mix of cells that its benchmark loads on, minus the benchmark's difficulty,
    minus what its item deviates by, plus what its harness and self-reporting add.
    """

    def __init__(self, observations: Sequence[Observation]) -> None:
        """Number the unknowns and lay out the blocks."""
        self.observations = tuple(observations)
        self.cells: tuple[Cell, ...] = tuple(
            sorted({(o.checkpoint, o.setting, k) for o in observations for k, _ in o.loadings})
        )
        self.benchmarks = tuple(sorted({o.benchmark for o in observations}))
        self.kinds = {o.benchmark: o.kind for o in observations}
        used = Counter(o.item for o in observations)
        harnesses = defaultdict(set)
        for o in observations:
            harnesses[o.benchmark].add(o.item)
        self.items = tuple(sorted(i for i, n in used.items() if n > 1 and len(harnesses[i[0]]) > 1))
        self.lone_item = np.array([used[o.item] == 1 and len(harnesses[o.benchmark]) > 1 for o in observations])
        self.origins = tuple(sorted({o.origin for o in observations}))
        sizes = (len(self.cells), len(self.benchmarks), len(self.items), len(self.origins), 1)
        self.starts = tuple(np.cumsum((0, *sizes)).tolist())
        self.size = self.starts[-1]
        self.column = {
            **{c: i for i, c in enumerate(self.cells)},
            **{("benchmark", b): self.starts[1] + i for i, b in enumerate(self.benchmarks)},
            **{("item", i): self.starts[2] + n for n, i in enumerate(self.items)},
            **{("origin", o): self.starts[3] + n for n, o in enumerate(self.origins)},
            ("maker",): self.starts[4],
        }
        self.benchmark = np.array([self.column["benchmark", o.benchmark] - self.starts[1] for o in observations])
        self.value = np.array([o.value for o in observations])
        self.sampling = np.array([o.variance for o in observations])
        self.copies = np.array([float(o.copies) for o in observations])
        by_subject = defaultdict(list)
        for row, o in enumerate(observations):
            by_subject[o.checkpoint, o.setting].append(row)
        self.blocks = tuple(self._block(subject, rows) for subject, rows in sorted(by_subject.items()))

    def coefficients(self, seen: Observation) -> dict[int, float]:
        """The unknowns of an observation, by column. What was never seen (a new benchmark) is left out."""
        wanted: list[tuple[Hashable, float]] = [((seen.checkpoint, seen.setting, k), w) for k, w in seen.loadings]
        wanted += [(("benchmark", seen.benchmark), -1.0), (("item", seen.item), -1.0), (("origin", seen.origin), 1.0)]
        if not seen.independent:
            wanted.append((("maker",), 1.0))
        return {self.column[key]: weight for key, weight in wanted if key in self.column}

    def _block(self, subject: Subject, rows: list[int]) -> Block:
        seen = [self.observations[row] for row in rows]
        terms = [self.coefficients(o) for o in seen]
        columns = sorted({column for each in terms for column in each})
        place = {column: i for i, column in enumerate(columns)}
        matrix = np.zeros((len(rows), len(columns)))
        for i, each in enumerate(terms):
            for column, weight in each.items():
                matrix[i, place[column]] = weight
        evaluators = list(dict.fromkeys(o.evaluator for o in seen))
        own = {o.evaluator: not o.independent for o in seen}
        return Block(
            subject=subject,
            rows=np.array(rows),
            columns=np.array(columns),
            matrix=matrix,
            evaluators=_indicator([evaluators.index(o.evaluator) for o in seen]),
            own=np.array([own[e] for e in evaluators]),
            groups=_indicator(_numbers([o.group for o in seen])),
        )


def _numbers(names: Sequence[str]) -> list[int]:
    known: dict[str, int] = {}
    return [known.setdefault(name, len(known)) for name in names]


def _indicator(numbers: Sequence[int]) -> Array:
    return np.asarray(np.eye(max(numbers) + 1)[list(numbers)])
