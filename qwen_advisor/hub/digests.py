"""Whether a file on disk is the one that its host announced."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from qwen_advisor.hub.remote import RemoteFile

_PIECE = 1 << 20


def matches(path: Path, file: RemoteFile, seen: Callable[[int], None] = lambda _: None) -> bool:
    """Whether size and checksum of the file at ``path`` are those announced; what has no checksum is taken by size.

    Large files carry the SHA-256 of their content, others git's hash of it: SHA-1 of ``blob SIZE``, a zero byte and
    the content (git's object format). ``seen`` is told how many bytes have been read.
    """
    size = path.stat().st_size
    if size != file.size:
        return False
    if file.sha256 is not None:
        return _digest(path, hashlib.sha256(), seen) == file.sha256
    if file.blob is not None:
        return _digest(path, hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False), seen) == file.blob
    return True


def _digest(path: Path, digest: hashlib._Hash, seen: Callable[[int], None]) -> str:
    done = 0
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
            done += len(piece)
            seen(done)
    return digest.hexdigest()
