"""What ``bench`` keeps: lines that are only ever appended, and means over them."""

from __future__ import annotations

import csv
import io
import json
import statistics
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from qwen_advisor.bench.history import append, history_file, last

Call = Callable[..., Any]
SHORT = ("--prompt-tokens", "64", "--output-tokens", "16", "--runs", "2")
pytestmark = pytest.mark.usefixtures("here")


def test_grows_by_a_line_for_each_level_and_means_follow(fake: Any, call: Call) -> None:
    words = ("bench", "--url", fake.url, *SHORT, "--json")
    first = call(*words).json
    second = call(*words, "--concurrency", "1,2").json
    path = Path(second["history"]["file"])
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [(line["concurrency"], line["model"]) for line in lines] == [
        (1, "Qwen/Qwen3-0.6B"),
        (1, "Qwen/Qwen3-0.6B"),
        (2, "Qwen/Qwen3-0.6B"),
    ]
    assert [item["measurements"] for item in second["history"]["averages"]] == [2, 1]
    rates = [item["levels"][0]["throughput_tokens_per_second"] for item in (first, second)]
    mean = second["history"]["averages"][0]["throughput_tokens_per_second"]
    assert mean == pytest.approx(statistics.mean(rates), rel=1e-3)
    assert call(*words, "--last", "1").json["history"]["averages"][0]["measurements"] == 1
    assert "Mean of the last measurements alike" in call(*words[:-1]).out


def test_other_lengths_are_other_things(fake: Any, call: Call) -> None:
    call("bench", "--url", fake.url, *SHORT)
    document = call("bench", "--url", fake.url, *SHORT, "--output-tokens", "8", "--json").json
    assert document["history"]["averages"][0]["measurements"] == 1


def test_is_left_alone_when_asked(fake: Any, call: Call) -> None:
    assert call("bench", "--url", fake.url, *SHORT, "--no-keep", "--json").json["history"] is None
    assert not history_file().exists()


def test_is_shown_by_thing(fake: Any, call: Call, closed: Any) -> None:
    for _ in range(2):
        call("bench", "--url", fake.url, *SHORT, "--concurrency", "1,2")
    said = call("bench", "--history", "--json")
    jsonschema.validate(said.json, closed("bench-history-1"))
    assert [item["average"]["concurrency"] for item in said.json["measured"]] == [1, 2]
    assert [item["average"]["measurements"] for item in said.json["measured"]] == [2, 2]
    rows = list(csv.DictReader(io.StringIO(call("bench", "--history", "--format", "csv").out)))
    assert [(row["concurrency"], row["measurements"]) for row in rows] == [("1", "2"), ("2", "2")]
    assert rows[0]["model"] == "Qwen/Qwen3-0.6B"
    table = call("bench", "--history")
    assert table.out.startswith("Means of up to 10 measurements each\n")
    assert "Q4_K_M on" in table.out


def test_nothing_was_measured_yet(call: Call) -> None:
    assert call("bench", "--history").out.startswith("Nothing was measured yet\n")


def test_a_torn_line_costs_itself_alone(fake: Any, call: Call) -> None:
    call("bench", "--url", fake.url, *SHORT)
    path = history_file()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:50])
    document = call("bench", "--url", fake.url, *SHORT, "--json").json
    assert document["history"]["averages"][0]["measurements"] == 2
    assert path.read_bytes().startswith(whole + whole[:50] + b"\n{")


def test_rubbish_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "bench.jsonl"
    path.write_bytes(b"\xff\n[]\n{}\nnull\n" + b"[" * 70_000 + b'\n{"schema": "qwen-advisor/bench-entry/1"}\n')
    assert last(path, 10) == ()


def test_a_history_that_cannot_be_written_is_no_fault(fake: Any, call: Call) -> None:
    history_file().mkdir(parents=True)
    said = call("bench", "--url", fake.url, *SHORT, "--json")
    assert (said.code, said.json["history"]) == (0, None)
    assert "warning: the history was not kept" in said.err


def test_lines_of_many_writers_stay_whole(fake: Any, call: Call) -> None:
    call("bench", "--url", fake.url, *SHORT)
    entry = last(history_file(), 1)[0]
    writers = [
        threading.Thread(target=lambda: [append(history_file(), [entry, entry]) for _ in range(5)]) for _ in range(8)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert last(history_file(), 1000) == (entry,) * 81
