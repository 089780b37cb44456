"""The bars on published memory: see docs/reference/finetune-accuracy.md."""

from __future__ import annotations

import csv
from pathlib import Path

from benchmarks.finetune_rows import ROWS, read, read_speed
from qwen_advisor.facts import Catalog


def test_memory_is_told_within_the_bars(catalog: Catalog) -> None:
    """Half of the rows within a tenth, nine in ten within a fifth, where the source states the lengths."""
    rows, _ = read(catalog)
    errors = sorted(abs(row.error) for row in rows if row.stated)
    assert len(errors) > 120
    assert errors[len(errors) // 2] <= 0.1
    assert sum(error <= 0.2 for error in errors) >= 0.9 * len(errors)
    assert sorted(abs(row.error) for row in rows)[len(rows) // 2] <= 0.1


def test_every_row_is_judged_or_says_why_not(catalog: Catalog) -> None:
    rows, skipped = read(catalog)
    with ROWS.open(encoding="utf-8", newline="") as stream:
        assert len(rows) + len(skipped) == len(list(csv.DictReader(stream)))


def test_another_file_with_the_same_columns_can_be_judged(catalog: Catalog, tmp_path: Path) -> None:
    with ROWS.open(encoding="utf-8", newline="") as stream:
        table = csv.DictReader(stream)
        record = next(row for row in table if row["method"] == "LoRA" and row["model"] == "Qwen-14B")
    path = tmp_path / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(record))
        writer.writeheader()
        writer.writerow(record)
    rows, skipped = read(catalog, path)
    assert (len(rows), skipped) == (1, [])


def test_the_range_of_speed_holds_most_of_the_table_on_one_card(catalog: Catalog) -> None:
    rows = [row for row in read_speed(catalog) if "multinode" not in row.source and "Zero3" not in row.source]
    inside = sum(row.low <= row.measured <= row.high for row in rows)
    assert inside >= 0.8 * len(rows)


def test_sources_can_be_opened() -> None:
    with ROWS.open(encoding="utf-8", newline="") as stream:
        for record in csv.DictReader(stream):
            assert record["source"].startswith(("https://", "http://")), record["source"]
            assert record["memory"] == "OOM" or float(record["memory"]) > 0
