"""Print the one command of README.md's shell blocks that holds every word given; so that CI runs what people read.

python .ci/readme_command.py WORD...
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[str]:
    """Every line of the shell blocks of a Markdown text."""
    return [line for block in _BLOCK.findall(text) for line in block.splitlines() if line.strip()]


def main(words: list[str]) -> int:
    """Print the command, or say why there is not exactly one."""
    readme = Path(__file__).parents[1] / "README.md"
    found = [line for line in commands(readme.read_text("utf-8")) if all(word in line for word in words)]
    if len(found) != 1:
        print(f"README.md has {len(found)} shell commands with {words}, not one: {found}", file=sys.stderr)
        return 1
    print(found[0])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
