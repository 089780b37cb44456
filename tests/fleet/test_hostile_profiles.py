"""What a row may name as its profile: a file that cannot even be looked for is a fault of that row alone."""

from __future__ import annotations

from pathlib import Path

from qwen_advisor.fleet import read_inventory


def test_a_name_with_a_nul_is_a_fault_of_its_row(tmp_path: Path) -> None:
    path = tmp_path / "machines.csv"
    path.write_bytes(b"name,ram,hardware\na,16G,\nb,,../etc/pas\x00wd\n")
    found = [str(row) for row in read_inventory(path).rows]
    assert len(found) == 2
    assert "embedded null" in found[1]
