"""YAML, read strictly: YAML 1.2's plain scalars, and none of YAML's surprises.

PyYAML reads YAML 1.1, in which ``no`` is false, ``1:30`` is ninety, ``010`` is eight, ``4e9`` is text and a date is
an object; it lets a repeated key win silently and expands aliases without bound. Here the parser's events are built
into nodes directly: numbers are decimal, everything else is text; duplicate keys, anchors, aliases, tags and
directives are refused; size and depth are bounded before anything is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from qwen_advisor.catalog.faults import Fault
from qwen_advisor.values import dataclass

MAX_BYTES = 4 << 20
MAX_DEPTH = 16

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,20})?(?:[eE][-+]?[0-9]{1,2})?")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}

Scalar = bool | int | float | str | None


@dataclass(slots=True)
class Node:
    """A value and where it stands, counted from 1. A value in a mapping stands where its key does."""

    value: Scalar | list[Node] | dict[str, Node]
    line: int
    column: int

    def at(self, *path: str | int) -> Node:
        """The node under ``path``, or the deepest one on the way that exists."""
        node = self
        for step in path:
            held = node.value
            inside: Node | None = None
            if isinstance(held, dict) and isinstance(step, str):
                inside = held.get(step)
            elif isinstance(held, list) and isinstance(step, int) and step < len(held):
                inside = held[step]
            if inside is None:
                break
            node = inside
        return node


class _Refused(Exception):
    """Reading stops: what follows in the file cannot be trusted."""


def read_yaml(path: Path, name: str) -> tuple[Node | None, list[Fault]]:
    """Read the one document of a file. ``name`` is what faults call the file.

    Returns:
        The root node, None where the file could not be read to its end, and all faults found.
    """
    try:
        if not path.is_file():
            return None, [Fault(name, 0, "", "is not a regular file")]
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return None, [Fault(name, 0, "", f"cannot be read: {error.strerror or error}")]
    return parse_yaml(data, name)


def parse_yaml(data: bytes, name: str) -> tuple[Node | None, list[Fault]]:
    """Read one YAML document from bytes; as `read_yaml`."""
    if len(data) > MAX_BYTES:
        return None, [Fault(name, 0, "", f"is larger than {MAX_BYTES >> 20} MiB")]
    builder = _Builder(name)
    try:
        text = data.decode("utf-8-sig")
        return builder.document(yaml.parse(text, Loader=_Loader)), builder.faults
    except _Refused:
        pass
    except UnicodeDecodeError as error:
        builder.fault(data.count(b"\n", 0, error.start) + 1, 1, "is not UTF-8 text")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        builder.fault(line, column, " ".join(str(part) for part in (error.context, error.problem) if part))
    except yaml.YAMLError as error:  # a character that no YAML may hold
        place = getattr(error, "position", 0) or 0
        builder.fault(text.count("\n", 0, place) + 1, 0, "holds a character that YAML forbids")
    return None, builder.faults


class _Builder:
    """Builds nodes from events, without recursion."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[Fault] = []

    def fault(self, line: int, column: int, message: str) -> None:
        self.faults.append(Fault(self.name, line, "", message, column))

    def refuse(self, event: Any, message: str) -> _Refused:
        self.fault(*_place(event), message)
        return _Refused()

    def document(self, events: Iterator[Any]) -> Node | None:
        root: Node | None = None
        open_nodes: list[Node] = []  # sequences and mappings, outermost first
        keys: list[tuple[str, Any] | None] = []  # the key that waits for its value, one for each open node
        documents = 0
        for event in events:
            kind = type(event)
            if kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    raise self.refuse(event, "a second document begins here; a file holds one")
                if event.version or event.tags:
                    raise self.refuse(event, "directives are not read")
                continue
            if kind in _SILENT:
                continue
            if kind in _ENDS:
                open_nodes.pop()
                keys.pop()
                continue
            self.check_properties(event)
            if open_nodes and isinstance(open_nodes[-1].value, dict) and keys[-1] is None:
                keys[-1] = (self.key(event), event)
                continue
            node = Node(_value(event), *_place(event))
            if open_nodes:
                self.attach(open_nodes[-1], keys[-1], node)
                keys[-1] = None
            else:
                root = node
            if kind is not yaml.ScalarEvent:
                open_nodes.append(node)
                keys.append(None)
                if len(open_nodes) > MAX_DEPTH:
                    raise self.refuse(event, f"is nested deeper than {MAX_DEPTH} levels")
        if root is None:
            self.fault(0, 0, "is empty")
        return root

    def attach(self, parent: Node, key: tuple[str, Any] | None, node: Node) -> None:
        if isinstance(parent.value, list):
            parent.value.append(node)
        elif isinstance(parent.value, dict) and key is not None:
            name, event = key
            node.line, node.column = _place(event)
            if name in parent.value:
                first = parent.value[name]
                self.fault(node.line, node.column, f"key {name!r} stands here again; first on line {first.line}")
            else:
                parent.value[name] = node

    def key(self, event: Any) -> str:
        """A key is text, as it is written: ``no``, ``8.9`` and ``010`` are keys of these letters."""
        if type(event) is not yaml.ScalarEvent:
            raise self.refuse(event, "a key must be text")
        if not event.value:
            self.fault(*_place(event), "a key is empty")
        return str(event.value)

    def check_properties(self, event: Any) -> None:
        if type(event) is yaml.AliasEvent:
            raise self.refuse(event, f"alias *{event.anchor} is not read: write the value out")
        if event.anchor:
            raise self.refuse(event, f"anchor &{event.anchor} is not read: write the value out")
        if event.tag:
            raise self.refuse(event, f"tag {event.tag} is not read")


_SILENT = {yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentEndEvent}
_ENDS = {yaml.SequenceEndEvent, yaml.MappingEndEvent}


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _value(event: Any) -> Scalar | list[Node] | dict[str, Node]:
    if type(event) is yaml.MappingStartEvent:
        return {}
    if type(event) is yaml.SequenceStartEvent:
        return []
    return scalar(event.value) if event.implicit[0] else str(event.value)


def scalar(text: str) -> Scalar:
    """What a plain (unquoted) scalar means: true, false, null, a decimal number, or text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
