"""A hostile name cannot break out of any format: what goes in comes out as one word, and nothing else does."""

from __future__ import annotations

import ast
import importlib.util
import json
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from qwen_advisor.errors import UsageError
from qwen_advisor.launching import files, systemd
from qwen_advisor.launching.compose import literal as compose_literal
from qwen_advisor.launching.kubernetes import literal as kubernetes_literal
from qwen_advisor.launching.modelfile import quoted as modelfile_quoted
from qwen_advisor.launching.wish import safe_path

HERE = Path(__file__).parent
HOSTILE = [
    "/models/a b.gguf",
    "/models/$(touch pwned).gguf",
    "/models/`id`.gguf",
    "/models/${HOME}.gguf",
    "/models/x; rm -rf ~.gguf",
    "/models/'\"'\"'.gguf",
    '/models/"; import os; "',
    "/models/x' + __import__('os').system('id') + '.gguf",
    "/models/%h %n.gguf",
    "/models/\\x0a\\n.gguf",
    "/models/#yes: no.gguf",
    "/models/- a\t.gguf".replace("\t", " "),
    "/models/{{ .Values.key }}.gguf",
    "/models/&anchor *alias !!python/object.gguf",
    "/models/模型.gguf",
    "-c/models/option.gguf",
    "--help",
]
BROKEN = [
    "",
    "/models/a\nExecStart=/bin/sh.gguf",
    "/models/a\0.gguf",
    "/models/a\rb",
    "/models/\x1b[2J",
    "/models/\u2028x",
]


def _readers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("launching_readers", HERE / "readers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


READERS = _readers()


@pytest.mark.parametrize("path", BROKEN)
def test_control_characters_are_refused(path: str) -> None:
    with pytest.raises(UsageError, match="--weights"):
        safe_path(path, "--weights")


@pytest.mark.parametrize("path", HOSTILE)
@pytest.mark.parametrize("engine", ["llama.cpp", "vllm", "sglang", "transformers", "mlx", "onnxruntime", "openvino"])
def test_a_shell_hands_it_on_as_one_word(path: str, engine: str, kitchen: Any) -> None:
    safe = safe_path(path, "--weights")
    text = kitchen.text(engine, "command", weights=safe)
    line = next(line for line in text.splitlines() if line and not line.startswith("#"))
    words = shlex.split(line)
    assert safe in words
    assert not safe.startswith("-")
    # A real shell reads the same words.
    shown = subprocess.run(
        ["sh", "-c", f"set -- {line}\nprintf '%s\\0' \"$@\""], capture_output=True, check=True, cwd="/"
    ).stdout
    assert shown.decode().split("\0")[:-1] == words


@pytest.mark.parametrize("path", HOSTILE)
@pytest.mark.parametrize("engine", ["llama.cpp", "vllm"])
def test_systemd_hands_it_on_as_one_word(path: str, engine: str, kitchen: Any) -> None:
    safe = safe_path(path, "--weights")
    unit = READERS.systemd_unit(kitchen.text(engine, "systemd", weights=safe))
    (command,) = unit["Service"]["ExecStart"]
    assert tuple(READERS.systemd_words(command)[1:]) == kitchen.argv(engine, "systemd", weights=safe)
    assert len(unit["Service"]["ReadOnlyPaths"]) == 1


@pytest.mark.parametrize("path", HOSTILE)
@pytest.mark.parametrize("engine", ["llama.cpp", "vllm", "sglang"])
def test_compose_and_kubernetes_hand_it_on_as_one_word(path: str, engine: str, kitchen: Any) -> None:
    safe = safe_path(path, "--weights")
    argv = kitchen.argv(engine, "compose", weights=safe)
    folder, _, name = safe.rstrip("/").rpartition("/")
    assert f"/weights/{name}" in argv
    service = yaml.safe_load(kitchen.text(engine, "compose", weights=safe))["services"]["model"]
    words = [READERS.compose_word(word) for word in (*service.get("entrypoint", ()), *service["command"])]
    assert tuple(words[-4:]) == argv[-4:]
    assert f"/weights/{name}" in words
    mount = next(mount for mount in service["volumes"] if mount["type"] == "bind")
    assert READERS.compose_word(mount["source"]) == folder
    documents = list(yaml.safe_load_all(kitchen.text(engine, "kubernetes", weights=safe)))
    container = documents[1]["spec"]["template"]["spec"]["containers"][0]
    assert f"/weights/{name}" in [READERS.kubernetes_word(word) for word in container["args"]]


@pytest.mark.parametrize("path", HOSTILE)
@pytest.mark.parametrize("engine", ["transformers", "mlx"])
def test_python_keeps_it_a_string(path: str, engine: str, kitchen: Any) -> None:
    safe = safe_path(path, "--weights")
    tree = ast.parse(kitchen.text(engine, "python", weights=safe))
    assert safe in {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    harmless = ast.parse(kitchen.text(engine, "python", weights="/models/harmless"))
    assert [type(node) for node in ast.walk(tree)] == [type(node) for node in ast.walk(harmless)]


@pytest.mark.parametrize("path", HOSTILE)
def test_a_modelfile_keeps_it_or_is_refused(path: str, kitchen: Any) -> None:
    safe = safe_path(path, "--weights")
    if '"' in safe:
        with pytest.raises(UsageError, match="Modelfile"):
            kitchen.text("ollama", "modelfile", weights=safe)
        return
    source, _ = READERS.modelfile(kitchen.text("ollama", "modelfile", weights=safe))
    assert source == safe


lines = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1)


@given(st.lists(lines, min_size=1))
def test_systemd_reads_back_what_was_written(words: list[str]) -> None:
    assert READERS.systemd_words(" ".join(systemd.word(word) for word in words)) == words


@given(lines)
def test_an_assignment_reads_back(text: str) -> None:
    assert READERS.systemd_words(systemd.quoted(text), variables=False) == [text]


@given(lines)
def test_compose_and_kubernetes_read_back(text: str) -> None:
    assert READERS.compose_word(compose_literal(text)) == text
    assert READERS.kubernetes_word(kubernetes_literal(text)) == text


@given(lines)
def test_a_modelfile_reads_back(text: str) -> None:
    try:
        written = modelfile_quoted(text)
    except UsageError:
        return
    assert READERS.modelfile(f"FROM {written}\n")[0] == text


@given(st.dictionaries(lines, lines))
def test_json_in_an_option_is_one_word(values: dict[str, str]) -> None:
    text = json.dumps(values)
    assert json.loads(shlex.split(shlex.join(["vllm", text]))[1]) == values


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is there on Linux only")
def test_systemd_itself_takes_the_unit(kitchen: Any, tmp_path: Path) -> None:
    which = subprocess.run(["sh", "-c", "command -v systemd-analyze"], capture_output=True, text=True, check=False)
    if which.returncode:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "qwen3-8b.service"
    unit.write_text(kitchen.text("vllm", "systemd", weights="/models/a $b %c 'd'.gguf"), "utf-8")
    done = subprocess.run(
        [which.stdout.strip(), "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert "Unknown" not in done.stderr
    assert "Failed to parse" not in done.stderr


def test_caddy_itself_takes_its_file(kitchen: Any, tmp_path: Path) -> None:
    which = subprocess.run(["sh", "-c", "command -v caddy"], capture_output=True, text=True, check=False)
    if which.returncode:
        pytest.skip("caddy is not installed")
    written = next(
        file for file in files(kitchen.cook("vllm", "systemd", profile="server"), "systemd") if file.name == "Caddyfile"
    )
    (tmp_path / "Caddyfile").write_text(written.text, "utf-8")
    done = subprocess.run(
        [
            which.stdout.strip(),
            "adapt",
            "--adapter",
            "caddyfile",
            "--config",
            str(tmp_path / "Caddyfile"),
            "--validate",
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"SITE_ADDRESS": "localhost", "PATH": "/usr/bin", "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    server = json.loads(done.stdout)["apps"]["http"]["servers"]["srv0"]
    assert "4000" in json.dumps(server)
