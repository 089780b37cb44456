"""Where files are put: the Hugging Face cache, which every engine reads, or a folder of the user's."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from qwen_advisor.errors import UsageError
from qwen_advisor.files import replace_file
from qwen_advisor.hub import huggingface
from qwen_advisor.hub.remote import Remote, RemoteFile
from qwen_advisor.hub.tools import huggingface_cache
from qwen_advisor.hub.transfer import unwritable


class Destination(Protocol):
    """A place for the files of one repository."""

    @property
    def root(self) -> Path:
        """The folder below which everything lands; it need not exist yet."""

    def held(self, file: RemoteFile) -> Path | None:
        """Where the file lies, if a file of its size does."""

    def name(self, file: RemoteFile) -> Path:
        """Where it belongs."""

    def partial(self, file: RemoteFile) -> Path:
        """Where its content is gathered."""

    def locked(self, file: RemoteFile) -> contextlib.AbstractContextManager[None]:
        """Keep every other process from writing it."""

    def keep(self, file: RemoteFile) -> None:
        """Make the gathered content, whole and checked, what `held` finds; still under the lock."""

    def finish(self, file: RemoteFile) -> Path:
        """Give what is held its name; without the lock, which huggingface_hub takes itself."""

    def by_library(self, file: RemoteFile) -> None:
        """Have huggingface_hub fetch the file to its place."""

    def close(self) -> None:
        """Every file is there."""


class Cache:
    """The Hugging Face cache: content by checksum under ``blobs``, names under ``snapshots/REVISION``."""

    def __init__(self, remote: Remote) -> None:
        """Take the repository whose files are put there."""
        self._remote = remote
        self.root = huggingface_cache() / huggingface.repo_folder(remote.repo)

    def held(self, file: RemoteFile) -> Path | None:
        """The name of the file in its snapshot, or its content where only the name is missing."""
        blob = self._blob(file) if file.etag else None
        for path in (self.name(file), blob):
            if path is not None and _has_size(path, file.size):
                return path
        return None

    def name(self, file: RemoteFile) -> Path:
        """The file in the snapshot of this revision."""
        return self.root / "snapshots" / self._remote.revision / file.path

    def partial(self, file: RemoteFile) -> Path:
        """The name under which huggingface_hub too has left content unfinished, up to its version 1."""
        blob = self._blob(file)
        return blob.with_name(f"{blob.name}.incomplete")

    def locked(self, file: RemoteFile) -> contextlib.AbstractContextManager[None]:
        """The lock under which huggingface_hub writes this content."""
        folder = huggingface.repo_folder(self._remote.repo)
        return _locked(huggingface_cache() / ".locks" / folder / f"{_etag(file)}.lock")

    def keep(self, file: RemoteFile) -> None:
        """Name the content by its checksum."""
        _moved(self.partial(file), self._blob(file))
        name = self.name(file)
        if not name.is_symlink():
            name.unlink(missing_ok=True)

    def finish(self, file: RemoteFile) -> Path:
        """Have huggingface_hub name the file."""
        blob = self._blob(file)
        path = huggingface.place(self._remote, file)
        if not path.is_symlink() and blob.is_file():
            blob.unlink()  # a file system without links: the file was copied, and once is enough
        return path

    def by_library(self, file: RemoteFile) -> None:
        """Into the cache."""
        huggingface.place(self._remote, file)

    def close(self) -> None:
        """Make this revision the newest one that is here, as a download by branch does."""
        replace_file(self.root / "refs" / "main", self._remote.revision)

    def _blob(self, file: RemoteFile) -> Path:
        return self.root / "blobs" / _etag(file)


class Folder:
    """A folder of the user's, laid out as the repository is."""

    def __init__(self, remote: Remote, root: Path) -> None:
        """Take the repository and the folder, which is made when the first file arrives."""
        self._remote = remote
        self.root = root.absolute()
        self._unfinished = self.root / ".qwen-advisor"

    def held(self, file: RemoteFile) -> Path | None:
        """The file below the folder."""
        path = self.name(file)
        return path if _has_size(path, file.size) else None

    def partial(self, file: RemoteFile) -> Path:
        """A file of its own for each content, so that a newer revision is not laid over an older beginning."""
        key = hashlib.sha256(f"{file.path}\0{file.etag}\0{file.size}".encode()).hexdigest()[:16]
        return self._unfinished / f"{key}.incomplete"

    def locked(self, file: RemoteFile) -> contextlib.AbstractContextManager[None]:
        """A lock in the same folder."""
        return _locked(self.partial(file).with_suffix(".lock"))

    def keep(self, file: RemoteFile) -> None:
        """Move the content to its name."""
        _moved(self.partial(file), self.name(file))

    def finish(self, file: RemoteFile) -> Path:
        """It has its name already."""
        return self.name(file)

    def by_library(self, file: RemoteFile) -> None:
        """Into the folder."""
        self.name(file)  # refuses what would land outside
        huggingface.place(self._remote, file, self.root)

    def close(self) -> None:
        """Leave nothing but the files."""
        with contextlib.suppress(OSError):
            for lock in self._unfinished.glob("*.lock"):
                lock.unlink()
            self._unfinished.rmdir()

    def name(self, file: RemoteFile) -> Path:
        """The file's place; a link that leads out of the folder is not followed.

        Raises:
            UsageError: it would land outside.
        """
        path = self.root / file.path
        if not path.parent.resolve().is_relative_to(self.root.resolve()):
            raise UsageError(f"{path} leads out of {self.root}", hint="remove the link that stands in its place")
        return path


def _etag(file: RemoteFile) -> str:
    """The name of a content in the cache.

    Raises:
        UsageError: the Hub gives no checksum, by which the cache is ordered.
    """
    if file.etag is None:
        raise UsageError(f"the Hub gives no checksum of {file.path}", hint="put it into a folder: --to DIR")
    return file.etag


def _has_size(path: Path, size: int) -> bool:
    with contextlib.suppress(OSError):
        return path.is_file() and path.stat().st_size == size
    return False


def _moved(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
    except OSError as error:
        raise unwritable(target, error) from error


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]  # noqa: PLC0415  it has no __all__

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error
    with WeakFileLock(str(path)):
        yield
