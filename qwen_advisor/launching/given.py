"""What every engine's recipe starts from, and what all of them share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from qwen_advisor.advice import Plan
from qwen_advisor.engine import EngineSpec
from qwen_advisor.engines import Launch, Step
from qwen_advisor.facts import Catalog
from qwen_advisor.launching import versions
from qwen_advisor.launching.recipe import Recipe
from qwen_advisor.launching.wish import Wish
from qwen_advisor.machine import Machine
from qwen_advisor.values import dataclass, replace

Environment = tuple[tuple[str, str], ...]
MODELSCOPE_OFFICIAL = "the weights are taken from ModelScope, where the makers keep them under the same name"
MODELSCOPE_OTHER = "the publisher of these weights may not keep them on ModelScope: see whether the repository is there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The plan, where it runs, what was asked for, and the engine's command as the plan alone gives it."""

    plan: Plan
    spec: EngineSpec
    version: str
    machine: Machine
    wish: Wish
    catalog: Catalog
    launch: Launch
    sampling: dict[str, float]

    @property
    def server(self) -> Step:
        """The last step, which starts the server."""
        return self.launch.steps[-1]

    @property
    def template(self) -> dict[str, Any]:
        """Options of the chat template that differ from what the model does of itself."""
        checkpoint = self.plan.checkpoint
        if checkpoint.thinking != "hybrid" or self.plan.thinking == "none":
            return {}
        default = checkpoint.thinking_default or "on"
        return {} if self.plan.thinking == default else {"enable_thinking": self.plan.thinking == "on"}

    def modelscope(self) -> tuple[str, ...]:
        """What is to be said about ModelScope as the source."""
        if self.wish.source != "modelscope" or self.wish.weights:
            return ()
        return (MODELSCOPE_OFFICIAL if self.plan.artifact.official else MODELSCOPE_OTHER,)

    def recipe(self, *steps: Step, environment: Environment = (), **more: Any) -> Recipe:
        """The recipe with these servers, each without what the engine lacks at this version."""
        servers, warnings = [], list(more.pop("warnings", ()))
        for step in steps:
            left = versions.kept(self.spec, self.version, step.argv, (*step.environment, *environment))
            servers.append(replace(step, argv=left.argv, environment=left.environment))
            warnings += [warning for warning in left.warnings if warning not in warnings]
        return Recipe(
            plan=self.plan,
            spec=self.spec,
            version=self.version,
            machine=self.machine,
            wish=self.wish,
            servers=tuple(servers),
            sampling=self.sampling,
            template=self.template,
            warnings=tuple(warnings),
            **more,
        )


def compact(value: Mapping[str, Any]) -> str:
    """JSON on one line, for an option."""
    return json.dumps(value, separators=(", ", ": "))


def put(argv: tuple[str, ...], option: str, value: str | None) -> tuple[str, ...]:
    """The command with another value of an option that it has; without the option where the value is None."""
    at = argv.index(option)
    return (*argv[:at], *(() if value is None else (option, value)), *argv[at + 2 :])


def addressed(argv: tuple[str, ...], head: str) -> tuple[str, ...]:
    """The command with the address of the first machine in place of the word that stands for it."""
    return tuple(word.replace("HEAD_IP", head) for word in argv)


def without(argv: tuple[str, ...], *options: str) -> tuple[str, ...]:
    """The command without these options and their values; what is not there is passed over."""
    words = list(argv)
    for option in options:
        while option in words:
            at = words.index(option)
            has_value = at + 1 < len(words) and not words[at + 1].startswith("-")
            del words[at : at + 1 + has_value]
    return tuple(words)


def share(machine: Machine, needed: int, most: float) -> float:
    """The share of an accelerator's memory that an engine may take: what is free there, and ``most`` at the most.

    Args:
        machine: where.
        needed: bytes that the plan needs on its first accelerator.
        most: beyond which the engine's makers do not go.
    """
    if not machine.accelerators:
        return most
    first = machine.accelerators[0]
    budget = min(first.budget, machine.memory.budget) if machine.memory.unified else first.budget
    free = int(100 * budget / first.memory) / 100
    least = -(-100 * needed // first.memory) / 100
    return max(min(most, free), min(least, 1.0))
