"""Every row of a data set is looked at: shape, roles, empty answers, length; nothing hostile gets through."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_advisor.cli.dataset import checked, counter, rows
from qwen_advisor.errors import DataError, UsageError
from qwen_advisor.training.examples import check, estimated_tokens

GOOD = {"messages": [{"role": "user", "content": "What is 2 + 2?"}, {"role": "assistant", "content": "4"}]}


def messages(*turns: tuple[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


def judged(*content: Any) -> list[str]:
    """What is said of rows, given as values or as lines."""
    lines = [(n, row if isinstance(row, (bytes, str)) else json.dumps(row)) for n, row in enumerate(content, start=1)]
    return [f"{fault.row}: {fault.message}" for fault in check(lines, seq_len=100).faults]


@pytest.mark.parametrize(
    "row",
    [
        GOOD,
        messages(("system", "Be brief."), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")),
        messages(("user", "a"), ("assistant", "b"), ("tool", "c"), ("assistant", "d")),
        {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
        {"instruction": "Add.", "input": "2, 2", "output": "4"},
        {"instruction": "Say a.", "output": "a"},
        {"prompt": "a", "completion": "b"},
        {"prompt": [{"role": "user", "content": "a"}], "completion": [{"role": "assistant", "content": "b"}]},
        {"text": "once upon a time"},
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}]},
                {"role": "assistant", "content": "b"},
            ]
        },
        {
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f"}}]},
                {"role": "tool", "content": "c"},
                {"role": "assistant", "content": "d"},
            ]
        },
    ],
)
def test_sound_rows(row: dict[str, Any]) -> None:
    assert judged(row) == []


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (messages(("user", "a"), ("assistant", "  ")), "the answer in message 2 is empty"),
        (messages(("user", ""), ("assistant", "b")), "the question in message 1 is empty"),
        (messages(("user", "a")), "ends with user, so the last answer is missing"),
        (messages(("assistant", "b")), "holds no message of a user"),
        (messages(("assistant", "b"), ("user", "a"), ("assistant", "c")), "begins with an answer"),
        (messages(("user", "a"), ("user", "b"), ("assistant", "c")), "messages 1 and 2 are both of the user"),
        (messages(("user", "a"), ("assistant", "b"), ("assistant", "c")), "messages 2 and 3 are both of the assistant"),
        (messages(("user", "a"), ("bot", "b")), "message 2 has the role 'bot'"),
        (messages(("user", "a"), ("system", "s"), ("assistant", "b")), "message 2 is of the system"),
        (messages(("user", 5), ("assistant", "b")), "content of message 1 is a int, not a text"),
        (messages(("user", None), ("assistant", "b")), "content of message 1 is missing"),
        ({"messages": []}, "has no messages"),
        ({"messages": "a"}, "has no messages"),
        ({"messages": ["a"]}, "message 1 is a str, not an object"),
        ({"question": "a"}, "has neither messages nor instruction"),
        ({"instruction": "a", "output": ""}, "the answer in message 2 is empty"),
        ({"instruction": "a", "output": 4}, "output is a int"),
        ({"text": " "}, "text is empty"),
        ([1, 2], "is a list, not an object"),
        ('{"messages": [', "is no JSON"),
        (b'{"text": "\xff"}', "is not UTF-8 at byte 10"),
        ("[" * 100_000, "is nested too deeply"),
        ('{"text": ' + "9" * 10_000 + "}", "is no JSON"),
    ],
)
def test_bad_rows(row: Any, sentence: str) -> None:
    (said,) = judged(row)
    assert said.startswith("1: ")
    assert sentence in said


def test_rows_of_another_form_are_bad_and_lines_count_blank_ones() -> None:
    assert judged(GOOD, "", {"text": "a"}, GOOD) == ["3: is of the form text, where earlier rows are messages"]


def test_the_report_counts() -> None:
    lines = [
        (1, json.dumps(GOOD)),
        (2, json.dumps(GOOD)),
        (3, json.dumps(messages(("user", "a" * 700), ("assistant", "b")))),
    ]
    report = check(lines, seq_len=100)
    assert (report.rows, report.bad, report.shape, report.duplicates) == (3, 0, "messages", 1)
    # 3.5 letters a token, 5 tokens around each message: 200 + 0 + 10.
    assert report.longest == 210
    assert (report.over, report.cut) == (1, 110)
    assert report.roles == {"assistant": 3, "user": 3}
    assert report.tokens == 210 + 2 * (4 + 0 + 10)


def test_the_estimate_follows_the_documentation() -> None:
    """3 to 4 English letters and 1.5 to 1.8 Chinese characters a token (qwen.readthedocs.io, key concepts)."""
    assert 100 / 4 <= estimated_tokens("a" * 100) <= 100 / 3
    assert 100 / 1.8 <= estimated_tokens("汉" * 100) <= 100 / 1.5


def test_memory_does_not_grow_with_the_number_of_rows() -> None:
    def many(count: int) -> Iterator[tuple[int, str]]:
        return ((n, json.dumps({"text": "word " * 400})) for n in range(1, count))

    def peak(count: int) -> int:
        tracemalloc.start()
        check(many(count), seq_len=100)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(4_000) < 2 * peak(400) + 200_000


def test_only_the_first_faults_are_kept_and_all_are_counted() -> None:
    report = check(((n, "{}") for n in range(1, 1001)), seq_len=10)
    assert report.bad == 1000
    assert len(report.faults) == 50


@given(st.lists(st.one_of(st.binary(max_size=60), st.text(max_size=60)), max_size=20))
def test_no_bytes_break_it(lines: list[bytes | str]) -> None:
    report = check(enumerate(lines, start=1), seq_len=10)
    assert report.bad <= report.rows <= len(lines)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["role", "content", "from"]), inner),
    max_leaves=8,
)
KEYS = st.sampled_from(["messages", "conversations", "prompt", "completion", "instruction", "input", "output", "text"])


@given(st.lists(st.dictionaries(KEYS, JSON, max_size=4), max_size=6))
def test_no_values_break_it(content: list[dict[str, Any]]) -> None:
    report = check(enumerate(content, start=1), seq_len=10)
    assert report.bad <= report.rows == len(content)


def test_bad_rows_are_told_by_line(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n\nnonsense\n{json.dumps({'messages': []})}\n", "utf-8")
    with pytest.raises(DataError) as caught:
        checked(path, model="Qwen/Qwen3-8B", tokenizer=None, seq_len=1024)
    assert caught.value.exit_code == 2
    assert caught.value.message.startswith("2 of 3 rows of")
    assert [fault.split(":")[0] for fault in caught.value.faults] == ["line 3", "line 4"]


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode())
    assert checked(path, model="Qwen/Qwen3-8B", tokenizer=None, seq_len=1024).rows == 1


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("train.jsonl", b"", "holds no row"),
        ("train.json", b"[]", "neither JSON lines nor Parquet"),
        ("train.jsonl", b"x" * ((16 << 20) + 5), "line 1 of .* is longer than 16 MiB"),
    ],
)
def test_files_that_are_no_data_set(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UsageError, match=sentence):
        checked(path, model="Qwen/Qwen3-8B", tokenizer=None, seq_len=1024)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        list(rows(tmp_path / "none.jsonl"))


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    path = tmp_path / "train.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(UsageError) as caught:
        list(rows(path))
    assert "qwen-advisor[parquet]" in (caught.value.hint or "")


def test_parquet_rows(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "train.parquet"
    parquet.write_table(pyarrow.Table.from_pylist([GOOD, messages(("user", "a"), ("assistant", ""))]), path)
    with pytest.raises(DataError) as caught:
        checked(path, model="Qwen/Qwen3-8B", tokenizer=None, seq_len=1024)
    assert caught.value.faults == ("row 2: the answer in message 2 is empty",)
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(UsageError, match="cannot be read"):
        list(rows(path))


def test_without_a_tokenizer_the_estimate_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    _, name = counter("Qwen/Qwen3-8B", None)
    assert "estimate" in name
    with pytest.raises(UsageError, match="there is no tokenizer"):
        counter("Qwen/Qwen3-8B", tmp_path / "none")


def test_the_models_own_tokenizer_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizers = pytest.importorskip("tokenizers", reason="the extra tokenizer is not installed")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    folder = tmp_path / "models--Qwen--Qwen3-8B" / "snapshots" / "abc"
    folder.mkdir(parents=True)
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0, "b": 1, "?": 2}, unk_token="?"))  # noqa: S106
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.save(str(folder / "tokenizer.json"))
    count, name = counter("Qwen/Qwen3-8B", None)
    assert count("a b a b") == 4
    assert str(folder) in name
    (folder / "tokenizer.json").write_text("{}", "utf-8")
    with pytest.raises(UsageError, match="is no tokenizer"):
        counter("Qwen/Qwen3-8B", None)
