"""Carrying a pull out, with progress on stderr, and its answer as a document."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

from qwen_advisor.cli.progress import Progress
from qwen_advisor.cli.pull_choice import Choice
from qwen_advisor.errors import NothingFits, UsageError
from qwen_advisor.hub import huggingface, ollama
from qwen_advisor.hub.http import SilentHost
from qwen_advisor.hub.installed import ollama_tags
from qwen_advisor.hub.pull import MARGIN, Haul, carry_out, destination, free_bytes, listing, refuse_without_room, survey
from qwen_advisor.hub.remote import Remote, RemoteFile, Source
from qwen_advisor.hub.selection import named, whole_repository
from qwen_advisor.hub.tools import ollama_folder
from qwen_advisor.render import words
from qwen_advisor.render.hub_shapes import PullDocument
from qwen_advisor.units import gib

_BETWEEN = 0.2  # seconds between two looks at the progress


def pulled(choice: Choice, *, folder: Path | None, source: Source, dry_run: bool, quiet: bool) -> PullDocument:
    """Fetch what is chosen, or say what would be fetched.

    Raises:
        AdvisorError: a host says no, the network failed, the disk has no room; what has arrived is kept.
    """
    if choice.tag is not None:
        return _by_ollama(choice, choice.tag, dry_run=dry_run)
    progress = Progress(quiet=quiet)
    progress(f"asking for the files of {choice.repo}:")
    try:
        try:
            remote = listing(source, choice.repo)
        except SilentHost as error:
            return _here(choice, error, folder=folder, source=source, dry_run=dry_run)
        files = _meant(remote, choice)
        where = destination(remote, folder)
        haul = survey(remote, files, where)
        if not dry_run:
            refuse_without_room(haul)
            haul = carry_out(haul, where, _Meter(progress, haul))
    finally:
        progress.end()
    return _document(choice, haul, dry_run=dry_run)


def _here(choice: Choice, error: SilentHost, *, folder: Path | None, source: Source, dry_run: bool) -> PullDocument:
    """The answer of what lies in the cache, where the Hub is out of reach and all of it does.

    Raises:
        SilentHost: a part is missing: the error that was given.
    """
    remote = huggingface.listing_here(choice.repo) if folder is None and source == "huggingface" else None
    if remote is None:
        raise error
    try:
        haul = survey(remote, _meant(remote, choice), destination(remote, None))
    except UsageError:
        raise error from None
    note = f"{error.message}; this is what lies here, of the revision that was fetched last"
    document = _document(choice, haul, dry_run=dry_run)
    return {**document, "notes": [*document["notes"], note]}


def _meant(remote: Remote, choice: Choice) -> tuple[RemoteFile, ...]:
    if not choice.files:
        return whole_repository(remote, choice.container)
    return named(remote, (*choice.files, *choice.projector))


class _Meter:
    """Turns bytes into a sentence: of which file, how many of how many, how fast, how long yet."""

    def __init__(self, progress: Progress, haul: Haul) -> None:
        self._progress = progress
        self._done = {item.file.path: item.have for item in haul.items}
        self._all = haul.size
        self._began = time.monotonic()
        self._had = haul.size - haul.missing
        self._shown = 0.0

    def __call__(self, doing: Literal["fetching", "checking"], file: RemoteFile, size: int) -> None:
        if doing == "fetching":
            self._done[file.path] = size
        now = time.monotonic()
        if now - self._shown < _BETWEEN and size < file.size:
            return
        self._shown = now
        if doing == "checking":
            self._progress(f"checking {file.path}: {words.gigabytes(size)} of {words.gigabytes(file.size)}")
            return
        done = sum(self._done.values())
        rate = max(0, done - self._had) / max(now - self._began, 1e-3)
        left = f", {words.seconds((self._all - done) / rate)} left" if rate > 0 and done < self._all else ""
        got = f"{words.gigabytes(done)} of {words.gigabytes(self._all)}"
        self._progress(f"{file.path}: {got}, {words.figure(rate / 1e6)} MB/s{left}")


def _document(choice: Choice, haul: Haul, *, dry_run: bool) -> PullDocument:
    remote = haul.remote
    notes = []
    if remote.repo.casefold() != choice.repo.casefold():
        notes.append(f"{choice.repo} is called {remote.repo} now")
    return {
        "schema": "qwen-advisor/pull/1",
        "model": choice.model,
        "quantization": choice.quantization,
        "engine": choice.engine,
        "source": remote.source,
        "repo": remote.repo,
        "revision": remote.revision,
        "ollama": None,
        "dry_run": dry_run,
        "destination": str(haul.root),
        "path": _to_load(choice, haul),
        "files": [
            {
                "file": item.file.path,
                "bytes": item.file.size,
                "sha256": item.file.sha256,
                "state": item.state,
                "bytes_present": item.have,
                "path": None if item.path is None else str(item.path),
            }
            for item in haul.items
        ],
        "bytes": haul.size,
        "missing_bytes": haul.missing,
        "free_bytes": haul.free,
        "notes": notes,
    }


def _to_load(choice: Choice, haul: Haul) -> str | None:
    """The first part of a file, or the folder of a whole repository, once all of it is there."""
    first = haul.items[0] if haul.items else None
    if first is None or first.path is None or any(item.path is None for item in haul.items):
        return None
    if choice.files:
        return str(first.path)
    return str(Path(first.path).parents[first.file.path.count("/")])


def _by_ollama(choice: Choice, tag: str, *, dry_run: bool) -> PullDocument:
    store = ollama_folder()
    here = tag.casefold() in ollama_tags(store)
    free = free_bytes(store)
    if not here and not dry_run:
        if choice.bytes + MARGIN > free:
            raise NothingFits(
                f"{tag} takes {gib(choice.bytes)}, the disk of {store} has {gib(free)} free",
                hint="free some space, or choose a smaller --quant",
            )
        ollama.pull(tag)
    return {
        "schema": "qwen-advisor/pull/1",
        "model": choice.model,
        "quantization": choice.quantization,
        "engine": choice.engine,
        "source": "ollama",
        "repo": None,
        "revision": None,
        "ollama": tag,
        "dry_run": dry_run,
        "destination": str(store),
        "path": tag if here or not dry_run else None,
        "files": [],
        "bytes": choice.bytes,
        "missing_bytes": 0 if here or not dry_run else choice.bytes,
        "free_bytes": free,
        "notes": [],
    }
