"""``fleet --ray`` on a local Ray cluster: the same answers as without it."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.heavy
pytest.importorskip("ray", reason="the extra [ray] is not installed")

ROWS = [f"m{size},{size}G," for size in range(4, 24)] + ["gpu,64G,RTX 4090", "again,64G,RTX 4090", "odd,lots,"]


def fleet(inventory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    return subprocess.run(
        [sys.executable, "-m", "qwen_advisor", "fleet", str(inventory), "--task", "code", "--format", "csv", *words],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=environment,
        timeout=300,
    )


def test_a_cluster_answers_as_one_process_does(tmp_path: Path) -> None:
    inventory = tmp_path / "fleet.csv"
    inventory.write_text("\n".join(["name,ram,gpu", *ROWS, ""]), "utf-8")
    alone = fleet(inventory, "--jobs", "1")
    cluster = fleet(inventory, "--ray", "local")
    assert (alone.returncode, cluster.returncode) == (0, 0), cluster.stderr
    assert cluster.stdout == alone.stdout
    assert len(list(csv.DictReader(cluster.stdout.splitlines()))) == len(ROWS)
    assert "line 24 (odd): ram: 'lots' is not a size" in cluster.stderr


def test_an_address_where_no_cluster_is_gets_code_6(tmp_path: Path) -> None:
    inventory = tmp_path / "fleet.csv"
    inventory.write_text("ram\n16G\n", "utf-8")
    done = fleet(inventory, "--ray", "127.0.0.1:1")
    assert done.returncode == 6, done.stderr
    assert "no Ray cluster answers at 127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr
