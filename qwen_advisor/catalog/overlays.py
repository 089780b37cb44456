"""A user's own entries laid over a catalogue: each adds one or replaces one whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qwen_advisor.catalog.checks import Known, check
from qwen_advisor.catalog.compiling import INNER, stamp
from qwen_advisor.catalog.faults import Fault, catalog_error
from qwen_advisor.catalog.footprints import count_footprints
from qwen_advisor.catalog.layout import SECTIONS
from qwen_advisor.catalog.rows import Entries
from qwen_advisor.catalog.sources import Facts, read_facts
from qwen_advisor.facts import Catalog
from qwen_advisor.footprint import Footprint
from qwen_advisor.values import replace


def overlay(base: Catalog, root: Path) -> Catalog:
    """``base`` with the entries of ``root``; their weights are counted here.

    Raises:
        CatalogError: an entry is invalid, by itself or together with ``base``.
    """
    catalog, faults = laid_over(base, root)
    if faults:
        raise catalog_error(str(root), faults)
    return catalog


def laid_over(base: Catalog, root: Path) -> tuple[Catalog, list[Fault]]:
    """``base`` with the entries of ``root`` as far as they are valid, and every fault of them."""
    facts = read_facts(root)
    sections = {
        section.name: _merged(getattr(base, section.name), facts.values(section.name), section.name)
        for section in SECTIONS
    }
    known = Known(sections, facts.faulty)
    facts.faults.extend(check(facts, known))
    counted = _counted(facts, known)
    digest = stamp(root, facts).partition("+")[2]
    footprints = _merged(base.footprints, counted, "footprints")
    changed = any(facts.of(name) for name in ("architectures", "formats", "block_types"))
    variants = {} if changed else base.variants  # what is not counted here is counted when somebody asks
    catalog = replace(base, version=f"{base.version}.{digest}", footprints=footprints, variants=variants, **sections)
    return catalog, sorted(facts.faults)


def _merged(base: Mapping[str, Any], own: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    """Whole entries, never field by field; those of abilities and footprints stand one level down."""
    if not own:
        return base
    if section in INNER:
        own = {key: _replacing(base.get(key, {}), values) for key, values in own.items()}
    return _replacing(base, own)


def _replacing(base: Mapping[str, Any], own: Mapping[str, Any]) -> Mapping[str, Any]:
    return base.replacing(own) if isinstance(base, Entries) else {**base, **own}


def _counted(facts: Facts, known: Known) -> dict[str, dict[str, Footprint]]:
    """Footprints that change: new architectures in every format, new formats for every architecture."""
    counted = {}
    formats = [
        known["formats"][name] for name in (known["formats"] if facts.of("block_types") else facts.of("formats"))
    ]
    for name, architecture in known["architectures"].items() if formats else ():
        counted[name], _ = count_footprints(architecture, formats, known["block_types"])
    for entry in facts.of("architectures").values():
        counted[entry.id], problems = count_footprints(entry.value, known["formats"].values(), known["block_types"])
        facts.faults.extend(entry.fault(problem) for problem in problems)
    return counted
