from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

SMALL = Path(__file__).parent / "small"


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test sees the catalogue entries, settings or caches of whoever runs it."""
    home = tmp_path_factory.mktemp("home")
    for name in ("QWEN_ADVISOR_CATALOG", "QWEN_ADVISOR_CATALOG_EXTRA"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(home))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A copy of the small catalogue, to be spoilt."""
    return Path(shutil.copytree(SMALL, tmp_path / "catalog"))


@pytest.fixture
def spoil(small: Path) -> Callable[[str, str, str], Path]:
    """Replace a piece of one file of the small catalogue; returns the catalogue."""

    def replace(file: str, old: str, new: str) -> Path:
        path = small / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")
        return small

    return replace
