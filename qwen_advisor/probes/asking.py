"""The hands of the probes: reading a file, running a command, asking a port of this host."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterable, Sequence

from qwen_advisor.probes.runner import Gathered

_MOST = 1 << 20  # characters of one file or answer
VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "NVIDIA_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    "GPU_DEVICE_ORDINAL",
    "HSA_OVERRIDE_GFX_VERSION",
    "KUBERNETES_SERVICE_HOST",
    "container",
)


def environment() -> dict[str, str]:
    """The variables that hide or choose devices; of Kubernetes only that it is there."""
    found = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    return found | ({"KUBERNETES_SERVICE_HOST": "set"} if "KUBERNETES_SERVICE_HOST" in found else {})


def read(path: str) -> str | None:
    """The text of a file, None where there is none or it may not be read."""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123  a hundred of these are read: Path would double the time
            return stream.read(_MOST).decode("utf-8", "replace")
    except OSError:
        return None


def read_all(paths: Iterable[str]) -> dict[str, str]:
    """The texts of those files that are there."""
    return {path: text for path in paths if (text := read(path)) is not None}


def listed(folder: str) -> list[str]:
    """Names in a folder, sorted; none where it is not there."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208  as above
    except OSError:
        return []


def where(program: str, *more: str) -> str | None:
    """The full path of a program, on ``PATH`` or in one of ``more`` places."""
    names = [program] if os.name != "nt" else [f"{program}.exe", f"{program}.cmd"]
    folders = os.environ.get("PATH", "").split(os.pathsep)
    places = [os.path.join(folder, name) for folder in folders if folder for name in names]  # noqa: PTH118  as above
    return next((place for place in (*places, *more) if os.access(place, os.X_OK) and not os.path.isdir(place)), None)  # noqa: PTH112


def command(words: Sequence[str], *, limit: float, label: str = "", errors: bool = False) -> Gathered:
    """Run a command and keep what it prints; with ``errors``, what it prints to stderr too.

    Output counts even where the command ends with an error: PowerShell does that after printing everything.
    """
    import subprocess  # noqa: PLC0415  a machine without drivers runs none

    name = label or " ".join([os.path.basename(words[0]), *words[1:]])  # noqa: PTH119
    try:
        done = subprocess.run(  # noqa: S603
            list(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if errors else subprocess.DEVNULL,
            timeout=limit,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired:
        return Gathered(failures={name: f"no answer within {limit:g} s"})
    except OSError as error:
        return Gathered(failures={name: error.strerror or str(error)})
    text = done.stdout[:_MOST].decode("utf-8", "replace")
    if done.returncode and not text.strip():
        return Gathered(failures={name: f"ended with code {done.returncode}"})
    if done.returncode:
        return Gathered(commands={name: text}, failures={name: f"ended with code {done.returncode}"})
    return Gathered(commands={name: text})


def http(port: int, path: str, *, limit: float = 0.2) -> str | None:
    """What a server on this host answers to one request, head and body; None where nothing listens or answers."""
    received = b""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=limit) as connection:
        connection.settimeout(limit)
        request = f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        while len(received) < 1 << 16:
            part = connection.recv(1 << 14)
            if not part:
                break
            received += part
    return received.decode("utf-8", "replace") or None
