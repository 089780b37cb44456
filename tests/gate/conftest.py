"""The command line in this process, on described machines only: the same answers anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from qwen_advisor.catalog import load_catalog
from qwen_advisor.cli import main
from qwen_advisor.facts import Catalog


@dataclass(frozen=True)
class Said:
    """What one call said, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Said]:
    """Run the command line in an empty directory."""
    monkeypatch.delenv("QWEN_ADVISOR_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Said:
        code = main(words)
        caught = capsys.readouterr()
        return Said(code, caught.out, caught.err)

    return run


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """The facts as they are shipped."""
    return load_catalog()
