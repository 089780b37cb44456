"""JSON Schemas of the answers, made from the types in `shapes`: they cannot say anything else than the code does."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from qwen_advisor.render.bench_shapes import BENCH_DOCUMENTS
from qwen_advisor.render.catalog_shapes import CATALOG_DOCUMENTS
from qwen_advisor.render.check_shapes import CHECK_DOCUMENTS
from qwen_advisor.render.fleet_shapes import FLEET_DOCUMENTS
from qwen_advisor.render.hub_shapes import HUB_DOCUMENTS
from qwen_advisor.render.launch_shapes import LAUNCH_DOCUMENTS
from qwen_advisor.render.named_shapes import NAMED_DOCUMENTS
from qwen_advisor.render.settings_shapes import SETTINGS_DOCUMENTS
from qwen_advisor.render.shapes import DOCUMENTS, SIGNED

_PLAIN: dict[Any, dict[str, Any]] = {
    Any: {},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": 0},  # counts, bytes, tokens: one that may be negative says so
    float: {"type": "number"},
    NoneType: {"type": "null"},
}


def json_schema(name: str) -> dict[str, Any]:
    """The schema (draft 2020-12) of the document ``name``, such as ``recommend-1``.

    Every field that we write is required; further fields are allowed, because later versions add some.

    Raises:
        KeyError: there is no such document.
    """
    definitions: dict[str, Any] = {}
    root = _object(
        (
            DOCUMENTS
            | HUB_DOCUMENTS
            | CATALOG_DOCUMENTS
            | BENCH_DOCUMENTS
            | FLEET_DOCUMENTS
            | SETTINGS_DOCUMENTS
            | CHECK_DOCUMENTS
            | NAMED_DOCUMENTS
            | LAUNCH_DOCUMENTS
        )[name],
        definitions,
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"qwen-advisor/{name.replace('-', '/')}",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def _object(shape: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    fields = get_type_hints(shape, include_extras=True)
    return {
        "description": shape.__doc__,
        "type": "object",
        "properties": {field: _schema(kind, definitions) for field, kind in fields.items()},
        "required": list(fields),
    }


def _schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    if is_typeddict(kind):
        name = kind.__name__.removesuffix("Shape")
        if name not in definitions:
            definitions[name] = _object(kind, definitions)
        return {"$ref": f"#/$defs/{name}"}
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        described = {"description": arguments[1], **_schema(arguments[0], definitions)}
        if SIGNED in arguments:
            del described["minimum"]
        return described
    if origin is Literal:
        return {"const": arguments[0]} if len(arguments) == 1 else {"enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    if origin in (Union, UnionType):
        return _any_of([_schema(argument, definitions) for argument in arguments])
    raise TypeError(f"no schema is known for {kind!r}")


def _any_of(choices: list[dict[str, Any]]) -> dict[str, Any]:
    plain = [choice["type"] for choice in choices if "type" in choice and len(choice) <= 2 and "items" not in choice]
    if len(plain) == len(choices):
        merged = {key: value for choice in choices for key, value in choice.items()}
        return {**merged, "type": plain}
    return {"anyOf": choices}
