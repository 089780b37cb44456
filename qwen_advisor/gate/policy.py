"""A policy: what an organisation lets in, as values; `policy_rules` holds models against it."""

from __future__ import annotations

from collections.abc import Mapping

from qwen_advisor.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Least:
    """The least ability at a task, in logits of its scale; ``of`` is the checkpoint that sets it, if one does."""

    value: float
    of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A model that may break rules, for a reason and for a time."""

    model: str  # repository
    rules: tuple[str, ...]  # keys of the policy
    reason: str
    until: str | None = None  # ISO date of the last day


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is let in. ``None`` and empty mean that nothing is said of it. Bytes, tokens, parameters, days."""

    licenses: tuple[str, ...] = ()  # ids, SPDX ids or "permissive"
    families: tuple[str, ...] = ()
    forbidden_families: tuple[str, ...] = ()
    models: tuple[str, ...] = ()  # patterns
    forbidden_models: tuple[str, ...] = ()
    quantizations: tuple[str, ...] = ()
    forbidden_quantizations: tuple[str, ...] = ()
    min_bits: float | None = None
    engines: tuple[str, ...] = ()
    forbidden_engines: tuple[str, ...] = ()
    min_ability: Mapping[str, Least] = field(default_factory=dict)  # task -> least
    max_parameters: int | None = None
    max_active_parameters: int | None = None
    max_download: int | None = None
    max_memory: int | None = None
    max_age_days: int | None = None
    released_after: str | None = None
    min_context: int | None = None
    min_speed: float | None = None
    languages: tuple[str, ...] = ()
    tools: bool | None = None
    official_files: bool | None = None
    allow_superseded: bool | None = None
    exceptions: tuple[Waiver, ...] = ()
    file: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)  # key, or "key: entry" in small letters -> line

    def line(self, key: str, entry: str | None = None) -> int:
        """The line of a key, or of one entry under it."""
        return self.lines.get(f"{key}: {entry}".lower(), self.lines.get(key, 0))
