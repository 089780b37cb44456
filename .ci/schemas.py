"""Write the JSON Schemas of the catalogue's files and answers into schemas/, or check that they are fresh.

python .ci/schemas.py --write
python .ci/schemas.py --check
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from qwen_advisor.catalog.schema import file_schemas  # noqa: E402  after the path to the checkout is set
from qwen_advisor.render.catalog_shapes import CATALOG_DOCUMENTS  # noqa: E402
from qwen_advisor.render.schema import json_schema  # noqa: E402


def texts() -> dict[str, str]:
    """The text of every schema of the catalogue, by the name of its file."""
    schemas = file_schemas() | {name: json_schema(name) for name in CATALOG_DOCUMENTS}
    return {f"{name}.json": json.dumps(schema, indent=2) + "\n" for name, schema in schemas.items()}


def main(wish: list[str]) -> int:
    """Write what is stale, or name it and return 1."""
    if wish not in (["--write"], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    directory = ROOT / "schemas"
    wanted = texts()
    there = {path.name: path.read_text("utf-8") for path in directory.glob("catalog-*.json")}
    stale = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
    for name in stale:
        print(f"stale: schemas/{name}", file=sys.stderr)
        if wish == ["--write"] and name in wanted:
            (directory / name).write_text(wanted[name], "utf-8")
        elif wish == ["--write"]:
            (directory / name).unlink()
    return 1 if stale and wish == ["--check"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
