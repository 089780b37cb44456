"""Answering on a Ray cluster: chunks of descriptions as plain tasks. Needs the extra ``[ray]``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from qwen_advisor import __version__
from qwen_advisor.catalog import load_catalog
from qwen_advisor.errors import NetworkError, UsageError
from qwen_advisor.fleet.answering import Crew, Result
from qwen_advisor.fleet.inventory import Words
from qwen_advisor.fleet.picks import Answer, Desk
from qwen_advisor.task import Requirements

_CHUNK = 64
_INSTALL = "pip install 'qwen-advisor[ray]'"


class _Cluster:
    """Every chunk is a task of its own; a worker keeps its catalogue between tasks."""

    chunk = _CHUNK

    def __init__(self, ray: Any, requirements: Requirements) -> None:
        self._ray = ray
        self.ahead = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._task = ray.remote(_answer)
        self._requirements = ray.put(requirements)

    def submit(self, descriptions: tuple[Words, ...]) -> Result:
        reference = self._task.remote(__version__, load_catalog().version, self._requirements, descriptions)

        def result() -> list[Answer]:
            try:
                found: list[Answer] = self._ray.get(reference)
            except self._ray.exceptions.RayTaskError as error:
                cause = error.as_instanceof_cause()
                if isinstance(cause, UsageError):
                    raise UsageError(cause.args[0], hint="install the same qwen-advisor on every node") from error
                raise
            except self._ray.exceptions.RayError as error:
                raise NetworkError(f"the Ray cluster failed: {_line(error)}") from error
            return found

        return result


@contextmanager
def ray_crew(address: str, requirements: Requirements) -> Iterator[Crew]:
    """Answer on the Ray cluster at an address, such as ``auto``, ``local`` or ``head:6379``.

    Raises:
        UsageError: Ray is not installed.
        NetworkError: no cluster answers there.
    """
    try:
        import ray  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415  an extra
    except ImportError as error:
        raise UsageError("--ray needs the package ray", hint=_INSTALL) from error
    _knock(address)
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False, namespace="qwen-advisor")
    except (ConnectionError, TimeoutError, ValueError, RuntimeError) as error:
        raise NetworkError(
            f"no Ray cluster answers at {address}: {_line(error)}",
            hint="start one by: ray start --head; or give --ray local",
        ) from error
    try:
        yield _Cluster(ray, requirements)
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Ray waits for minutes for a cluster that is not there."""
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        return
    import socket  # noqa: PLC0415  only an address needs it

    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise NetworkError(
            f"no Ray cluster answers at {address}: {_line(error)}", hint="start one by: ray start --head"
        ) from error


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@lru_cache(maxsize=2)
def _desk(requirements: Requirements) -> Desk:
    return Desk(load_catalog(), requirements)


def _answer(version: str, catalog: str, requirements: Requirements, descriptions: tuple[Words, ...]) -> list[Answer]:
    """Runs on a worker, which must know the same facts."""
    here = (__version__, load_catalog().version)
    if here != (version, catalog):
        raise UsageError(f"a node has qwen-advisor {here[0]} with catalogue {here[1]}, not {version} with {catalog}")
    desk = _desk(requirements)
    return [desk.answer(words) for words in descriptions]
