"""How far predictions are from measurements: ``python -m benchmarks.speed_accuracy [--write]``.

Every device is predicted by efficiencies that were fitted without any of its rows. ``--write`` refits the catalogue
(``catalog/efficiency``) and writes the page ``docs/reference/speed-accuracy.md``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.speed_fit.fit import fit
from benchmarks.speed_fit.judging import judge
from benchmarks.speed_fit.report import page
from benchmarks.speed_fit.rows import left_out, measurements
from benchmarks.speed_fit.writing import write

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "speed-accuracy.md"


def main(arguments: list[str]) -> int:
    """Fit, cross-validate and print; returns the process's exit code, 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the catalogue's efficiencies and the page")
    options = parser.parse_args(arguments)
    rows = measurements()
    fitted = fit(rows)
    verdict = judge(rows, fitted)
    text = page(verdict, left_out())
    print(text)
    if options.write:
        write(verdict.documents)
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text)
    return 0 if verdict.passes else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
