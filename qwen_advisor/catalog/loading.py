"""The catalogue as a value: compiled facts from the wheel, a checkout or a directory of the user's, and overlays."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from qwen_advisor.catalog.rows import Decoders, parse, section
from qwen_advisor.errors import CatalogError, UsageError
from qwen_advisor.facts import Catalog

if TYPE_CHECKING:
    from qwen_advisor.catalog.checkout import Checkout

REPLACE = "QWEN_ADVISOR_CATALOG"
EXTRA = "QWEN_ADVISOR_CATALOG_EXTRA"

_PACKAGE = Path(__file__).parents[1]
_COMPILED = _PACKAGE / "_catalog.json"


def load_catalog(*, extra: Sequence[Path] = ()) -> Catalog:
    """Every fact the advisor has.

    Directories of own entries extend it, or replace whole entries by id; of two that name the same entry the later
    wins: the config directory, then ``QWEN_ADVISOR_CATALOG_EXTRA``, then ``extra``. ``QWEN_ADVISOR_CATALOG`` names a
    directory that stands in for the whole catalogue.

    Raises:
        UsageError: a directory that was named is not there.
        CatalogError: a file of the user's is invalid; it carries every fault.
    """
    base = base_catalog()
    overlays = overlay_directories(extra)
    if not overlays:
        return base
    from qwen_advisor.catalog.overlays import overlay  # noqa: PLC0415  reads YAML, which most calls never do

    for directory in overlays:
        base = overlay(base, directory)
    return base


def base_catalog() -> Catalog:
    """The catalogue without anybody's own entries; errors as `load_catalog`."""
    root = own_directory()
    if root is None:
        return _packaged()
    cache = cache_directory() if os.environ.get(REPLACE) else _PACKAGE.parent / ".cache"
    from qwen_advisor.catalog.checkout import Checkout  # noqa: PLC0415  an installed wheel never comes here

    return _opened(Checkout(root, cache))


@lru_cache(maxsize=1)
def _packaged() -> Catalog:
    return open_compiled(_COMPILED.read_bytes())


@lru_cache(maxsize=4)
def _opened(checkout: Checkout) -> Catalog:
    return open_compiled(checkout.compiled())


def own_directory() -> Path | None:
    """The YAML that `load_catalog` begins with; None where a wheel has brought it compiled.

    Raises:
        UsageError: the environment names a directory that is not there.
        CatalogError: there is none at all.
    """
    replacement = os.environ.get(REPLACE)
    if replacement:
        return _directory(replacement, REPLACE)
    if _COMPILED.is_file():
        return None
    root = _PACKAGE.parent / "catalog"
    if not root.is_dir():
        raise CatalogError(
            "this installation has no catalogue", hint=f"reinstall qwen-advisor, or set {REPLACE} to a directory of it"
        )
    return root


def open_compiled(data: bytes) -> Catalog:
    """The catalogue in a compiled form; its entries are decoded when they are asked for."""
    start = data.index(b"\n") + 1
    head = parse(data[: start - 2].decode("ascii") + "}")
    decoders = Decoders(head["types"])
    sections = {name: section(data, start, index, plan, decoders) for name, (index, plan) in head["sections"].items()}
    return Catalog(version=head["version"], **sections)


def overlay_directories(extra: Sequence[Path] = ()) -> list[Path]:
    """The directories of own entries, in the order in which they are laid over the catalogue.

    Raises:
        UsageError: one that was named is not there.
    """
    own = config_directory() / "catalog"
    named = [_directory(name, EXTRA) for name in os.environ.get(EXTRA, "").split(os.pathsep) if name]
    given = [_directory(str(path), "--catalog-extra") for path in extra]
    # Of a home that is somebody else's the method would raise.
    return ([own] if os.path.isdir(own) else []) + named + given  # noqa: PTH112


def overlay_stamp(extra: Sequence[Path] = ()) -> tuple[tuple[str, int, int], ...]:
    """What changes when a user's own entries do: name, time of change and size of each file; errors as its directories.

    Nothing is read, so that asking costs some microseconds where there are no such entries.
    """
    return tuple(state for directory in overlay_directories(extra) for state in _states(str(directory)))


def _states(root: str) -> Iterator[tuple[str, int, int]]:
    yield root, 0, 0
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            path = f"{folder}/{name}"
            with suppress(OSError):  # gone since it was listed
                state = os.stat(path)  # noqa: PTH116  ten times as fast as the method's object
                yield path, state.st_mtime_ns, state.st_size


def _directory(name: str, said_by: str) -> Path:
    path = Path(os.path.expanduser(name))  # noqa: PTH111  the method raises where there is no home
    if not path.is_dir():
        raise UsageError(
            f"{said_by} names {name}, which is not a directory",
            hint="give a directory laid out as the catalogue is: models/, architectures/, accelerators/, ...",
        )
    return path


def config_directory() -> Path:
    """Where this user's configuration of the advisor stands; it need not exist."""
    return _own_directory("APPDATA", "Library/Application Support", "XDG_CONFIG_HOME", ".config")


def data_directory() -> Path:
    """Where what the advisor keeps for this user stands; it need not exist."""
    return _own_directory("LOCALAPPDATA", "Library/Application Support", "XDG_DATA_HOME", ".local/share")


def cache_directory() -> Path:
    """Where this user's caches stand; it need not exist."""
    return _own_directory("LOCALAPPDATA", "Library/Caches", "XDG_CACHE_HOME", ".cache")


def _own_directory(windows: str, macos: str, xdg: str, fallback: str) -> Path:
    home = os.path.expanduser("~")  # noqa: PTH111  as above
    if sys.platform == "darwin":
        return Path(home, macos, "qwen-advisor")
    return Path(os.environ.get(windows if sys.platform == "win32" else xdg) or Path(home, fallback), "qwen-advisor")
