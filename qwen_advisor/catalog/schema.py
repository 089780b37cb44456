"""JSON Schemas of the catalogue's files, from the same types that the loader holds them to: for editors and people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

from qwen_advisor.catalog.layout import SECTIONS, SOURCES_KEY, Section
from qwen_advisor.catalog.structure import field_types, required_fields, unwrap_optional
from qwen_advisor.facts import Written

_PLAIN: dict[Any, dict[str, Any]] = {
    Any: {},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
}


def file_schemas() -> dict[str, dict[str, Any]]:
    """The schema (draft 2020-12) of every kind of file whose entries have a type, by name: ``catalog-models``."""
    schemas = {}
    for pattern in dict.fromkeys(section.files for section in SECTIONS):
        sections = [section for section in SECTIONS if section.files == pattern]
        if any(section.type is not Any for section in sections):
            name = pattern.removesuffix(".yaml").removesuffix("/*").replace("_", "-")
            schemas[f"catalog-{name}"] = _file(sections)
    return schemas


def _file(sections: list[Section]) -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    names = " and ".join(section.name for section in sections)
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{names} of the qwen-advisor catalogue: {sections[0].files}",
    }
    if sections[0].within is None:
        schema |= _section(sections[0], definitions)
    else:
        properties = {section.within: _section(section, definitions) for section in sections}
        properties[SOURCES_KEY] = {}
        schema |= {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "$defs": dict(sorted(definitions.items()))} if definitions else schema


def _section(section: Section, definitions: dict[str, Any]) -> dict[str, Any]:
    if section.shape != "mapping":
        return _schema(section.type, definitions)
    entry = _schema(section.type, definitions)
    if section.key:  # what the key or the file's name says already need not be written
        required = definitions[section.type.__name__]["required"]
        required[:] = [field for field in required if field not in (section.key, section.stem)]
    return {"type": "object", "additionalProperties": entry}


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    inner, optional = unwrap_optional(hint)
    if optional:
        return {"anyOf": [_schema(inner, definitions), {"type": "null"}]}
    if inner in _PLAIN:
        return dict(_PLAIN[inner])
    origin, arguments = get_origin(inner), get_args(inner)
    if origin is Annotated:
        written = next(marker for marker in arguments if isinstance(marker, Written))
        units = "|".join(sorted(written.scales))
        return {
            "type": "string",
            "pattern": rf"^[0-9]+(\.[0-9]+)? ({units})$",
            "description": f"A quantity with its unit; read as {written.unit}.",
        }
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    if is_dataclass(inner) and isinstance(inner, type):
        if inner.__name__ not in definitions:
            definitions[inner.__name__] = {}
            definitions[inner.__name__] = {
                "description": (inner.__doc__ or "").partition("\n\n")[0].strip(),
                "type": "object",
                "properties": {name: _schema(kind, definitions) for name, kind in field_types(inner).items()},
                "required": sorted(required_fields(inner)),
                "additionalProperties": False,
            }
        return {"$ref": f"#/$defs/{inner.__name__}"}
    raise TypeError(f"no schema is known for {hint!r}")
