"""Laws: no bytes make the reader fail, and what is packed is unpacked the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_advisor.catalog.packing import plan_of, row_of, text_of
from qwen_advisor.catalog.rows import Decoders, parse
from qwen_advisor.catalog.strict_yaml import parse_yaml
from qwen_advisor.catalog.structure import INVALID, Structure, plain
from qwen_advisor.engine import EngineSpec
from qwen_advisor.facts import AcceleratorSpec, DeviceSpec
from qwen_advisor.footprint import Footprint
from qwen_advisor.model import Architecture, Checkpoint
from qwen_advisor.quantization import Format

SMALL = Path(__file__).parent / "small"

numbers = st.floats(allow_nan=False, allow_infinity=False)
st.register_type_strategy(float, numbers)

texts = st.text(min_size=1)
measures = st.floats(1e-20, 1e15)  # what a catalogue could hold; exponents beyond two digits are read as text
scalars = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | measures | st.text()
documents = st.dictionaries(
    texts, st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=8)
)


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_fail(data: bytes) -> None:
    node, faults = parse_yaml(data, "x.yaml")
    assert node is not None or faults


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@`#?,.\n\t 0", max_size=60))
def test_no_yaml_makes_the_reader_fail(text: str) -> None:
    node, faults = parse_yaml(text.encode(), "x.yaml")
    assert node is not None or faults
    for cls in (Checkpoint, Architecture, Format):
        structure = Structure("x.yaml")
        if node is not None:
            assert structure.read(node, cls) is INVALID
            assert structure.faults


@given(documents)
def test_what_json_writes_is_read_back(document: dict[str, Any]) -> None:
    """JSON is YAML, and quoted text stays text."""
    node, faults = parse_yaml(json.dumps(document).encode(), "x.yaml")
    if not faults:  # deep nesting, forbidden characters
        assert node is not None
        assert plain(node) == json.loads(json.dumps(document))


@pytest.mark.parametrize("cls", [Checkpoint, Architecture, EngineSpec, AcceleratorSpec, DeviceSpec, Footprint, Format])
def test_every_value_survives_packing(cls: type) -> None:
    types: dict[str, Any] = {}
    plan = plan_of(cls, types)
    unpack = Decoders(json.loads(text_of(types))).of(plan)

    @given(st.from_type(cls))
    def law(value: Any) -> None:
        assert unpack(parse(text_of(row_of(value)))) == value

    law()
