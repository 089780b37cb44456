"""What was pulled: which files were found whole, so that they are neither fetched nor read again, and where they lie.

A note is worth something only while the file has the size and the time of change that it had then.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qwen_advisor.catalog import data_directory
from qwen_advisor.errors import AdvisorError
from qwen_advisor.files import replace_file
from qwen_advisor.hub.tools import RECORD
from qwen_advisor.values import dataclass

_MOST = 8 << 20  # bytes of the record
_KEPT = 20_000  # notes


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One file that was whole: of which repository it is, and what it looked like."""

    source: str
    repo: str
    file: str
    path: str
    size: int
    changed: int  # nanoseconds of its time of change
    checksum: str


def record_file() -> Path:
    """Where the notes stand."""
    return data_directory() / RECORD


def notes() -> list[Note]:
    """Every note; none where there is no record, or one that cannot be read."""
    try:
        with record_file().open("rb") as stream:
            data = stream.read(_MOST + 1)
        entries = json.loads(data) if len(data) <= _MOST else []
    except (OSError, ValueError, RecursionError):
        return []
    listed = entries.get("files") if isinstance(entries, dict) else None
    return [note for entry in (listed if isinstance(listed, list) else []) for note in _note(entry)]


def _note(entry: Any) -> Iterator[Note]:
    kinds = {"source": str, "repo": str, "file": str, "path": str, "size": int, "changed": int, "checksum": str}
    if isinstance(entry, dict) and all(type(entry.get(name)) is kind for name, kind in kinds.items()):
        yield Note(**{name: entry[name] for name in kinds})


class Record:
    """The notes of one pull: those that were there, and those that are added."""

    def __init__(self) -> None:
        """Read what is there."""
        self._notes = {note.path: note for note in notes()}

    def vouches(self, path: Path, checksum: str | None) -> bool:
        """Whether this very file was found to have this checksum, and has not been touched since."""
        note = self._notes.get(str(path.absolute()))
        return (
            note is not None
            and checksum is not None
            and (note.checksum, *_look(path))
            == (
                checksum,
                note.size,
                note.changed,
            )
        )

    def add(self, note_of: dict[str, str], path: Path, checksum: str | None) -> None:
        """Note a file that was found whole; a record that cannot be written costs only another look."""
        size, changed = _look(path)
        note = Note(
            source=note_of["source"],
            repo=note_of["repo"],
            file=note_of["file"],
            path=str(path.absolute()),
            size=size,
            changed=changed,
            checksum=checksum or "",
        )
        self._notes.pop(note.path, None)
        self._notes[note.path] = note
        kept = [{name: getattr(each, name) for name in Note.__slots__} for each in list(self._notes.values())[-_KEPT:]]
        try:
            replace_file(record_file(), json.dumps({"files": kept}, indent=1) + "\n")
        except AdvisorError:
            return


def _look(path: Path) -> tuple[int, int]:
    """Size and time of change of what a path leads to."""
    status = os.stat(path)  # noqa: PTH116  the same, and cheaper
    return status.st_size, status.st_mtime_ns
