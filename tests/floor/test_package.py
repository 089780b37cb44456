"""The package as it is shipped: its version, what a wheel holds, and that nothing is fetched."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

import qwen_advisor
from qwen_advisor.catalog import compile_catalog

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def script(name: str) -> ModuleType:
    """One of the scripts of ``.ci``."""
    spec = importlib.util.spec_from_file_location(f"ci_{name}", ROOT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_one_version_everywhere() -> None:
    assert PYPROJECT["project"]["version"] == qwen_advisor.__version__
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] in ("Unreleased", qwen_advisor.__version__)
    assert qwen_advisor.__version__ in headings


def test_a_wheel_holds_the_compiled_catalogue_and_no_more_than_the_package(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="the build backend; .ci/run has it")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            str(tmp_path),
            str(ROOT),
        ],
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
        assert packed.read("qwen_advisor/_catalog.json") == compile_catalog(ROOT / "catalog")
        assert (
            "License-File: LICENSE"
            in packed.read(f"qwen_advisor-{qwen_advisor.__version__}.dist-info/METADATA").decode()
        )
    schemas = {f"qwen_advisor/_schemas/{path.name}" for path in (ROOT / "schemas").glob("*.json")}
    assert {"qwen_advisor/_schemas/recommend-1.json", "qwen_advisor/py.typed"} <= names
    assert schemas <= names
    assert {name.partition("/")[0] for name in names} == {
        "qwen_advisor",
        f"qwen_advisor-{qwen_advisor.__version__}.dist-info",
    }
    assert not [name for name in names if name.endswith((".yaml", ".pyc"))]
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "qwen_advisor").rglob("*.py")}
    assert sources <= names


def test_an_invalid_catalogue_cannot_be_built(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="the build backend; .ci/run has it")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog/ranking.yaml").write_text("a: 1\na: 2\n", "utf-8")
    said: list[str] = []

    class Application:
        def abort(self, message: str) -> None:
            said.append(message)
            raise SystemExit(1)

    hook = module.CatalogBuildHook(str(tmp_path), {}, None, None, "", "wheel", Application())
    with pytest.raises(SystemExit):
        hook.initialize("standard", {"force_include": {}})
    assert "ranking.yaml:2:1: key 'a' stands here again" in said[0]
    assert str(tmp_path) not in sys.path
    hook.initialize("editable", {})  # a checkout reads its own YAML


OFFLINE = """
import socket

def refuse(*_, **__):
    raise AssertionError("the network was asked")

socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
import qwen_advisor
from qwen_advisor.cli import main
assert qwen_advisor.load_catalog().models
raise SystemExit(main({words!r}))
"""


@pytest.mark.parametrize(
    "words",
    [
        ["recommend", "--task", "code", "--ram", "16G", "--json"],
        ["estimate", "qwen3:8b", "--ram", "16G"],
        ["catalog", "list", "--task", "vision"],
        ["catalog", "show", "Qwen3-8B"],
    ],
    ids=" ".join,
)
def test_nothing_is_fetched(words: list[str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", OFFLINE.format(words=words)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (ran.returncode, ran.stderr) == (0, ran.stderr)
    assert ran.stdout


@pytest.mark.parametrize(
    ("requirement", "constraint"),
    [
        ("typer>=0.27,<0.29", "typer==0.27"),
        ("nvidia-ml-py>=12.560.30,<14", "nvidia-ml-py==12.560.30"),
        ("a<2,>=1.5", "a==1.5"),
        ("a ~= 1.4", "a==1.4"),
        ("types-PyYAML", None),
    ],
)
def test_lowest_versions_are_read_from_the_bounds(requirement: str, constraint: str | None) -> None:
    assert script("constraints").lowest(requirement) == constraint


def test_a_requirement_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a plain requirement"):
        script("constraints").lowest("a[b]>=1; python_version < '3.12'")


def test_every_dependency_has_both_bounds() -> None:
    project = PYPROJECT["project"]
    for requirement in [*project["dependencies"], *project["optional-dependencies"]["test"]]:
        assert re.search(r">=.+,<", requirement), requirement


def test_the_readme_has_the_two_commands_that_are_run() -> None:
    commands = script("readme_command").commands((ROOT / "README.md").read_text("utf-8"))
    assert (
        len([line for line in commands if "venv" in line and "qwen-advisor recommend --task code --ram 16G" in line])
        == 1
    )
    assert len([line for line in commands if "venv" in line and "pytest" in line]) == 1
