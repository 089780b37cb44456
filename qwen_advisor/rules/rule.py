"""What a rule is: a class with an id, a sentence and a reason. Rules never rank and never raise."""

from __future__ import annotations

from typing import ClassVar

from qwen_advisor.advice import Finding
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Machine
from qwen_advisor.task import Requirements, TaskProfile
from qwen_advisor.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Everything that is the same for all candidates of one call."""

    catalog: Catalog
    machine: Machine
    requirements: Requirements
    profile: TaskProfile
    lifted: frozenset[str] = field(default_factory=frozenset)  # ids of task defaults that nothing could meet
    named: frozenset[str] = field(default_factory=frozenset)  # checkpoints that were asked for by name


class Rule:
    """Base of all rules. The class name is the id, the docstring the sentence, ``reason`` says why it exists."""

    reason: ClassVar[str] = ""

    @classmethod
    def fail(cls, message: str, *, needed: float | None = None, available: float | None = None) -> Finding:
        """A finding that rules out."""
        return Finding(rule=cls.__name__, verdict="fail", message=message, needed=needed, available=available)

    @classmethod
    def warn(cls, message: str, *, needed: float | None = None, available: float | None = None) -> Finding:
        """A finding that goes with the answer."""
        return Finding(rule=cls.__name__, verdict="warn", message=message, needed=needed, available=available)
