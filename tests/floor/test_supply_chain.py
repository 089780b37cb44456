"""What comes along when the package is installed: licenses, the lock for development, the bill of materials."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
import zipfile
from email.message import Message
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCK = (ROOT / "requirements" / "dev.lock").read_text("utf-8")
COMMAND = LOCK.splitlines()[1].strip("# ")


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bill_of_materials", ROOT / ".ci" / "bill_of_materials.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BILL = _script()


def about(**fields: str) -> Message:
    message = Message()
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    return message


def test_what_runs_with_it_has_a_license_that_we_take() -> None:
    packages = BILL.closure(PYPROJECT["project"]["dependencies"])
    assert {"typer", "rich", "pyyaml", "psutil", "nvidia-ml-py", "huggingface-hub"} < set(packages)
    licenses = {name: BILL.license_of(BILL.distribution(name).metadata) for name in packages}
    assert {name: one for name, one in licenses.items() if BILL.refused(one)} == {}


@pytest.mark.parametrize(
    ("fields", "expression", "refused"),
    [
        ({"License_Expression": "MPL-2.0 AND MIT"}, "MPL-2.0 AND MIT", []),
        ({"Classifier": "License :: OSI Approved :: MIT License", "License": "see LICENSE"}, "MIT", []),
        ({"License": "Apache 2.0"}, "Apache-2.0", []),
        ({"License_Expression": "MIT AND (GPL-3.0-only OR ISC)"}, "MIT AND (GPL-3.0-only OR ISC)", ["GPL-3.0-only"]),
        ({"License": "Proprietary"}, "Proprietary", ["Proprietary"]),
        ({}, "", [""]),
    ],
)
def test_a_license_is_read_and_judged(fields: dict[str, str], expression: str, refused: list[str]) -> None:
    assert BILL.license_of(about(**fields)) == expression
    assert BILL.refused(expression) == refused


def wanted() -> list[Requirement]:
    """What a development environment needs by pyproject.toml."""
    project, extras = PYPROJECT["project"], re.findall(r"--extra (\S+)", COMMAND)
    assert extras == ["test", "lint", "benchmarks"]
    lines = [*project["dependencies"], *PYPROJECT["dependency-groups"]["dev"]]
    lines += [line for extra in extras for line in project["optional-dependencies"][extra]]
    return [Requirement(line) for line in lines]


def test_the_lock_is_fresh() -> None:
    held = list(BILL.pins(LOCK))
    stale = [
        str(one)
        for one in wanted()
        if not any(name == canonicalize_name(one.name) and one.specifier.contains(pin) for name, pin in held)
    ]
    assert not stale, "make requirements/dev.lock anew, as CONTRIBUTING.md says"


def test_every_file_of_the_lock_has_its_sum() -> None:
    named = re.findall(r"^[\w.-]+==", LOCK, re.MULTILINE)
    assert len(named) > 50
    assert len(BILL.pins(LOCK)) == len(named)
    assert all(BILL.pins(LOCK).values())


def test_the_lock_is_made_as_contributing_says() -> None:
    assert COMMAND.startswith("uv pip compile ")
    assert COMMAND in (ROOT / "CONTRIBUTING.md").read_text("utf-8")


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """As much of a wheel as the bill reads."""
    path = tmp_path / "made-1.0-py3-none-any.whl"
    text = "Name: Made.By.Hand\nVersion: 1.0\nLicense-Expression: MIT\nRequires-Dist: rich>=13\n"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("made-1.0.dist-info/METADATA", text + "Requires-Dist: pytest; extra == 'test'\n")
    return path


def locked(*names: str) -> str:
    return "".join(f"{name}=={version(name)} \\\n    --hash=sha256:{'ab' * 32}\n" for name in names)


def test_the_bill_holds_what_the_wheel_needs_and_no_extra(wheel: Path) -> None:
    names = ["markdown-it-py", "mdurl", "pygments", "rich"]
    made = BILL.bill(wheel, locked(*names))
    assert made == BILL.bill(wheel, locked(*names))
    assert [part["name"] for part in made["components"]] == names
    assert made["metadata"]["component"]["purl"] == "pkg:pypi/made-by-hand@1.0"
    assert made["dependencies"][0] == {
        "ref": "pkg:pypi/made-by-hand@1.0",
        "dependsOn": [f"pkg:pypi/rich@{version('rich')}"],
    }
    assert made["components"][1]["externalReferences"][0]["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]


def test_the_bill_is_cyclonedx(wheel: Path) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json", reason="of the locked environment; .ci/run has it")
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415  as above

    made = BILL.bill(wheel, locked("markdown-it-py", "mdurl", "pygments", "rich"))
    assert validation.JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(made)) is None


def test_what_is_not_locked_is_no_part_of_a_bill(wheel: Path) -> None:
    with pytest.raises(ValueError, match=r"rich .* is installed, which the lock does not have"):
        BILL.bill(wheel, locked("markdown-it-py", "mdurl", "pygments"))
