"""Writing a file so that nobody ever reads half of it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from qwen_advisor.errors import UsageError


def replace_file(path: Path, text: str, *, private: bool = False) -> None:
    """Write beside the file and put it in its place in one step, once it has reached the disk.

    Args:
        path: the file; directories above it are made.
        text: all that it is to hold, in UTF-8.
        private: whether only its owner may read it.

    Raises:
        UsageError: it cannot be written.
    """
    import tempfile  # noqa: PLC0415  who only reads does not pay for it

    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if not private:
            mask = os.umask(0)
            os.umask(mask)
            Path(temporary).chmod(0o666 & ~mask)  # what an ordinary new file gets; mkstemp's is private
        Path(temporary).replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
