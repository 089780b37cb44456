"""Every entry of the shipped catalogue, read once, strictly, and given to tests one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwen_advisor.catalog.sources import Facts, read_facts
from qwen_advisor.facts import License
from qwen_advisor.model import Architecture, Checkpoint

ROOT = Path(__file__).parents[2] / "catalog"
FACTS = read_facts(ROOT)
MODELS: dict[str, Checkpoint] = FACTS.values("models")
ARCHITECTURES: dict[str, Architecture] = FACTS.values("architectures")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `checkpoint` or `architecture` runs once for each there is."""
    if "checkpoint" in metafunc.fixturenames:
        metafunc.parametrize("checkpoint", MODELS.values(), ids=list(MODELS))
    if "architecture" in metafunc.fixturenames:
        metafunc.parametrize("architecture", ARCHITECTURES.values(), ids=list(ARCHITECTURES))


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def facts() -> Facts:
    return FACTS


@pytest.fixture(scope="session")
def models() -> dict[str, Checkpoint]:
    return MODELS


@pytest.fixture(scope="session")
def architectures() -> dict[str, Architecture]:
    return ARCHITECTURES


@pytest.fixture(scope="session")
def licenses() -> dict[str, License]:
    return FACTS.values("licenses")
