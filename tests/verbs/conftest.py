"""The command line in this process, and schemas that allow nothing beyond what they name."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest

from qwen_advisor.cli import main
from qwen_advisor.render.schema import json_schema


@dataclass(frozen=True)
class Said:
    """What one call said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Run the command line with these words."""
    monkeypatch.delenv("QWEN_ADVISOR_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "110")

    def run(*words: str) -> Said:
        code = main(words)
        caught = capsys.readouterr()
        return Said(code, caught.out, caught.err)

    return run


@pytest.fixture(scope="session")
def fits_schema() -> Callable[[str, Any], None]:
    """Hold a document against its published schema, with no further field allowed."""

    def check(name: str, document: Any) -> None:
        schema = copy.deepcopy(json_schema(name))
        for part in (schema, *schema["$defs"].values()):
            part["additionalProperties"] = False
        jsonschema.validate(document, schema)

    return check
