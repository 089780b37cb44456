"""The command line with a hand-made answer behind it, so that these tests are about manners alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

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
    """Run the command line in this process."""
    monkeypatch.delenv("QWEN_ADVISOR_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*words: str) -> Said:
        code = main(words)
        caught = capsys.readouterr()
        return Said(code, caught.out, caught.err)

    return run


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch, hand: ModuleType) -> ModuleType:
    """`recommend` and `estimate` answer from ``tests/golden/hand.py``, whatever the machine."""
    from qwen_advisor import api  # noqa: PLC0415  the command line looks these up at each call

    monkeypatch.setattr(api, "recommend", lambda *_, **__: hand.ADVICE)
    monkeypatch.setattr(api, "estimate", lambda *_, **__: hand.ESTIMATE)
    return hand


@pytest.fixture(scope="session")
def compiled_catalog() -> dict[str, str]:
    """The environment of a call that finds the catalogue compiled, as every installed one does."""
    from qwen_advisor.catalog import load_catalog  # noqa: PLC0415  a checkout compiles when it is first read

    load_catalog()
    return {}
