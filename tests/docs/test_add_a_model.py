"""CONTRIBUTING.md starts with adding a model, and its steps work, in a directory of one's own entries."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qwen_advisor.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Steps 1 and 2: the file of a similar model, under another name, without what belongs to the other one."""
    text = (ROOT / "catalog" / "models" / "qwen3-8b.yaml").read_text("utf-8")
    text = text.replace("id: Qwen/Qwen3-8B\n", "id: Qwen/Qwen3-8B-Copy\n")
    text = re.sub(r"^(?:quantized|ollama):\n(?:  .*\n)+", "", text, flags=re.MULTILINE)
    text = re.sub(r"^superseded_by: .*\n", "", text, flags=re.MULTILINE)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "qwen3-8b-copy.yaml").write_text(text, "utf-8")
    return tmp_path


def test_it_comes_first() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] == "Add a model in ten minutes"


def test_the_steps_work(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    extra = ("--catalog-extra", str(copied))
    assert main(["catalog", "validate", str(copied / "models" / "qwen3-8b-copy.yaml")]) == 0
    capsys.readouterr()
    assert main(["catalog", "show", "Qwen3-8B-Copy", *extra]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"Parameters +8,190,735,360", shown)
    assert re.search(r"BF16 +16\.4 GB", shown)
    assert main(["recommend", "--ram", "64G", "--top", "50", "--json", *extra]) == 0
    assert "Qwen/Qwen3-8B-Copy" in capsys.readouterr().out


def test_tags_of_the_other_model_are_a_fault_with_its_place(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copied / "models" / "qwen3-8b-copy.yaml"
    path.write_text(path.read_text("utf-8") + "ollama:\n  - tag: qwen3:8b\n    quantization: Q4_K_M\n", "utf-8")
    assert main(["catalog", "show", "Qwen3-8B-Copy", "--catalog-extra", str(copied)]) == 4
    assert "qwen3:8b is Qwen/Qwen3-8B" in capsys.readouterr().err
