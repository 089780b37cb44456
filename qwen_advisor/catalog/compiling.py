"""YAML to the compiled catalogue: read, check, count the weights, write.

The result is one JSON document, ASCII, the same bytes for the same facts, laid out so that a reader takes only what it
needs (see `rows`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from qwen_advisor.catalog.checks import Known, check, missing_sections
from qwen_advisor.catalog.faults import Fault, catalog_error
from qwen_advisor.catalog.footprints import count_footprints, count_variants
from qwen_advisor.catalog.layout import SECTIONS
from qwen_advisor.catalog.packing import plan_of, section_text, text_of
from qwen_advisor.catalog.sources import Facts, read_facts
from qwen_advisor.footprint import Footprint

SCHEMA = "qwen-advisor/compiled-catalog/1"
INNER = {"abilities", "footprints", "variants"}  # sections whose values are large mappings of their own


def compile_catalog(root: Path, *, complete: bool = True) -> bytes:
    """The compiled form of the catalogue in ``root``.

    Args:
        root: the directory of YAML files.
        complete: whether a section without any entry is a fault, as it is in a catalogue that is shipped.

    Raises:
        CatalogError: the catalogue is invalid; it carries every fault.
    """
    facts, counted = checked_facts(root, complete=complete)
    if facts.faults:
        raise catalog_error(str(root), facts.faults)
    return _document(facts, counted, stamp(root, facts))


def validate(root: Path) -> list[Fault]:
    """Every fault of the catalogue in ``root``, ordered by file and line; empty where it is valid."""
    facts, _ = checked_facts(root, complete=True)
    return sorted(facts.faults)


def checked_facts(root: Path, *, complete: bool) -> tuple[Facts, dict[str, dict[str, Footprint]]]:
    """All facts, their faults noted in them, and the footprints of all architectures."""
    facts = read_facts(root)
    known = Known({section.name: facts.values(section.name) for section in SECTIONS}, facts.faulty)
    if complete and root.is_dir():
        facts.faults.extend(missing_sections(known, str(root)))
    facts.faults.extend(check(facts, known))
    counted = {}
    for entry in facts.of("architectures").values():
        counted[entry.id], problems = count_footprints(entry.value, known["formats"].values(), known["block_types"])
        facts.faults.extend(entry.fault(problem) for problem in problems)
    return facts, counted


def _variants(facts: Facts) -> dict[str, dict[str, Footprint]]:
    values = {name: facts.values(name) for name in ("models", "architectures", "formats", "block_types", "ranking")}
    return count_variants(
        values["models"].values(),
        values["architectures"],
        values["formats"],
        values["block_types"],
        values["ranking"].get("usual_formats", ()),
    )


def stamp(root: Path, facts: Facts) -> str:
    """The version of these facts: the day of the newest checkpoint, and a digest of every file."""
    digest = hashlib.sha256()
    files = {entry.file for section in facts.entries.values() for entry in section.values()}
    for name in sorted(files):
        digest.update(Path(name).relative_to(root).as_posix().encode() + b"\0")
        digest.update(Path(name).read_bytes().replace(b"\r\n", b"\n") + b"\0")
    newest = max((entry.value.released or "" for entry in facts.of("models").values()), default="")
    return f"{newest.replace('-', '.') or '0'}+{digest.hexdigest()[:8]}"


def _document(facts: Facts, counted: Mapping[str, Mapping[str, Footprint]], version: str) -> bytes:
    types: dict[str, Any] = {}
    values = {section.name: (section.type, facts.values(section.name)) for section in SECTIONS}
    values["footprints"] = (Mapping[str, Footprint], dict(counted))
    values["variants"] = (Mapping[str, Footprint], _variants(facts))
    parts = []
    length = 0
    sections: dict[str, Any] = {}
    for name, (kind, entries) in values.items():
        inner = name in INNER
        ordered = {key: entries[key] for key in sorted(entries)}
        text, index = section_text(name, ordered, length, inner=inner)
        sections[name] = [index, ["inner", plan_of(get_args(kind)[1], types)] if inner else plan_of(kind, types)]
        parts.append(text)
        length += len(text)
    head = {"schema": SCHEMA, "version": version, "types": types, "sections": sections}
    return "".join([text_of(head)[:-1], ",\n", *parts, '"end":null}\n']).encode("ascii")
