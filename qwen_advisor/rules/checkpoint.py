"""Rules on a checkpoint alone: may it answer this task, under this license, with these abilities?"""

from __future__ import annotations

from typing import ClassVar

from qwen_advisor.advice import Finding
from qwen_advisor.model import Checkpoint
from qwen_advisor.rules.rule import Question, Rule


class CheckpointRule(Rule):
    """A rule on the checkpoint and the question; None means it passes."""

    @classmethod
    def check(cls, checkpoint: Checkpoint, question: Question) -> Finding | None:
        """Return a failing finding, or None."""
        raise NotImplementedError


class T101(CheckpointRule):
    """The checkpoint is of a kind and line that answers this task."""

    reason: ClassVar[str] = "A base model, an embedding model or a reward model does not hold a conversation."

    @classmethod
    def check(cls, checkpoint: Checkpoint, question: Question) -> Finding | None:
        """Kind, line and input and output modalities must all suit the task."""
        profile = question.profile
        if checkpoint.kind not in profile.kinds:
            return cls.fail(f"a {checkpoint.kind} model does not answer {profile.id} tasks")
        if profile.lines and checkpoint.line not in profile.lines:
            return cls.fail(f"the {checkpoint.line} line does not answer {profile.id} tasks")
        missing = [m for m in profile.modalities_in if m not in checkpoint.modalities_in]
        if missing:
            return cls.fail(f"takes no {' or '.join(missing)} as input")
        if not any(m in checkpoint.modalities_out for m in profile.modalities_out):
            return cls.fail(f"does not put out {' or '.join(profile.modalities_out)}")
        return None


class T102(CheckpointRule):
    """The checkpoint is a general assistant."""

    reason: ClassVar[str] = "World models and other specialists are trained for one purpose and named for another."

    @classmethod
    def check(cls, checkpoint: Checkpoint, question: Question) -> Finding | None:
        """A special purpose rules out unless the family or the checkpoint was asked for."""
        if checkpoint.special_purpose and not _asked_for(checkpoint, question):
            return cls.fail(checkpoint.special_purpose)
        return None


class T103(CheckpointRule):
    """The family is the one that was asked for."""

    reason: ClassVar[str] = "--family"

    @classmethod
    def check(cls, checkpoint: Checkpoint, question: Question) -> Finding | None:
        """Family names compare without case."""
        family = question.requirements.family
        if family is not None and checkpoint.family.lower() != family.lower():
            return cls.fail(f"is of the family {checkpoint.family}, not {family}")
        return None


class T104(CheckpointRule):
    """The checkpoint came out after the date that was asked for."""

    reason: ClassVar[str] = "--released-after"

    @classmethod
    def check(cls, checkpoint: Checkpoint, question: Question) -> Finding | None:
        """ISO dates compare as text; an unknown date does not pass."""
        after = question.requirements.released_after
        if after is not None and (checkpoint.released is None or checkpoint.released <= after):
            return cls.fail(f"was released {checkpoint.released or 'on an unknown day'}, not after {after}")
        return None


class T105(CheckpointRule):
    """The checkpoint calls tools where tools are asked for."""

    reason: ClassVar[str] = "--tools: without a trained tool format calls come out malformed."

    @classmethod
    def check(cls, checkpoint: Checkpoint, question: Question) -> Finding | None:
        """Agents need tools as well as calls with ``--tools``."""
        needs = question.requirements.tools or question.profile.id == "agent"
        if needs and checkpoint.tool_calling is not True:
            return cls.fail("no source says that it calls tools")
        return None


class T106(CheckpointRule):
    """The checkpoint can think, or leave it, as asked."""

    reason: ClassVar[str] = "--thinking"

    @classmethod
    def check(cls, checkpoint: Checkpoint, question: Question) -> Finding | None:
        """``on`` needs a hybrid or thinking model, ``off`` one that is not always thinking."""
        wanted = question.requirements.thinking
        if wanted == "on" and checkpoint.thinking not in ("always", "hybrid"):
            return cls.fail("has no thinking mode")
        if wanted == "off" and checkpoint.thinking == "always":
            return cls.fail("always thinks")
        return None


class T107(CheckpointRule):
    """The context that was asked for is one the model was made for."""

    reason: ClassVar[str] = "Beyond its context a model loses the thread or the engine refuses."

    @classmethod
    def check(cls, checkpoint: Checkpoint, question: Question) -> Finding | None:
        """Native or documented extended length; an unknown length does not pass."""
        wanted = question.requirements.context
        reach = max(checkpoint.context.native or 0, checkpoint.context.extended or 0)
        if reach < wanted:
            has = f"reaches {reach:,} tokens" if reach else "has no documented context length"
            return cls.fail(f"{has}, asked for are {wanted:,}", needed=wanted, available=reach)
        return None


class T108(CheckpointRule):
    """The makers name the language that was asked for."""

    reason: ClassVar[str] = "Quality differs between languages; a language nobody names is a guess."

    @classmethod
    def check(cls, checkpoint: Checkpoint, question: Question) -> Finding | None:
        """The language's first generation must not be later than the checkpoint's."""
        code = question.requirements.language
        if code is None:
            return None
        languages = question.catalog.languages
        family = question.catalog.families.get(checkpoint.family, {})
        if code not in languages or float(family.get("generation", 0)) < float(languages[code]["since"]):
            title = languages[code]["title"] if code in languages else code
            return cls.fail(f"no source says that it speaks {title}")
        return None


class L101(CheckpointRule):
    """The license is one that was asked for."""

    reason: ClassVar[str] = "--license"

    @classmethod
    def check(cls, checkpoint: Checkpoint, question: Question) -> Finding | None:
        """``permissive`` asks for the class, an SPDX id or license id for that very license."""
        wanted = question.requirements.license.lower()
        if wanted == "any":
            return None
        entry = question.catalog.licenses.get(checkpoint.license or "")
        if entry is None:
            return cls.fail("no source states its license")
        if wanted == "permissive":
            return None if entry.permissive else cls.fail(f"its license is restricted: {entry.title}")
        if wanted not in (entry.id.lower(), (entry.spdx or "").lower()):
            return cls.fail(f"its license is {entry.title}")
        return None


class T109(CheckpointRule):
    """No newer checkpoint that qualifies has taken its place."""

    reason: ClassVar[str] = "An old generation is recommended only to those who ask for it by family."

    @classmethod
    def check(cls, checkpoint: Checkpoint, question: Question) -> Finding | None:
        """Walks the chain of successors; one that fails the other rules does not supersede.

        Of what lies on the disk already nothing is left out: the successor may not lie there.
        """
        if _asked_for(checkpoint, question) or question.requirements.installed:
            return None
        name = checkpoint.superseded_by
        while name is not None:
            successor = question.catalog.models.get(name)
            if successor is None:
                return None
            if all(rule.check(successor, question) is None for rule in FIRST_RULES):
                return cls.fail(f"superseded by {successor.id}")
            name = successor.superseded_by
        return None


def _asked_for(checkpoint: Checkpoint, question: Question) -> bool:
    family = question.requirements.family
    by_family = family is not None and checkpoint.family.lower() == family.lower()
    return by_family or checkpoint.id in question.named


FIRST_RULES: tuple[type[CheckpointRule], ...] = (T101, T102, T103, T104, T105, T106, T107, T108, L101)
CHECKPOINT_RULES: tuple[type[CheckpointRule], ...] = (*FIRST_RULES, T109)
