"""Faults at every step of writing: each call that makes, fills, flushes, renames or removes a file can fail."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self
from unittest import mock

KILLED = 7
_MAKING = ("w", "a", "x", "+")

Fault = Callable[[], None]


def disk_full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def read_only() -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def interrupted() -> None:
    raise KeyboardInterrupt


def killed() -> None:
    os._exit(KILLED)


class Steps:
    """Counts the steps of a call, and lets one of them go wrong."""

    def __init__(self, fault: Fault | None = None, at: int = 0) -> None:
        self.taken: list[str] = []
        self._fault, self._at = fault, at

    def step(self, name: str, half: Callable[[], object] = lambda: None) -> None:
        self.taken.append(name)
        if self._fault is not None and len(self.taken) == self._at:
            half()  # what reaches the disk before the fault
            self._fault()

    def before(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **more: Any) -> Any:
            self.step(name)
            return real(*words, **more)

        return call


class _Stream:
    """A file that is written half when the fault comes."""

    def __init__(self, stream: Any, steps: Steps) -> None:
        self._stream, self._steps = stream, steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> Self:
        self._stream.__enter__()
        return self

    def __exit__(self, *how: object) -> Any:
        return self._stream.__exit__(*how)

    def write(self, data: Any) -> Any:
        def half() -> None:
            self._stream.write(data[: len(data) // 2])
            self._stream.flush()

        self._steps.step("write", half)
        return self._stream.write(data)


@contextmanager
def faulty(steps: Steps) -> Iterator[None]:
    """Every way to write a file takes its step first."""
    real_open, real_os_open, real_write = io.open, os.open, os.write

    def opened(file: Any, mode: str = "r", *words: Any, **more: Any) -> Any:
        if not any(letter in mode for letter in _MAKING):
            return real_open(file, mode, *words, **more)
        steps.step("open")
        return _Stream(real_open(file, mode, *words, **more), steps)

    def made(path: Any, flags: int, *words: Any, **more: Any) -> int:
        if flags & os.O_CREAT:
            steps.step("os.open")
        return real_os_open(path, flags, *words, **more)

    def written(handle: int, data: Any) -> int:
        steps.step("os.write", lambda: real_write(handle, bytes(data)[: len(data) // 2]))
        return real_write(handle, data)

    with (
        mock.patch.object(io, "open", opened),
        mock.patch.object(os, "open", made),
        mock.patch.object(os, "write", written),
        mock.patch.object(os, "fsync", steps.before("fsync", os.fsync)),
        mock.patch.object(os, "chmod", steps.before("chmod", os.chmod)),
        mock.patch.object(os, "replace", steps.before("replace", os.replace)),
        mock.patch.object(os, "mkdir", steps.before("mkdir", os.mkdir)),
        mock.patch.object(os, "unlink", steps.before("unlink", os.unlink)),
    ):
        yield


def in_child(act: Callable[[], object]) -> int:
    """The exit status of a fork that does something; 1 where it raised."""
    child = os.fork()
    if child == 0:
        try:
            act()
        except BaseException:  # noqa: BLE001  a fork of the test runner must end here
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
