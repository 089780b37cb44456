"""Memory of the server that listens at an address of this machine, by its processes and on its GPUs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from qwen_advisor.bench.address import Address
from qwen_advisor.bench.gpu_memory import gpu_bytes
from qwen_advisor.bench.records import MemoryUse

# What listens in place of a server: one on another machine, or one of this machine whose process it hides.
_TUNNELS = ("ssh", "autossh", "kubectl", "cloudflared")
_PROXIES = ("docker-proxy", "com.docker.backend", "rootlessport", "socat", "nginx", "caddy", "haproxy", "traefik")


def tunnelled(address: Address) -> bool:
    """Whether what listens there only passes on to another machine."""
    return _name(_listener(address.port)) in _TUNNELS


def memory_of(address: Address) -> MemoryUse | None:
    """Memory of the process that listens there, with all its children; None where nobody may look at it."""
    import psutil  # noqa: PLC0415  only a measured server is looked at

    process = _listener(address.port)
    name = _name(process)
    if process is None or name is None or name in (*_TUNNELS, *_PROXIES):
        return None
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return None
    resident = private = 0
    seen: set[int] = set()
    for member in family:
        with contextlib.suppress(psutil.Error):
            info = member.memory_info()
            resident += info.rss
            # Windows tells it; Linux by difference; macOS does not.
            private += getattr(info, "private", info.rss - getattr(info, "shared", 0))
            seen.add(member.pid)
    if not resident:
        return None
    return MemoryUse(process=name, resident=resident, private=private, gpu=gpu_bytes(seen))


def _name(process: Any) -> str | None:
    import psutil  # noqa: PLC0415  as above

    try:
        return str(process.name()).removesuffix(".exe") if process is not None else None
    except psutil.Error:
        return None


def _listener(port: int) -> Any:
    """The process that listens on a port. Linux tells it of all sockets, macOS of one's own processes alone."""
    import psutil  # noqa: PLC0415  as above

    for connection in _connections(psutil):
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
            with contextlib.suppress(psutil.Error):
                return psutil.Process(connection.pid)
    return None


def _connections(psutil: Any) -> Iterator[Any]:
    try:
        yield from psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                for connection in process.net_connections(kind="tcp"):
                    yield _Owned(connection, process.pid)


class _Owned:
    """A connection with the process that it was found at."""

    def __init__(self, connection: Any, pid: int) -> None:
        self.status, self.laddr, self.pid = connection.status, connection.laddr, pid
