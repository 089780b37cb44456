"""The YAML of one catalogue as typed entries, each with the place it came from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from qwen_advisor.catalog.faults import Fault
from qwen_advisor.catalog.layout import BY_NAME, SECTIONS, SOURCES_KEY, Section
from qwen_advisor.catalog.strict_yaml import Node, read_yaml
from qwen_advisor.catalog.structure import INVALID, Structure, joined
from qwen_advisor.values import dataclass, field

MAX_FILES = 5000
ANY = "*"  # stands for all the ids of a file that could not be read


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, and where it stands."""

    section: str
    id: str
    value: Any
    node: Node
    file: str
    path: str = ""  # where in the file it stands, "" for the whole of it

    def fault(self, message: str, *path: str | int) -> Fault:
        """A fault of the field at ``path`` of this entry."""
        node = self.node.at(*path)
        return Fault(self.file, node.line, joined(self.path, *path), message, node.column)


@dataclass(frozen=True, slots=True)
class Facts:
    """All entries of a catalogue by section and id, and every fault found on the way."""

    entries: dict[str, dict[str, Entry]] = field(default_factory=lambda: {name: {} for name in BY_NAME})
    faults: list[Fault] = field(default_factory=list)
    faulty: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in BY_NAME})  # by `short` name

    def of(self, section: str) -> dict[str, Entry]:
        """The entries of one section."""
        return self.entries[section]

    def values(self, section: str) -> dict[str, Any]:
        """The values of one section."""
        return {key: entry.value for key, entry in self.entries[section].items()}

    def add(self, entry: Entry) -> None:
        """Add an entry; an id that is there already is a fault."""
        first = self.entries[entry.section].setdefault(entry.id, entry)
        if first is not entry:
            self.faults.append(entry.fault(f"{entry.section} has {entry.id!r} already, in {first.file}"))


def yaml_files(root: Path) -> list[PurePosixPath]:
    """Every file below ``root`` that is or looks like YAML, relative to it, in order. Hidden ones are left out."""
    found = []
    for path in root.rglob("*"):
        inner = path.relative_to(root)
        if path.suffix.lower() in (".yaml", ".yml") and not any(part.startswith(".") for part in inner.parts):
            found.append(PurePosixPath(inner))
            if len(found) > MAX_FILES:
                break
    return sorted(found)


def read_facts(root: Path) -> Facts:
    """Read every file of the catalogue in ``root``; nothing is raised, every fault is collected."""
    facts = Facts()
    if not root.is_dir():
        facts.faults.append(Fault(str(root), 0, "", "is not a directory"))
        return facts
    files = yaml_files(root)
    if len(files) > MAX_FILES:
        facts.faults.append(Fault(str(root), 0, "", f"holds more than {MAX_FILES} YAML files"))
        return facts
    for inner in files:
        sections = [section for section in SECTIONS if section.holds(inner)]
        name = str(root / inner)
        if not sections:
            facts.faults.append(Fault(name, 0, "", "no section of the catalogue reads a file of this name"))
            continue
        node, faults = read_yaml(root / inner, name)
        facts.faults.extend(faults)
        structure = Structure(name)
        for section in sections:
            if node is None:
                facts.faulty[section.name].add(short(inner.stem) if section.shape == "entry" else ANY)
                continue
            for entry in _entries(section, inner, node, structure):
                if entry.value is INVALID:
                    facts.faulty[section.name].add(short(entry.id))
                else:
                    facts.add(entry)
        if node is not None:
            _check_wrappers(sections, node, structure)
        facts.faults.extend(structure.faults)
    return facts


def short(name: str) -> str:
    """What a file of an entry is called: the last part of the id, in lower case."""
    return name.rpartition("/")[2].lower()


def _entries(section: Section, inner: PurePosixPath, node: Node, structure: Structure) -> Iterator[Entry]:
    """The entries of a file, those that are faulty with the value INVALID."""
    match section.shape:
        case "entry":
            yield _entry(section, inner, node, structure)
        case "document":
            yield Entry(section.name, inner.stem, structure.read(node, section.type), node, structure.file)
        case "mapping":
            yield from _mapping(section, inner, node, structure)


def _check_wrappers(sections: list[Section], node: Node, structure: Structure) -> None:
    wrappers = {section.within for section in sections if section.within}
    if wrappers and isinstance(node.value, dict):
        for key, item in node.value.items():
            if key not in wrappers | {SOURCES_KEY}:
                structure.fault(item, key, f"is not known here; {', '.join(sorted(wrappers))} are")


def _entry(section: Section, inner: PurePosixPath, node: Node, structure: Structure) -> Entry:
    value = structure.read(node, section.type)
    if value is INVALID:
        return Entry(section.name, inner.stem, value, node, structure.file)
    key = str(getattr(value, section.key or "id"))
    if inner.stem != short(key):
        structure.fault(node.at(section.key or "id"), section.key or "id", f"{key} belongs into {short(key)}.yaml")
    return Entry(section.name, key, value, node, structure.file)


def _mapping(section: Section, inner: PurePosixPath, node: Node, structure: Structure) -> Iterator[Entry]:
    top = node
    if section.within and isinstance(node.value, dict):
        if section.within not in node.value:
            return
        top = node.value[section.within]
    if not isinstance(top.value, dict):
        structure.fault(top, section.within or "", "a mapping from id to entry is expected here")
        yield Entry(section.name, ANY, INVALID, top, structure.file)
        return
    for key, item in top.value.items():
        given = {section.key: key} if section.key else {}
        if section.stem:
            given[section.stem] = inner.stem
        path = joined(section.within or "", key)
        value = structure.read(item, section.type, path, given)
        yield Entry(section.name, key, value, item, structure.file, path)
