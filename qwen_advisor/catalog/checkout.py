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


def compiled_text(root: Path, cache: Path) -> str:
    """The compiled form of the YAML in ``root``.

    It is kept in ``cache`` under a digest of all that it is made from, so that it is never out of date; a directory
    that cannot be written only makes the next call slow again.

    Raises:
        CatalogError: the catalogue is invalid.
    """
    compiled = cache / f"catalog-{_digest(root)}.json"
    with suppress(OSError):
        return compiled.read_text("ascii")
    from qwen_advisor.catalog.compiling import compile_catalog  # noqa: PLC0415  reads YAML

    data = compile_catalog(root, complete=False)
    with suppress(OSError):
        _write(compiled, data)
    return data.decode("ascii")


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
