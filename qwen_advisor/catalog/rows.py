"""Compiled facts back to values: positional rows, decoded when they are asked for.

The compiled catalogue is one JSON document. Its first line tells for each section where an index stands, and the index
where each entry begins and ends, so that only those rows are parsed that an answer needs. `packing` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, Generic, Literal, TypeVar

from qwen_advisor import deferred

V = TypeVar("V")

# A mapping inside an entry is taken apart by `str.split`: raw tabs stand nowhere else, JSON escapes them in strings.
KEY_END = ":\t"
INNER_END = ",\t"

# What to do with a parsed value: None leaves it, "tuple" makes a list a tuple, ["tuple", plan] and ["dict", plan]
# apply a plan to each value, ["row", type] builds a dataclass.
Decode = Callable[[Any], Any]
Plan = list[Any] | Literal["tuple"] | None

_scan = json.JSONDecoder().raw_decode


def parse(text: str) -> Any:
    """The value of a JSON text without white space around it."""
    return _scan(text)[0]


class Entries(Mapping[str, V], Generic[V]):
    """A mapping whose values are decoded on first use."""

    __slots__ = ("_decode", "_index", "_ready", "_rows")

    def __init__(
        self, index: Callable[[], dict[str, Any]], decode: Callable[[Any], V], ready: Mapping[str, V] | None = None
    ) -> None:
        """Take what gives the place of every entry, and what makes a value of one; ``ready`` values need neither."""
        self._index = index
        self._decode = decode
        self._ready: dict[str, V] = dict(ready or {})
        self._rows: dict[str, Any] | None = None

    @property
    def _places(self) -> dict[str, Any]:
        if self._rows is None:
            self._rows = {**self._index(), **dict.fromkeys(self._ready)}
        return self._rows

    def __getitem__(self, key: str) -> V:
        try:
            return self._ready[key]
        except KeyError:
            value = self._ready[key] = self._decode(self._places[key])
            return value

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        return f"Entries({len(self)})"

    def replacing(self, values: Mapping[str, V]) -> Entries[V]:
        """The same mapping with further or other values."""
        return Entries(self._index, self._decode, {**self._ready, **values})


class Decoders:
    """The functions that build values of compiled rows, each made once."""

    def __init__(self, types: Mapping[str, Any]) -> None:
        """Take the columns of every type, as the compiled catalogue tells them."""
        self._types = types
        self._built: dict[str, Decode] = {}

    def of(self, plan: Plan) -> Decode:
        """The function that applies ``plan``."""
        if plan is None:
            return lambda value: value
        if plan == "tuple":
            return tuple
        kind, inner = plan
        if kind == "row":
            if inner not in self._built:
                self._built[inner] = self._row(inner)
            return self._built[inner]
        each = self.of(inner)
        if kind == "tuple":
            return lambda values: tuple([each(value) for value in values])
        return lambda values: {key: each(value) for key, value in values.items()}

    def _row(self, name: str) -> Decode:
        """Builds a frozen dataclass by its slots, in half the time of its ``__init__``: what is compiled is checked."""
        module, columns = self._types[name]
        cls = getattr(import_module(f"qwen_advisor.{module}"), name)
        slots = [getattr(cls, field).__set__ for field, _ in columns]
        applied = [plan and self.of(plan) for _, plan in columns]
        makers = list(zip(slots, deferred.defaults(cls).values(), strict=True))
        missing = [  # what a row of that length leaves out; only what has a default ever is
            [(put, make) for put, make in makers[length:] if make is not None] for length in range(len(slots) + 1)
        ]
        new = object.__new__

        def decode(row: list[Any]) -> Any:
            value = new(cls)
            for put, apply, item in zip(slots, applied, row, strict=False):
                put(value, apply(item) if apply and item is not None else item)
            for put, make in missing[len(row)]:
                put(value, make())
            return value

        return decode


def section(data: bytes, offset: int, index: tuple[int, int], plan: Plan, decoders: Decoders) -> Entries[Any]:
    """A section of the compiled catalogue; the plan ``["inner", plan]`` marks mappings that are lazy too.

    Places count from ``offset``.
    """

    def text(place: tuple[int, int]) -> str:
        start, end = place
        return data[offset + start : offset + end].decode("ascii")

    def places() -> dict[str, Any]:
        return dict(parse(text(index)))

    if isinstance(plan, list) and plan[0] == "inner":
        leaf = decoders.of(plan[1])
        return Entries(places, lambda place: _inner(text(place), leaf))
    apply = decoders.of(plan)
    return Entries(places, lambda place: apply(parse(text(place))))


def _inner(text: str, leaf: Decode) -> Entries[Any]:
    def rows() -> dict[str, str]:
        pairs = (item.split(KEY_END) for item in text[1:-1].split(INNER_END) if item)
        return {str(parse(key)): row for key, row in pairs}

    return Entries(rows, lambda row: leaf(parse(row)))
