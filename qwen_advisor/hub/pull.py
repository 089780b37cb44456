"""The files of a model onto this disk: what is there is kept, what is missing is fetched, everything is checked."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from qwen_advisor.errors import NetworkError, NothingFits, UsageError
from qwen_advisor.hub import huggingface, modelscope
from qwen_advisor.hub.destination import Cache, Destination, Folder
from qwen_advisor.hub.digests import matches
from qwen_advisor.hub.http import NAMED
from qwen_advisor.hub.record import Record
from qwen_advisor.hub.remote import Remote, RemoteFile, Source
from qwen_advisor.hub.transfer import fetch
from qwen_advisor.units import gib
from qwen_advisor.values import dataclass

State = Literal["present", "partial", "missing", "fetched"]
LARGEST_BY_HTTP = 50 * 10**9  # bytes; huggingface_hub's MAX_HTTP_DOWNLOAD_SIZE
MARGIN = 64 << 20  # bytes that a disk should have beside the files: names, locks, the record

# "fetching" or "checking", a file, and how many of its bytes were fetched or read so far
Tell = Callable[[Literal["fetching", "checking"], RemoteFile, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One file of a pull, and what has become of it."""

    file: RemoteFile
    state: State
    have: int  # bytes that need not be fetched
    path: Path | None = None  # where it lies

    @property
    def missing(self) -> int:
        """Bytes that are still to come."""
        return self.file.size - self.have


@dataclass(frozen=True, slots=True, kw_only=True)
class Haul:
    """All files of a pull. ``free`` are bytes on the disk that they go to."""

    remote: Remote
    root: Path
    items: tuple[Item, ...]
    free: int

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(item.file.size for item in self.items)

    @property
    def missing(self) -> int:
        """Bytes that are still to come."""
        return sum(item.missing for item in self.items)


def listing(source: Source, repo: str) -> Remote:
    """What a repository holds; errors as `huggingface.listing` and `modelscope.listing`."""
    return huggingface.listing(repo) if source == "huggingface" else modelscope.listing(repo)


def destination(remote: Remote, folder: Path | None) -> Destination:
    """The folder, or the Hugging Face cache.

    Raises:
        UsageError: no folder was named for files that no Hugging Face cache can hold.
    """
    if folder is not None:
        return Folder(remote, folder)
    if remote.source == "modelscope":
        raise UsageError(
            "files of ModelScope cannot go into the Hugging Face cache", hint="name a folder for them: --to DIR"
        )
    return Cache(remote)


def survey(remote: Remote, files: tuple[RemoteFile, ...], where: Destination) -> Haul:
    """What of the files is there already, by name and size."""
    items = []
    for file in files:
        path = where.held(file)
        if path is not None:
            items.append(Item(file=file, state="present", have=file.size, path=path))
        else:
            begun = where.partial(file)
            have = min(begun.stat().st_size, file.size) if begun.is_file() else 0
            items.append(Item(file=file, state="partial" if have else "missing", have=have))
    return Haul(remote=remote, root=where.root, items=tuple(items), free=free_bytes(where.root))


def free_bytes(folder: Path) -> int:
    """Bytes free where the folder is, or will be."""
    for existing in (folder, *folder.parents):
        if existing.is_dir():
            return shutil.disk_usage(existing).free
    return 0


def refuse_without_room(haul: Haul) -> None:
    """Say so before the first byte is fetched.

    Raises:
        NothingFits: the disk has not enough room for what is missing.
    """
    needed = haul.missing + MARGIN if haul.missing else 0
    if needed > haul.free:
        raise NothingFits(
            f"{gib(haul.missing)} are to be fetched, the disk of {haul.root} has {gib(haul.free)} free",
            hint="free some space, choose a smaller --quant, or another disk with --to DIR",
        )


def carry_out(haul: Haul, where: Destination, tell: Tell) -> Haul:
    """Fetch what is missing and check everything that was not found whole before.

    Raises:
        AdvisorError: as `fetch`; what has arrived is kept.
    """
    record = Record()
    items = tuple(_carry(item, haul.remote, where, record, tell) for item in haul.items)
    where.close()
    return Haul(remote=haul.remote, root=haul.root, items=items, free=free_bytes(where.root))


def _carry(item: Item, remote: Remote, where: Destination, record: Record, tell: Tell) -> Item:
    file = item.file
    note = {"source": remote.source, "repo": remote.repo, "file": file.path}

    def seen(size: int) -> None:
        tell("fetching", file, size)

    def checked(size: int) -> None:
        tell("checking", file, size)

    # The Hub's store (Xet) gives out what is larger to its own protocol alone, which huggingface_hub speaks.
    by_library = remote.source == "huggingface" and file.size > LARGEST_BY_HTTP
    state: State = "present"
    if by_library and where.held(file) is None:
        where.by_library(file)
        state = "fetched"
    with where.locked(file):
        # Another process may have brought it while this one waited for the lock.
        path = where.held(file)
        if path is not None and not record.vouches(path, file.etag) and not matches(path, file, checked):
            path = None
        if path is None and by_library:
            where.name(file).resolve().unlink(missing_ok=True)
            raise NetworkError(f"{file.path} has another checksum than announced; call it again to fetch it anew")
        if path is None:
            state = "fetched"
            fetch(file, _url(remote, file), where.partial(file), headers=_headers(remote), seen=seen, checked=checked)
            where.keep(file)
    if path != where.name(file):
        path = where.finish(file)
    record.add(note, path, file.etag)
    seen(file.size)
    return Item(file=file, state=state, have=file.size, path=path)


def _url(remote: Remote, file: RemoteFile) -> str:
    return huggingface.file_url(remote, file) if remote.source == "huggingface" else modelscope.file_url(remote, file)


def _headers(remote: Remote) -> dict[str, str]:
    return huggingface.headers() if remote.source == "huggingface" else NAMED
