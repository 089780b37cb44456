"""Every command of the two pages runs, against a host that holds what the catalogue names."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qwen_advisor import load_catalog
from tests.hub import weight_files
from tests.hub.written_configs import config_of

HOWTO = Path(__file__).parents[2] / "docs" / "howto"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = [
    pytest.param(line, id=line)
    for page in ("pull.md", "refresh-the-catalogue.md")
    for block in BLOCK.findall((HOWTO / page).read_text("utf-8"))
    for line in block.splitlines()
]


@pytest.fixture
def everything(hub: Any) -> Any:
    catalog = load_catalog()
    for model in catalog.models.values():
        shape = catalog.architectures[model.architecture]
        hub.add(model.id, {"config.json": b"{}", "model.safetensors": b"weights"})
        if model.id in ("Qwen/Qwen3-8B", "Qwen/Qwen3-VL-8B-Instruct"):
            config = json.dumps(config_of(shape)).encode()
            hub.add(model.id, {"config.json": config, "model.safetensors": weight_files.safetensors_of(shape)})
        for repo in model.quantized:
            names = [name for file in (*repo.files.values(), *repo.projector.values()) for name in file.names]
            hub.add(repo.repo, dict.fromkeys(names, b"weights") or {"model.safetensors": b"weights"})
    return hub


@pytest.mark.parametrize("line", COMMANDS)
def test_it_runs_as_it_is_typed(
    line: str, everything: Any, call: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert everything.url
    monkeypatch.chdir(tmp_path)
    program, *words = shlex.split(line)
    assert program == "qwen-advisor"
    said = call(*words)
    # Nothing is on this disk, which is an answer too.
    assert said.code == (3 if "--installed" in words else 0), said.err


def test_there_are_some() -> None:
    assert len(COMMANDS) >= 12
