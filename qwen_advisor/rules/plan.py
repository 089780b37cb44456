"""Rules on a plan: is it fast enough, and what should be said about it?"""

from __future__ import annotations

from typing import ClassVar

from qwen_advisor.advice import Finding, Plan
from qwen_advisor.model import Context
from qwen_advisor.rules.rule import Question, Rule


class PlanRule(Rule):
    """A rule on a plan and the question; None means it passes without a word."""

    @classmethod
    def check(cls, plan: Plan, question: Question) -> Finding | None:
        """Return a finding, or None."""
        raise NotImplementedError


class S101(PlanRule):
    """Decoding is as fast as was asked for."""

    reason: ClassVar[str] = "--min-speed"

    @classmethod
    def check(cls, plan: Plan, question: Question) -> Finding | None:
        """Expected decode rate per request at the asked concurrency."""
        wanted, rate = question.requirements.min_speed, plan.speed.decode.expected
        if wanted is not None and rate < wanted:
            return cls.fail(
                f"decodes {rate:.1f} tokens/s, asked for are {wanted:g}", needed=wanted, available=round(rate, 2)
            )
        return None


class S102(PlanRule):
    """Decoding is fast enough to be of use for the task."""

    reason: ClassVar[str] = "Below the pace of silent reading an answer is waited for word by word."

    @classmethod
    def check(cls, plan: Plan, question: Question) -> Finding | None:
        """The task's floor, where no speed was asked for; a warning a little below it, and where nothing reaches it."""
        if question.requirements.min_speed is not None:
            return None
        floor, rate = question.profile.floor_speed, plan.speed.decode.expected
        if rate >= floor:
            return None
        message = f"decodes {rate:.1f} tokens/s, {question.profile.id} wants {floor:g} at least"
        near = rate >= floor * question.catalog.ranking["floor_reach"]
        verdict = cls.warn if near or "S102" in question.lifted else cls.fail
        return verdict(message, needed=floor, available=round(rate, 2))


class C101(PlanRule):
    """The context is native."""

    reason: ClassVar[str] = "Static YaRN costs a little on short texts, so it is switched on only where needed."

    @classmethod
    def check(cls, plan: Plan, question: Question) -> Finding | None:
        """Warns where the context needs an extension."""
        wanted = question.requirements.context
        message = extension_needed(plan.checkpoint.context, wanted)
        return cls.warn(message, needed=wanted, available=plan.checkpoint.context.native) if message else None


def extension_needed(context: Context, wanted: int) -> str | None:
    """By what ``wanted`` tokens are reached where they are more than the native context; None where they are not."""
    if context.native is None or wanted <= context.native:
        return None
    return f"{wanted:,} tokens go beyond its native {context.native:,}: needs {context.extension or 'an extension'}"


class M102(PlanRule):
    """Memory is not filled to the brim."""

    reason: ClassVar[str] = "A browser tab more and the machine swaps."

    @classmethod
    def check(cls, plan: Plan, question: Question) -> Finding | None:  # noqa: ARG003
        """Warns above 95 % of the budget."""
        brim = plan.fill if plan.brim is None else plan.brim
        if brim > 0.95:
            return cls.warn(f"fills {brim:.0%} of what is free: close other programs first")
        return None


class L102(PlanRule):
    """The license does not restrict use."""

    reason: ClassVar[str] = "A restricted license is fine for many and a problem for some: it is said."

    @classmethod
    def check(cls, plan: Plan, question: Question) -> Finding | None:
        """Warns on a restricted or unknown license."""
        entry = question.catalog.licenses.get(plan.checkpoint.license or "")
        if entry is None:
            return cls.warn("no source states its license")
        return None if entry.permissive else cls.warn(f"restricted license: {entry.title}. {entry.summary}")


class A101(PlanRule):
    """The weights can be downloaded in this format."""

    reason: ClassVar[str] = "Repositories are named only where a source shows them."

    @classmethod
    def check(cls, plan: Plan, question: Question) -> Finding | None:  # noqa: ARG003
        """Warns where the weights have to be converted, or come from others than the makers."""
        if plan.artifact.repo is None:
            return cls.warn(f"no repository with {plan.format} is known: convert {plan.checkpoint.id} yourself")
        if not plan.artifact.official:
            return cls.warn(f"{plan.format} is published by {plan.artifact.repo.split('/')[0]}, not by the makers")
        return None


PLAN_RULES: tuple[type[PlanRule], ...] = (S101, S102, C101, M102, L102, A101)
