"""A machine as plain values and back, under the names of the schema ``qwen-advisor/hardware/1``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast, get_args

from qwen_advisor.errors import UsageError
from qwen_advisor.machine import (
    Accelerator,
    AcceleratorKind,
    BandwidthBasis,
    Cpu,
    Disk,
    HostMemory,
    InstalledEngine,
    Interconnect,
    Machine,
    Vendor,
)

SCHEMA = "qwen-advisor/hardware/1"
_LARGEST = 1 << 60
_RATE = "_bytes_per_second"
# Names in files carry their units, those of the values do not.
_NAMES: dict[type, dict[str, str]] = {
    Cpu: {"memory_bandwidth": f"memory_bandwidth{_RATE}"},
    HostMemory: {name: f"{name}_bytes" for name in ("total", "available", "limit", "reserve")},
    Accelerator: {name: f"{name}_bytes" for name in ("memory", "free", "reserve", "shared")}
    | {name: f"{name}{_RATE}" for name in ("memory_bandwidth", "pcie_bandwidth")}
    | {"fp16_flops": "fp16_flops_per_second"},
    Disk: {"free": "free_bytes"},
    InstalledEngine: {},
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "AcceleratorKind": get_args(AcceleratorKind),
    "Vendor": get_args(Vendor),
    "BandwidthBasis": get_args(BandwidthBasis),
}
_FLAGS = ("described", "wsl", "container", "virtual", "fanless")


def machine_document(machine: Machine) -> dict[str, Any]:
    """The machine as mappings, lists, texts and numbers; what can be used stands beside what is there."""
    cpu = _plain(machine.cpu)
    return {
        "schema": SCHEMA,
        "os": machine.os,
        "arch": cpu.pop("arch"),
        "cpu": cpu,
        "memory": _plain(machine.memory) | {"usable_bytes": machine.memory.budget},
        "accelerators": [_plain(a) | {"usable_bytes": a.budget} for a in machine.accelerators],
        "disk": _plain(machine.disk) if machine.disk is not None else None,
        "engines": [_plain(engine) for engine in machine.engines],
        "notes": list(machine.notes),
        "nodes": machine.nodes,
        "interconnect": machine.interconnect,
        **{flag: getattr(machine, flag) for flag in _FLAGS},
        "npus": list(machine.npus),
        "sources": dict(machine.sources),
    }


def _plain(value: Any) -> dict[str, Any]:
    names = _NAMES[type(value)]
    return {names.get(f.name, f.name): _number(getattr(value, f.name)) for f in fields(value)}


def _number(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def machine_from(document: Mapping[str, Any], where: str) -> Machine:
    """The machine that a document holds; fields that later versions may add are passed over.

    Raises:
        UsageError: a value is not what its field may be, or is missing; ``where`` names the file.
    """
    return _Reader(where).machine(document)


_CAPABILITY = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3})?")


class _Reader:
    """Holds every value against what its field may be."""

    def __init__(self, where: str) -> None:
        self.where = where

    def machine(self, document: Mapping[str, Any]) -> Machine:
        cpu = dict(self._mapping(document.get("cpu"), "cpu"))
        cpu["arch"] = document.get("arch", "x86_64")
        disk = document.get("disk")
        sources = self._mapping(document.get("sources") or {}, "sources")
        flags: dict[str, Any] = {flag: self._flag(document.get(flag, False), flag) for flag in _FLAGS}
        return Machine(
            os=self._choice(document.get("os"), "os", ("linux", "macos", "windows")),
            cpu=self._part(Cpu, cpu, "cpu"),
            memory=self._part(HostMemory, document.get("memory"), "memory"),
            accelerators=self._parts(Accelerator, document, "accelerators"),
            disk=None if disk is None else self._part(Disk, disk, "disk"),
            engines=self._parts(InstalledEngine, document, "engines"),
            nodes=self._count("int", document.get("nodes", 1), "nodes", least=1),
            interconnect=self._interconnect(document.get("interconnect")),
            npus=self._texts(document.get("npus") or [], "npus"),
            sources={str(key): str(value) for key, value in sources.items()},
            notes=self._texts(document.get("notes") or [], "notes"),
            **flags,
        )

    def _interconnect(self, value: Any) -> Interconnect | None:
        known = self._choice(value, "interconnect", get_args(Interconnect)) if value is not None else None
        return cast("Interconnect | None", known)

    def fault(self, path: str, wanted: str, value: Any) -> UsageError:
        return UsageError(
            f"{self.where}: {path} must be {wanted}, not {repr(value)[:80]}",
            hint="a whole profile is written by: qwen-advisor inspect-hardware --save FILE",
        )

    def _mapping(self, value: Any, path: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self.fault(path, "a mapping", value)
        return value

    def _parts(self, cls: type, document: Mapping[str, Any], key: str) -> tuple[Any, ...]:
        value = document.get(key) or []
        if not isinstance(value, list):
            raise self.fault(key, "a list", value)
        return tuple(self._part(cls, one, f"{key}[{i}]") for i, one in enumerate(value))

    def _part(self, cls: type, value: Any, path: str) -> Any:
        values, names = self._mapping(value, path), _NAMES[cls]
        arguments: dict[str, Any] = {}
        for field in fields(cls):
            name = names.get(field.name, field.name)
            if name in values:
                arguments[field.name] = self._value(str(field.type), values[name], f"{path}.{name}")
        capability = arguments.get("compute_capability")
        if cls is Accelerator and arguments.get("vendor") == "nvidia" and not _CAPABILITY.fullmatch(capability or "0"):
            raise self.fault(f"{path}.compute_capability", "a number such as 8.9", capability)
        try:
            return cls(**arguments)
        except TypeError as error:
            missing = [names.get(f.name, f.name) for f in fields(cls) if f"'{f.name}'" in str(error)]
            raise UsageError(f"{self.where}: {path} lacks {', '.join(missing)}") from error

    def _value(self, kind: str, value: Any, path: str) -> Any:
        """The value of a field that is declared as ``kind``."""
        if value is None and "None" in kind:
            return None
        base = kind.partition("|")[0].strip()
        if base == "bool":
            return self._flag(value, path)
        if base in ("int", "float"):
            # Floats are rates, of bytes or operations a second; what is not known is null.
            return self._count(base, value, path, least=1 if base == "float" else 0)
        if base.startswith("tuple"):
            return self._texts(value, path)
        if base in _CHOICES:
            return self._choice(value, path, _CHOICES[base])
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            raise self.fault(path, "text", value)
        return str(value)  # a version such as 0.11 need not be in quotes

    def _choice(self, value: Any, path: str, choices: tuple[str, ...]) -> str:
        if value not in choices:
            raise self.fault(path, f"one of {', '.join(choices)}", value)
        return str(value)

    def _flag(self, value: Any, path: str) -> bool:
        if not isinstance(value, bool):
            raise self.fault(path, "true or false", value)
        return value

    def _texts(self, value: Any, path: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.fault(path, "a list of texts", value)
        return tuple(value)

    def _count(self, base: str, value: Any, path: str, *, least: int = 0) -> Any:
        wanted = "a whole number" if base == "int" else "a number"
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not (whole or (base == "float" and isinstance(value, float))) or not least <= value < _LARGEST:
            raise self.fault(path, f"{wanted} from {least} to 2**60", value)
        return value if base == "int" else float(value)
