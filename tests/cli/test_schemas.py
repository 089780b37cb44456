"""Every JSON answer fits its published schema, and the schema notices when a field is missing."""

from __future__ import annotations

import copy
import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest

from qwen_advisor.errors import CatalogError, UsageError
from qwen_advisor.render.documents import error_document, estimate_document, recommend_document
from qwen_advisor.render.schema import json_schema
from qwen_advisor.render.shapes import DOCUMENTS

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = UsageError("there is no task 'cod'", hint="known: code, chat", suggestions=("code",))
BROKEN = CatalogError("the catalogue is invalid", faults=("models/x.yaml:3: no id",))

ANSWERS: dict[str, tuple[str, Callable[[ModuleType], Any]]] = {
    "recommend": ("recommend-1", lambda hand: recommend_document(hand.ADVICE)),
    "nothing fits": ("recommend-1", lambda hand: recommend_document(hand.NOTHING)),
    "estimate": ("estimate-1", lambda hand: estimate_document(hand.ESTIMATE)),
    "estimate over two pools": ("estimate-1", lambda hand: estimate_document(hand.SPLIT)),
    "hardware": ("hardware-1", lambda hand: recommend_document(hand.ADVICE)["hardware"]),
    "usage error": ("error-1", lambda _: error_document(UNKNOWN)),
    "catalogue error": ("error-1", lambda _: error_document(BROKEN)),
}


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with no further fields allowed, so that a field that it does not name is noticed."""
    schema = copy.deepcopy(schema)
    for part in (schema, *schema["$defs"].values()):
        part["additionalProperties"] = False
    return schema


def paths(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every field of every object."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield (*path, key)
            yield from paths(value, (*path, key))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from paths(value, (*path, index))


def without(document: Any, path: tuple[Any, ...]) -> Any:
    document = copy.deepcopy(document)
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    del parent[path[-1]]
    return document


@pytest.mark.parametrize("name", ANSWERS)
def test_answer_fits_its_schema_and_says_nothing_beyond_it(name: str, hand: ModuleType) -> None:
    schema, make = ANSWERS[name]
    jsonschema.validate(json.loads(json.dumps(make(hand))), closed(json_schema(schema)))


@pytest.mark.parametrize("name", ["nothing fits", "estimate", "hardware", "usage error"])
def test_schema_notices_every_missing_field(name: str, hand: ModuleType) -> None:
    schema, make = ANSWERS[name]
    validator = jsonschema.Draft202012Validator(json_schema(schema))
    document = json.loads(json.dumps(make(hand)))
    for path in paths(document):
        if "environment" not in path:  # names of variables, not of fields
            assert not validator.is_valid(without(document, path)), path


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("recommendations", 0, "memory", "total_bytes"), "18.0 GiB"),
        (("recommendations", 0, "memory", "total_bytes"), 18.5),
        (("recommendations", 0, "memory", "kv_cache_bytes"), -1),
        (("recommendations", 0, "memory", "parts", 0, "pool"), "vram"),
        (("recommendations", 0, "placement", "mode"), "gpus"),
        (("recommendations", 0, "speed", "decode_tokens_per_second"), 12.3),
        (("recommendations", 0, "quality", "evidence"), None),
        (("requirements", "task"), "cooking"),
        (("schema",), "qwen-advisor/recommend/2"),
    ],
)
def test_schema_notices_a_wrong_value(path: tuple[Any, ...], value: object, hand: ModuleType) -> None:
    document = json.loads(json.dumps(recommend_document(hand.ADVICE)))
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    assert not jsonschema.Draft202012Validator(json_schema("recommend-1")).is_valid(document)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_schema_is_itself_valid(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema(name))


def test_a_shape_that_no_schema_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DOCUMENTS, "odd-1", type("Odd", (), {"__annotations__": {"field": bytes}, "__doc__": "Odd."}))
    with pytest.raises(TypeError, match="bytes"):
        json_schema("odd-1")


def test_generated_pages_and_schemas_are_fresh() -> None:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    pages = generate.pages()
    stale = [path.name for path, text in pages.items() if not path.exists() or path.read_text("utf-8") != text]
    assert not stale, "run: python docs/generate.py --write"
    assert set((ROOT / "schemas").iterdir()) <= set(pages), "a schema that nothing makes"


def test_bytes_are_integers_and_rates_keep_four_digits(hand: ModuleType) -> None:
    first = recommend_document(hand.ADVICE)["recommendations"][0]
    assert first["memory"]["total_bytes"] == (17_690 + 768) * 1024**2
    assert first["speed"]["decode_tokens_per_second"] == {"low": 9.5, "expected": 12.35, "high": 16.0}
    rejected = recommend_document(hand.ADVICE)["rejected"]
    assert json.dumps(rejected[1]["needed"]) == str(133 * 1024**3)
    assert rejected[2]["needed"] is None
