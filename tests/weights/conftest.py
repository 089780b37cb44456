"""The shipped architectures, formats and block types, and the benchmark's rows."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from qwen_advisor.catalog import load_catalog
from qwen_advisor.facts import Catalog
from qwen_advisor.footprint import Footprint
from qwen_advisor.weights import footprint

ROOT = Path(__file__).parents[2]

Weigh = Callable[..., Footprint]


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture(scope="session")
def weigh(catalog: Catalog) -> Weigh:
    """`footprint` by the names of an architecture, a format and the words of a variant."""

    def by_name(architecture: str, fmt: str, *words: str) -> Footprint:
        return footprint(
            catalog.architectures[architecture], catalog.formats[fmt], catalog.block_types, variant=frozenset(words)
        )

    return by_name


@pytest.fixture
def benchmark_module(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """A module of ``benchmarks``, which is no part of the installed package."""
    monkeypatch.syspath_prepend(ROOT)
    return importlib.import_module
