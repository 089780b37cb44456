"""Proposed entries into a directory of own entries: checked with the catalogue first, one file each, never over one."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

from qwen_advisor.catalog import Fault
from qwen_advisor.catalog.overlays import laid_over
from qwen_advisor.facts import Catalog
from qwen_advisor.files import replace_file
from qwen_advisor.hub.proposals import Proposal

_HEAD = "# Written by qwen-advisor catalog refresh. Nobody has verified it: see 'unverified'.\n"


def write(catalog: Catalog, proposals: Sequence[Proposal], root: Path) -> tuple[list[Path], list[str]]:
    """Write the entries of each proposal that is sound; returns the files, and why others were not written.

    Raises:
        UsageError: a file cannot be written.
    """
    written: list[Path] = []
    left_out: list[str] = []
    for each in proposals:
        texts = dict(_texts(each))
        # An architecture as it would be written is what an interrupted call has left: the checkpoint is still wanted.
        kept = [name for name in list(texts)[:-1] if _holds(root / name, texts[name])]
        there = [name for name in texts if name not in kept and (root / name).exists()]
        faults = [] if there else _faults(catalog, texts)
        if there:
            left_out.append(f"{each.checkpoint.id}: {root / there[0]} is there already and was left as it is")
        elif faults:
            left_out.append(f"{each.checkpoint.id}: {faults[0].path}: {faults[0].message}")
        else:
            for name, text in texts.items():
                if name not in kept:
                    replace_file(root / name, text)
                    written.append(root / name)
    return written, left_out


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False


def _texts(proposal: Proposal) -> Iterator[tuple[str, str]]:
    """The architecture first: a checkpoint without it would be a fault, the other way round it is none."""
    if proposal.architecture is not None:
        yield f"architectures/{proposal.architecture.id}.yaml", _HEAD + entry_text(proposal.architecture)
    name = proposal.checkpoint.id.rpartition("/")[2].lower()
    yield f"models/{name}.yaml", _HEAD + entry_text(proposal.checkpoint)


def _faults(catalog: Catalog, texts: dict[str, str]) -> list[Fault]:
    """What the catalogue would say of the files, were they its user's own."""
    with tempfile.TemporaryDirectory(prefix="qwen-advisor-") as folder:
        for name, text in texts.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return laid_over(catalog, Path(folder))[1]


def entry_text(value: object) -> str:
    """An entry as the catalogue writes it: fields in their order, defaults left out, blocks, ASCII."""
    import yaml  # noqa: PLC0415  only writing pays for it

    document = json.loads(json.dumps(entry(value)))
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=False, width=110))


def entry(value: Any) -> Any:
    """A value of the catalogue as plain mappings and lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: entry(getattr(value, each.name)) for each in fields(value) if not _is_default(value, each)}
    if isinstance(value, dict):
        return {key: entry(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [entry(item) for item in value]
    return value


def _is_default(value: Any, each: Any) -> bool:
    default = each.default if each.default_factory is MISSING else each.default_factory()
    return default is not MISSING and getattr(value, each.name) == default
