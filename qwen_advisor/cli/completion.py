"""What a shell completes: names of the catalogue. A catalogue that cannot be read completes nothing, quietly."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import get_args

from qwen_advisor.engine import EngineId
from qwen_advisor.errors import AdvisorError
from qwen_advisor.facts import Catalog
from qwen_advisor.task import TaskId

_MAKER = re.compile(r"(?:NVIDIA |AMD |Intel )?(?:GeForce |Radeon )?")
_ONE_WORD = re.compile(r"[A-Za-z0-9._+/-]+")  # to every shell


def tasks(incomplete: str) -> list[str]:
    """Tasks that begin so."""
    return _beginning(incomplete, get_args(TaskId))


def engines(incomplete: str) -> list[str]:
    """Engines that begin so."""
    return _beginning(incomplete, get_args(EngineId))


def models(incomplete: str) -> list[str]:
    """Models that begin so, under their short names unless an organisation was typed."""
    catalog = _catalog()
    ids = list(catalog.models) if catalog else []
    return _beginning(incomplete, ids if "/" in incomplete else [name.split("/")[-1] for name in ids])


def quantizations(incomplete: str) -> list[str]:
    """Quantizations that begin so."""
    catalog = _catalog()
    return _beginning(incomplete, catalog.formats if catalog else ())


def families(incomplete: str) -> list[str]:
    """Families that begin so."""
    catalog = _catalog()
    return _beginning(incomplete, sorted({model.family for model in catalog.models.values()}) if catalog else ())


def accelerators(incomplete: str) -> list[str]:
    """Accelerators that begin so, with or without their maker's name."""
    catalog = _catalog()
    names = [name for spec in catalog.accelerators.values() for name in (spec.name, *spec.aliases)] if catalog else []
    names += [_MAKER.sub("", name) for name in names]
    return _typed(incomplete, dict.fromkeys(names))


def devices(incomplete: str) -> list[str]:
    """Devices that begin so."""
    catalog = _catalog()
    names = [name for spec in catalog.devices.values() for name in (spec.name, *spec.aliases)] if catalog else []
    return _typed(incomplete, dict.fromkeys(names))


def _typed(incomplete: str, names: Iterable[str]) -> list[str]:
    """Names as one word without quotes, which mean the same, unless one with spaces was begun."""
    if " " not in incomplete:
        names = dict.fromkeys(word for word in (name.replace(" ", "-") for name in names) if _ONE_WORD.fullmatch(word))
    return _beginning(incomplete, names)


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    # What was typed stays as it was typed: Typer and zsh compare with case, the verbs take any.
    begun = len(incomplete)
    return [incomplete + name[begun:] for name in names if name.lower().startswith(incomplete.lower())]


def _catalog() -> Catalog | None:
    from qwen_advisor.catalog import load_catalog  # noqa: PLC0415  only completion of its names pays for it

    try:
        return load_catalog()
    except AdvisorError:
        return None
