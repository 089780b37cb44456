"""Run the commands that the documentation shows and hold their output against what stands there.

A command is a line of its own, ``<!-- run: qwen-advisor recommend --ram 16G -->``, above a fenced block, which is the
command and what it prints. Only commands that describe their machine belong here: they answer the same anywhere.

    python docs/examples.py --write
    python docs/examples.py --check
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(
    r"(?P<head><!-- run: (?P<command>[^\n]+?) -->\n```(?P<kind>\w+)\n)(?P<body>.*?)(?P<foot>```\n)", re.DOTALL
)
COLUMNS = "100"


def fresh(text: str) -> str:
    """The page with every marked block as the command prints it now."""
    return BLOCK.sub(lambda block: f"{block['head']}$ {block['command']}\n{run(block['command'])}{block['foot']}", text)


def run(command: str) -> str:
    """What the command writes to stdout in a terminal-less shell of 100 columns.

    Raises:
        RuntimeError: it fails otherwise than by finding that nothing fits.
    """
    words = shlex.split(command)
    if words[0] != "qwen-advisor":
        raise RuntimeError(f"only qwen-advisor is run here, not {words[0]}")
    settled = {
        "COLUMNS": COLUMNS,
        "NO_COLOR": "1",
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
        "QWEN_ADVISOR_CONFIG": "",
    }
    environment = {**os.environ, **settled}
    done = subprocess.run(
        [sys.executable, "-m", "qwen_advisor", *words[1:]],
        capture_output=True,
        check=False,
        cwd=ROOT,
        encoding="utf-8",
        env=environment,
        timeout=120,
    )
    if done.returncode not in (0, 3):
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def documents() -> list[Path]:
    """The pages that may hold examples."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def main() -> int:
    """Write or check, as asked; 1 where an example is stale."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help="write what is stale")
    mode.add_argument("--check", action="store_true", help="name what is stale and exit with 1")
    wanted = parser.parse_args()
    stale = False
    for path in documents():
        old = path.read_text("utf-8")
        new = fresh(old)
        if new != old:
            stale = True
            print(f"stale: {path.relative_to(ROOT)}", file=sys.stderr)
            if wanted.write:
                path.write_text(new, "utf-8")
    return 1 if stale and wanted.check else 0


if __name__ == "__main__":
    sys.exit(main())
