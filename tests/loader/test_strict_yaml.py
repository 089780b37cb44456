"""YAML 1.1's surprises, hostile documents, and where faults stand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qwen_advisor.catalog.strict_yaml import MAX_BYTES, parse_yaml, read_yaml
from qwen_advisor.catalog.structure import plain


# YAML 1.2.2, chapter 10.3.2 (core schema), less its octal, hexadecimal, infinite and leading-zero numbers.
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("no", "no"),  # PyYAML: False
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("Null", "Null"),
        ("1:30", "1:30"),  # PyYAML: 90
        ("010", "010"),  # PyYAML: 8
        ("0o17", "0o17"),
        ("0x10", "0x10"),  # PyYAML: 16
        ("1_000", "1_000"),  # PyYAML: 1000
        ("4e9", 4e9),  # PyYAML: '4e9'
        ("1.5", 1.5),
        ("-3", -3),
        (".5", ".5"),
        ("5.", "5."),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("9" * 400, "9" * 400),
        ("2025-04-29", "2025-04-29"),  # PyYAML: a date
        ("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("=", "="),  # PyYAML: no constructor
    ],
)
def test_scalars_mean_what_they_say(written: str, read: object) -> None:
    node, faults = parse_yaml(f"key: {written}\n".encode(), "x.yaml")
    assert faults == []
    assert node is not None
    value = plain(node)["key"]
    assert (value, type(value)) == (read, type(read))


def test_keys_are_text_as_written() -> None:
    node, faults = parse_yaml(b"no: 1\n8.10: 2\n010: 3\n<<: 4\n", "x.yaml")
    assert faults == []
    assert node is not None
    assert plain(node) == {"no": 1, "8.10": 2, "010": 3, "<<": 4}


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{c}: &{c} [{', '.join(['*' + p] * 9)}]\n" for p, c in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (b"a: 1\nb:\n  c: 1\n  c: 2\n", "x.yaml:4:3: key 'c' stands here again; first on line 3"),
        (b"a: {b: 1, b: 1}\n", "x.yaml:1:11: key 'b' stands here again; first on line 1"),
        (b'a: 1\n"a": 2\n', "x.yaml:2:1: key 'a' stands here again; first on line 1"),
        (BOMB.encode(), "x.yaml:1:4: anchor &a is not read: write the value out"),
        (b"a: 1\nb: *a\n", "x.yaml:2:4: alias *a is not read: write the value out"),
        (
            b"a: !!python/object/apply:os.system [id]\n",
            "x.yaml:1:4: tag tag:yaml.org,2002:python/object/apply:os.system",
        ),
        (b"a: !!str 5\n", "x.yaml:1:4: tag tag:yaml.org,2002:str is not read"),
        (b"a: ! 5\n", "x.yaml:1:4: tag ! is not read"),
        (b"!x a: 1\n", "x.yaml:1:1: tag !x is not read"),
        (b"%YAML 1.1\n---\na: 1\n", "x.yaml:1:1: directives are not read"),
        (b"%TAG ! tag:x,2000:\n---\na: 1\n", "x.yaml:1:1: directives are not read"),
        (b"a: 1\n---\nb: 2\n", "x.yaml:2:1: a second document begins here; a file holds one"),
        (b"", "x.yaml: is empty"),
        (b"# nothing\n", "x.yaml: is empty"),
        (b"a: [1, 2\nb: }\n", "x.yaml:2:2: while parsing a flow sequence did not find expected ',' or ']'"),
        (b"a:\n\tb: 1\n", "x.yaml:2:1: while scanning for the next token"),
        (b"a: b: c\n", "x.yaml:1:5: mapping values are not allowed in this context"),
        (b"? [a]\n: 1\n", "x.yaml:1:3: a key must be text"),
        (b"'': 1\n", "x.yaml:1:1: a key is empty"),
        (b"a: 1\nb: \xff\n", "x.yaml:2:1: is not UTF-8 text"),
        (b"a: 1\nb: \x00\n", "x.yaml:2: holds a character that YAML forbids"),
        (b"a: \x07\n", "x.yaml:1: holds a character that YAML forbids"),
        (b"[" * 17, "x.yaml:1:17: is nested deeper than 16 levels"),
        (b"- " * 5000 + b"x\n", "x.yaml:1:33: is nested deeper than 16 levels"),
        (b"a" * (MAX_BYTES + 1), "x.yaml: is larger than 4 MiB"),
    ],
)
def test_refusals_say_where(document: bytes, fault: str) -> None:
    _, faults = parse_yaml(document, "x.yaml")
    assert len(faults) == 1
    assert str(faults[0]).startswith(fault)


@pytest.mark.parametrize("opening", [b"[", b"{a: ", b"- ", b"? "])
def test_deep_nesting_costs_nothing(opening: bytes) -> None:
    node, faults = parse_yaml(opening * 100_000, "x.yaml")
    assert node is None
    assert len(faults) == 1


def test_every_duplicate_is_found_at_once() -> None:
    _, faults = parse_yaml(b"a: 1\na: 2\nb: 1\nb: 2\na: 3\n", "x.yaml")
    assert [fault.line for fault in faults] == [2, 4, 5]


def test_a_byte_order_mark_is_no_content() -> None:
    node, faults = parse_yaml(b"\xef\xbb\xbfa: 1\n", "x.yaml")
    assert faults == []
    assert node is not None
    assert plain(node) == {"a": 1}


def test_what_is_no_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    assert "regular file" in str(read_yaml(tmp_path / "folder.yaml", "folder.yaml")[1][0])
    assert "regular file" in str(read_yaml(tmp_path / "missing.yaml", "missing.yaml")[1][0])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "regular file" in str(read_yaml(tmp_path / "pipe.yaml", "pipe.yaml")[1][0])
