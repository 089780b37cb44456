"""Fits the abilities of the catalogue from published scores, checks the stored ones and validates the method.

python -m benchmarks.ability fit        refit, and write catalog/abilities/ and catalog/quantization_loss.yaml
python -m benchmarks.ability check      refit, and say whether the stored abilities are the result
python -m benchmarks.ability validate   hide boards, predict them, and write docs/reference/ranking.md
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from benchmarks.ability.checkpoints import CATALOG, load_checkpoints
from benchmarks.ability.languages import place_languages
from benchmarks.ability.latent import Solution, fit
from benchmarks.ability.losses import fit_losses, read_losses
from benchmarks.ability.placing import Placed, Unit, place, units
from benchmarks.ability.publish import documents, loss_document, write
from benchmarks.ability.scores import Benchmarks, read_scores

ABILITIES = CATALOG / "abilities"
LOSSES = CATALOG / "quantization_loss.yaml"
TOLERANCE = 0.005  # logits; other processors and libraries add up in another order


def main(arguments: list[str] | None = None) -> int:
    """Run one of the three commands."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ability", description=__doc__)
    parser.add_argument("command", choices=("fit", "check", "validate"))
    command = parser.parse_args(arguments).command
    checkpoints = load_checkpoints()
    observations, left_out = read_scores(checkpoints, Benchmarks())
    solution = fit(checkpoints, observations)
    placed, unit = results(solution)
    losses = read_losses(checkpoints)
    lost = loss_document(fit_losses(losses))
    if command == "check":
        faults = differences(documents(placed, unit), ABILITIES)
        if not LOSSES.is_file() or LOSSES.read_text(encoding="utf-8") != lost:
            faults.append(f"{LOSSES.name}: is not what the measured losses give")
        print("\n".join(faults) or "the stored abilities are the result of a refit")
        return 1 if faults else 0
    write(documents(placed, unit), ABILITIES)
    LOSSES.write_text(lost, encoding="utf-8")
    if command == "validate":
        from benchmarks.ability.page import write_page  # noqa: PLC0415 - validation only
        from benchmarks.ability.validation import validate  # noqa: PLC0415

        write_page(placed, validate(checkpoints, observations), checkpoints, left_out)
    return 0


def results(solution: Solution) -> tuple[list[Placed], Mapping[str, Unit]]:
    """All abilities of a solution, those in single languages last, and the units of the scales."""
    unit = units(solution)
    placed = place(solution)
    return [*placed, *place_languages(solution, placed, unit["multilingual"])], unit


def differences(texts: Mapping[str, str], directory: Path) -> list[str]:
    """Where the stored abilities differ from a result by more than the tolerance."""
    stored = {path.name for path in directory.glob("*.yaml")}
    faults = [f"{name}: is not stored" for name in sorted(texts.keys() - stored)]
    faults += [f"{name}: is no scale any more" for name in sorted(stored - texts.keys())]
    for name in sorted(texts.keys() & stored):
        new, old = _values(texts[name]), _values((directory / name).read_text(encoding="utf-8"))
        faults += [f"{name}: {key} is missing or new" for key in sorted(new.keys() ^ old.keys())]
        faults += [
            f"{name}: {key} is {old[key][i]}, refitted {new[key][i]}"
            for key in sorted(new.keys() & old.keys())
            for i in range(2)
            if abs(new[key][i] - old[key][i]) > TOLERANCE
        ]
    return faults


def _values(text: str) -> dict[tuple[str, str], tuple[float, float]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    held = yaml.load(text, Loader=loader)  # noqa: S506 - safe loaders both
    return {
        (name, entry["thinking"]): (float(entry["value"]), float(entry["standard_error"]))
        for name, entries in held.items()
        for entry in entries
    }


if __name__ == "__main__":
    sys.exit(main())
