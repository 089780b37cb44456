"""The GitHub Action and the pre-commit hooks, by running the very steps that stand in their files."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
INSTALL, ASK = ACTION["runs"]["steps"]
BASH = shutil.which("bash")
needs_bash = pytest.mark.skipif(BASH is None or os.name != "posix", reason="runs the steps with bash")


@dataclass(frozen=True)
class Ran:
    """What a step left behind."""

    code: int
    outputs: dict[str, str]
    summary: str
    path: str
    out: str
    err: str
    where: Path


def _run(step: Mapping[str, Any], where: Path, inputs: Mapping[str, str]) -> Ran:
    """The step as the runner runs it: expressions in `env` alone are replaced, then bash reads `run` as it stands."""
    given = {name: entry.get("default", "") for name, entry in ACTION["inputs"].items()} | dict(inputs)
    known = {"github.action_path": str(ROOT), **{f"inputs.{name}": value for name, value in given.items()}}
    asked = {
        name: re.sub(r"\$\{\{ *([\w.-]+) *\}\}", lambda match: known[match[1]], value)
        for name, value in step["env"].items()
    }
    programs = where / "programs"
    programs.mkdir(exist_ok=True)
    program = programs / "qwen-advisor"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m qwen_advisor "$@"\n', "utf-8")
    program.chmod(0o755)
    script = where / "step.sh"
    script.write_text(step["run"], "utf-8")
    files = {name: where / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH")}
    for path in files.values():
        path.write_text("", "utf-8")
    work = where / "work"
    work.mkdir(exist_ok=True)
    done = subprocess.run(
        [str(BASH), "--noprofile", "--norc", "-eo", "pipefail", script],
        cwd=work,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(("QWEN_ADVISOR", "GITHUB"))},
            **asked,
            **{name: str(path) for name, path in files.items()},
            "RUNNER_TEMP": str(where),
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=600,
    )
    lines = files["GITHUB_OUTPUT"].read_text("utf-8").splitlines()
    return Ran(
        code=done.returncode,
        outputs=dict(line.split("=", 1) for line in lines),
        summary=files["GITHUB_STEP_SUMMARY"].read_text("utf-8"),
        path=files["GITHUB_PATH"].read_text("utf-8").strip(),
        out=done.stdout,
        err=done.stderr,
        where=work,
    )


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Ran]:
    """Run the step that asks, with these inputs."""
    return lambda **inputs: _run(ASK, tmp_path, {name.replace("_", "-"): value for name, value in inputs.items()})


def test_no_input_is_ever_part_of_a_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"
    used = set(re.findall(r"inputs\.([\w-]+)", json.dumps([step["env"] for step in ACTION["runs"]["steps"]])))
    assert used == set(ACTION["inputs"])
    asked = {name for step in ACTION["runs"]["steps"] for name in step["env"]}
    scripts = "".join(step["run"] for step in ACTION["runs"]["steps"])
    assert [name for name in asked if f"${name}" not in scripts] == []
    # Settings of the program are variables of these names, which inputs must not set.
    assert not [name for name in asked if name.startswith("QWEN_ADVISOR")]


def test_every_output_is_one_that_the_step_writes() -> None:
    written = set(re.findall(r"printf '([\w-]+)=%s", ASK["run"]))
    assert written == set(ACTION["outputs"])
    for name, entry in ACTION["outputs"].items():
        assert entry["value"] == "${{ steps.%s.outputs.%s }}" % (ASK["id"], name)  # noqa: UP031  braces
        assert entry["description"]
    assert {"model", "quantization", "engine", "context", "repo", "file", "ollama"} <= written


def test_everything_is_described() -> None:
    assert all(entry["description"] and "default" in entry for entry in ACTION["inputs"].values())
    assert ACTION["name"] == "qwen-advisor"


@needs_bash
class TestAsking:
    """The second step."""

    def test_recommend_sets_outputs_and_writes_a_summary(self, ask: Callable[..., Ran]) -> None:
        ran = ask(task="code", ram="16G", engine="ollama\nllama.cpp", license="permissive")
        assert ran.code == 0, ran.err
        answer = json.loads(Path(ran.outputs["json"]).read_text("utf-8"))
        first = answer["recommendations"][0]
        assert answer["requirements"]["engines"] == ["ollama", "llama.cpp"]
        assert ran.outputs == {
            "passed": "true",
            "model": first["model"]["id"],
            "quantization": first["quantization"],
            "engine": first["engine"],
            "context": str(first["context_tokens"]),
            "repo": first["artifact"]["repo"],
            "file": first["artifact"]["files"][0],
            "ollama": first["artifact"]["ollama"] or "",
            "json": ran.outputs["json"],
        }
        assert ran.summary.startswith(f"## Use {first['model']['id']}")
        assert ran.out == ""

    def test_every_wish_reaches_the_program(self, ask: Callable[..., Ran]) -> None:
        ran = ask(
            task="agent",
            gpu="RTX 4090\nRTX 4090",
            context="32k",
            prompt_tokens="2000",
            output_tokens="500",
            concurrency="4",
            min_speed="3",
            quant="AWQ\nQ4_K_M",
            language="de",
            thinking="off",
            tools="true",
            max_download="100G",
            family="Qwen3",
            released_after="2025-01-01",
            prefer="speed",
            nodes="1",
            ram="64G",
            vram="24G",
        )
        assert ran.code == 0, ran.err
        answer = json.loads(Path(ran.outputs["json"]).read_text("utf-8"))
        asked = answer["requirements"]
        assert (asked["task"], asked["context_tokens"], asked["concurrency"]) == ("agent", 32768, 4)
        assert (asked["prompt_tokens"], asked["output_tokens"]) == (2000, 500)
        assert (asked["min_speed_tokens_per_second"], asked["prefer"], asked["tools"]) == (3.0, "speed", True)
        assert (asked["quantizations"], asked["language"], asked["thinking"]) == (["AWQ", "Q4_K_M"], "de", "off")
        assert (asked["family"], asked["released_after"]) == ("Qwen3", "2025-01-01")
        assert asked["max_download_bytes"] == 100 * 2**30
        assert len(answer["hardware"]["accelerators"]) == 2
        assert answer["hardware"]["memory"]["total_bytes"] == 64 * 2**30

    def test_nothing_fits_fails_the_step_unless_it_may(self, ask: Callable[..., Ran]) -> None:
        wishes = {"task": "code", "ram": "2G", "min_speed": "500"}
        ran = ask(**wishes)
        assert (ran.code, ran.outputs["passed"], ran.outputs["model"]) == (3, "false", "")
        assert "Nothing fits" in ran.summary
        assert "error: nothing fits" in ran.err
        assert ask(**wishes, fail="false").code == 0

    def test_check_passes_and_fails(self, ask: Callable[..., Ran]) -> None:
        ran = ask(command="check", models="qwen3:8b\nQwen3-0.6B", ram="16G")
        assert (ran.code, ran.outputs["passed"], ran.outputs["model"]) == (0, "true", "Qwen/Qwen3-8B"), ran.err
        ran = ask(command="check", models="Qwen3-32B qwen3:8b", ram="16G")
        assert (ran.code, ran.outputs["passed"], ran.outputs["model"]) == (3, "false", "Qwen/Qwen3-8B")
        assert "M101" in ran.summary
        assert ran.err.count("error: ") == 1

    def test_check_writes_reports_and_takes_a_policy(self, ask: Callable[..., Ran], tmp_path: Path) -> None:
        (tmp_path / "work").mkdir()
        (tmp_path / "work" / "my policy.yaml").write_text("max_parameters: 1B\n", "utf-8")
        ran = ask(
            command="check",
            models="qwen3:8b",
            ram="16G",
            policy="my policy.yaml",
            sarif="out file.sarif",
            junit="out.xml",
            strict="true",
            summary="false",
        )
        assert ran.code == 3, ran.err
        log = json.loads((ran.where / "out file.sarif").read_text("utf-8"))
        assert "P112" in [result["ruleId"] for result in log["runs"][0]["results"]]
        assert {result["level"] for result in log["runs"][0]["results"]} == {"error"}
        assert "<testsuites" in (ran.where / "out.xml").read_text("utf-8")
        assert ran.summary == ""

    def test_a_lock_is_written_and_checked(self, ask: Callable[..., Ran]) -> None:
        ran = ask(task="code", ram="16G", lock="qwen.lock.json")
        assert ran.code == 0, ran.err
        locked = json.loads((ran.where / "qwen.lock.json").read_text("utf-8"))
        again = ask(command="check", lock="qwen.lock.json")
        assert again.code == 0, again.err
        assert again.outputs["model"] == ran.outputs["model"] == locked["model"]["id"]

    @pytest.mark.parametrize(
        "text",
        [
            "$(touch injected)",
            "`touch injected`",
            "'; touch injected; '",
            '"; touch injected; "',
            "\ntouch injected\n",
            "--lock=injected",
            "16G --lock injected",
            "*",
            "x\nmodel=evil",
            "::error::evil",
        ],
        ids=ascii,
    )
    def test_no_input_becomes_a_command_an_option_or_an_output(self, text: str, ask: Callable[..., Ran]) -> None:
        plain = (
            "command",
            "models",
            "policy",
            "python",
            "sarif",
            "junit",
            "lock",
            "tools",
            "strict",
            "fail",
            "summary",
        )
        for wishes in (
            {"command": text, "ram": "16G"},
            {"command": "check", "models": text, "ram": "16G"},
            {name: text for name in ACTION["inputs"] if name not in plain},
        ):
            ran = ask(**{name.replace("-", "_"): value for name, value in wishes.items()})
            assert ran.code == 2, ran.err
            assert ran.outputs == {}
            assert list(ran.where.iterdir()) == []
            assert not any(line.startswith("::") and "evil" in line for line in ran.out.splitlines())

    def test_inputs_of_the_other_command_are_refused(self, ask: Callable[..., Ran]) -> None:
        for wishes in (
            {"models": "qwen3:8b"},
            {"policy": "p.yaml"},
            {"command": "check", "models": "qwen3:8b", "prefer": "speed"},
            {"tools": "perhaps"},
            {"command": "launch"},
        ):
            ran = ask(ram="16G", **wishes)
            assert ran.code == 2
            assert ran.out.startswith("::error::the input")


@needs_bash
def test_an_old_python_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "python3.10"
    old.write_text("#!/bin/sh\nexit 1\n", "utf-8")
    old.chmod(0o755)
    ran = _run(INSTALL, tmp_path, {"python": str(old)})
    assert ran.code == 2
    assert "Python 3.11" in ran.out


@pytest.mark.heavy
@needs_bash
def test_the_step_that_installs_makes_the_program(tmp_path: Path) -> None:
    ran = _run(INSTALL, tmp_path, {})
    assert ran.code == 0, ran.err
    done = subprocess.run([Path(ran.path) / "qwen-advisor", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("qwen-advisor ")


def _hook(name: str, where: Path, args: list[str] | None = None) -> subprocess.CompletedProcess[str]:
    """The hook as pre-commit runs it: its entry and its args, in the repository."""
    hook = HOOKS[name]
    program, *words = shlex.split(hook["entry"])
    assert program == "qwen-advisor"
    assert hook["pass_filenames"] is False
    return subprocess.run(
        [sys.executable, "-m", "qwen_advisor", *words, *(args if args is not None else hook.get("args", []))],
        cwd=where,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


def test_the_lock_hook_passes_and_fails(tmp_path: Path) -> None:
    assert _hook("qwen-advisor-lock", tmp_path).returncode == 2  # nothing is locked yet
    lock = HOOKS["qwen-advisor-lock"]["args"][1]
    words = ["recommend", "--task", "code", "--ram", "16G", "--lock", lock, "-q"]
    subprocess.run(
        [sys.executable, "-m", "qwen_advisor", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    assert _hook("qwen-advisor-lock", tmp_path).returncode == 0
    text = (tmp_path / lock).read_text("utf-8")
    (tmp_path / lock).write_text(text.replace('"license": "apache-2.0"', '"license": "mit"'), "utf-8")
    failed = _hook("qwen-advisor-lock", tmp_path)
    assert failed.returncode == 3
    assert "K106" in failed.stdout


def test_the_check_hook_takes_models_and_a_policy(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("licenses: [apache-2.0]\n", "utf-8")
    assert (
        _hook("qwen-advisor-check", tmp_path, ["qwen3:8b", "--ram", "16G", "--policy", "policy.yaml"]).returncode == 0
    )
    args = ["Qwen2.5-3B-Instruct", "--ram", "16G", "--policy", "policy.yaml"]
    assert _hook("qwen-advisor-check", tmp_path, args).returncode == 3


def test_the_catalogue_hook_finds_faults(tmp_path: Path) -> None:
    (tmp_path / "own" / "models").mkdir(parents=True)
    (tmp_path / "own" / "models" / "x.yaml").write_text("id: [\n", "utf-8")
    assert _hook("qwen-advisor-catalog", tmp_path, ["own"]).returncode == 4


def test_hooks_have_what_pre_commit_asks_for() -> None:
    for hook in HOOKS.values():
        assert {"id", "name", "entry", "language", "description"} <= hook.keys()
        assert hook["language"] == "python"
