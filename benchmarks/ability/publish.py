"""Writes the abilities where the catalogue reads them: one YAML file for each scale."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.ability.placing import Carrier, Placed, Unit

MARK = "# Made by `python -m benchmarks.ability fit`: change benchmarks/data or benchmarks/ability, not this file."


def documents(placed: Sequence[Placed], units: Mapping[str, Unit]) -> dict[str, str]:
    """The text of each file, by its name."""
    by_scale: dict[str, dict[str, list[Placed]]] = defaultdict(lambda: defaultdict(list))
    for p in placed:
        by_scale[p.scale][p.checkpoint].append(p)
    return {f"{scale}.yaml": _document(scale, entries, units) for scale, entries in sorted(by_scale.items())}


def write(texts: Mapping[str, str], directory: Path) -> None:
    """Write the files, and take away those of scales that are no more."""
    directory.mkdir(parents=True, exist_ok=True)
    for path in directory.glob("*.yaml"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")


def loss_document(parameters: Mapping[str, Any]) -> str:
    """The text of ``quantization_loss.yaml``."""
    lines = [
        MARK,
        "# Divergence: log_at_reference - per_bit (bits - reference_bits) - per_decade log10(parameters / reference)",
        "# + moe (of mixtures) + log_offset (of the family), exponential in nats per token. Lost logits on a scale:",
        "# exp(log_factor + exponent x log divergence). docs/reference/ranking.md shows both against the measurements.",
    ]
    for name, held in parameters.items():
        lines += [f"{name}:", *_mapping(held, "  ")]
    return "\n".join(lines) + "\n"


def _mapping(held: Mapping[str, Any], indent: str) -> list[str]:
    lines = []
    for key, value in held.items():
        if isinstance(value, Mapping) and all(isinstance(v, float) for v in value.values()):
            lines.append(f"{indent}{key}: {{{', '.join(f'{k}: {_number(v, 4)}' for k, v in value.items())}}}")
        elif isinstance(value, Mapping):
            lines += [f"{indent}{key}:", *_mapping(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {_number(value, 4)}")
    return lines


def _document(scale: str, entries: Mapping[str, Sequence[Placed]], units: Mapping[str, Unit]) -> str:
    transfer = units["multilingual" if scale not in units else scale].transfer ** 0.5
    lines = [
        MARK,
        "# `value`: logit of the share solved on the scale's average benchmark. `standard_error`: how far the next",
        (
            f"# evaluator's board may depart from it; {transfer:.3f} of it, by squares, is a board's own and"
            " shared by all."
        ),
    ]
    for checkpoint in sorted(entries):
        lines.append(f"{checkpoint}:")
        for p in sorted(entries[checkpoint], key=lambda p: p.setting):
            lines += [
                f"  - checkpoint: {checkpoint}",
                f"    scale: {scale}",
                f"    thinking: '{'on' if p.setting == 'on' else 'off'}'",
                f"    value: {_number(p.value, 3)}",
                f"    standard_error: {_number(p.error, 3)}",
                f"    published: {'true' if p.published else 'false'}",
            ]
            if p.carriers:
                lines.append("    evidence:")
                lines += [f"      - {_evidence(c)}" for c in p.carriers]
    return "\n".join(lines) + "\n"


def _evidence(carrier: Carrier) -> str:
    fields = [
        f"benchmark: {_text(carrier.benchmark)}",
        f"score: {_number(carrier.score, 2)}",
        f"source: {_text(_short(carrier.source))}",
    ]
    fields += ["independent: true"] if carrier.independent else []
    fields.append(f"weight: {_number(carrier.weight, 3)}")
    return "{" + ", ".join(fields) + "}"


def _short(source: str) -> str:
    """A source without the second address where a copy of it stands."""
    return re.sub(r" \((?:\d{4}-\d\d-\d\d, )?(?:github|text):[^)]*\)", "", source)


def _number(value: float, digits: int) -> str:
    text = f"{round(value, digits) + 0.0:.{digits}f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def _text(text: str) -> str:
    """A YAML scalar in flow context: plain where nothing in it has a meaning, else in double quotes."""
    safe = re.fullmatch(r"[A-Za-z][A-Za-z0-9 ./()+*@_-]*", text) and not text.endswith(" ")
    return text if safe else json.dumps(text, ensure_ascii=False)
