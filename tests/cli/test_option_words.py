"""How the words of options are read: sizes, tokens, formats, and what nonsense gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_advisor.cli.faults import json_wanted
from qwen_advisor.cli.options import chosen_format, read
from qwen_advisor.errors import UsageError
from qwen_advisor.units import GIB, MIB, TIB, parse_size, parse_tokens, show_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("16", 16 * GIB),
        ("16G", 16 * GIB),
        ("16GB", 16 * GIB),
        ("16GiB", 16 * GIB),
        ("16gib", 16 * GIB),
        (" 16 gb ", 16 * GIB),
        ("512M", 512 * MIB),
        ("1.5T", 1.5 * TIB),
        (".5", GIB // 2),
    ],
)
def test_sizes_of_the_contract(text: str, size: float) -> None:
    assert parse_size(text) == size


@given(st.integers(min_value=1, max_value=2**52))
def test_a_size_that_is_shown_is_read_back(size: int) -> None:
    assert parse_size(show_size(size)) == size


@given(st.integers(min_value=1, max_value=2**31 - 1))
def test_tokens_that_are_written_are_read_back(tokens: int) -> None:
    assert parse_tokens(str(tokens)) == tokens
    if tokens < 2**21:
        assert parse_tokens(f"{tokens}k") == tokens * 1024


@pytest.mark.parametrize("parse", [parse_size, parse_tokens])
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-1",
        "-16G",
        "0",
        "abc",
        "16X",
        "1e9",
        "inf",
        "nan",
        "16 G B",
        "1,5G",
        "\u0661x",
        "9" * 400,
        "0x10",
        "\x00",
    ],
)
def test_nonsense_gets_a_sentence(parse: object, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)  # type: ignore[operator]
    assert caught.value.message
    assert caught.value.exit_code == 2


@given(st.text(max_size=20))
def test_no_text_breaks_a_parser(text: str) -> None:
    for parse in (parse_size, parse_tokens):
        try:
            assert parse(text) > 0
        except UsageError:
            continue


def test_a_fault_names_its_option() -> None:
    with pytest.raises(UsageError, match=r"^--ram: 'lots' is not a size") as caught:
        read("--ram", parse_size, "lots")
    assert caught.value.hint
    assert read("--ram", parse_size, None) is None
    assert read("--ram", parse_size, "1G") == GIB


@pytest.mark.parametrize(
    ("given_format", "as_json", "quiet", "form"),
    [
        (None, False, False, "table"),
        ("yaml", False, False, "yaml"),
        (None, True, False, "json"),
        ("json", True, False, "json"),
        (None, False, True, "id"),
        ("id", False, True, "id"),
    ],
)
def test_one_format_comes_of_three_options(given_format: str | None, as_json: bool, quiet: bool, form: str) -> None:
    assert chosen_format(given_format, as_json=as_json, quiet=quiet) == form  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given_format", "as_json", "quiet"), [("yaml", True, False), ("json", False, True), (None, True, True)]
)
def test_options_that_contradict_each_other_are_refused(given_format: str | None, as_json: bool, quiet: bool) -> None:
    with pytest.raises(UsageError, match="contradict"):
        chosen_format(given_format, as_json=as_json, quiet=quiet)  # type: ignore[arg-type]


def test_a_format_that_cannot_hold_the_answer_is_refused() -> None:
    with pytest.raises(UsageError, match="--format env cannot hold this answer") as caught:
        chosen_format("env", allowed=("table", "json"))
    assert caught.value.hint == "choose one of table, json"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["recommend", "--json"], True),
        (["recommend", "--format", "json"], True),
        (["recommend", "--format=json"], True),
        (["recommend", "--format", "yaml"], False),
        (["recommend", "--task", "json"], False),
        (["recommend", "--", "--json"], False),
        ([], False),
    ],
)
def test_json_is_noticed_in_words_that_do_not_parse(words: list[str], wanted: bool) -> None:
    assert json_wanted(words) is wanted
