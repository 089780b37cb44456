"""Reading a policy: YAML, strictly. Every fault is told at once, each with its line."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

from qwen_advisor.catalog.faults import Fault
from qwen_advisor.catalog.strict_yaml import Node, parse_yaml
from qwen_advisor.catalog.structure import INVALID, Structure
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.gate.abilities import able_at
from qwen_advisor.gate.policy import Least, Policy, Waiver
from qwen_advisor.listing import parse_parameters
from qwen_advisor.names import resolve_model
from qwen_advisor.requirements import quantization
from qwen_advisor.units import parse_size, parse_tokens
from qwen_advisor.values import dataclass, field

_MOST_BYTES = 1 << 20
_LONGEST = 128  # characters of a pattern
_HINT = "docs/reference/policy.md has every key"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waived:
    """An exception as it is written."""

    model: str
    rules: tuple[str, ...]
    reason: str
    until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """A policy as it is written; quantities may be text with a unit."""

    licenses: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    forbidden_families: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    forbidden_models: tuple[str, ...] = ()
    quantizations: tuple[str, ...] = ()
    forbidden_quantizations: tuple[str, ...] = ()
    min_bits: float | None = None
    engines: tuple[str, ...] = ()
    forbidden_engines: tuple[str, ...] = ()
    min_ability: dict[str, Any] = field(default_factory=dict)
    max_parameters: Any = None
    max_active_parameters: Any = None
    max_download: Any = None
    max_memory: Any = None
    max_age_days: int | None = None
    released_after: str | None = None
    min_context: Any = None
    min_speed: float | None = None
    languages: tuple[str, ...] = ()
    tools: bool | None = None
    official_files: bool | None = None
    allow_superseded: bool | None = None
    exceptions: tuple[_Waived, ...] = ()


def read_policy(path: Path, catalog: Catalog) -> Policy:
    """The policy in a file.

    Raises:
        UsageError: it cannot be read, or something in it is not understood; every fault is in the message.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}", hint=_HINT) from error
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{path} is no policy: it is larger than 1 MiB", hint=_HINT)
    return parse_policy(data, str(path), catalog)


def parse_policy(data: bytes, name: str, catalog: Catalog) -> Policy:
    """The policy in the bytes of a file that is called ``name``; as `read_policy`."""
    node, faults = parse_yaml(data, name)
    policy: Policy | None = None
    if node is not None and not faults:
        reader = _Reader(name, node, catalog)
        policy, faults = reader.policy(), reader.structure.faults
    if policy is None or faults:
        listed = "; ".join(str(fault) for fault in sorted(faults)) or f"{name}: is empty"
        raise UsageError(f"the policy has {len(faults) or 1} fault{'s' * (len(faults) > 1)}: {listed}", hint=_HINT)
    return policy


class _Reader:
    """Holds every value against what its key may be, in the catalogue's own names."""

    def __init__(self, name: str, node: Node, catalog: Catalog) -> None:
        self.name, self.node, self.catalog = name, node, catalog
        self.structure = Structure(name)

    def policy(self) -> Policy | None:
        written = self.structure.read(self.node, _Written)
        if written is INVALID:
            return None
        catalog = self.catalog
        licenses = {e.id for e in catalog.licenses.values()} | {e.spdx for e in catalog.licenses.values() if e.spdx}
        families = {model.family for model in catalog.models.values()}
        return Policy(
            licenses=self.names("licenses", written.licenses, {*licenses, "permissive"}, others=True),
            families=self.names("families", written.families, families),
            forbidden_families=self.names("forbidden_families", written.forbidden_families, families),
            models=self.models("models", written.models),
            forbidden_models=self.models("forbidden_models", written.forbidden_models),
            quantizations=self.formats("quantizations", written.quantizations),
            forbidden_quantizations=self.formats("forbidden_quantizations", written.forbidden_quantizations),
            min_bits=self.number("min_bits", written.min_bits),
            engines=self.engines("engines", written.engines),
            forbidden_engines=self.engines("forbidden_engines", written.forbidden_engines),
            min_ability=dict(self.abilities(written.min_ability)),
            max_parameters=self.quantity("max_parameters", written.max_parameters, parse_parameters),
            max_active_parameters=self.quantity(
                "max_active_parameters", written.max_active_parameters, parse_parameters
            ),
            max_download=self.quantity("max_download", written.max_download, parse_size),
            max_memory=self.quantity("max_memory", written.max_memory, parse_size),
            max_age_days=self.number("max_age_days", written.max_age_days),
            released_after=self.day(self.node.at("released_after"), "released_after", written.released_after),
            min_context=self.quantity("min_context", written.min_context, parse_tokens),
            min_speed=self.number("min_speed", written.min_speed),
            languages=self.names("languages", written.languages, catalog.languages),
            tools=written.tools,
            official_files=written.official_files,
            allow_superseded=written.allow_superseded,
            exceptions=tuple(self.exceptions(written.exceptions)),
            file=self.name,
            lines=dict(self.lines()),
        )

    def fault(self, node: Node, key: str, message: str) -> None:
        self.structure.faults.append(Fault(self.name, node.line, key, message, node.column))

    def each(self, key: str, values: tuple[str, ...]) -> Iterator[tuple[Node, str]]:
        """Every entry of a list with where it stands; an empty list would forbid everything, or say nothing."""
        node = self.node.at(key)
        if not values and isinstance(node.value, list):
            self.fault(node, key, "is empty: leave the key out")
        for index, value in enumerate(values):
            yield node.at(index), value

    def names(
        self, key: str, values: tuple[str, ...], known: Iterable[str], *, others: bool = False
    ) -> tuple[str, ...]:
        """Names as the catalogue spells them; ``others`` lets in names that look like none of them."""
        spelt = {name.lower(): name for name in sorted(known)}
        found = []
        for node, value in self.each(key, values):
            near = difflib.get_close_matches(value.lower(), spelt, n=1)
            if value.lower() in spelt:
                found.append(spelt[value.lower()])
            elif others and not near:
                found.append(value)
            else:
                self.fault(node, key, f"{value!r} is not known" + (f"; {spelt[near[0]]}?" if near else ""))
        return tuple(found)

    def models(self, key: str, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.parsed(key, values, lambda value: resolve_model(self.catalog, value).id))

    def formats(self, key: str, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.parsed(key, values, lambda value: quantization(self.catalog, value)))

    def engines(self, key: str, values: tuple[str, ...]) -> tuple[str, ...]:
        return self.names(key, values, self.catalog.engines)

    def parsed(self, key: str, values: tuple[str, ...], parse: Callable[[str], str]) -> Iterator[str]:
        """Patterns as they are, whole names as the catalogue spells them."""
        for node, value in self.each(key, values):
            if len(value) > _LONGEST or any(mark in value for mark in "?["):
                self.fault(node, key, f"{value[:_LONGEST]!r} is no pattern: only * stands for other letters")
            elif "*" in value:
                yield value
            else:
                try:
                    yield parse(value)
                except UsageError as error:
                    self.fault(node, key, _said(error))

    def quantity(self, key: str, value: Any, parse: Callable[[str], int]) -> int | None:
        if value is None:
            return None
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            self.fault(self.node.at(key), key, f"a quantity is expected here, not {value!r}")
            return None
        try:
            return parse(str(value))
        except UsageError as error:
            self.fault(self.node.at(key), key, _said(error))
            return None

    def number(self, key: str, value: Any) -> Any:
        if value is not None and value <= 0:
            self.fault(self.node.at(key), key, f"must be above zero, not {value:g}")
        return value

    def day(self, node: Node, key: str, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            self.fault(node, key, f"{value!r} is not a date; write it like 2025-07-31")
            return None

    def abilities(self, written: dict[str, Any]) -> Iterator[tuple[str, Least]]:
        """A number of logits, or a model that is to be reached."""
        for task, value in written.items():
            node, key = self.node.at("min_ability", task), f"min_ability.{task}"
            if task not in self.catalog.tasks:
                near = difflib.get_close_matches(task, self.catalog.tasks, n=1)
                self.fault(node, key, "is not a known task" + (f"; {near[0]}?" if near else ""))
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                yield task, Least(value=float(value))
            elif isinstance(value, str):
                try:
                    model = resolve_model(self.catalog, value)
                except UsageError as error:
                    self.fault(node, key, _said(error))
                    continue
                able = able_at(self.catalog, model, task, None)
                if able is None:
                    self.fault(node, key, f"nothing tells how able {model.id} is at {task}")
                else:
                    yield task, Least(value=round(able, 4), of=model.id)
            else:
                self.fault(node, key, f"a number or a model is expected here, not {value!r}")

    def exceptions(self, written: tuple[_Waived, ...]) -> Iterator[Waiver]:
        keys = [each.name for each in fields(_Written) if each.name != "exceptions"]
        for index, item in enumerate(written):
            node, path = self.node.at("exceptions", index), f"exceptions[{index}]"
            for place, key in enumerate(item.rules):
                if key not in keys:
                    near = difflib.get_close_matches(key, keys, n=1)
                    where = node.at("rules", place)
                    self.fault(where, f"{path}.rules", f"{key!r} is no key" + (f"; {near[0]}?" if near else ""))
            if not item.reason.strip():
                self.fault(node.at("reason"), f"{path}.reason", "is empty: say why")
            until = self.day(node.at("until"), f"{path}.until", item.until)
            try:
                model = resolve_model(self.catalog, item.model).id
            except UsageError as error:
                self.fault(node.at("model"), f"{path}.model", _said(error))
                continue
            yield Waiver(model=model, rules=item.rules, reason=item.reason.strip(), until=until)

    def lines(self) -> Iterator[tuple[str, int]]:
        """Where each key stands, and each entry of a list or a mapping under it."""
        top = self.node.value
        for key, node in top.items() if isinstance(top, dict) else ():
            yield key, node.line
            if isinstance(node.value, list):
                yield from (
                    (f"{key}: {item.value}".lower(), item.line) for item in node.value if isinstance(item.value, str)
                )
            elif isinstance(node.value, dict):
                yield from ((f"{key}: {name}".lower(), item.line) for name, item in node.value.items())


def _said(error: UsageError) -> str:
    """The fault with the nearest name, or the next step."""
    return "; ".join([error.message, *(error.suggestions[:1] or ([error.hint] if error.hint else []))])
