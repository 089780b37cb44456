"""Engines on this machine: programs, Python packages, and servers on their default ports of this host."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from qwen_advisor.machine import InstalledEngine

# program -> (engine, how it tells its version)
PROGRAMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "llama-server": ("llama.cpp", ("--version",)),
    "llama-cli": ("llama.cpp", ("--version",)),
    "ollama": ("ollama", ("--version",)),
    "lms": ("lmstudio", ("version",)),
}
# distribution (normalised) -> engine
PACKAGES = {
    "vllm": "vllm",
    "sglang": "sglang",
    "transformers": "transformers",
    "mlx_lm": "mlx",
    "onnxruntime_genai": "onnxruntime",
    "openvino_genai": "openvino",
    "llama_cpp_python": "llama.cpp",
}
# default port -> (engine that usually listens there, path that tells its version)
PORTS: dict[int, tuple[str, str]] = {
    11434: ("ollama", "/api/version"),
    8080: ("llama.cpp", "/props"),
    8000: ("vllm", "/version"),
    30000: ("sglang", "/get_server_info"),
    1234: ("lmstudio", "/api/v0/models"),
}
_DISTRIBUTION = re.compile(r"([A-Za-z0-9._-]+?)-([A-Za-z0-9.!+_]+)\.(?:dist|egg)-info")
_VERSION = re.compile(r"\b(?:version(?: is)?:?\s*)?v?(\d+(?:\.\d+){1,3}(?:[-+.\w]*)?)")


def program_version(program: str, text: str) -> str | None:
    """The version that a program printed: a build number (``version: 6123 (abc)``) by llama.cpp, dots by the others."""
    if program.startswith("llama-"):
        match = re.search(r"version:\s*(\d+)", text)
        return f"b{match[1]}" if match else None
    match = _VERSION.search(text)
    return match[1] if match else None


def packages(names: Iterable[str]) -> dict[str, str]:
    """Engine -> version, from names of ``.dist-info`` folders."""
    found: dict[str, str] = {}
    for name in names:
        match = _DISTRIBUTION.fullmatch(name)
        engine = PACKAGES.get(re.sub(r"[-.]+", "_", match[1]).lower()) if match else None
        if match and engine:
            found.setdefault(engine, match[2])
    return found


def server(port: int, answer: str) -> tuple[str, str | None] | None:
    """Which engine answered on a port, and its version; None where it is something else."""
    usual, _ = PORTS[port]
    head, _, body = answer.partition("\r\n\r\n")
    try:
        document: Any = json.loads(body)
    except ValueError:
        document = {}
    values = document if isinstance(document, dict) else {}
    fine = re.match(r"HTTP/1\.[01] 200\b", head) is not None
    if re.search(r"^server:\s*llama\.cpp", head, re.IGNORECASE | re.MULTILINE):
        return "llama.cpp", _build(values)
    version = values.get("version")
    version = version if isinstance(version, str) and version else None
    if not fine:
        return None
    match usual:
        case "ollama" | "vllm" if version is not None:
            return usual, version
        case "llama.cpp" if "default_generation_settings" in values or "build_info" in values:
            return usual, _build(values)
        case "sglang" if version is not None and ("model_path" in values or "tp_size" in values):
            return usual, version
        case "lmstudio" if isinstance(values.get("data"), list):
            return usual, None
        case _:
            return None


def _build(values: Mapping[str, Any]) -> str | None:
    match = re.match(r"b?(\d+)", str(values.get("build_info", "")))
    return f"b{match[1]}" if match else None


def installed(
    commands: Mapping[str, str], readings: Mapping[str, str], failures: Mapping[str, str]
) -> tuple[InstalledEngine, ...]:
    """All engines found: by program, by package, by server. A running one stands for an installed one of its name.

    A program that is there but fails to tell its version is installed nonetheless.
    """
    silent = (PROGRAMS[word][0] for word in (line.partition(" ")[0] for line in failures) if word in PROGRAMS)
    found = {engine: InstalledEngine(name=engine) for engine in silent}
    for line, text in sorted(commands.items()):
        program = line.split(" ", 1)[0]
        if program in PROGRAMS and not line.endswith("--list-devices"):
            engine = PROGRAMS[program][0]
            if engine not in found or found[engine].version is None:
                found[engine] = InstalledEngine(name=engine, version=program_version(program, text))
    for engine, version in packages(readings.get("packages", "").splitlines()).items():
        if engine not in found or found[engine].version is None:
            found[engine] = InstalledEngine(name=engine, version=version)
    for port in PORTS:
        answer = readings.get(f"port {port}")
        answered = server(port, answer) if answer else None
        if answered is not None:
            engine, running = answered
            known = found[engine].version if engine in found else None
            found[engine] = InstalledEngine(name=engine, version=running or known, running=True)
    return tuple(found[name] for name in sorted(found))
