"""Evidence of whole machines, replayed: each file of ``fixtures/`` comes to the machine that stands beside it.

The evidence is in the formats of real systems with values of our own, but for two files that say where they were
captured. What is expected was held against the evidence by hand: totals, what is free, the figures of the card's
data sheet, and the first words of each note.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from qwen_advisor.facts import Catalog
from qwen_advisor.probes.assemble import interpret
from qwen_advisor.probes.evidence import Evidence, from_document, to_text
from qwen_advisor.profiles.document import machine_document
from qwen_advisor.profiles.files import read_profile
from qwen_advisor.render.schema import json_schema

FIXTURES = Path(__file__).parent / "fixtures"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.yaml") if not path.stem.endswith(".expected"))


def evidence(name: str) -> Evidence:
    return from_document(yaml.safe_load((FIXTURES / f"{name}.yaml").read_text("utf-8")), name)


def expected(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((FIXTURES / f"{name}.expected.yaml").read_text("utf-8"))
    return document


def differences(found: Any, wanted: Any, path: str = "") -> list[str]:
    """Where ``found`` is not what is ``wanted``. Fields that nothing is expected of are passed over."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [d for key in wanted for d in differences(found.get(key), wanted[key], f"{path}.{key}")]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [d for i, one in enumerate(wanted) for d in differences(found[i], one, f"{path}[{i}]")]
    return [] if found == wanted else [f"{path}: found {found!r}, expected {wanted!r}"]


def test_every_fixture_has_what_is_expected_beside_it() -> None:
    beside = {path.name.removesuffix(".expected.yaml") for path in FIXTURES.glob("*.expected.yaml")}
    assert beside == set(NAMES)
    assert len(NAMES) >= 29


@pytest.mark.parametrize("name", NAMES)
def test_evidence_comes_to_the_machine_beside_it(name: str, facts: Catalog) -> None:
    document, wanted = machine_document(interpret(evidence(name), facts)), expected(name)
    notes = wanted.pop("notes")
    assert differences(document, wanted) == []
    for note, start in zip(document["notes"], notes, strict=True):
        assert note.startswith(start)
    jsonschema.validate(document, json_schema("hardware-1"))


@pytest.mark.parametrize("name", NAMES)
def test_pools_add_up(name: str, facts: Catalog) -> None:
    machine = interpret(evidence(name), facts)
    for accelerator in machine.accelerators:
        assert 0 <= accelerator.budget <= accelerator.free <= accelerator.memory
        assert accelerator.shared <= accelerator.memory
        assert accelerator.memory > 0
    assert 0 <= machine.memory.budget <= machine.memory.available <= machine.memory.total
    assert 1 <= machine.cpu.usable_cores <= machine.cpu.physical_cores <= machine.cpu.logical_cores
    assert machine.memory.unified == (
        any(a.shared for a in machine.accelerators) and all(a.shared for a in machine.accelerators)
    )


@pytest.mark.parametrize("name", NAMES)
def test_evidence_written_out_is_the_same_evidence(name: str) -> None:
    before = evidence(name)
    assert from_document(yaml.safe_load(to_text(before)), name) == before


@pytest.mark.parametrize("name", NAMES)
def test_evidence_is_read_as_a_hardware_file(name: str, facts: Catalog) -> None:
    assert read_profile(FIXTURES / f"{name}.yaml", facts) == interpret(evidence(name), facts)


def test_nothing_of_the_fixtures_tells_whose_machine_it_was() -> None:
    for path in FIXTURES.glob("*.yaml"):
        text = path.read_text("utf-8")
        assert "/home/" not in text
        assert "Serial" not in text
