"""One only walks downstairs, and from `advise` down nothing touches the world."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
LAYERS = [layer for contract in CONTRACTS if contract["type"] == "layers" for layer in contract["layers"]]
PURE = next(contract for contract in CONTRACTS if contract["type"] == "forbidden")


def test_import_contracts_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    cli = pytest.importorskip("importlinter.cli", reason="part of the lint extra; .ci/run has it")
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(ROOT))
    assert cli.lint_imports(no_cache=True) == 0


def test_every_module_has_a_floor() -> None:
    floors = {name.strip(" ()") for layer in LAYERS for name in layer.split("|")}
    package = ROOT / "qwen_advisor"
    files = {path.stem for path in package.glob("*.py")}
    modules = files | {path.parent.name for path in package.glob("*/__init__.py")}
    assert modules - {"__init__", "__main__"} <= floors


def test_every_floor_below_the_door_is_pure() -> None:
    below = LAYERS[LAYERS.index("catalog | probes") + 1 :]
    floors = {f"qwen_advisor.{name.strip()}" for layer in below for name in layer.split("|")}
    modules = {f"qwen_advisor.{path.stem}" for path in (ROOT / "qwen_advisor").iterdir()}
    assert floors & modules <= set(PURE["source_modules"])


LOADED = "import sys, json\nfor name in {names!r}: __import__(name)\nprint(json.dumps(sorted(sys.modules)))"


def test_pure_modules_load_nothing_of_the_world() -> None:
    names = [name for name in PURE["source_modules"] if _exists(name)]
    ran = subprocess.run(
        [sys.executable, "-c", LOADED.format(names=names)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    third = {"yaml", "rich", "typer", "pydantic", "psutil", "pynvml", "huggingface_hub", "subprocess", "socket"}
    assert third & set(json.loads(ran.stdout)) == set()


def _exists(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()
