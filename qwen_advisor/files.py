"""Writing a file so that nobody ever reads half of it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from qwen_advisor.errors import UsageError


def replace_file(path: Path, text: str, *, private: bool = False, folders: bool = True) -> None:
    """Write beside the file and put it in its place in one step, once it has reached the disk.

    A link keeps leading to the file, which is replaced where it lies. What is no file, such as ``/dev/stdout`` or a
    named pipe, is written to and stays what it is.

    Args:
        path: the file.
        text: all that it is to hold, in UTF-8; what UTF-8 lacks, such as a byte of a file's name, as an escape.
        private: whether only its owner may read it.
        folders: whether directories above it are made.

    Raises:
        UsageError: it cannot be written.
    """
    data = text.encode("utf-8", "backslashreplace")
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            with path.open("wb") as stream:
                stream.write(data)
        else:
            target = Path(os.path.realpath(path)) if path.is_symlink() else path
            if folders:
                target.parent.mkdir(parents=True, exist_ok=True)
            _replace(target, data, private=private)
    except (OSError, ValueError) as error:  # the latter of a name that holds a zero byte
        raise UsageError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}") from error


def _replace(path: Path, data: bytes, *, private: bool) -> None:
    import tempfile  # noqa: PLC0415  who only reads does not pay for it

    # The beginning of a name: with all of it, the longest would have no room for what is added.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if not private:
            mask = os.umask(0)
            os.umask(mask)
            Path(temporary).chmod(0o666 & ~mask)  # what an ordinary new file gets; mkstemp's is private
        Path(temporary).replace(path)
    finally:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
