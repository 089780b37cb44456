"""Print the lowest versions that pyproject.toml allows, as pip's constraints: ``name==version``, one a line.

python .ci/constraints.py [EXTRA ...]
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

_BOUND = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*(?P<bounds>[<>=!~][^;]*)?")


def lowest(requirement: str) -> str | None:
    """``name==lowest`` of one requirement; None where it has no lower bound.

    Raises:
        ValueError: the requirement cannot be read.
    """
    match = _BOUND.fullmatch(requirement.strip())
    if match is None:
        raise ValueError(f"{requirement!r} is not a plain requirement")
    for bound in (match["bounds"] or "").split(","):
        if bound.strip().startswith((">=", "==", "~=")):
            return f"{match['name']}=={bound.strip()[2:].strip()}"
    return None


def main(extras: list[str]) -> None:
    """Print the constraints of the dependencies and of the extras that are named."""
    project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))["project"]
    requirements = list(project["dependencies"])
    for extra in extras:
        requirements += project["optional-dependencies"][extra]
    for requirement in requirements:
        constraint = lowest(requirement)
        if constraint:
            print(constraint)


if __name__ == "__main__":
    main(sys.argv[1:])
