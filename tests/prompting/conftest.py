from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qwen_advisor.catalog import load_catalog
from qwen_advisor.cli import main
from qwen_advisor.facts import Catalog
from qwen_advisor.names import resolve_model
from qwen_advisor.prompting import Prompt, Wish, prompt


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture(scope="session")
def ask(catalog: Catalog) -> Callable[..., Prompt]:
    """A request to a model, the wish by name."""

    def make(model: str, **wish: Any) -> Prompt:
        return prompt(catalog, resolve_model(catalog, model), Wish(**wish))

    return make


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in this process: exit code, stdout, stderr."""
    monkeypatch.setenv("COLUMNS", "120")

    def run(*words: str) -> tuple[int, str, str]:
        code = main(words)
        caught = capsys.readouterr()
        return code, caught.out, caught.err

    return run
