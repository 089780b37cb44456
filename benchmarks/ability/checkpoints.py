"""The checkpoints as the fit sees them: what is known of a model before any score of it is read."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CATALOG = ROOT / "catalog"

# The pretraining that a family rests on; families that are not named belong to Qwen3.
GENERATIONS = {
    "Qwen": "1",
    "Qwen-VL": "1",
    "Qwen-Audio": "1",
    "Qwen1.5": "1.5",
    "CodeQwen1.5": "1.5",
    "gte-Qwen": "1.5",
    "Qwen2": "2",
    "Qwen2-Math": "2",
    "Qwen2-VL": "2",
    "Qwen2-Audio": "2",
    "QVQ": "2",
    "gme-Qwen2-VL": "2",
    "Qwen2.5": "2.5",
    "Qwen2.5-Coder": "2.5",
    "Qwen2.5-Math": "2.5",
    "Qwen2.5-1M": "2.5",
    "QwQ": "2.5",
    "Qwen2.5-VL": "2.5",
    "Qwen2.5-Omni": "2.5",
    "Qwen3-Next": "3-next",
    "Qwen3-Coder-Next": "3-next",
    "Qwen3.5": "3.5",
    "Qwen3.6": "3.5",
    "Qwen-AgentWorld": "3.5",
    "UEmbed": "3.5",
    "Qwen3.8": "3.8",
}
# They play the world that an agent or a browser acts in, and answer nobody.
SIMULATORS = ("WebWorld", "Qwen-AgentWorld")

_TALKS = ("instruct", "hybrid", "thinking")
_TEXT_LINES = ("general", "coder", "math", "reasoning", "vision", "omni")
TEXT_SCALES = ("agent", "chat", "code", "long-context", "math", "multilingual", "reasoning", "writing")
BASE_SCALES = ("code", "math", "multilingual", "reasoning")
SCALES = (
    *TEXT_SCALES,
    "audio",
    "documents",
    "embedding",
    "moderation",
    "omni",
    "rerank",
    "speech-to-text",
    "text-to-speech",
    "video",
    "vision",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One checkpoint of the catalogue, reduced to what the fit reads. Parameters are counts, ``year`` is decimal."""

    id: str
    family: str
    line: str
    kind: str
    year: float
    total: int
    active: int
    shape: tuple[Any, ...]
    thinking: str
    thinking_default: str
    context: int
    modalities_in: tuple[str, ...]
    modalities_out: tuple[str, ...]
    superseded_by: str | None = None

    @property
    def generation(self) -> str:
        """The pretraining it rests on."""
        return GENERATIONS.get(self.family, "3")

    @property
    def lineage(self) -> tuple[Any, ...]:
        """Equal for checkpoints that were trained from the same base: one pretraining, one shape of decoder."""
        return (self.generation, *self.shape)

    @property
    def settings(self) -> tuple[str, ...]:
        """The settings in which it can be asked: ``base`` (few-shot), thinking ``off``, thinking ``on``."""
        if self.kind == "base":
            return ("base",)
        if self.thinking == "hybrid":
            return ("off", "on")
        return ("on",) if self.thinking == "always" else ("off",)

    @property
    def default(self) -> str:
        """The setting that answers where nobody chose one."""
        if self.thinking == "hybrid":
            return self.thinking_default
        return self.settings[0]

    @property
    def scales(self) -> tuple[str, ...]:
        """The scales on which it is placed: those of the tasks that it serves."""
        if self.family in SIMULATORS:
            return ()
        special = {
            "embedding": ("embedding",),
            "reranker": ("rerank",),
            "guard": ("moderation",),
            "speech-to-text": ("speech-to-text",),
            "text-to-speech": ("text-to-speech",),
        }
        if self.kind in special:
            return special[self.kind]
        if self.line == "audio":
            return ("audio", "speech-to-text")
        if self.kind == "base":
            return BASE_SCALES if self.line in ("general", "coder", "math") else ()
        if self.kind not in _TALKS or self.line not in _TEXT_LINES or "text" not in self.modalities_out:
            return ()
        found = list(TEXT_SCALES)
        found += ["vision", "documents"] if "image" in self.modalities_in else []
        found += ["video"] if "video" in self.modalities_in else []
        found += ["audio", "omni", "speech-to-text"] if "audio" in self.modalities_in else []
        found += ["text-to-speech"] if "speech" in self.modalities_out else []
        return tuple(sorted(found))


def load_checkpoints(catalog: Path = CATALOG) -> dict[str, Checkpoint]:
    """All checkpoints of the catalogue by id, in the order of their ids."""
    shapes = {}
    for path in sorted((catalog / "architectures").glob("*.yaml")):
        entry = _read(path)
        shapes[entry["id"]] = _shape(entry)
    entries = [_read(path) for path in sorted((catalog / "models").glob("*.yaml"))]
    first: dict[str, str] = {}
    for entry in entries:
        family, released = entry["family"], entry.get("released", "9999")
        first[family] = min(first.get(family, released), released)
    for entry in entries:
        if "special_purpose" in entry:  # trained further from what was there: no younger than its family
            entry["released"] = first[entry["family"]]
    found = (_checkpoint(entry, shapes) for entry in entries)
    return {c.id: c for c in sorted(found, key=lambda c: c.id)}


def _read(path: Path) -> dict[str, Any]:
    """The top level of a file; scalars stay text, since YAML 1.1 would make dates and booleans of them."""
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    held = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a base loader builds text only
    return _given(held)


def _given(held: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in held.items() if value != "null"}


def _shape(entry: dict[str, Any]) -> tuple[Any, ...]:
    text = entry.get("text") or {}
    if not text:
        return (entry["id"],)
    experts = (text.get("moe") or {}).get("num_experts")
    return (text["num_hidden_layers"], text["hidden_size"], text.get("intermediate_size"), experts)


def _checkpoint(entry: dict[str, Any], shapes: dict[str, tuple[Any, ...]]) -> Checkpoint:
    total = int(entry.get("parameters_total") or 0)
    return Checkpoint(
        id=entry["id"],
        family=entry["family"],
        line=entry["line"],
        kind=entry["kind"],
        year=_year(entry.get("released")),
        total=total,
        active=int(entry.get("parameters_active") or total),
        shape=shapes[entry["architecture"]],
        thinking=entry.get("thinking") or "none",
        thinking_default=entry.get("thinking_default") or "on",
        context=int(_given(entry.get("context", {})).get("native") or 0),
        modalities_in=tuple(entry["modalities_in"]),
        modalities_out=tuple(entry["modalities_out"]),
        superseded_by=entry.get("superseded_by"),
    )


def _year(released: str | None) -> float:
    if not released:
        return 2024.7  # the middle of the catalogue: a date that says nothing
    day = dt.date.fromisoformat(released)
    return day.year + (day.timetuple().tm_yday - 1) / 365.25
