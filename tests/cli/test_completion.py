"""Completion, spoken to as bash, zsh, fish and PowerShell speak to it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def asked(shell: str, line: str) -> str:
    """What the program answers to a shell for the last word of a line."""
    words = line.split()
    begun = "" if line.endswith(" ") else words[-1]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "_QWEN_ADVISOR_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - bool(begun)),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_WORD_TO_COMPLETE": begun,
    }
    done = subprocess.run(
        [sys.executable, "-m", "qwen_advisor"],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=environment,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell", "pwsh"])
@pytest.mark.parametrize(
    ("line", "name"),
    [("qwen-advisor rec", "recommend"), ("qwen-advisor estimate Qwen3-8", "Qwen3-8B")],
    ids=["verb", "model"],
)
def test_every_shell_gets_names(shell: str, line: str, name: str) -> None:
    assert name in asked(shell, line)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("qwen-advisor ", {"recommend", "estimate", "fleet", "mcp", "settings", "catalog"}),
        ("qwen-advisor recommend --q", {"--quant", "--quiet"}),
        ("qwen-advisor catalog sh", {"show"}),
        ("qwen-advisor catalog show Qwen3-8", {"Qwen3-8B", "Qwen3-8B-Base"}),
        ("qwen-advisor estimate Qwen/Qwen3-8", {"Qwen/Qwen3-8B", "Qwen/Qwen3-8B-Base"}),
        ("qwen-advisor fleet a.csv --task mo", {"moderation"}),
        ("qwen-advisor recommend --engine v", {"vllm"}),
        ("qwen-advisor recommend --quant Q4_K_M", {"Q4_K_M"}),
        ("qwen-advisor recommend --family Qwen3-C", {"Qwen3-Coder"}),
        ("qwen-advisor recommend --gpu RTX-409", {"RTX-4090"}),
        ("qwen-advisor recommend --device Raspberry-Pi-5", {"Raspberry-Pi-5"}),
        ("qwen-advisor recommend --gpu rtx-409", {"rtx-4090"}),
        ("qwen-advisor recommend --prefer b", {"balanced"}),
    ],
)
def test_every_kind_of_name_is_completed(line: str, names: set[str]) -> None:
    said = asked("bash", line).splitlines()
    assert names <= set(said)
    assert not any(" " in name for name in said)


@pytest.mark.skipif(os.name != "posix" or shutil.which("bash") is None, reason="needs bash")
def test_bash_itself(tmp_path: Path) -> None:
    program = tmp_path / "qwen-advisor"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m qwen_advisor "$@"\n', "utf-8")
    program.chmod(0o755)
    script = """
eval "$(_QWEN_ADVISOR_COMPLETE=source_bash qwen-advisor)"
COMP_WORDS=(qwen-advisor estimate Qwen3-8) COMP_CWORD=2 COMP_LINE="qwen-advisor estimate Qwen3-8"
"$(complete -p qwen-advisor | sed 's/.*-F \\([^ ]*\\).*/\\1/')" qwen-advisor
printf '%s\\n' "${COMPREPLY[@]}"
"""
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        timeout=60,
    )
    assert done.stdout.splitlines() == ["Qwen3-8B", "Qwen3-8B-Base"], done.stderr
