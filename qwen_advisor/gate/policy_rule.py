"""What a rule of a policy is, and what it is held against."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fnmatch import fnmatchcase
from typing import ClassVar

from qwen_advisor.advice import Finding
from qwen_advisor.advise.search import Found
from qwen_advisor.facts import Catalog
from qwen_advisor.gate.policy import Policy
from qwen_advisor.model import Checkpoint
from qwen_advisor.rules.rule import Rule
from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A model, and how it would be run where it can be."""

    catalog: Catalog
    checkpoint: Checkpoint
    found: Found | None
    largest_context: int | None
    today: date


Violations = Iterator[tuple[str | None, Finding]]  # each with the entry of the policy that it violates, if one does


class PolicyRule(Rule):
    """A rule that a key of the policy makes; ``key`` names it."""

    key: ClassVar[str]
    of_plan: ClassVar[bool] = False  # whether another quantization or engine of the same model may hold it

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """Every violation, with the entry of the policy that it violates."""
        raise NotImplementedError

    @classmethod
    def stated(cls, policy: Policy) -> bool:
        """Whether the policy says anything of it."""
        return getattr(policy, cls.key) not in (None, (), {})


def matching(name: str, patterns: tuple[str, ...]) -> str | None:
    """The first pattern that the name matches; ``*`` stands for any letters, case does not count."""
    return next((p for p in patterns if fnmatchcase(name.lower(), p.lower())), None)
