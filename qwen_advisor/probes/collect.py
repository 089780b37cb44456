"""Gathers raw evidence of this machine, side by side."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable
from functools import partial

from qwen_advisor.probes import asking, engines
from qwen_advisor.probes.evidence import Evidence
from qwen_advisor.probes.runner import PATIENT, QUICK, Gathered, Probe, run

_SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}
# Where installers put programs that need not be on PATH.
_PLACES = {
    "lms": ("~/.lmstudio/bin/lms", "~/.lmstudio/bin/lms.exe"),
    "ollama": ("/usr/local/bin/ollama", "/opt/homebrew/bin/ollama"),
}
# A program may load the libraries of every GPU before it tells its version.
_PROGRAM = 4.0


def system() -> str:
    """The system as machines name it; every other Unix is looked at as Linux is."""
    return _SYSTEMS.get(sys.platform, "linux")


def collect() -> Evidence:
    """Everything that this machine says of itself. Nothing leaves it: only ports of this host are asked."""
    here = system()
    probes = {"disk": Probe(_disk), "packages": Probe(_packages), "servers": Probe(_servers)}
    probes |= {f"{name} --version": Probe(ask, _PROGRAM + 1) for name, ask in _programs()}
    probes |= _of_system(here)
    gathered = run(probes)
    return Evidence(
        system=here,
        arch=platform.machine(),
        files=gathered.files,
        commands=gathered.commands,
        environment=asking.environment(),
        readings=gathered.readings,
        failures=gathered.failures,
    )


def _of_system(here: str) -> dict[str, Probe]:
    if here == "macos":
        from qwen_advisor.probes.collect_macos import probes as on_macos  # noqa: PLC0415  one system at a time

        return on_macos()
    if here == "windows":
        from qwen_advisor.probes.collect_windows import probes as on_windows  # noqa: PLC0415

        return on_windows()
    from qwen_advisor.probes.collect_linux import probes as on_linux  # noqa: PLC0415

    return on_linux()


def cache_folder() -> str:
    """Where the Hugging Face cache lies, as huggingface_hub decides it."""
    home = os.path.expanduser("~")  # noqa: PTH111  a string that need not exist
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")  # noqa: PTH118
    hub = os.environ.get("HF_HOME") or os.path.join(base, "huggingface")  # noqa: PTH118
    return os.environ.get("HF_HUB_CACHE") or os.path.join(hub, "hub")  # noqa: PTH118


def _disk() -> Gathered:
    """Free bytes where downloads go, asked of the nearest folder that is there."""
    wanted = os.path.abspath(os.path.expanduser(cache_folder()))  # noqa: PTH100, PTH111
    folder = wanted
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:  # noqa: PTH112, PTH120
        folder = os.path.dirname(folder)  # noqa: PTH120
    if hasattr(os, "statvfs"):
        status = os.statvfs(folder)
        free = status.f_bavail * status.f_frsize
    else:
        import shutil  # noqa: PLC0415  Windows only

        free = shutil.disk_usage(folder).free
    shown = wanted.replace(os.path.expanduser("~"), "~", 1)  # noqa: PTH111  nobody's name goes into a bug report
    return Gathered(readings={"disk": json.dumps({"path": shown, "free": free})})


def _packages() -> Gathered:
    """Names of installed distributions that are engines."""
    names = {
        name
        for folder in sys.path
        if folder
        for name in asking.listed(folder)
        if name.endswith((".dist-info", ".egg-info")) and engines.packages([name])
    }
    return Gathered(readings={"packages": "\n".join(sorted(names))} if names else {})


def _programs() -> list[tuple[str, Callable[[], Gathered]]]:
    found: list[tuple[str, Callable[[], Gathered]]] = []
    for program, (_, words) in engines.PROGRAMS.items():
        path = asking.where(program, *(os.path.expanduser(place) for place in _PLACES.get(program, ())))  # noqa: PTH111
        if path is not None:
            label = " ".join([program, *words])
            ask = partial(asking.command, [path, *words], limit=_PROGRAM, label=label, errors=True)
            found.append((program, ask))
    return found


def _servers() -> Gathered:
    answers = {f"port {port}": asking.http(port, path) for port, (_, path) in engines.PORTS.items()}
    return Gathered(readings={name: answer for name, answer in answers.items() if answer})


__all__ = ["PATIENT", "QUICK", "cache_folder", "collect", "system"]
