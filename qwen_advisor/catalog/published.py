"""The JSON Schemas that are published with the package: of every JSON answer, and of the catalogue's files."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def published_schemas() -> dict[str, Path]:
    """The file of each schema by its name, such as ``recommend-1``; from the wheel, or from a checkout."""
    packed = _PACKAGE / "_schemas"
    directory = packed if packed.is_dir() else _PACKAGE.parent / "schemas"
    return {path.stem: path for path in sorted(directory.glob("*.json"))}
