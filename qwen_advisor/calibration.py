"""What was measured on this machine: factors between measured and predicted rates, kept in a file of the user's.

Factors belong to an engine, a kind of quantization and a way of placing the layers, on hardware that is told apart by a
fingerprint. Several models measured alike count by their geometric mean. A factor corrects the prediction that it was
held against, so it lapses when the efficiencies behind the prediction change.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from math import exp, log
from pathlib import Path
from typing import Any

from qwen_advisor.catalog import config_directory
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.files import replace_file
from qwen_advisor.machine import Machine
from qwen_advisor.plan import Mode
from qwen_advisor.units import GIB
from qwen_advisor.values import dataclass

Key = tuple[str, str, Mode]  # engine, `Format.kind`, `Placement.mode`

_SCHEMA = "qwen-advisor/calibration/1"
_MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Factors of one model, as it was measured."""

    machine: str  # `fingerprint`
    engine: str
    format_kind: str
    mode: Mode
    model: str
    quantization: str
    against: str  # `efficiencies`
    at: str  # UTC, ISO 8601
    decode: float | None = None  # measured over predicted
    prefill: float | None = None

    @property
    def key(self) -> Key:
        """What the factors are good for."""
        return self.engine, self.format_kind, self.mode

    @property
    def place(self) -> tuple[str, ...]:
        """What a newer measurement has to agree in to take this one's place."""
        return self.machine, self.engine, self.mode, self.model, self.quantization


def fingerprint(machine: Machine) -> str:
    """Sixteen digits that tell hardware apart by what its speed depends on; free memory and versions do not count."""
    cpu, memory = machine.cpu, machine.memory
    told = [
        machine.os,
        cpu.arch,
        cpu.name,
        cpu.physical_cores,
        cpu.usable_cores,
        round(memory.total / GIB),
        sorted([card.vendor, card.name, round(card.memory / GIB), card.cores or 0] for card in machine.accelerators),
        machine.wsl,
        machine.nodes,
    ]
    return _digits(told)


def efficiencies(catalog: Catalog) -> str:
    """Sixteen digits that tell apart what predictions of speed rest on."""
    return _digits(catalog.efficiency)


def _digits(value: Any) -> str:
    import hashlib  # noqa: PLC0415  only who has measured pays for it

    return hashlib.sha256(json.dumps(value, sort_keys=True, default=dict).encode()).hexdigest()[:16]


def calibration_file() -> Path:
    """Where the factors stand; the file need not exist."""
    return config_directory() / "calibration.json"


def load(machine: Machine, catalog: Catalog, path: Path | None = None) -> dict[Key, dict[str, float]]:
    """The factors of a machine for `qwen_advisor.speed.speed`, by engine, kind of format and placement.

    A described machine has none: nothing was measured on it. A file that is not there holds none either.

    Raises:
        UsageError: the file is there and cannot be read.
    """
    found: dict[Key, list[Measured]] = {}
    items = _of(machine, path)
    today = efficiencies(catalog) if items else ""
    for item in items:
        if item.against == today:
            found.setdefault(item.key, []).append(item)
    return {key: _together(items) for key, items in found.items()}


def lapsed(machine: Machine, catalog: Catalog, path: Path | None = None) -> int:
    """How many measurements of this machine were held against other predictions than today's.

    Raises:
        UsageError: the file is there and cannot be read.
    """
    items = _of(machine, path)
    today = efficiencies(catalog) if items else ""
    return sum(item.against != today for item in items)


def _of(machine: Machine, path: Path | None) -> tuple[Measured, ...]:
    everything = () if machine.described else read(path or calibration_file())
    if not everything:
        return ()
    mark = fingerprint(machine)
    return tuple(item for item in everything if item.machine == mark)


def _together(items: Iterable[Measured]) -> dict[str, float]:
    by_phase = {
        phase: [value for item in items if (value := getattr(item, phase)) is not None]
        for phase in ("decode", "prefill")
    }
    return {phase: exp(sum(map(log, values)) / len(values)) for phase, values in by_phase.items() if values}


def store(item: Measured, path: Path | None = None) -> Path:
    """Keep factors, in place of older ones of the same model on the same machine; the file they stand in.

    Raises:
        UsageError: the file cannot be read or written.
    """
    target = path or calibration_file()
    kept = [other for other in read(target) if other.place != item.place]
    _write(target, [*kept, item])
    return target


def forget(machine: Machine, path: Path | None = None) -> tuple[Measured, ...]:
    """Take all factors of a machine back, and return them.

    Raises:
        UsageError: the file cannot be read or written.
    """
    target = path or calibration_file()
    mark = fingerprint(machine)
    everything = read(target)
    gone = tuple(item for item in everything if item.machine == mark)
    if gone:
        _write(target, [item for item in everything if item.machine != mark])
    return gone


def read(path: Path) -> tuple[Measured, ...]:
    """Everything in a file; nothing where there is none.

    Raises:
        UsageError: it cannot be read, or holds something else.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_BYTES)
    except OSError as error:
        if not os.path.exists(path):  # noqa: PTH110  nor in a home that is somebody else's
            return ()
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    broken = UsageError(f"{path} holds no calibration", hint="remove it, and measure again with bench --calibrate")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise broken from None
    if not isinstance(document, dict) or document.get("schema") != _SCHEMA:
        raise broken
    rows = document.get("measured")
    items = [_measured(row) for row in rows] if isinstance(rows, list) else [None]
    if None in items:
        raise broken
    return tuple(item for item in items if item is not None)


def _measured(row: Any) -> Measured | None:
    if not isinstance(row, dict):
        return None
    words = [item.name for item in fields(Measured) if item.name not in ("decode", "prefill")]
    rates = [row.get(name) for name in ("decode", "prefill")]
    if not all(isinstance(row.get(name), str) for name in words) or not all(_factor(rate) for rate in rates):
        return None
    return Measured(decode=rates[0], prefill=rates[1], **{name: row[name] for name in words})


def _factor(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6)


def _write(path: Path, items: Iterable[Measured]) -> None:
    document: Mapping[str, Any] = {"schema": _SCHEMA, "measured": [asdict(item) for item in items]}
    replace_file(path, json.dumps(document, indent=2) + "\n", private=True)
