"""How well sizes of weights are told: ``python -m benchmarks.weights_accuracy``.

Compares every carried row with the project's own counting, beyond what rounding of the published figure explains.
Rows that no rule covers are counted with the reason; none is left out silently.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.weights_publishers import Reading, explanation, reading, repository_reading
from benchmarks.weights_rows import FileRow, RepositoryRow, file_rows, repository_rows, type_rows
from qwen_advisor.catalog import load_catalog
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.footprint import Footprint
from qwen_advisor.quantization import Format
from qwen_advisor.weights import footprint


@dataclass(frozen=True, slots=True)
class Result:
    """A row with its prediction; ``error`` is relative, signed, and 0 within the rounding of the row."""

    kind: str  # "plain mix", "publisher's mix", "projector", "repository"
    format: str
    publisher: str
    name: str
    predicted: int
    published: float
    error: float
    to_the_byte: bool  # the published figure is not rounded
    why: str = ""


@dataclass(slots=True)
class Report:
    """Predictions of all rows, and how many rows are not covered, by reason."""

    results: list[Result]
    uncovered: Counter[str]


def _kind(read: Reading, fmt: Format) -> str:
    if read.projector:
        return "projector"
    return "publisher's mix" if fmt.publisher_mix else "plain mix"


def _bytes(row: FileRow, read: Reading, found: Footprint) -> int:
    if read.projector:
        return found.projector_bytes
    if row.counts == "tensors":
        return found.tensor_bytes
    return found.file_bytes + (found.projector_bytes if row.counts == "tag" else 0)


def _file(catalog: Catalog, row: FileRow) -> Result | str:
    architecture = catalog.architectures.get(row.architecture)
    read = reading(row, architecture)
    if isinstance(read, str):
        return read
    fmt = catalog.formats.get(read.format)
    if architecture is None or fmt is None or fmt.container != "gguf":
        return f"{row.quantization or 'an unnamed quantization'} is no GGUF mix of the catalogue"
    try:
        found = footprint(architecture, fmt, catalog.block_types, variant=read.variant)
    except UsageError as error:
        return str(error)
    predicted = _bytes(row, read, found)
    return Result(
        _kind(read, fmt),
        row.quantization if read.projector else read.format,
        row.publisher,
        f"{row.repository} {row.model} {row.quantization}",
        predicted,
        row.bytes,
        row.error(predicted),
        row.half_place == 0,
        explanation(row),
    )


def _repository(catalog: Catalog, row: RepositoryRow) -> Result | str:
    architecture = catalog.architectures.get(row.architecture)
    read = repository_reading(row)
    if isinstance(read, str):
        return read
    fmt = catalog.formats.get(read.format)
    if architecture is None or fmt is None:
        return "no architecture or format of the catalogue"
    predicted = footprint(architecture, fmt, catalog.block_types, variant=read.variant).file_bytes
    return Result(
        "repository",
        row.format,
        row.publisher,
        f"{row.repository} {row.format}",
        predicted,
        row.bytes,
        row.error(predicted),
        row.half_place == 0,
        explanation(row),
    )


def measure(catalog: Catalog) -> Report:
    """Predict every row of files and repositories."""
    report = Report([], Counter())
    tried = [_file(catalog, row) for row in file_rows()] + [_repository(catalog, row) for row in repository_rows()]
    for result in tried:
        if isinstance(result, Result):
            report.results.append(result)
        else:
            report.uncovered[result] += 1
    return report


def wrong_types(catalog: Catalog) -> tuple[int, int]:
    """How many architecture and mix pairs of llama-quantize's dry run were compared, and how many differ by a byte."""
    rows = type_rows()
    wrong = 0
    for row in rows:
        fmt = Format(name=row.mix, container="gguf", bits=0, kind="gguf-mix", mix=row.mix)
        found = footprint(catalog.architectures[row.architecture], fmt, catalog.block_types)
        wrong += found.tensor_bytes != row.tensor_bytes
    return len(rows), wrong


def _line(name: str, errors: list[float]) -> str:
    sizes = [abs(error) for error in errors]
    tenth = quantiles(sizes, n=10, method="inclusive")[-1] if len(sizes) > 1 else sizes[0]
    within = "".join(f"{sum(size <= limit for size in sizes) / len(sizes):>9.1%}" for limit in (0.0002, 0.015, 0.03))
    return f"{name:<28}{len(sizes):>6}{median(sizes):>10.3%}{tenth:>10.3%}{max(sizes):>10.3%}{within}"


_HEADER = f"{'':<28}{'rows':>6}{'median':>10}{'90th pct':>10}{'worst':>10}{'<=0.02%':>9}{'<=1.5%':>9}{'<=3%':>9}"


def _table(title: str, results: Iterable[Result], key: Callable[[Result], str]) -> None:
    groups: Mapping[str, list[float]] = defaultdict(list)
    for result in results:
        groups[key(result)].append(result.error)
    print(f"\n{title}\n{_HEADER}")
    for name in sorted(groups, key=lambda name: -len(groups[name])):
        print(_line(name, groups[name]))


def main() -> None:
    """Print the tables."""
    catalog = load_catalog()
    compared, wrong = wrong_types(catalog)
    print(f"tensor bytes of llama-quantize's dry runs: {compared - wrong} of {compared} exact to the byte")
    report = measure(catalog)
    print(f"errors beyond rounding, of {len(report.results)} rows")
    _table("by kind", report.results, lambda result: result.kind)
    exact = [result for result in report.results if result.to_the_byte]
    _table("by kind, published to the byte", exact, lambda result: result.kind)
    for kind in ("plain mix", "publisher's mix", "projector", "repository"):
        chosen = [result for result in report.results if result.kind == kind]
        _table(f"{kind}, by format", chosen, lambda result: result.format)
        _table(f"{kind}, by publisher", chosen, lambda result: result.publisher)
        print("\nfive worst")
        for result in sorted(chosen, key=lambda result: -abs(result.error))[:5]:
            told = f"{result.predicted / 1e9:.3f} GB for {result.published / 1e9:.3f}"
            print(f"  {result.error:+.2%} {result.name}: {told}; {result.why or 'unexplained'}")
    print(f"\nnot covered: {report.uncovered.total()} rows")
    for reason, count in report.uncovered.most_common():
        print(f"  {count:>4} {reason}")


if __name__ == "__main__":
    main()
