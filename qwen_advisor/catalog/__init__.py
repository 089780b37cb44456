"""The catalogue's door: facts from files, checked and compiled, as one `Catalog`.

Running loads a compiled form; reading YAML is for compiling, validating and a user's own entries, and nothing here
imports it before that is asked for.
"""

from __future__ import annotations

from pathlib import Path

from qwen_advisor.catalog.faults import Fault
from qwen_advisor.catalog.loading import config_directory, data_directory, load_catalog, overlay_stamp
from qwen_advisor.catalog.published import published_schemas

__all__ = [
    "Fault",
    "compile_catalog",
    "config_directory",
    "data_directory",
    "load_catalog",
    "overlay_stamp",
    "published_schemas",
    "validate",
]


def compile_catalog(root: Path, *, complete: bool = True) -> bytes:
    """The compiled form of the catalogue in ``root``: one JSON document, the same bytes for the same facts.

    Args:
        root: the directory of YAML files.
        complete: whether a section without any entry is a fault.

    Raises:
        CatalogError: the catalogue is invalid; it carries every fault at once.
    """
    from qwen_advisor.catalog import compiling  # noqa: PLC0415  needs YAML, which running does without

    return compiling.compile_catalog(root, complete=complete)


def validate(root: Path) -> list[Fault]:
    """Every fault of the catalogue in ``root``, ordered by file and line; empty where it is valid."""
    from qwen_advisor.catalog import compiling  # noqa: PLC0415  as above

    return compiling.validate(root)
