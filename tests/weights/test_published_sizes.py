"""All published sizes that the project carries: the shares that are told within the bars may not fall."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from qwen_advisor.facts import Catalog

Import = Callable[[str], ModuleType]


def test_published_files_and_repositories(catalog: Catalog, benchmark_module: Import) -> None:
    report = benchmark_module("benchmarks.weights_accuracy").measure(catalog)
    errors: dict[str, list[float]] = {}
    for result in report.results:
        errors.setdefault(result.kind, []).append(abs(result.error))

    def share(kind: str, bar: float) -> float:
        return sum(error <= bar for error in errors[kind]) / len(errors[kind])

    assert len(report.results) > 5_000
    assert report.uncovered.total() < 200
    assert share("plain mix", 0.0002) > 0.98
    assert share("publisher's mix", 0.03) > 0.985
    assert share("projector", 0.0002) > 0.985
    assert share("repository", 0.015) > 0.92


def test_what_misses_is_explained(catalog: Catalog, benchmark_module: Import) -> None:
    report = benchmark_module("benchmarks.weights_accuracy").measure(catalog)
    bars = {"plain mix": 0.0002, "publisher's mix": 0.03, "projector": 0.0002, "repository": 0.015}
    unexplained = [r.name for r in report.results if abs(r.error) > bars[r.kind] and not r.why]
    assert unexplained == []


def test_rounding_is_not_counted_as_an_error(benchmark_module: Import) -> None:
    rows = benchmark_module("benchmarks.weights_rows")
    assert rows.beyond_rounding(10.4e9, 10.0e9, 0.5e9) == 0
    assert rows.beyond_rounding(11.5e9, 10.0e9, 0.5e9) == 0.1
    assert rows.beyond_rounding(8.5e9, 10.0e9, 0.5e9) == -0.1
