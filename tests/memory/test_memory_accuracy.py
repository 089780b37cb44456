"""Every carried measurement against the prediction, each part within its bar."""

from __future__ import annotations

from collections import defaultdict

import pytest

from benchmarks.memory_rows import Result, buffers, laboratory, published
from qwen_advisor.catalog import load_catalog
from qwen_advisor.units import MIB

# part -> (median, share of rows, error that this share must keep): the bars of the project.
BARS = {
    "KV cache and state": (0.0, 1.0, 0.0),
    "compute buffer, CPU": (0.0, 1.0, 0.0),
    "compute buffer, 1 device": (0.0, 1.0, 0.0),
    "compute buffer, 2 devices": (0.01, 1.0, 0.05),
    "compute buffer, experts on host": (0.001, 1.0, 0.001),
    "compute buffer, layers on host": (0.01, 0.95, 0.05),
    "resident memory, library process": (0.01, 1.0, 0.03),
    "resident memory, server": (0.01, 1.0, 0.03),
    "KV cache in logs": (0.0005, 1.0, 0.0005),
    "recurrent state in logs": (0.0005, 1.0, 0.0005),
    "weights per GPU": (0.05, 0.9, 0.12),
    "peak memory": (0.05, 0.9, 0.12),
    "GPU memory of the makers' tables, Qwen3, kept afterwards": (0.05, 0.9, 0.12),
    "GPU memory of the makers' tables, Qwen2.5": (0.05, 0.9, 0.12),
    "GPU memory of the makers' tables, before Transformers 4.45": (0.05, 0.75, 0.12),
}


@pytest.fixture(scope="module")
def results() -> dict[str, list[Result]]:
    catalog = load_catalog()
    groups = defaultdict(list)
    for result in (*buffers(catalog), *laboratory(catalog), *published(catalog)):
        if isinstance(result, Result):
            groups[result.part].append(result)
    return groups


@pytest.mark.parametrize("part", BARS)
def test_part_keeps_its_bar(results: dict[str, list[Result]], part: str) -> None:
    middle, share, bound = BARS[part]
    errors = sorted(abs(result.error) for result in results[part])
    kept = [result for result in results[part] if abs(result.error) <= bound or _small_buffer(result)]
    assert errors[len(errors) // 2] <= middle
    assert len(kept) >= share * len(errors), sorted(results[part], key=lambda one: -abs(one.error))[:5]


def _small_buffer(result: Result) -> bool:
    return result.part.startswith("compute buffer, layers") and abs(result.predicted - result.measured) <= 20 * MIB
