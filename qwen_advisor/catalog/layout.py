"""Where each section of the catalogue stands on disk, and of what type its entries are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Literal

from qwen_advisor.engine import EngineSpec
from qwen_advisor.evidence import Ability
from qwen_advisor.facts import AcceleratorSpec, DeviceSpec, License, MemoryPlatform, RopeScaling, Sampling
from qwen_advisor.model import Architecture, Checkpoint
from qwen_advisor.quantization import BlockType, Format
from qwen_advisor.task import TaskProfile
from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section: a mapping from id to entry, gathered from files.

    ``shape`` says how a file holds entries: ``entry``, the whole file is one and its ``key`` field is the id;
    ``mapping``, the file maps ids to entries; ``document``, the whole file is one and the file's stem is its id.
    """

    name: str  # the field of `Catalog`
    files: str  # a path or a pattern below the root
    shape: Literal["entry", "mapping", "document"]
    type: Any = Any
    key: str | None = None  # the field that repeats the id
    stem: str | None = None  # the field that repeats the file's stem
    within: str | None = None  # the top-level key below which the mapping stands

    def holds(self, path: PurePosixPath) -> bool:
        """Whether a file, relative to the root, belongs to this section."""
        return path.match(self.files) and len(path.parts) == self.files.count("/") + 1


SECTIONS = (
    Section(name="models", files="models/*.yaml", shape="entry", type=Checkpoint, key="id"),
    Section(name="architectures", files="architectures/*.yaml", shape="entry", type=Architecture, key="id"),
    Section(name="licenses", files="licenses.yaml", shape="mapping", type=License, key="id"),
    Section(name="families", files="families.yaml", shape="mapping"),
    Section(
        name="block_types",
        files="quantizations.yaml",
        shape="mapping",
        type=BlockType,
        key="name",
        within="block_types",
    ),
    Section(name="formats", files="quantizations.yaml", shape="mapping", type=Format, key="name", within="formats"),
    Section(name="engines", files="engines/*.yaml", shape="entry", type=EngineSpec, key="id"),
    Section(name="tasks", files="tasks/*.yaml", shape="entry", type=TaskProfile, key="id"),
    Section(
        name="accelerators",
        files="accelerators/*.yaml",
        shape="mapping",
        type=AcceleratorSpec,
        key="id",
        stem="vendor",
    ),
    Section(name="devices", files="devices/*.yaml", shape="mapping", type=DeviceSpec, key="id"),
    Section(name="platforms", files="memory_platforms.yaml", shape="mapping", type=MemoryPlatform, key="id"),
    Section(name="abilities", files="abilities/*.yaml", shape="document", type=Mapping[str, tuple[Ability, ...]]),
    Section(name="quantization_loss", files="quantization_loss.yaml", shape="mapping"),
    Section(name="efficiency", files="efficiency/*.yaml", shape="document"),
    Section(name="memory_models", files="memory/*.yaml", shape="document"),
    Section(name="languages", files="languages.yaml", shape="mapping", within="languages"),
    Section(name="ranking", files="ranking.yaml", shape="mapping"),
    Section(name="sampling", files="sampling.yaml", shape="mapping", type=Sampling, key="id"),
    Section(name="training", files="training.yaml", shape="mapping"),
    Section(name="rope", files="rope.yaml", shape="mapping", type=RopeScaling, key="id"),
)
BY_NAME = {section.name: section for section in SECTIONS}

SOURCES_KEY = "sources"  # may stand beside the sections of a file that holds them below a key
