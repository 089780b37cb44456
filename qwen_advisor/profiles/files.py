"""Reading and writing profile files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qwen_advisor.describe import describe
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.files import replace_file
from qwen_advisor.machine import Machine
from qwen_advisor.probes.assemble import interpret
from qwen_advisor.probes.evidence import from_document, is_evidence
from qwen_advisor.profiles.document import SCHEMA, machine_document, machine_from
from qwen_advisor.profiles.words import description_of

_MOST_BYTES = 16 << 20


def write_profile(machine: Machine, path: Path | str) -> None:
    """Write the machine to a file, as JSON where its name ends in ``.json``, else as YAML. The file appears whole.

    Raises:
        UsageError: the file cannot be written.
    """
    document, target = machine_document(machine), Path(path)
    if target.suffix.lower() == ".json":
        text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    else:
        import yaml  # noqa: PLC0415  only profiles in YAML pay for it

        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=10_000)
    replace_file(target, text, folders=False)  # a folder that is misspelt is told


def read_profile(path: Path | str, catalog: Catalog) -> Machine:
    """The machine in a file: a profile, an answer of ``inspect-hardware``, raw evidence, or a few words by hand.

    Raises:
        UsageError: the file cannot be read, or a part of it is not understood (which one, and what it may be).
        ProbeError: it is evidence, and tells of no machine.
    """
    return parse_profile(_content(Path(path)), str(path), catalog)


def parse_profile(data: bytes, where: str, catalog: Catalog) -> Machine:
    """As `read_profile`, of what a file holds; ``where`` is what faults call it."""
    document = _document(data, where)
    if is_evidence(document):
        return interpret(from_document(document, where), catalog)
    if not isinstance(document, dict) or not document:
        raise UsageError(f"{where} holds no hardware profile", hint="write at least: ram: 16G")
    schema = document.get("schema")
    if schema is None:
        return describe(catalog, description_of(document, where))
    if schema != SCHEMA:
        raise UsageError(f"{where} has the schema {schema!r}, which is not known", hint=f"profiles have {SCHEMA!r}")
    return machine_from(document, where)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror or error}",
            hint="a profile is written by: qwen-advisor inspect-hardware --save FILE; by hand, ram: 16G is enough",
        ) from error


def _document(data: bytes, where: str) -> Any:
    if data.lstrip()[:1] != b"{":
        from qwen_advisor.catalog.strict_yaml import parse_yaml  # noqa: PLC0415  only YAML pays for it
        from qwen_advisor.catalog.structure import plain  # noqa: PLC0415

        node, faults = parse_yaml(data, where)
        if faults or node is None:
            raise UsageError(f"{where} cannot be read: {faults[0] if faults else 'it is empty'}")
        return plain(node)
    try:
        return json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where} is no JSON: {error}") from error
