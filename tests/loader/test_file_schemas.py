"""The published schemas of the catalogue's files say what the loader says, and are fresh."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from qwen_advisor.catalog import published_schemas
from qwen_advisor.catalog.schema import file_schemas
from qwen_advisor.catalog.strict_yaml import read_yaml
from qwen_advisor.catalog.structure import plain

ROOT = Path(__file__).resolve().parents[2]
SMALL = Path(__file__).parent / "small"
SCHEMAS = file_schemas()


def pattern(name: str) -> str:
    return str(SCHEMAS[name]["title"]).rpartition(": ")[2]


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_is_itself_valid(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("name", SCHEMAS)
def test_files_fit_their_schema(name: str) -> None:
    validator = jsonschema.Draft202012Validator(SCHEMAS[name])
    files = [*SMALL.glob(pattern(name)), *sorted((ROOT / "catalog").glob(pattern(name)))[:20]]
    assert files
    for path in files:
        node, faults = read_yaml(path, str(path))
        assert node is not None
        assert not faults
        validator.validate(plain(node))


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("catalog-models", {"id": "A/B"}),
        ("catalog-accelerators", {"x": {"name": "X", "memory": 24}}),
        ("catalog-accelerators", {"x": {"name": "X", "memory": "24 GB"}}),
        ("catalog-quantizations", {"formates": {}}),
        ("catalog-licenses", {"mit": {"title": "MIT", "spdx": "MIT", "permissive": "yes", "summary": "", "url": ""}}),
    ],
)
def test_schema_notices_a_fault(name: str, document: object) -> None:
    assert not jsonschema.Draft202012Validator(SCHEMAS[name]).is_valid(document)


def test_every_schema_can_be_printed() -> None:
    published = published_schemas()
    assert {"recommend-1", "estimate-1", "hardware-1", "catalog-list-1", "catalog-models"} <= published.keys()
    for path in published.values():
        assert json.loads(path.read_text("utf-8"))["$schema"] == "https://json-schema.org/draft/2020-12/schema"
