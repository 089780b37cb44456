"""What hostile inputs look like: words, trees of any shape, true documents with something bent, true bytes damaged."""

from __future__ import annotations

import copy
import json
import struct
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

NUMBERS = ["0", "-1", "1e999", "nan", "inf", "9" * 30, "9" * 5000, "1" + "0" * 400, "0.0000000001", "٣", "1_0", "0x10"]
HOSTILE = ["", " ", "\0", "\x1b[31m", "[bold]x[/bold]", "<script>", "../../etc/passwd", "$(id)", "a\nb", "\ud800", "%s"]
WORDS = (
    st.text(max_size=24)
    | st.sampled_from([*NUMBERS, *HOSTILE, "none", "auto", "any", "x" * 10_000])
    | st.builds(
        "{}{}{}".format,
        st.sampled_from(NUMBERS) | st.integers(-(10**6), 10**20).map(str) | st.floats().map(str),
        st.sampled_from(["", " ", "."]),
        st.sampled_from(["", "k", "M", "G", "GB", "GiB", "T", "TB/s", "B", "x RTX 4090", "x3090"]),
    )
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 300)
    | st.sampled_from([-1, 0, 1 << 31, 1 << 62, 1 << 64, 10**30, -(10**30), 10**400, 1e308, 5e-324, 1e-9, -0.5])
    | st.floats()
    | WORDS
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def deep(levels: int) -> Any:
    """A list in a list in a list."""
    tree: Any = []
    for _ in range(levels):
        tree = [tree]
    return tree


def _places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inside:
        yield from _places(value, (*path, key))


@st.composite
def bent(draw: Callable[..., Any], documents: tuple[Any, ...]) -> Any:
    """A true document in which a few places hold something else, are gone, or stand twice."""
    tree = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(_places(tree))))
        if not path:
            if draw(st.integers(0, 9)) == 0:
                return draw(TREES)
            continue
        parent = tree
        for step in path[:-1]:
            parent = parent[step]
        match draw(st.sampled_from(["value", "value", "value", "gone", "more", "swap"])):
            case "value":
                parent[path[-1]] = draw(SCALARS | TREES)
            case "gone":
                del parent[path[-1]]
            case "more" if isinstance(parent, dict):
                parent[draw(st.text(max_size=12))] = draw(TREES)
            case "more":
                parent.extend(copy.deepcopy(parent[:50]))
            case _:
                parent[path[-1]] = copy.deepcopy(tree) if draw(st.integers(0, 9)) == 0 else [parent[path[-1]]]
    return tree


@st.composite
def damaged(draw: Callable[..., Any], texts: tuple[bytes, ...]) -> bytes:
    """True bytes, cut, doubled, and with foreign ones in between."""
    data = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        until = min(len(data), at + draw(st.integers(0, 40)))
        put = draw(st.binary(max_size=12) | st.sampled_from([word.encode() for word in NUMBERS[:8]]) | _SNARES)
        data = data[:at] + put + data[until:]
    return data


_SNARES = st.sampled_from(
    [
        b"&a [x]",
        b"*a",
        b"!!python/object:os.system",
        b"<<: *a",
        b"---\n",
        b"[" * 200,
        b"{" * 5000,
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\0",
        b"? ",
        b"1e400",
        b"NaN",
        b"-Infinity",
        b'"\\ud800"',
        b"\r",
        b"\n",
        b'"',
        b",",
    ]
)

BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n" % (c, c, *[c - 1] * 8) for c in range(ord("b"), ord("j"))
)
YAML_SNARES = (
    BOMB,
    b"[" * 100_000,
    b"{a: " * 50_000,
    b"- " * 50_000,
    b"a: " + b"9" * 100_000,
    b"a: .nan\nb: .inf\nc: -.INF\n",
    b"? [a, b]\n: c\n",
    b"a: !!python/object/apply:os.system ['id']\n",
    b"%YAML 9.9\n---\na: 1\n",
    b"'" * 10_001,
    b"\xff\xfea\0",
    b"a: |\n" + b"  x\n" * 50_000,
)


def json_bytes(tree: Any) -> bytes:
    """A tree as JSON, with NaN and Infinity as Python and careless servers write them, and lone surrogates escaped."""
    return json.dumps(tree).encode("utf-8", "surrogatepass")


def yaml_bytes(tree: Any) -> bytes:
    """A tree as YAML; every JSON document is one."""
    return json_bytes(tree)


def lengths() -> st.SearchStrategy[int]:
    """Of what a file of 8 bytes of length may claim."""
    return st.integers(0, 64) | st.sampled_from(
        [1 << 20, 1 << 25, (1 << 25) + 1, 1 << 31, 1 << 40, 1 << 63, (1 << 64) - 1]
    )


@st.composite
def gguf_heads(draw: Callable[..., Any]) -> bytes:
    """The head of a GGUF file whose every count may lie."""
    pieces = [b"GGUF", struct.pack("<I", draw(st.sampled_from([2, 3, 3, 3, 1, 99])))]
    pieces += [struct.pack("<QQ", draw(lengths()), draw(lengths()))]
    for _ in range(draw(st.integers(0, 5))):
        key = draw(st.sampled_from([b"general.file_type", b"general.name", b"x", b"\xff"]))
        kind = draw(st.integers(0, 14))
        pieces += [struct.pack("<Q", draw(st.just(len(key)) | lengths())), key, struct.pack("<I", kind)]
        if kind == 8:
            text = draw(st.binary(max_size=12))
            pieces += [struct.pack("<Q", draw(st.just(len(text)) | lengths())), text]
        elif kind == 9:
            pieces += [struct.pack("<IQ", draw(st.integers(0, 14)), draw(lengths())), draw(st.binary(max_size=40))]
        else:
            pieces += [draw(st.binary(max_size=8))]
    return b"".join(pieces)


@st.composite
def safetensors_heads(draw: Callable[..., Any], documents: tuple[Any, ...]) -> bytes:
    """The head of a safetensors file: a length that may lie, and a header that may be anything."""
    text = json_bytes(draw(bent(documents))) if draw(st.booleans()) else draw(st.binary(max_size=60))
    return struct.pack("<Q", draw(st.just(len(text)) | lengths())) + text
