"""Efficiencies of the catalogue, found for an engine and a class of hardware."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from qwen_advisor.errors import CatalogError, UsageError
from qwen_advisor.values import dataclass

# Documents that describe hardware, not an engine: figures written by hand, and figures fitted.
_HARDWARE = ("hardware", "processors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Efficiency:
    """What is known of one engine: its document, and the one that describes hardware."""

    engine: Mapping[str, Any]
    hardware: Mapping[str, Any]

    @property
    def chunk(self) -> int | None:
        """Tokens of a prompt that the engine takes in at once; None where that is a setting (``ubatch``)."""
        chunk = self.engine["chunk_tokens"]
        return int(chunk) if chunk else None

    @property
    def accumulation(self) -> str:
        """What the engine's matrix products are summed in: "half" (or integers) or "full" (FP32)."""
        return str(self.engine["accumulation"])

    def rates(self, family: str) -> Mapping[str, Any]:
        """Shares of the hardware that the engine reaches on a class of it.

        Raises:
            CatalogError: the class is missing from the engine's document.
        """
        families: Mapping[str, Any] = self.engine["families"]
        if family not in families:
            raise CatalogError(f"no efficiency of {self.engine['engine']} on hardware of the class {family!r}")
        rates: Mapping[str, Any] = families[family]
        return rates


def efficiency_of(documents: Mapping[str, Any], engine: str, format_kind: str) -> Efficiency:
    """The documents for an engine and a format; an engine may run a format with another's kernels (``like``).

    Raises:
        UsageError: no such engine.
    """
    if engine not in documents or engine in _HARDWARE:
        known = [name for name in documents if name not in _HARDWARE]
        raise UsageError(
            f"no speed is known for the engine {engine!r}",
            hint=f"engines: {', '.join(sorted(known))}",
            suggestions=get_close_matches(engine, known),
        )
    document: Mapping[str, Any] = documents[engine]
    if "like" in document:
        like: Mapping[str, str] = document["like"]
        document = {**documents[like.get(format_kind, like["other"])], **document}
    return Efficiency(engine=document, hardware={**documents["hardware"], **documents["processors"]})
