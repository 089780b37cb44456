"""No verb touches the network that does not say so: sockets are forbidden, but for those to this machine itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# The loopback is no network: inspect-hardware asks there whether an engine runs.
FORBID = """
import socket, sys

LOCAL = {local!r}

def refuse(*words, **_):
    raise AssertionError(f"the network was asked: {{words}}")

real = socket.socket.connect

def connect(self, address):
    if LOCAL and isinstance(address, tuple) and address[0] in ("127.0.0.1", "localhost", "::1"):
        return real(self, address)
    refuse(address)

socket.socket.connect = socket.socket.connect_ex = connect
socket.socket.sendto = refuse
if not LOCAL:
    socket.getaddrinfo = socket.create_connection = refuse
from qwen_advisor.cli import main
raise SystemExit(main({words!r}))
"""
DESCRIBED = [
    "recommend --task code --ram 16G --json",
    "recommend --gpu RTX-4090 --explain",
    "estimate qwen3:8b --ram 16G",
    "plan Qwen3-8B --json",
    "compare Qwen3-8B Qwen3-14B --ram 32G",
    "why-not Qwen3-8B --ram 16G",
    "check Qwen3-0.6B --ram 16G",
    "launch Qwen3-8B --engine llama.cpp --ram 16G",
    "inspect-hardware --device g5.xlarge",
    "settings --json",
    "catalog list --task code",
    "catalog show Qwen3-8B",
    "catalog search coder",
    "catalog schema recommend-1",
    "--help",
    "--version",
]


def run(words: list[str], *, local: bool = False) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", FORBID.format(words=words, local=local)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "QWEN_ADVISOR_DEBUG": "1"},
        timeout=120,
    )


@pytest.mark.parametrize("line", DESCRIBED)
def test_a_described_machine_is_answered_without_a_socket(line: str) -> None:
    ran = run(line.split())
    assert "the network was asked" not in ran.stderr
    assert ran.returncode in (0, 3), ran.stderr
    assert ran.stdout


def test_a_fleet_is_answered_without_a_socket(tmp_path: Path) -> None:
    inventory = tmp_path / "fleet.csv"
    inventory.write_text("ram\n16G\n32G\n", "utf-8")
    ran = run(["fleet", str(inventory), "--jobs", "1"])
    assert (ran.returncode, "the network was asked" in ran.stderr) == (0, False), ran.stderr


@pytest.mark.parametrize("line", ["inspect-hardware --json", "recommend -q"])
def test_this_machine_is_looked_at_without_leaving_it(line: str) -> None:
    ran = run(line.split(), local=True)
    assert "the network was asked" not in ran.stderr
    assert ran.returncode in (0, 3), ran.stderr
