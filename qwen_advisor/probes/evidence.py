"""Raw evidence: what a machine said, word for word, as one value that can be written down, sent and replayed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from qwen_advisor.errors import UsageError
from qwen_advisor.values import dataclass, field

SCHEMA = "qwen-advisor/evidence/1"
_PARTS = ("files", "commands", "environment", "readings", "failures")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Texts by where they came from. Nothing in it is interpreted."""

    system: str  # "linux", "macos", "windows"
    arch: str = ""  # as the system calls it: x86_64, aarch64, arm64, AMD64
    files: Mapping[str, str] = field(default_factory=dict)  # path -> text
    commands: Mapping[str, str] = field(default_factory=dict)  # command line -> what it printed
    environment: Mapping[str, str] = field(default_factory=dict)  # variables that hide or choose devices
    readings: Mapping[str, str] = field(default_factory=dict)  # what only a call tells: "affinity", "disk", "nvml"
    failures: Mapping[str, str] = field(default_factory=dict)  # probe -> why it gave nothing

    def matching(self, start: str, end: str = "") -> Iterator[tuple[str, str]]:
        """Files whose path starts and ends like this, in order of their paths."""
        return ((p, t) for p, t in sorted(self.files.items()) if p.startswith(start) and p.endswith(end))

    def file(self, path: str) -> str:
        """The text of a file, empty where it was not there."""
        return self.files.get(path, "")


def to_text(evidence: Evidence) -> str:
    """The evidence as YAML, texts as they were."""
    import yaml  # noqa: PLC0415  only --raw pays for it

    class Dumper(yaml.SafeDumper):
        """Writes texts of several lines as blocks and all others in quotes, so that none reads as a number."""

    def block(dumper: yaml.SafeDumper, text: str) -> Any:
        style = "|" if "\n" in text else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, block)
    document: dict[str, Any] = {"schema": SCHEMA, "system": evidence.system, "arch": evidence.arch}
    document |= {part: dict(getattr(evidence, part)) for part in _PARTS if getattr(evidence, part)}
    return str(yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=10_000))


def is_evidence(document: Any) -> bool:
    """Whether a document that was read from YAML or JSON is evidence."""
    return isinstance(document, dict) and document.get("schema") == SCHEMA


def from_document(document: Any, where: str) -> Evidence:
    """The evidence that a document holds.

    Raises:
        UsageError: it is none, or a part of it is not made of texts.
    """
    if not is_evidence(document) or document.get("system") not in ("linux", "macos", "windows"):
        raise UsageError(
            f"{where} is no evidence of a machine", hint="write one with: qwen-advisor inspect-hardware --raw"
        )
    parts: dict[str, dict[str, str]] = {}
    for part in _PARTS:
        texts = document.get(part) or {}
        if not isinstance(texts, dict) or not all(isinstance(k, str) and isinstance(t, str) for k, t in texts.items()):
            raise UsageError(f"{where}: {part} does not map names to texts")
        parts[part] = texts
    return Evidence(system=document["system"], arch=str(document.get("arch", "")), **parts)
