"""Write the pages and schemas that are made from the code, or check that they are fresh.

python docs/generate.py --write
python docs/generate.py --check
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from docs.accuracy_page import accuracy  # noqa: E402  after the path to the checkout is set
from docs.hardware_page import hardware  # noqa: E402
from qwen_advisor import errors  # noqa: E402
from qwen_advisor.catalog.schema import file_schemas  # noqa: E402
from qwen_advisor.cli.app import VERBS, run  # noqa: E402
from qwen_advisor.render.bench_shapes import BENCH_DOCUMENTS  # noqa: E402
from qwen_advisor.render.catalog_shapes import CATALOG_DOCUMENTS  # noqa: E402
from qwen_advisor.render.check_shapes import CHECK_DOCUMENTS  # noqa: E402
from qwen_advisor.render.fleet_shapes import FLEET_DOCUMENTS  # noqa: E402
from qwen_advisor.render.hub_shapes import HUB_DOCUMENTS  # noqa: E402
from qwen_advisor.render.launch_shapes import LAUNCH_DOCUMENTS  # noqa: E402
from qwen_advisor.render.named_shapes import NAMED_DOCUMENTS  # noqa: E402
from qwen_advisor.render.schema import json_schema  # noqa: E402
from qwen_advisor.render.settings_shapes import SETTINGS_DOCUMENTS  # noqa: E402
from qwen_advisor.render.shapes import DOCUMENTS  # noqa: E402

MARK = "<!-- made by docs/generate.py: change the code, not this page -->"


def pages() -> dict[Path, str]:
    """Every generated file with what it should hold."""
    documents = (
        *DOCUMENTS,
        *HUB_DOCUMENTS,
        *CATALOG_DOCUMENTS,
        *BENCH_DOCUMENTS,
        *FLEET_DOCUMENTS,
        *SETTINGS_DOCUMENTS,
        *CHECK_DOCUMENTS,
        *NAMED_DOCUMENTS,
        *LAUNCH_DOCUMENTS,
    )
    schemas = {name: json_schema(name) for name in documents} | file_schemas()
    made = {
        ROOT / "schemas" / f"{name}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }
    made[ROOT / "docs" / "reference" / "exit-codes.md"] = exit_codes()
    made[ROOT / "docs" / "reference" / "command-line.md"] = command_line()
    page = hardware(ROOT / "tests" / "hardware" / "fixtures")
    made[ROOT / "docs" / "reference" / "hardware.md"] = f"{MARK}\n\n{page}"
    made[ROOT / "docs" / "reference" / "accuracy.md"] = f"{MARK}\n\n{accuracy(ROOT / 'docs' / 'reference')}"
    return made


def exit_codes() -> str:
    """The page of exit codes, from the classes of `qwen_advisor.errors`."""
    rows = [("0", "", "There is an answer.")]
    rows += [
        (str(kind.exit_code), f"`{kind.code}`", _sentence(kind))
        for kind in sorted(_family(errors.AdvisorError), key=lambda kind: kind.exit_code)
    ]
    rows.append(("8", "", "`health`: degraded, a limit is passed."))
    rows.append(("9", "", "`health`: unhealthy, no answer or a wrong one."))
    rows.append(("130", "", "Interrupted with Ctrl-C."))
    table = "\n".join(f"| {code} | {name} | {meaning} |" for code, name, meaning in rows)
    return f"""{MARK}

# Exit codes

| code | `error.code` in JSON | meaning |
| ---: | --- | --- |
{table}

A fault is told on stderr: a line `error:` with one sentence, and where there is a next step a line `hint:`.
Under `--json` an object stands on stdout as well, so that a script that parses stdout finds it there;
its shape is `schemas/error-1.json`.
`recommend` with exit code 3 is no such fault: it prints its whole answer,
with `recommendations` empty and `rejected` full.
Nor is `check` with exit code 3, a gate that stays shut: it prints its whole answer, with the findings in it.

`code` says which kind of fault it is and never changes its meaning; `message` and `hint` are for people and may.

A reader of stdout that goes away (`qwen-advisor recommend | head -1`) is no fault and changes no exit code.
With `QWEN_ADVISOR_DEBUG=1` a fault keeps its traceback, for a report.
"""


def command_line() -> str:
    """The page of verbs and options, as ``--help`` prints them at 100 columns."""
    parts = [MARK, "# Command line", _help()]
    for verb in VERBS:
        text = _help(verb)
        parts += [f"## {verb}", text]
        for below in _verbs_below(text):
            parts += [f"### {verb} {below}", _help(verb, below)]
    return "\n\n".join(parts) + "\n"


def _help(*words: str) -> str:
    out = io.StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "100"
    try:
        with contextlib.redirect_stdout(out):
            run([*words, "--help"])
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
    return f"```text\n{out.getvalue().rstrip()}\n```"


def _verbs_below(text: str) -> list[str]:
    _, _, listed = text.partition("\nCommands:\n")
    lines = [line for line in listed.split("\n\n")[0].splitlines() if line.startswith("  ") and line[2:3].strip()]
    return [line.split()[0] for line in lines]


def _family(kind: type[errors.AdvisorError]) -> Iterator[type[errors.AdvisorError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:  # finer kinds elsewhere end with the same code
            yield from _family(child)


def _sentence(kind: type[errors.AdvisorError]) -> str:
    if kind is errors.AdvisorError:
        return "A fault of the program, or an answer that could not be written."
    return (kind.__doc__ or "").strip().splitlines()[0]


def main() -> int:
    """Write or check, as asked; 1 where something is stale."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help="write what is stale")
    mode.add_argument("--check", action="store_true", help="name what is stale and exit with 1")
    wanted = parser.parse_args()
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        print(f"stale: {path.relative_to(ROOT)}", file=sys.stderr)
        if wanted.write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(pages()[path], "utf-8")
    return 1 if stale and wanted.check else 0


if __name__ == "__main__":
    sys.exit(main())
