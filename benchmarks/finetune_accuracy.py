"""How well the memory of fine-tuning is told: ``python -m benchmarks.finetune_accuracy [--rows FILE] [--write]``.

Prints median, 90th percentile and share within a fifth by source, method and sharding, and the worst rows. Rows are
those of ``benchmarks/data/finetune_memory.csv``, or of another file with the same columns. ``--write`` renews
``docs/reference/finetune-accuracy.md``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.finetune_rows import ROWS, Row, SpeedRow, read, read_speed
from qwen_advisor.catalog import load_catalog
from qwen_advisor.units import GIB

_PAGE = Path(__file__).parents[1] / "docs" / "reference" / "finetune-accuracy.md"
_WORST = 12

_HEAD = """# Accuracy of fine-tuning memory

<!-- Written by `python -m benchmarks.finetune_accuracy --write`; do not edit. -->

Every row of `benchmarks/data/finetune_memory.csv` that can be judged, against the project's prediction; errors are
relative. What is predicted is a sum of parts with a formula each (see [fine-tune a model](../howto/fine-tune.md));
the activations of a layer are held to what autograd keeps by `tests/heavy/test_training_activations.py`.

Four numbers are measured and not derived: what the allocator holds beyond what it has handed out (of what stands,
and of what comes and goes, by whether lengths vary), and the CUDA context. They stand in `catalog/training.yaml`.

- **Lengths stated**: the source says how long its sequences really are, or packs them. This is the judgement.
- **Lengths not stated**: comments in ms-swift's example scripts, whose data sets are mostly shorter than the
  `--max_length` that they set. They are taken for 1,024 tokens at the longest and 384 usually.
- Sources that print GB or G mean 2^30 bytes, as their tools divide. Rounded comments ("80GiB" on an 80 GB card) are
  judged as they stand.
- Software of earlier years is reckoned as it was: AdamW that takes copies while it steps, logits in other widths,
  kernels that were all loaded at the start. `benchmarks/finetune_rows.py` says so row by row.

"""


def main() -> None:
    """Print the tables, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=Path, default=ROWS, help="a file with the same columns")
    parser.add_argument("--write", action="store_true", help="renew the page")
    asked = parser.parse_args()
    catalog = load_catalog()
    rows, skipped = read(catalog, asked.rows)
    speeds = read_speed(catalog, asked.rows)
    text = _HEAD + "\n".join(_body(rows, speeds, skipped)) + "\n"
    if asked.write:
        _PAGE.write_text(text, "utf-8")
    else:
        print(text)


def _body(rows: list[Row], speeds: list[SpeedRow], skipped: list[str]) -> Iterable[str]:
    stated = [row for row in rows if row.stated]
    others = [row for row in rows if not row.stated]
    yield "## Memory\n"
    yield from _table("rows", rows, lambda row: "lengths stated" if row.stated else "lengths not stated", total=True)
    yield "## Lengths stated, by source\n"
    yield from _table("source", stated, lambda row: row.source)
    yield "## Lengths stated, by method\n"
    yield from _table("method", stated, lambda row: row.run.method)
    yield from _table("sharding", stated, lambda row: row.run.sharding)
    yield "## Lengths not stated, by source\n"
    yield from _table("source", others, lambda row: row.source)
    yield f"## The {_WORST} worst rows with stated lengths\n"
    yield from _worst(stated)
    yield "## Speed\n"
    yield "Tokens per second of Qwen's table on A100, where every input has the same length.\n"
    yield from _speed(speeds)
    yield f"## Rows that are not judged\n\n{len(skipped)} rows:\n"
    reasons: dict[str, int] = {}
    for line in skipped:
        reason = line.partition(": ")[2]
        reasons[reason] = reasons.get(reason, 0) + 1
    yield from (f"- {count} × {reason}" for reason, count in sorted(reasons.items(), key=lambda item: -item[1]))


def _table(title: str, rows: list[Row], key: Callable[[Row], str], *, total: bool = False) -> Iterable[str]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    yield f"| {title} | rows | median error | 90th percentile | within 20 % | bias |"
    yield "|---|---:|---:|---:|---:|---:|"
    for label, found in groups.items():
        yield _line(label, [row.error for row in found])
    if total:
        yield _line("all", [row.error for row in rows])
    yield ""


def _line(label: str, errors: list[float]) -> str:
    sizes = sorted(map(abs, errors))
    within = sum(size <= 0.2 for size in sizes) / len(sizes)
    bias = sorted(errors)[len(errors) // 2]
    tail = sizes[min(len(sizes) - 1, int(0.9 * len(sizes)))]
    return f"| {label} | {len(sizes)} | {sizes[len(sizes) // 2]:.1%} | {tail:.1%} | {within:.0%} | {bias:+.1%} |"


def _worst(rows: list[Row]) -> Iterable[str]:
    yield "| source | row | measured GiB | predicted GiB | error |"
    yield "|---|---|---:|---:|---:|"
    for row in sorted(rows, key=lambda row: -abs(row.error))[:_WORST]:
        yield (
            f"| {row.source} | {row.what} | {row.measured / GIB:.1f} | {row.predicted / GIB:.1f} | {row.error:+.0%} |"
        )
    yield ""


def _speed(speeds: list[SpeedRow]) -> Iterable[str]:
    yield "| method | rows | median error | within the range | bias |"
    yield "|---|---:|---:|---:|---:|"
    groups: dict[str, list[SpeedRow]] = {}
    for row in speeds:
        groups.setdefault(row.source, []).append(row)
    for label, found in groups.items():
        errors = [row.expected / row.measured - 1 for row in found]
        middle = sorted(map(abs, errors))[len(errors) // 2]
        inside = sum(row.low <= row.measured <= row.high for row in found) / len(found)
        yield f"| {label} | {len(found)} | {middle:.0%} | {inside:.0%} | {sorted(errors)[len(errors) // 2]:+.0%} |"
    yield ""


if __name__ == "__main__":
    main()
