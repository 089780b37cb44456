"""Every format of every engine, held against files that a person can read.

``UPDATE_GOLDENS=1 pytest tests/launching`` writes them anew; the diff is then what is reviewed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, get_args

import pytest

from qwen_advisor.engine import EngineId
from qwen_advisor.launching import formats_of
from qwen_advisor.plan import Placement
from qwen_advisor.values import replace

GOLDEN = Path(__file__).parent / "golden"
SHAPES = {"several": {"nodes": 2, "head": "10.0.0.1"}, "server": {"profile": "server"}}


def cases() -> dict[str, tuple[str, str, dict[str, Any]]]:
    found: dict[str, tuple[str, str, dict[str, Any]]] = {}
    for engine in get_args(EngineId):
        for form in formats_of(engine):
            if form != "json":
                found[f"{engine}.{form}"] = (engine, form, {})
        for form in formats_of(engine, 2):
            if form != "json":
                found[f"{engine}-two-machines.{form}"] = (engine, form, SHAPES["several"])
    for engine in ("llama.cpp", "vllm", "sglang", "ollama"):
        for form in ("command", "compose", "systemd", "kubernetes"):
            found[f"{engine}-server.{form}"] = (engine, form, SHAPES["server"])
    return found


CASES = cases()


@pytest.mark.parametrize("name", CASES)
def test_what_is_written_is_as_in_its_golden(name: str, kitchen: Any) -> None:
    engine, form, wish = CASES[name]
    plan = kitchen.plan(engine)
    if wish.get("nodes"):
        plan = kitchen.plan(engine, placement=over_two(plan.placement, engine))
    text = kitchen.text(engine, form, plan=plan, **wish)
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDENS"):
        path.write_text(text, "utf-8", newline="\n")
    assert text == path.read_text("utf-8")


def over_two(one: Placement, engine: str) -> Placement:
    """The placement over two machines; llama.cpp splits layers by itself."""
    return one if engine == "llama.cpp" else replace(one, pipeline_parallel=2)


def test_every_golden_is_looked_at() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}.txt" for name in CASES}
