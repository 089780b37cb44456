"""Answering on this machine: in this process while few are asked for, on all cores beyond."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from qwen_advisor.catalog import load_catalog
from qwen_advisor.errors import AdvisorError
from qwen_advisor.facts import Catalog
from qwen_advisor.fleet.answering import Crew, Result
from qwen_advisor.fleet.inventory import Words
from qwen_advisor.fleet.picks import Answer, Desk
from qwen_advisor.task import Requirements

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

_CHUNK = 16
_FEW = 64  # descriptions that one process answers sooner than further processes are started


def cores() -> int:
    """Processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Alone:
    """Everything in this process, when it is waited for."""

    ahead = 0
    chunk = 1

    def __init__(self, catalog: Catalog, requirements: Requirements) -> None:
        self._desk = Desk(catalog, requirements)

    def submit(self, descriptions: tuple[Words, ...]) -> Result:
        """Answer now."""
        found = [self._desk.answer(words) for words in descriptions]
        return lambda: found


class _Growing:
    """Alone for the first descriptions, then over several processes."""

    def __init__(self, alone: Alone, processes: int, extra: tuple[Path, ...], requirements: Requirements) -> None:
        self.ahead = 0
        self.chunk = 1
        self._alone = alone
        self._processes = processes
        self._start = (extra, requirements)
        self._asked = 0
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, descriptions: tuple[Words, ...]) -> Result:
        self._asked += len(descriptions)
        if self._asked <= _FEW:
            return self._alone.submit(descriptions)
        if self._pool is None:
            self.chunk = _CHUNK
            self.ahead = 2 * self._processes
            self._pool = self._started()
        future = self._pool.submit(_answer, descriptions)

        def result() -> list[Answer]:
            from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415  as below

            try:
                return future.result()
            except BrokenProcessPool as error:
                raise AdvisorError(
                    "a process that answered has died; the system may have run out of memory", hint="try --jobs 1"
                ) from error

        return result

    def _started(self) -> ProcessPoolExecutor:
        from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415  only a large fleet pays for it
        from multiprocessing import get_all_start_methods, get_context  # noqa: PLC0415

        # A fork of a process that has threads may hang, and every start of a fork server is a fresh process.
        method = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"
        return ProcessPoolExecutor(self._processes, get_context(method), _begin, self._start)

    def stop(self) -> None:
        """Let the processes end, without waiting for what nobody asks for any more."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def local_crew(
    catalog: Catalog, requirements: Requirements, *, extra: Sequence[Path] = (), jobs: int | None = None
) -> Iterator[Crew]:
    """Answer on this machine.

    Args:
        catalog: the facts, for what is answered in this process.
        requirements: what is asked for every machine.
        extra: the directories that the catalogue was extended with, for other processes to do the same.
        jobs: processes at most; as many as there are cores if not given.
    """
    alone = Alone(catalog, requirements)
    processes = jobs or cores()
    if processes == 1:
        yield alone
        return
    crew = _Growing(alone, processes, tuple(extra), requirements)
    try:
        yield crew
    finally:
        crew.stop()


_desk: Desk | None = None  # of this process, once it is one of several


def _begin(extra: tuple[Path, ...], requirements: Requirements) -> None:
    import signal  # noqa: PLC0415  only processes of a crew need it

    global _desk  # noqa: PLW0603  a process of a pool has no other place
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asked says when it is over
    _desk = Desk(load_catalog(extra=extra), requirements)


def _answer(descriptions: tuple[Words, ...]) -> list[Answer]:
    assert _desk is not None  # noqa: S101  _begin has run in this process
    return [_desk.answer(words) for words in descriptions]
