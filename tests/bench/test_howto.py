"""The commands of the page on measuring, as they stand there, against a server that answers as it should."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qwen_advisor import api
from qwen_advisor.machine import Cpu, HostMemory, Machine
from qwen_advisor.units import GIB

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "measure-an-endpoint.md"
URL = "http://127.0.0.1:8080"
HERE = Machine(
    os="linux",
    cpu=Cpu(name="A CPU", physical_cores=8, logical_cores=16, usable_cores=8, memory_bandwidth=60e9),
    memory=HostMemory(total=32 * GIB, available=20 * GIB),
)


def commands() -> list[tuple[str, ...]]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("qwen-advisor ")]
    return [tuple(shlex.split(line)[1:]) for line in lines]


def test_every_command_answers(
    fake: Any, call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from qwen_advisor.cli import machine_options  # noqa: PLC0415

    monkeypatch.setattr(api, "detect", lambda *_, **__: HERE)
    monkeypatch.setattr(machine_options, "detect", lambda *_, **__: HERE)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-something")
    monkeypatch.chdir(tmp_path)
    good = type(fake.routes["/v1/chat/completions"])
    found = commands()
    assert len(found) > 10
    for words in found:
        # Predicted on such a machine, so that --calibrate has something to keep; as fast as can be otherwise.
        fake.answers(good(gap=0.012, first=0.04) if "--calibrate" in words else good(gap=0.0))
        short = (
            ("--prompt-tokens", "64", "--output-tokens", "8", "--runs", "1")
            if words[0] == "bench" and URL in words
            else ()
        )
        here = {URL: fake.url, "30": "0.1"}  # seconds between two looks
        said = call(*(here.get(word, word) for word in words), *short)
        assert said.code == 0, (words, said)
    assert (tmp_path / "qwen.prom").exists()
