"""Compiled facts back to values: positional rows, decoded when they are asked for.

A compiled section is text of the form ``"id":<tab>row,<newline>"id":<tab>row``. Raw tabs and newlines stand nowhere
else in it (JSON escapes them inside strings), so that a section is taken apart by `str.split` and only the rows that
an answer needs are parsed. `packing` writes what is read here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, fields
from importlib import import_module
from typing import Any, Generic, Literal, TypeVar

V = TypeVar("V")

KEY_END = ":\t"
ENTRY_END = ",\n"
INNER_END = ",\t"  # between the entries of a mapping inside a row

# What to do with a parsed value: None leaves it, "tuple" makes a list a tuple, ["tuple", plan] and ["dict", plan]
# apply a plan to each value, ["row", type] builds a dataclass.
Decode = Callable[[Any], Any]
Plan = list[Any] | Literal["tuple"] | None

scan: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().raw_decode


class Entries(Mapping[str, V], Generic[V]):
    """A mapping whose values are decoded on first use."""

    __slots__ = ("_decode", "_ready", "_rows", "_separator", "_text")

    def __init__(
        self, text: str, decode: Callable[[str], V], separator: str = ENTRY_END, ready: Mapping[str, V] | None = None
    ) -> None:
        """Take the text of a section; ``ready`` values stand in front of what it holds."""
        self._text = text
        self._decode = decode
        self._separator = separator
        self._ready: dict[str, V] = dict(ready or {})
        self._rows: dict[str, str] | None = None

    def _index(self) -> dict[str, str]:
        rows = self._rows
        if rows is None:
            rows = {}
            for item in self._text.split(self._separator) if self._text else ():
                key, _, row = item.partition(KEY_END)
                rows[key[1:-1] if "\\" not in key else json.loads(key)] = row
            for key in self._ready:
                rows.setdefault(key, "")
            self._rows = rows
        return rows

    def __getitem__(self, key: str) -> V:
        try:
            return self._ready[key]
        except KeyError:
            value = self._ready[key] = self._decode(self._index()[key])
            return value

    def __contains__(self, key: object) -> bool:
        return key in self._index()

    def __iter__(self) -> Iterator[str]:
        return iter(self._index())

    def __len__(self) -> int:
        return len(self._index())

    def __repr__(self) -> str:
        return f"Entries({len(self)})"

    def replacing(self, values: Mapping[str, V]) -> Entries[V]:
        """The same mapping with further or other values."""
        return Entries(self._text, self._decode, self._separator, {**self._ready, **values})


def decoder(plan: Plan, types: Mapping[str, Any], built: dict[str, Decode]) -> Decode:
    """The function that applies ``plan``; ``built`` keeps those of dataclasses."""
    if plan is None:
        return lambda value: value
    if plan == "tuple":
        return tuple
    kind, inner = plan
    if kind == "row":
        if inner not in built:
            built[inner] = _row_decoder(inner, types, built)
        return built[inner]
    each = decoder(inner, types, built)
    if kind == "tuple":
        return lambda values: tuple([each(value) for value in values])
    return lambda values: {key: each(value) for key, value in values.items()}


def _row_decoder(name: str, types: Mapping[str, Any], built: dict[str, Decode]) -> Decode:
    """Builds a frozen dataclass by its slots, in half the time of its ``__init__``: what is compiled is checked."""
    module, columns = types[name]
    cls = getattr(import_module(f"qwen_advisor.{module}"), name)
    slots = [getattr(cls, field).__set__ for field, _ in columns]
    applied = [plan and decoder(plan, types, built) for _, plan in columns]
    defaults = list(zip(slots, map(_default, fields(cls)), strict=True))
    missing = [defaults[length:] for length in range(len(slots) + 1)]  # what a row of that length leaves out
    new = object.__new__

    def decode(row: list[Any]) -> Any:
        value = new(cls)
        for put, apply, item in zip(slots, applied, row, strict=False):
            put(value, apply(item) if apply and item is not None else item)
        for put, default in missing[len(row)]:
            put(value, default())
        return value

    return decode


def _default(field: Field[Any]) -> Callable[[], Any]:
    if field.default_factory is not MISSING:
        return field.default_factory
    value = field.default
    return lambda: value


def section(text: str, plan: Plan, types: Mapping[str, Any], built: dict[str, Decode]) -> Entries[Any]:
    """A section of the compiled catalogue. Plan ``["inner", plan]`` marks mappings that are lazy too."""
    if isinstance(plan, list) and plan[0] == "inner":
        each = decoder(plan[1], types, built)

        def leaf(row: str) -> Any:
            return each(scan(row, 0)[0])

        return Entries(text, lambda row: Entries(row[1:-1], leaf, INNER_END))
    apply = decoder(plan, types, built)
    return Entries(text, lambda row: apply(scan(row, 0)[0]))
