"""What the tests of hardware share."""

from __future__ import annotations

import pytest

from qwen_advisor.catalog import load_catalog
from qwen_advisor.facts import Catalog


@pytest.fixture(scope="session")
def facts() -> Catalog:
    """The catalogue as it is shipped."""
    return load_catalog()
