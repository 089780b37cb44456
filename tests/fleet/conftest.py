"""A fleet's command line, run in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from qwen_advisor.cli import main


@dataclass(frozen=True)
class Said:
    """What one call said, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Run the command line."""
    monkeypatch.delenv("QWEN_ADVISOR_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "120")

    def run(*words: str) -> Said:
        code = main(words)
        caught = capsys.readouterr()
        return Said(code, caught.out, caught.err)

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Write an inventory and give back its path."""

    def written(text: str | bytes, name: str = "fleet.csv") -> str:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    return written
