"""From nodes to values: each field is held against the type that the domain's dataclass declares.

All faults of a document are collected, each with its line. Used where facts are compiled; running never comes here.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from qwen_advisor.catalog.faults import Fault
from qwen_advisor.catalog.strict_yaml import Node
from qwen_advisor.facts import Written

INVALID: Any = object()  # stands for a value that was found faulty

_WORDS: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a mapping",
    type(None): "nothing",
}


@cache
def field_types(cls: type) -> dict[str, Any]:
    """The declared type of every field, in order, with its `Written` marker."""
    hints = get_type_hints(cls, include_extras=True)
    return {field.name: hints[field.name] for field in fields(cls)}


@cache
def required_fields(cls: type) -> frozenset[str]:
    """The fields without a default."""
    return frozenset(f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING)


def unwrap_optional(hint: Any) -> tuple[Any, bool]:
    """``X | None`` as (X, True); every other type as (type, False)."""
    if get_origin(hint) in (Union, types.UnionType):
        rest = [arg for arg in get_args(hint) if arg is not type(None)]
        if len(rest) == 1:
            return rest[0], True
    return hint, False


class Structure:
    """Reads the nodes of one file and keeps what is wrong with them."""

    def __init__(self, file: str) -> None:
        """Start with no faults in ``file``."""
        self.file = file
        self.faults: list[Fault] = []

    def fault(self, node: Node, path: str, message: str) -> Any:
        """Note a fault; returns INVALID."""
        self.faults.append(Fault(self.file, node.line, path, message, node.column))
        return INVALID

    def read(self, node: Node, hint: Any, path: str = "", given: Mapping[str, Any] | None = None) -> Any:
        """The value of type ``hint`` at ``node``, or INVALID with at least one fault noted.

        ``given`` holds fields of a dataclass that the file's layout tells already; a file that writes them too must
        agree.
        """
        inner, optional = unwrap_optional(hint)
        if optional and node.value is None:
            return None
        origin = get_origin(inner)
        if inner is Any:
            return plain(node)
        if origin is Annotated:
            return self._quantity(node, inner, path)
        if origin is Literal:
            return self._choice(node, get_args(inner), path)
        if origin is tuple:
            return self._tuple(node, get_args(inner), path)
        if origin in (dict, Mapping):
            return self._mapping(node, get_args(inner)[1], path)
        if is_dataclass(inner) and isinstance(inner, type):
            return self._dataclass(node, inner, path, given or {})
        return self._scalar(node, inner, path)

    def _expected(self, node: Node, wanted: str, path: str) -> Any:
        value = node.value
        got = _WORDS[type(value)] if isinstance(value, (list, dict)) or value is None else f"{value!r}"
        return self.fault(node, path, f"{wanted} is expected here, not {got}")

    def _scalar(self, node: Node, kind: type, path: str) -> Any:
        value = node.value
        if kind is float and type(value) is int:
            return float(value)
        if type(value) is kind:
            return value
        if kind is str and isinstance(value, (bool, int, float)):
            return self.fault(node, path, f"text is expected here, not {value!r}: put it in quotes")
        return self._expected(node, _WORDS[kind], path)

    def _choice(self, node: Node, choices: tuple[Any, ...], path: str) -> Any:
        if any(node.value == choice and type(node.value) is type(choice) for choice in choices):
            return node.value
        return self._expected(node, "one of " + ", ".join(str(choice) for choice in choices), path)

    def _tuple(self, node: Node, args: tuple[Any, ...], path: str) -> Any:
        if not isinstance(node.value, list):
            return self._expected(node, "a list", path)
        kinds = [args[0]] * len(node.value) if args[1:] == (Ellipsis,) else list(args)
        if len(kinds) != len(node.value):
            return self.fault(node, path, f"{len(kinds)} values are expected here, not {len(node.value)}")
        values = [
            self.read(item, kind, joined(path, i)) for i, (item, kind) in enumerate(zip(node.value, kinds, strict=True))
        ]
        return INVALID if INVALID in values else tuple(values)

    def _mapping(self, node: Node, kind: Any, path: str) -> Any:
        if not isinstance(node.value, dict):
            return self._expected(node, "a mapping", path)
        values = {key: self.read(item, kind, joined(path, key)) for key, item in node.value.items()}
        return INVALID if any(value is INVALID for value in values.values()) else values

    def _dataclass(self, node: Node, cls: type, path: str, given: Mapping[str, Any]) -> Any:
        if not isinstance(node.value, dict):
            return self._expected(node, "a mapping", path)
        hints = field_types(cls)
        before = len(self.faults)
        values = dict(given)
        for key, item in node.value.items():
            if key not in hints:
                near = difflib.get_close_matches(key, hints, n=1)
                self.fault(item, joined(path, key), "is not a known field" + (f"; {near[0]}?" if near else ""))
                continue
            value = self.read(item, hints[key], joined(path, key))
            if key in given and value is not INVALID and value != given[key]:
                self.fault(item, joined(path, key), f"must be {given[key]!r}, as the file or the key says")
            values[key] = value
        missing = sorted(required_fields(cls) - values.keys())
        if missing:
            self.fault(node, path, f"lacks {', '.join(missing)}")
        return INVALID if len(self.faults) > before else cls(**values)

    def _quantity(self, node: Node, hint: Any, path: str) -> Any:
        kind, *markers = get_args(hint)
        written = next((marker for marker in markers if isinstance(marker, Written)), None)
        if written is None:
            return self.read(node, kind, path)
        units = ", ".join(written.scales)
        if not isinstance(node.value, str):
            return self._expected(node, f"a quantity with its unit ({units})", path)
        number, _, unit = node.value.partition(" ")
        try:
            amount = Decimal(number) * written.scales[unit]
        except (InvalidOperation, KeyError):
            return self._expected(node, f"a number, one space and a unit ({units})", path)
        if not (amount.is_finite() and amount > 0):
            return self._expected(node, "a quantity above zero", path)
        if kind is int and amount != int(amount):
            return self.fault(node, path, f"{node.value!r} is no whole number of {written.unit}")
        return kind(amount)


def plain(node: Node) -> Any:
    """The node as plain dicts, lists and scalars."""
    if isinstance(node.value, dict):
        return {key: plain(item) for key, item in node.value.items()}
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    return node.value


def joined(path: str, *steps: str | int) -> str:
    """The path with further steps: ``quantized[0].files``."""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path
