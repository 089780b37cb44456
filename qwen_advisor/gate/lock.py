"""A choice that is kept: what ``recommend`` chose, for which wishes and on which machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from qwen_advisor.advice import Advice, Plan, Recommendation
from qwen_advisor.engines import Step, launch
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Calibration
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.plan import Placement, Settings
from qwen_advisor.task import Requirements
from qwen_advisor.values import dataclass, field, replace

SCHEMA = "qwen-advisor/lock/1"
# Of the formats of a projector the smallest that loses nothing that can be measured, as llama.cpp's -hf prefers it.
_PROJECTORS = ("F16", "BF16", "Q8_0", "F32")


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedFile:
    """One file. Its size and its checksum are None where no source gives them."""

    name: str
    bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Everything a lock file holds. Bytes, tokens, tokens per second."""

    program: str  # version
    catalog_version: str
    catalog_models: int
    requirements: Requirements
    machine: Machine
    model: str
    released: str | None
    license: str | None
    quantization: str
    thinking: Literal["on", "off", "none"]
    repo: str | None
    revision: str | None  # commit of the repository, None where nobody looked
    files: tuple[LockedFile, ...]
    bytes: int  # of the whole download, without a separate projector
    projector: tuple[LockedFile, ...]  # the separate one that the plan loads, none where it loads none
    exact: bool  # whether a source states them; otherwise they are derived
    ollama: str | None
    settings: Settings
    placement: Placement
    memory: int
    decode: float
    ability: float  # after quantization, logits
    steps: tuple[Step, ...]  # what runs it
    calibration: Mapping[str, float] = field(default_factory=dict)  # factors of this machine that its speed rests on


def lock_of(advice: Advice, pick: Recommendation, catalog: Catalog, *, program: str, calibration: Calibration) -> Lock:
    """The lock of one recommendation. The same answer makes the same lock: no time and no place is in it."""
    plan = pick.plan
    artifact, names = plan.artifact, plan.artifact.files
    how = launch(plan, tools=advice.requirements.tools, nodes=advice.machine.nodes)
    kind = catalog.formats[plan.format].kind
    stated = stated_bytes(plan.checkpoint, artifact.repo, plan.format, names)
    return Lock(
        program=program,
        catalog_version=advice.catalog_version,
        catalog_models=advice.catalog_models,
        # Where downloads go is a path of somebody's, and what lies or is free there changes by the minute.
        requirements=replace(advice.requirements, installed=False),
        machine=replace(advice.machine, disk=None, shelf=None),
        model=plan.checkpoint.id,
        released=plan.checkpoint.released,
        license=plan.checkpoint.license,
        quantization=plan.format,
        thinking=plan.thinking,
        repo=artifact.repo,
        revision=None,
        files=tuple(LockedFile(name=name, bytes=stated if len(names) == 1 else None) for name in names),
        bytes=artifact.bytes,
        projector=_projector(plan) if plan.settings.vision and names else (),
        exact=stated is not None,
        ollama=artifact.ollama,
        settings=plan.settings,
        placement=plan.placement,
        memory=plan.memory.total,
        decode=plan.speed.decode.expected,
        ability=pick.ability.value - pick.quantization_loss,
        steps=how.steps,
        calibration=calibration.get((plan.settings.engine, kind, plan.placement.mode), {}),
    )


def _projector(plan: Plan) -> tuple[LockedFile, ...]:
    """The projector's files beside those of the weights."""
    for known in plan.checkpoint.quantized:
        if known.repo == plan.artifact.repo:
            for name in (*_PROJECTORS, *known.projector):
                if name in known.projector:
                    file = known.projector[name]
                    whole = file.bytes if len(file.names) == 1 else None
                    return tuple(LockedFile(name=part, bytes=whole) for part in file.names)
    return ()


def stated_bytes(checkpoint: Checkpoint, repo: str | None, fmt: str, names: tuple[str, ...]) -> int | None:
    """Bytes that a source states for these files of a repository; None where none does, or they are not there."""
    for known in checkpoint.quantized:
        if known.repo == repo:
            file = known.files.get(fmt)
            if file is not None and file.names == names:
                return file.bytes
            if known.format == fmt and not names:
                return known.bytes
    return None
