"""One file from the network onto the disk: what broke off goes on where it stopped, and only the whole counts."""

from __future__ import annotations

import contextlib
import errno
import http.client
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from qwen_advisor.errors import AdvisorError, NetworkError, NothingFits, UsageError
from qwen_advisor.hub.digests import matches
from qwen_advisor.hub.http import TIMEOUT, Answer, host, opened, unreached
from qwen_advisor.hub.remote import RemoteFile

ATTEMPTS = 5  # in a row that bring nothing
PAUSE = 1.0  # seconds before the second of them; doubled each time
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what a disk says that takes no more
_PIECE = 1 << 18

Seen = Callable[[int], None]  # is told how many bytes of the file are there now, or were read to check it


def fetch(
    file: RemoteFile,
    url: str,
    partial: Path,
    *,
    headers: Mapping[str, str] | None = None,
    seen: Seen = lambda _: None,
    checked: Seen = lambda _: None,
    timeout: float = TIMEOUT,
) -> None:
    """Bring ``partial`` to the whole of ``file``; what it holds already is kept and not asked for again.

    Raises:
        NetworkError: the host fell silent for good, or twice sent what has another checksum.
        NothingFits: the disk is full.
        AdvisorError: the host says no.
    """
    for last in (False, True):
        _complete(file, url, partial, headers, seen, timeout)
        if matches(partial, file, checked):
            return
        partial.unlink()
        if last:
            break
    raise NetworkError(
        f"{file.path} arrived with another checksum than announced, twice; nothing of it was kept",
        hint="a proxy or a mirror may change it: try another network, or --source",
    )


def _complete(
    file: RemoteFile, url: str, partial: Path, headers: Mapping[str, str] | None, seen: Seen, timeout: float
) -> None:
    """Ask again from where the file ends, until nothing is missing."""
    idle, had = 0, -1
    while (size := _size(partial)) != file.size or not partial.exists():
        if size > file.size:
            partial.unlink()
            continue
        if size > had:
            idle, had = 0, size
        try:
            with opened(url, headers, start=size, timeout=timeout) as answer:
                _append(file, partial, answer, url, seen)
        except NetworkError:
            idle += 1
            if _size(partial) > size:
                idle = 1
            if idle >= ATTEMPTS:
                raise
            time.sleep(PAUSE * 2 ** (idle - 1))


def _append(file: RemoteFile, partial: Path, answer: Answer, url: str, seen: Seen) -> None:
    """Write what comes behind what is there; an answer that begins elsewhere starts the file anew."""
    start = answer.begins_at
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("r+b" if partial.exists() else "w+b") as stream:
            end = stream.seek(0, os.SEEK_END)
            if start > end:
                raise NetworkError(f"{file.path}: the host sent another part than was asked for")
            stream.seek(start)
            stream.truncate()
            at = start
            seen(at)
            while piece := _read(answer, url):
                at += len(piece)
                if at > file.size:
                    stream.seek(0)
                    stream.truncate()
                    raise NetworkError(f"{file.path} is longer than the host announced")
                stream.write(piece)
                seen(at)
            stream.flush()
            os.fsync(stream.fileno())
            if at == start and file.size:
                raise NetworkError(f"{host(url)} sent nothing of {file.path}")
    except OSError as error:
        if isinstance(error, AdvisorError):
            raise
        raise unwritable(partial, error) from error


def _read(answer: Answer, url: str) -> bytes:
    """The next piece; a break of the connection is told from a fault of the disk here."""
    try:
        return answer.body.read1(_PIECE)
    except (OSError, http.client.HTTPException) as error:
        raise unreached(url, error) from error


def unwritable(path: Path, error: OSError) -> AdvisorError:
    """Why a file could not be written."""
    if error.errno in FULL:
        return NothingFits(
            f"the disk below {path.parent} is full; what has arrived is kept", hint="free some space and call it again"
        )
    return UsageError(f"{path} cannot be written: {error.strerror or error}")


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0
