"""Entries are written in one way, so that a change shows as what it is."""

from __future__ import annotations

from dataclasses import fields

import pytest

from qwen_advisor.catalog.structure import plain
from qwen_advisor.model import (
    Architecture,
    AudioEncoder,
    Checkpoint,
    Context,
    OllamaTag,
    QuantizedRepo,
    TextDecoder,
    VisionTower,
)


def texts(root):
    for folder in ("models", "architectures"):
        for path in sorted((root / folder).glob("*.yaml")):
            yield path.name, path.read_text("utf-8")


def test_block_style_without_anchors_tabs_or_trailing_space(root):
    for name, text in texts(root):
        assert text.endswith("\n"), name
        assert "\t" not in text, name
        assert text.isascii(), name
        for line in text.splitlines():
            assert line == line.rstrip(), name
            assert len(line) <= 160, name
            value = line.split(": ", 1)[-1].removeprefix("- ").strip()
            assert not value.startswith(("{", "[", "&", "*")), name


def in_order(keys, dataclass):
    order = [field.name for field in fields(dataclass)]
    return list(keys) == [name for name in order if name in keys]


@pytest.fixture(scope="module")
def documents(facts):
    """What the files hold, as plain mappings in the order in which they are written."""
    entries = [entry for section in ("models", "architectures") for entry in facts.of(section).values()]
    return [(entry.section, entry.id, plain(entry.node)) for entry in entries]


def test_fields_stand_in_the_order_of_the_dataclass(documents):
    for kind, name, document in documents:
        assert in_order(document, Checkpoint if kind == "models" else Architecture), name
        parts = {"context": Context, "text": TextDecoder, "vision": VisionTower, "audio": AudioEncoder}
        for part, dataclass in parts.items():
            assert in_order(document.get(part) or {}, dataclass), name
        for ready in document.get("quantized", ()):
            assert in_order(ready, QuantizedRepo), name
        for tag in document.get("ollama", ()):
            assert in_order(tag, OllamaTag), name


def test_fields_that_say_nothing_are_left_out(documents):
    for _, name, document in documents:
        assert "" not in document.values(), name
        assert [] not in document.values(), name
        assert {} not in document.values(), name
