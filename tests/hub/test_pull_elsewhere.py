"""``pull`` through Ollama, and without a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from qwen_advisor.cli import main
from qwen_advisor.render.schema import json_schema
from tests.hub.pulling import PULL, cached

Call = Callable[..., Any]


class TestOffline:
    def test_what_lies_here_whole_is_an_answer(self, gguf: Any, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        path = call(*PULL, "--json").json["path"]
        assert gguf.url
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        monkeypatch.setattr(time, "sleep", lambda _: None)
        said = call(*PULL, "--json")
        assert said.code == 0
        assert (said.json["path"], said.json["files"][0]["state"]) == (path, "present")
        assert "this is what lies here" in said.err
        assert call("pull", "qwen3:8b", "--quant", "Q8_0", "--json").code == 6

    def test_a_repository_with_a_part_missing_is_none(
        self, hub: Any, call: Call, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
        hub.add("Qwen/Qwen3-8B", {"config.json": b"{}"} | {name: name.encode() for name in names})
        words = ("pull", "Qwen3-8B", "--quant", "BF16", "--engine", "vllm")
        assert call(*words).code == 0
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        monkeypatch.setattr(time, "sleep", lambda _: None)
        assert call(*words).code == 0
        next(cached(home, "Qwen/Qwen3-8B").rglob(names[1])).unlink()
        assert call(*words).code == 6

    def test_offline_by_its_variable(self, home: Path) -> None:
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(home)}
        words = [sys.executable, "-m", "qwen_advisor", *PULL]
        done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 6
        assert "HF_HUB_OFFLINE forbids asking the Hub" in done.stderr


class TestOllama:
    OLLAMA = ("pull", "qwen3:8b", "--quant", "Q4_K_M", "--engine", "ollama")

    @pytest.fixture
    def program(self, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A program of that name, which notes how it was called; it fails where a file called ``fail`` is."""
        folder = tmp_path / "bin"
        folder.mkdir()
        script = folder / "ollama"
        script.write_text(
            f'#!/bin/sh\necho "$@" >>{tmp_path}/called\necho pulling manifest\ntest ! -e {tmp_path}/fail\n'
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        assert home.exists()
        return tmp_path

    @pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the program")
    def test_by_its_own_program(self, program: Path, capfd: pytest.CaptureFixture[str]) -> None:
        assert main([*self.OLLAMA, "--json"]) == 0
        caught = capfd.readouterr()
        answer = json.loads(caught.out)
        assert (program / "called").read_text() == "pull qwen3:8b\n"
        assert (answer["source"], answer["ollama"], answer["path"]) == ("ollama", "qwen3:8b", "qwen3:8b")
        assert "pulling manifest" in caught.err
        jsonschema.validate(answer, json_schema("pull-1"))

    @pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the program")
    def test_a_repository_that_ollama_fetches(self, program: Path, call: Call) -> None:
        said = call("pull", "qwen3:8b", "--quant", "Q5_0", "--engine", "ollama", "--json")
        assert said.json["ollama"] == "hf.co/Qwen/Qwen3-8B-GGUF:Q5_0"
        assert (program / "called").read_text() == "pull hf.co/Qwen/Qwen3-8B-GGUF:Q5_0\n"

    @pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the program")
    def test_its_failure_is_said(self, program: Path, call: Call) -> None:
        (program / "fail").touch()
        said = call(*self.OLLAMA)
        assert said.code == 6
        assert "hint: is its server running? start it with: ollama serve" in said.err

    def test_dry_run_asks_nobody(self, program: Path, call: Call) -> None:
        said = call(*self.OLLAMA, "--dry-run", "--json")
        assert said.json["path"] is None
        assert said.json["missing_bytes"] == 5_027_783_488  # of Qwen/Qwen3-8B-GGUF, which stands for the tag's size
        assert not (program / "called").exists()

    def test_not_there(self, home: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(home))
        said = call(*self.OLLAMA)
        assert said.code == 2
        assert "the program ollama is not on this machine" in said.err

    @pytest.mark.parametrize("words", [("--to", "x"), ("--source", "modelscope")])
    def test_what_says_nothing_to_it(self, words: tuple[str, str], call: Call, home: Path) -> None:
        assert home.exists()
        assert call(*self.OLLAMA, *words).code == 2
