"""What no single field can show: that names refer to something, that sources are given, that numbers are possible."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any, get_args

from qwen_advisor.catalog.faults import Fault
from qwen_advisor.catalog.layout import SECTIONS
from qwen_advisor.catalog.sources import ANY, Entry, Facts, short
from qwen_advisor.engine import EngineId
from qwen_advisor.machine import AcceleratorKind, Vendor
from qwen_advisor.model import CheckpointKind
from qwen_advisor.plan import KvType
from qwen_advisor.quantization import Container
from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that may be referred to, by section and id, and the ids of entries that are there but faulty."""

    sections: Mapping[str, Mapping[str, Any]]
    faulty: Mapping[str, set[str]]

    def __getitem__(self, section: str) -> Mapping[str, Any]:
        """The sound entries of a section."""
        return self.sections[section]

    def lacks(self, section: str, name: str) -> bool:
        """Whether a reference is wrong. A section that is missing or unread is one fault, not one for each name."""
        names, faulty = self.sections[section], self.faulty[section]
        return bool(names) and name not in names and ANY not in faulty and short(name) not in faulty


Check = Callable[[Entry, Known], Iterator[Fault]]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")
_KINDS = (*get_args(AcceleratorKind), "datacenter")  # discrete too, but sold for servers
_TEMPORARY = re.compile(r"stored public copy|\bTODO\b|\bFIXME\b", re.IGNORECASE)

# Nothing that is sold lies outside: from a DDR2 channel to a rack, from an old integrated GPU to a rack's worth.
_POSSIBLE = {
    "memory": (64 << 20, 1 << 45),
    "reported_memory": (64 << 20, 1 << 45),
    "memory_bandwidth": (1e9, 1e14),
    "bandwidth": (1e9, 1e14),
    "measured": (1e8, 1e14),
    "fp16_flops": (1e9, 1e17),
    "tdp_watts": (1, 2500),
    "released": (2000, 2100),
}


def missing_sections(known: Known, root: str) -> list[Fault]:
    """A fault for each section that has no entry at all."""
    return [
        Fault(root, 0, "", f"holds no {section.name}: {section.files} is missing or empty")
        for section in SECTIONS
        if not known[section.name] and not known.faulty[section.name]
    ]


def check(facts: Facts, known: Known) -> list[Fault]:
    """All faults of the entries in ``facts``, which may refer to anything in ``known``."""
    faults = []
    for section, entries in facts.entries.items():
        for entry in entries.values():
            if not _ID.fullmatch(entry.id):
                faults.append(entry.fault(f"{entry.id!r} cannot be an id: letters, digits, dots, dashes, underscores"))
            faults.extend(_temporary(entry))
            for each in _CHECKS.get(section, ()):
                faults.extend(each(entry, known))
    faults.extend(_tags(facts, known))
    return faults


def _temporary(entry: Entry) -> Iterator[Fault]:
    """Texts that a reader cannot follow, anywhere in the entry."""
    pending: list[tuple[tuple[str | int, ...], Any]] = [((), entry.node)]
    while pending:
        path, node = pending.pop()
        if isinstance(node.value, dict):
            pending += [((*path, key), item) for key, item in node.value.items()]
        elif isinstance(node.value, list):
            pending += [((*path, i), item) for i, item in enumerate(node.value)]
        elif isinstance(node.value, str) and _TEMPORARY.search(node.value):
            yield entry.fault(f"{node.value[:60]!r} is nothing that a reader can open", *path)


def _refer(entry: Entry, known: Known, section: str, name: str | None, *path: str | int) -> Iterator[Fault]:
    if name is not None and known.lacks(section, name):
        near = get_close_matches(name, known[section], n=1)
        yield entry.fault(f"{name!r} is not among the {section}" + (f"; {near[0]}?" if near else ""), *path)


def _checkpoint(entry: Entry, known: Known) -> Iterator[Fault]:
    model = entry.value
    yield from _refer(entry, known, "architectures", model.architecture, "architecture")
    yield from _refer(entry, known, "licenses", model.license, "license")
    for i, name in enumerate(model.engines):
        # Programs that the advisor does not plan for may be named too; what is nearly an engine's name is misspelt.
        if get_close_matches(name, known["engines"], n=1, cutoff=0.8):
            yield from _refer(entry, known, "engines", name, "engines", i)
    for i, quantized in enumerate(model.quantized):
        if quantized.format != "GGUF":
            yield from _refer(entry, known, "formats", quantized.format, "quantized", i, "format")
        for name in quantized.files:
            yield from _refer(entry, known, "formats", name, "quantized", i, "files", name)
    for i, tag in enumerate(model.ollama):
        yield from _refer(entry, known, "formats", tag.quantization, "ollama", i, "quantization")


def _sizes(entry: Entry, _: Known) -> Iterator[Fault]:
    model = entry.value
    total, active = model.parameters_total, model.parameters_active
    if total is not None and total <= 0:
        yield entry.fault("must be above zero", "parameters_total")
    if active is not None and (active <= 0 or (total is not None and active > total)):
        yield entry.fault("must lie between zero and parameters_total", "parameters_active")
    native, extended = model.context.native, model.context.extended
    if native is not None and native <= 0:
        yield entry.fault("must be above zero", "context", "native")
    if extended is not None and native is not None and extended <= native:
        yield entry.fault("must be longer than the native context", "context", "extended")
    if extended is not None and not model.context.extension:
        yield entry.fault("says nothing of how the longer context is reached", "context", "extension")
    if model.released is not None and not _is_date(model.released):
        yield entry.fault(f"{model.released!r} is no date (2025-07-29)", "released")
    for i, quantized in enumerate(model.quantized):
        if not quantized.official and not quantized.source:
            yield entry.fault("a repository that is not official needs a source", "quantized", i)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _succession(entry: Entry, known: Known) -> Iterator[Fault]:
    """What supersedes a checkpoint exists, is not older, and the chain comes to an end."""
    models = known["models"]
    later = entry.value.superseded_by
    if later is None:
        return
    if later not in models:
        yield from _refer(entry, known, "models", later, "superseded_by")
        return
    if (models[later].released or "9999") < (entry.value.released or ""):
        yield entry.fault(f"{later} is older", "superseded_by")
    seen = {entry.id}
    step: str | None = later
    while step is not None and step in models:
        if step in seen:
            yield entry.fault(f"comes back to {step}", "superseded_by")
            return
        seen.add(step)
        step = models[step].superseded_by


def _tags(facts: Facts, known: Known) -> Iterator[Fault]:
    """An Ollama tag names one checkpoint."""
    if not facts.of("models"):
        return
    owners: dict[str, str] = {}
    for name, model in known["models"].items():
        for tag in model.ollama:
            owners.setdefault(tag.tag.lower(), name)
    for entry in facts.of("models").values():
        for i, tag in enumerate(entry.value.ollama):
            if owners[tag.tag.lower()] != entry.id:
                yield entry.fault(f"{tag.tag} is {owners[tag.tag.lower()]} already", "ollama", i, "tag")


def _sourced(*fields: str) -> Check:
    def each(entry: Entry, _: Known) -> Iterator[Fault]:
        for field in fields:
            if not getattr(entry.value, field):
                yield entry.fault("gives no source", field)

    return each


def _possible(entry: Entry, _: Known) -> Iterator[Fault]:
    for field, (least, most) in _POSSIBLE.items():
        held = getattr(entry.value, field, None)
        for value in held if isinstance(held, tuple) else (held,):
            if value is not None and not least <= value <= most:
                yield entry.fault("is a quantity that no hardware has", field)


def _accelerator(entry: Entry, _: Known) -> Iterator[Fault]:
    for field, choices in (("vendor", get_args(Vendor)), ("kind", _KINDS)):
        if getattr(entry.value, field) not in choices:
            yield entry.fault(f"must be one of {', '.join(choices)}", field)


def _device(entry: Entry, known: Known) -> Iterator[Fault]:
    yield from _refer(entry, known, "platforms", entry.value.memory_platform, "memory_platform")
    if not entry.value.memory:
        yield entry.fault("names no size", "memory")
    for i, name in enumerate(entry.value.accelerators):
        yield from _refer(entry, known, "accelerators", name, "accelerators", i)


def _block_type(entry: Entry, _: Known) -> Iterator[Fault]:
    for field in ("block_weights", "block_bytes"):
        if getattr(entry.value, field) <= 0:
            yield entry.fault("must be above zero", field)


def _engine(entry: Entry, known: Known) -> Iterator[Fault]:
    if entry.id not in get_args(EngineId):
        yield entry.fault(f"must be one of {', '.join(get_args(EngineId))}", "id")
    for i, support in enumerate(entry.value.supports):
        for j, name in enumerate(support.formats):
            if name not in get_args(Container):
                yield from _refer(entry, known, "formats", name, "supports", i, "formats", j)
        for j, vendor in enumerate(support.vendors):
            if vendor not in (*get_args(Vendor), "cpu"):
                yield entry.fault(f"{vendor!r} is neither a vendor nor cpu", "supports", i, "vendors", j)
    for i, kind in enumerate(entry.value.kv_types):
        if kind not in get_args(KvType):
            yield entry.fault(f"{kind!r} is no type of KV cache", "kv_types", i)
    types = {each.model_type for each in known["architectures"].values()}
    for name in entry.value.models:
        if types and not known.faulty["architectures"] and name not in types:
            yield entry.fault("no architecture is of this model_type", "models", name)


def _task(entry: Entry, known: Known) -> Iterator[Fault]:
    yield from _refer(entry, known, "abilities", entry.value.ability, "ability")
    for i, kind in enumerate(entry.value.kinds):
        if kind not in get_args(CheckpointKind):
            yield entry.fault(f"{kind!r} is no kind of checkpoint", "kinds", i)


def _abilities(entry: Entry, known: Known) -> Iterator[Fault]:
    for name, settings in entry.value.items():
        yield from _refer(entry, known, "models", name, name)
        for i, ability in enumerate(settings):
            if (ability.checkpoint, ability.scale) != (name, entry.id):
                yield entry.fault(f"must say checkpoint {name} and scale {entry.id}", name, i)
            if ability.standard_error <= 0:
                yield entry.fault("must be above zero", name, i, "standard_error")


def _sampling(entry: Entry, known: Known) -> Iterator[Fault]:
    others = [each for name, each in known["sampling"].items() if name != entry.id]
    for i, name in enumerate(entry.value.models):
        yield from _refer(entry, known, "models", name, "models", i)
        if any(name in each.models for each in others):
            yield entry.fault(f"{name} has another entry already", "models", i)
    for i, mode in enumerate(entry.value.modes):
        for field, (least, most) in _SAMPLING_RANGES.items():
            value = getattr(mode, field)
            if value is not None and not least <= value <= most:
                yield entry.fault(f"must lie between {least} and {most}", "modes", i, field)


# What vLLM and llama.cpp take at all.
_SAMPLING_RANGES = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "top_k": (0, 1000),
    "min_p": (0, 1),
    "presence_penalty": (-2, 2),
    "repetition_penalty": (0, 2),
}

_CHECKS: dict[str, tuple[Check, ...]] = {
    "models": (_checkpoint, _sizes, _succession, _sourced("sources")),
    "architectures": (_sourced("sources"),),
    "licenses": (_sourced("url"),),
    "block_types": (_block_type,),
    "formats": (_sourced("sources"),),
    "engines": (_engine, _sourced("sources")),
    "tasks": (_task, _sourced("sources")),
    "accelerators": (_accelerator, _possible, _sourced("source")),
    "devices": (_device, _possible, _sourced("source")),
    "platforms": (_possible, _sourced("source")),
    "abilities": (_abilities,),
    "sampling": (_sampling, _sourced("sources")),
}
