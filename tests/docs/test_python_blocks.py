"""Every block of Python in the pages runs as it stands there (tests/fleet/test_python_page.py runs the reference)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(block, id=page.relative_to(ROOT).as_posix())
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if page.name != "python.md"
    for block in BLOCK.findall(page.read_text("utf-8"))
]


@pytest.mark.parametrize("block", BLOCKS)
def test_it_runs_and_prints(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block, "block", "exec"), {})  # noqa: S102  it is what the page tells people to do
    assert capsys.readouterr().out.strip()


def test_there_are_some() -> None:
    assert len(BLOCKS) >= 4
