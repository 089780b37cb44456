"""Every fault at once: of a whole catalogue, of one file of it, or of what this user would load."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from qwen_advisor.catalog.compiling import validate
from qwen_advisor.catalog.faults import Fault
from qwen_advisor.catalog.layout import SECTIONS
from qwen_advisor.catalog.loading import base_catalog, overlay_directories, own_directory
from qwen_advisor.catalog.overlays import laid_over
from qwen_advisor.errors import UsageError


def faults_of(path: Path) -> list[Fault]:
    """Faults of the catalogue in ``path``, or of the one file of a catalogue that it is.

    Raises:
        UsageError: there is nothing, or a file that no catalogue has.
    """
    if path.is_dir():
        return validate(path)
    if not path.exists():
        raise UsageError(f"there is no {path}", hint="give the directory of a catalogue, or one file of it")
    for root in path.absolute().parents[:2]:
        inner = PurePosixPath(path.absolute().relative_to(root).as_posix())
        if any(section.holds(inner) for section in SECTIONS):
            name = str(root / inner)
            return [fault for fault in validate(root) if fault.file == name]
    raise UsageError(
        f"no catalogue has a file such as {path}",
        hint="a checkpoint stands in models/NAME.yaml, an accelerator in accelerators/VENDOR.yaml",
    )


def faults_of_own(extra: Sequence[Path] = ()) -> tuple[list[Path], list[Fault]]:
    """The directories that `load_catalog` would read, and their faults.

    A user's own entries are checked with what they extend, and only where that has no fault itself. A catalogue that
    a wheel has brought was checked when it was compiled.

    Raises:
        UsageError: a directory that was named is not there.
    """
    root = own_directory()
    overlays = overlay_directories(extra)
    faults = [] if root is None else validate(root)
    if not faults:
        catalog = base_catalog()
        for directory in overlays:
            catalog, more = laid_over(catalog, directory)
            faults += more
    return ([] if root is None else [root]) + overlays, faults
