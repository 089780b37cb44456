"""Compiled once, where no wheel has brought a compiled form: a checkout, or a user's whole catalogue."""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from pathlib import Path

KEPT = 4  # compiled forms kept beside the newest one

_PACKAGE = Path(__file__).parents[1]
# What the compiled form is a function of, beside the YAML: the types, the counting of weights, and this package.
_CODE = ("*.py", "catalog/*.py", "parameters/*.py", "weights/*.py")


class Checkout:
    """A directory of YAML and the directory that keeps its compiled form.

    The form is kept under a digest of all that it is made from, so that it is never out of date. Two of the same
    content are equal.
    """

    def __init__(self, root: Path, cache: Path) -> None:
        """Read every file that the compiled form is made from."""
        self.root = root
        self.file = cache / f"catalog-{_digest(root)}.json"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Checkout) and self.file == other.file

    def __hash__(self) -> int:
        return hash(self.file)

    def compiled(self) -> bytes:
        """The compiled form; a cache that cannot be written only makes the next call slow again.

        Raises:
            CatalogError: the catalogue is invalid.
        """
        with suppress(OSError):
            return self.file.read_bytes()
        from qwen_advisor.catalog.compiling import compile_catalog  # noqa: PLC0415  reads YAML

        data = compile_catalog(self.root, complete=False)
        with suppress(OSError):
            _write(self.file, data)
        return data


def _digest(root: Path) -> str:
    digest = hashlib.sha256(sys.version.encode())
    code = [path for pattern in _CODE for path in _PACKAGE.glob(pattern)]
    for path in sorted(code) + sorted(root.rglob("*.y*ml")):
        with suppress(OSError):
            content = path.read_bytes()
            digest.update(f"{path}\0{len(content)}\0".encode(errors="surrogateescape"))
            digest.update(content)
    return digest.hexdigest()[:32]


def _write(compiled: Path, data: bytes) -> None:
    compiled.parent.mkdir(parents=True, exist_ok=True)
    unfinished = compiled.with_name(f".{compiled.stem}-{os.getpid()}")
    unfinished.write_bytes(data)
    unfinished.replace(compiled)
    forms = sorted(compiled.parent.glob("catalog-*.json"), key=lambda path: path.stat().st_mtime)
    for path in forms[: -1 - KEPT]:
        path.unlink(missing_ok=True)
