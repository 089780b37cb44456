"""A recipe: everything about one launch that the formats write down, each in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qwen_advisor.advice import Plan
from qwen_advisor.engine import EngineSpec
from qwen_advisor.engines import Step
from qwen_advisor.launching.wish import Wish
from qwen_advisor.machine import Machine
from qwen_advisor.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one plan is run by one engine at one version.

    ``servers`` holds the command of the server, for a model that spans machines one for each of them. ``secrets`` are
    variables that the server reads from its environment; their values stand nowhere.
    """

    plan: Plan
    spec: EngineSpec
    version: str
    machine: Machine
    wish: Wish
    prepare: tuple[Step, ...] = ()
    servers: tuple[Step, ...] = ()
    chat: tuple[Step, ...] = ()
    model: str  # as requests name it
    port: int
    health: str = ""  # path that answers 200 when the server is up
    metrics: str = ""  # path of Prometheus metrics
    sampling: Mapping[str, float] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    rope: Mapping[str, Any] | None = None
    template: Mapping[str, Any] = field(default_factory=dict)  # options of the chat template
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Where an OpenAI client finds it."""
        host = f"[{self.wish.host}]" if ":" in self.wish.host else self.wish.host
        return f"http://{host}:{self.port}/v1"

    @property
    def source(self) -> str:
        """What the weights are loaded from: a path, or a repository."""
        return self.wish.weights or self.plan.artifact.repo or self.plan.checkpoint.id

    @property
    def name(self) -> str:
        """A short name that is good for a file, a service and a Kubernetes object."""
        words = self.plan.checkpoint.id.rsplit("/", 1)[-1].lower()
        return "".join(char if char.isalnum() else "-" for char in words).strip("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchFile:
    """One file: text, or documents that a YAML emitter writes."""

    name: str
    text: str = ""
    documents: tuple[Mapping[str, Any], ...] = ()
    comments: tuple[str, ...] = ()  # lines at the top of a file of documents
    executable: bool = False
