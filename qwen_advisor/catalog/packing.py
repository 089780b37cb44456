"""Values to compiled facts: the writing side of `rows`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Annotated, Any, get_args, get_origin

from qwen_advisor.catalog.rows import INNER_END, KEY_END, Plan
from qwen_advisor.catalog.structure import field_types, unwrap_optional


def plan_of(hint: Any, types: dict[str, Any]) -> Plan:
    """How a value of this type is read back; the dataclasses that it is made of are added to ``types``."""
    inner, _ = unwrap_optional(hint)
    origin = get_origin(inner)
    if origin is Annotated:
        return plan_of(get_args(inner)[0], types)
    if origin is tuple:
        each = plan_of(get_args(inner)[0], types)
        return "tuple" if each is None else ["tuple", each]
    if origin in (dict, Mapping):
        each = plan_of(get_args(inner)[1], types)
        return None if each is None else ["dict", each]
    if isinstance(inner, type) and is_dataclass(inner):
        name = inner.__name__
        if name not in types:
            types[name] = []  # a type that holds itself ends here
            columns = [[field, plan_of(kind, types)] for field, kind in field_types(inner).items()]
            types[name] = [inner.__module__.removeprefix("qwen_advisor."), columns]
        return ["row", name]
    return None


def row_of(value: Any) -> Any:
    """The value as JSON has it: dataclasses as rows, without the defaults at their end."""
    if is_dataclass(value) and not isinstance(value, type):
        row = []
        length = 0
        for index, field in enumerate(fields(value), start=1):
            item = getattr(value, field.name)
            default = field.default if field.default_factory is MISSING else field.default_factory()
            if item != default or type(item) is not type(default):
                length = index
            row.append(row_of(item))
        return row[:length]
    if isinstance(value, (list, tuple)):
        return [row_of(item) for item in value]
    if isinstance(value, Mapping):
        return {key: row_of(item) for key, item in value.items()}
    return value


def text_of(value: Any) -> str:
    """Compact JSON in ASCII."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def section_text(name: str, entries: Mapping[str, Any], start: int, *, inner: bool) -> tuple[str, tuple[int, int]]:
    """A section and its index, as they stand behind ``start`` characters, and where the index stands.

    With ``inner`` the values are large mappings that are read entry by entry too.
    """
    text = f"{text_of(name)}:{{\n"
    places: dict[str, tuple[int, int]] = {}
    for number, (key, value) in enumerate(entries.items()):
        text += f"{',' if number else ''}{text_of(key)}:"
        row = _inner_text(value) if inner else text_of(row_of(value))
        places[key] = start + len(text), start + len(text) + len(row)
        text += f"{row}\n"
    text += f"}},\n{text_of(f'{name} index')}:"
    index = text_of(places)
    return f"{text}{index},\n", (start + len(text), start + len(text) + len(index))


def _inner_text(entries: Mapping[str, Any]) -> str:
    rows = (f"{text_of(key)}{KEY_END}{text_of(row_of(value))}" for key, value in entries.items())
    return "{" + INNER_END.join(rows) + "}"
