"""An inventory: machines from a CSV or YAML file, row by row, each in the words that describe it.

CSV is read as it is answered, so that its length does not matter; its delimiter is told by its first line. YAML is a
list of mappings, or a mapping with such a list under ``machines``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from qwen_advisor.errors import UsageError
from qwen_advisor.values import dataclass

COLUMNS = (
    "name",
    "ram",
    "vram",
    "gpu",
    "device",
    "cpu_cores",
    "nodes",
    "gpu_bandwidth",
    "ram_bandwidth",
    "reserve",
    "hardware",
)
_MOST_PROFILE_BYTES = 1 << 20
_LONGEST_CELL = 4096
_LONGEST_LINE = 1 << 16
_SEVERAL = ("gpu",)  # what may name several things

Said = tuple[tuple[str, str | tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a row says of its machine, apart from its name: rows that say the same are answered once."""

    said: Said
    profile: tuple[str, bytes] | None = None  # name and content of a hardware profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One machine of the inventory."""

    line: int
    name: str
    words: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    """A row that cannot be read at all."""

    line: int
    name: str
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The rows of a file, read as they are asked for, and the columns that say nothing we know."""

    rows: Iterator[Row | Faulty]
    unknown: tuple[str, ...]


def read_inventory(path: Path) -> Inventory:
    """Open an inventory.

    Raises:
        UsageError: the file cannot be read, or has no column that describes a machine.
    """
    if path.suffix.lower() in (".yaml", ".yml", ".json"):
        return _from_yaml(path)
    return _from_csv(path)


def _from_csv(path: Path) -> Inventory:
    with _opened(path) as stream:
        first = stream.readline(_LONGEST_LINE)
    delimiter = max(",;\t", key=first.count)
    try:
        titles = next(csv.reader([first], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise UsageError(f"{path}: line 1 is no CSV: {error}") from error
    columns = [_column(title) for title in titles]
    known = [column for column in columns if column in COLUMNS]
    if not set(known) - {"name"}:
        raise UsageError(
            f"{path}: line 1 names no column that describes a machine", hint=f"columns are {', '.join(COLUMNS)}"
        )
    twice = next((column for column in known if known.count(column) > 1), None)
    if twice:
        raise UsageError(f"{path}: the column {twice} stands twice in line 1", hint="leave one of them out")
    unknown = tuple(title.strip() for title, column in zip(titles, columns, strict=True) if column not in COLUMNS)
    return Inventory(rows=_csv_rows(path, delimiter, columns), unknown=tuple(filter(None, unknown)))


def _opened(path: Path) -> TextIO:
    try:
        if path.is_dir():
            raise UsageError(f"{path} is a directory", hint="give a CSV or YAML file of machines")
        return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror or error}", hint="give a CSV or YAML file of machines"
        ) from error


def _csv_rows(path: Path, delimiter: str, columns: list[str]) -> Iterator[Row | Faulty]:
    folder = path.parent
    with _opened(path) as stream:
        stream.readline(_LONGEST_LINE)
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        while True:
            line = reader.line_num + 2  # the first line was read apart
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Faulty(line=line, name="", message=f"is no CSV: {error}")
                continue
            except OSError as error:
                raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
                yield Faulty(line=line, name="", message=f"has {len(cells)} cells for {len(columns)} columns")
                continue
            said: dict[str, str | tuple[str, ...]] = {}
            said |= {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if column in COLUMNS}
            yield _row(line, said, folder)


def _from_yaml(path: Path) -> Inventory:
    from qwen_advisor.catalog.strict_yaml import read_yaml  # noqa: PLC0415  only YAML pays for it
    from qwen_advisor.catalog.structure import plain  # noqa: PLC0415

    root, faults = read_yaml(path, str(path))
    if faults or root is None:
        raise UsageError(f"the inventory cannot be read: {faults[0] if faults else 'it is empty'}")
    held = root.value
    if isinstance(held, dict) and "machines" in held:
        held = held["machines"].value
    if not isinstance(held, list):
        raise UsageError(f"{path} holds no list of machines", hint="write one as: - {name: a, ram: 16G}")
    entries = [(node.line, plain(node)) for node in held]
    keys = dict.fromkeys(key for _, entry in entries if isinstance(entry, dict) for key in entry)
    unknown = tuple(str(key) for key in keys if _column(str(key)) not in COLUMNS)
    return Inventory(rows=_yaml_rows(entries, path.parent), unknown=unknown)


def _yaml_rows(entries: Iterable[tuple[int, Any]], folder: Path) -> Iterator[Row | Faulty]:
    for line, entry in entries:
        if not isinstance(entry, dict):
            yield Faulty(line=line, name="", message="is no mapping", hint="write it as: - {name: a, ram: 16G}")
            continue
        said = {_column(str(key)): value for key, value in entry.items() if _column(str(key)) in COLUMNS}
        odd = next((key for key, value in said.items() if not _plain(key, value)), None)
        if odd is not None:
            yield Faulty(line=line, name=str(said.get("name") or ""), message=f"{odd} must be text or a number")
            continue
        yield _row(line, {key: _texts(value) for key, value in said.items()}, folder)


def _plain(key: str, value: Any) -> bool:
    values = value if isinstance(value, list) and key in _SEVERAL else [value]
    return all(one is None or (isinstance(one, (str, int, float)) and not isinstance(one, bool)) for one in values)


def _texts(value: Any) -> str | tuple[str, ...]:
    if isinstance(value, list):
        return tuple(str(one).strip() for one in value)
    return "" if value is None else str(value).strip()


def _column(title: str) -> str:
    return "_".join(title.strip().lower().replace("-", " ").split())


def _row(line: int, said: dict[str, str | tuple[str, ...]], folder: Path) -> Row | Faulty:
    name = str(said.pop("name", "")) or f"line {line}"
    if any(len(cell) > _LONGEST_CELL for cell in said.values()):
        return Faulty(
            line=line, name=name[:_LONGEST_CELL], message=f"has a cell of more than {_LONGEST_CELL} characters"
        )
    profile = None
    hardware = said.pop("hardware", "")
    if hardware:
        try:
            profile = _profile(folder, str(hardware))
        except UsageError as error:
            return Faulty(line=line, name=name, message=error.message, hint=error.hint)
    words = tuple((key, _several(cell) if key in _SEVERAL else cell) for key, cell in sorted(said.items()) if cell)
    return Row(line=line, name=name, words=Words(said=words, profile=profile))


def _several(cell: str | tuple[str, ...]) -> tuple[str, ...]:
    """The names in a cell: ``RTX 4090; RTX 3060 12GB``."""
    if isinstance(cell, tuple):
        return cell
    return tuple(filter(None, (part.strip() for part in cell.replace("|", ";").split(";"))))


def _profile(folder: Path, name: str) -> tuple[str, bytes]:
    """A profile beside the inventory or below: a list from elsewhere must not read what its author cannot see."""
    try:
        path = (folder / name).resolve()
    except (OSError, ValueError) as error:  # a NUL in the name, a circle of links
        raise UsageError(f"the profile {name!r} cannot be read: {error}") from error
    if not path.is_relative_to(folder.resolve()):
        raise UsageError(f"the profile {name} is not in the inventory's folder", hint="put it beside the inventory")
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_PROFILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise UsageError(f"the profile {name} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if len(data) > _MOST_PROFILE_BYTES:
        raise UsageError(f"the profile {name} is larger than {_MOST_PROFILE_BYTES >> 20} MiB")
    return name, data
