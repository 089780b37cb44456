"""What tests of several areas share."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

HERE = Path(__file__).parent
os.environ["QWEN_ADVISOR_CONFIG"] = ""  # nobody's own settings change what is tested
# The same cases on every run: a finding is a finding of the change. `benchmarks.fuzz` looks for new ones.
settings.register_profile("fixed", derandomize=True)
settings.load_profile("fixed")
# For `benchmarks`, which no wheel holds; last, so that an installed qwen_advisor is the one that is tested.
sys.path.append(str(HERE.parent))


@pytest.fixture(scope="session")
def hand() -> ModuleType:
    """Hand-made answers with round numbers (``tests/golden/hand.py``)."""
    spec = importlib.util.spec_from_file_location("golden_hand", HERE / "golden" / "hand.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
