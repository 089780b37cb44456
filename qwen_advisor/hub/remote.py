"""A repository as its host describes it; nothing in such a description is trusted before it was looked at here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from qwen_advisor.errors import NetworkError
from qwen_advisor.values import dataclass

Source = Literal["huggingface", "modelscope"]

MOST_FILES = 20_000  # of one repository; official ones have fewer than 300
_LARGEST = 1 << 46  # bytes of one file: 64 TiB, far above what either host takes
_LONGEST = 1024  # characters of a path
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA1 = re.compile(r"[0-9a-f]{40}")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)  # names of devices on Windows


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """One file. ``sha256`` is of its content, ``blob`` git's own hash of it; large files have the former."""

    path: str
    size: int
    sha256: str | None = None
    blob: str | None = None

    @property
    def etag(self) -> str | None:
        """The name of its content in a Hugging Face cache."""
        return self.sha256 or self.blob


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """All files of one repository at one revision."""

    source: Source
    repo: str  # as the host calls it now, which may be a newer name than the one asked for
    revision: str
    files: tuple[RemoteFile, ...]
    made: str | None = None  # ISO date, where the host tells
    license: str | None = None  # the host's own word

    def __getitem__(self, path: str) -> RemoteFile:
        """The file at ``path``; KeyError where there is none."""
        for file in self.files:
            if file.path == path:
                return file
        raise KeyError(path)


def checked(files: Iterable[RemoteFile], repo: str) -> tuple[RemoteFile, ...]:
    """The files, once each of them may be written below a folder.

    Raises:
        NetworkError: the host describes something that no repository holds.
    """
    kept: dict[str, RemoteFile] = {}
    for file in files:
        if not is_plain(file.path):
            raise NetworkError(f"{repo} lists a file that could land outside its folder: {file.path[:80]!a}")
        if not 0 <= file.size <= _LARGEST:
            raise NetworkError(f"{repo} gives {file.path[:80]!a} an impossible size")
        if kept.setdefault(file.path.casefold(), file) is not file:
            raise NetworkError(f"{repo} lists {file.path[:80]!a} twice")
        if len(kept) > MOST_FILES:
            raise NetworkError(f"{repo} lists more than {MOST_FILES} files")
    return tuple(kept.values())


def is_plain(path: str) -> bool:
    """Whether a path stays below its folder and means the same on every system.

    No part may be empty, ``.`` or ``..``, be a device on Windows or end as Windows would not keep it; no drive, no
    backslash, no control character.
    """
    return 0 < len(path) <= _LONGEST and all(
        part not in ("", ".", "..")
        and part.isprintable()
        and not part.endswith((" ", "."))
        and not _RESERVED.fullmatch(part)
        and not set(part) & set('\\:*?"<>|')
        for part in path.split("/")
    )


def sha256(text: object) -> str | None:
    """The text, where it is a SHA-256."""
    return text if isinstance(text, str) and _SHA256.fullmatch(text) else None


def sha1(text: object) -> str | None:
    """The text, where it is a SHA-1."""
    return text if isinstance(text, str) and _SHA1.fullmatch(text) else None


def whole_number(value: object) -> int:
    """A size; -1, which no file has, where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def text_of(document: Mapping[str, object], key: str) -> str:
    """A text of a JSON object; empty where it is none."""
    value = document.get(key)
    return value if isinstance(value, str) else ""
