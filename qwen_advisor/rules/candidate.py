"""Rules on a candidate: may this engine run this format of this model on this machine?"""

from __future__ import annotations

import re
from typing import ClassVar

from qwen_advisor.advice import Finding
from qwen_advisor.candidates import Candidate, supports
from qwen_advisor.machine import Machine
from qwen_advisor.rules.rule import Question, Rule
from qwen_advisor.shelf import stored
from qwen_advisor.units import gib


class CandidateRule(Rule):
    """A rule on a candidate and the question; None means it passes."""

    @classmethod
    def check(cls, candidate: Candidate, question: Question) -> Finding | None:
        """Return a failing finding, or None."""
        raise NotImplementedError


class E101(CandidateRule):
    """The engine knows the model's architecture."""

    reason: ClassVar[str] = "An engine refuses a model_type that it has no code for."

    @classmethod
    def check(cls, candidate: Candidate, question: Question) -> Finding | None:  # noqa: ARG003
        """By ``model_type``, and by the engines that the checkpoint's own facts name, where they name any."""
        spec, model_type = candidate.engine, candidate.architecture.model_type
        known = candidate.checkpoint.engines
        if model_type not in spec.models or (known and spec.id not in known):
            return cls.fail(f"{spec.title} does not run it")
        return None


class E102(CandidateRule):
    """The engine runs on this operating system."""

    reason: ClassVar[str] = "vLLM and SGLang need Linux, MLX needs macOS."

    @classmethod
    def check(cls, candidate: Candidate, question: Question) -> Finding | None:
        """By the machine's operating system."""
        if question.machine.os not in candidate.engine.systems:
            return cls.fail(f"{candidate.engine.title} does not run on {question.machine.os}")
        return None


class E103(CandidateRule):
    """The engine runs this format on this hardware."""

    reason: ClassVar[str] = "Kernels exist per vendor and generation: FP8 needs Ampere, NVFP4 Blackwell."

    @classmethod
    def check(cls, candidate: Candidate, question: Question) -> Finding | None:
        """By the engine's table of formats, vendors and capabilities."""
        if supports(candidate.engine, candidate.format, question.machine) is None:
            return cls.fail(f"{candidate.engine.title} does not run {candidate.format.name} on this hardware")
        return None


class E104(CandidateRule):
    """The engine takes what goes in and gives what comes out."""

    reason: ClassVar[str] = "llama.cpp speaks no audio, Ollama takes no video."

    @classmethod
    def check(cls, candidate: Candidate, question: Question) -> Finding | None:
        """By the task's modalities."""
        spec, profile = candidate.engine, question.profile
        missing = [m for m in profile.modalities_in if m not in spec.modalities]
        if missing:
            return cls.fail(f"{spec.title} takes no {' or '.join(missing)}")
        if not any(m in spec.outputs for m in profile.modalities_out):
            return cls.fail(f"{spec.title} does not put out {' or '.join(profile.modalities_out)}")
        return None


class E105(CandidateRule):
    """The engine that is installed is new enough."""

    reason: ClassVar[str] = "An engine older than the model fails with an unknown architecture."

    @classmethod
    def check(cls, candidate: Candidate, question: Question) -> Finding | None:
        """Compares the detected version with the least for this ``model_type`` or checkpoint; unknown ones pass."""
        support = candidate.engine.models.get(candidate.architecture.model_type)
        if support is None:
            return None
        least = candidate.checkpoint.engine_versions.get(candidate.engine.id, support.min_version)
        for installed in question.machine.engines:
            if installed.name != candidate.engine.id or installed.version is None:
                continue
            version = version_key(installed.version)
            if version and least and version < version_key(least):
                return cls.fail(f"needs {candidate.engine.title} {least}, installed is {installed.version}")
            if version and support.until_version and version >= version_key(support.until_version):
                return cls.fail(
                    f"{candidate.engine.title} dropped it in {support.until_version}, installed is {installed.version}"
                )
        return None


class Q101(CandidateRule):
    """The quantization is one that was asked for."""

    reason: ClassVar[str] = "--quant"

    @classmethod
    def check(cls, candidate: Candidate, question: Question) -> Finding | None:
        """By name, without case."""
        wanted = question.requirements.quantizations
        if wanted and candidate.format.name not in wanted:
            return cls.fail(f"{candidate.format.name} was not asked for")
        return None


class D101(CandidateRule):
    """The download is no larger than allowed."""

    reason: ClassVar[str] = "--max-download"

    @classmethod
    def check(cls, candidate: Candidate, question: Question) -> Finding | None:
        """Bytes of what is downloaded, projector included."""
        size = candidate.artifact.bytes + candidate.footprint.projector_bytes
        allowed = question.requirements.max_download
        if allowed is not None and size > allowed:
            return cls.fail(
                f"{candidate.format.name} is a download of {gib(size)}, allowed are {gib(allowed)}",
                needed=size,
                available=allowed,
            )
        return None


class D103(CandidateRule):
    """The weights lie on the disk already."""

    reason: ClassVar[str] = "--installed"

    @classmethod
    def check(cls, candidate: Candidate, question: Question) -> Finding | None:
        """Where the engine finds them: Ollama in its own store, LM Studio in its own folder, the others anywhere."""
        if question.requirements.installed and not is_stored(candidate, question.machine):
            return cls.fail(f"{candidate.format.name} for {candidate.engine.title} is not on this disk")
        return None


class D102(CandidateRule):
    """There is room on the disk for the download."""

    reason: ClassVar[str] = "A download that cannot finish is no answer."

    @classmethod
    def check(cls, candidate: Candidate, question: Question) -> Finding | None:
        """Free bytes where the cache lies, on a machine that was looked at."""
        disk = question.machine.disk
        if is_stored(candidate, question.machine):
            return None
        size = candidate.artifact.bytes + candidate.footprint.projector_bytes
        if disk is not None and not question.machine.described and size > disk.free:
            return cls.fail(
                f"{candidate.format.name} is a download of {gib(size)}, {disk.path} has {gib(disk.free)} free",
                needed=size,
                available=disk.free,
            )
        return None


def is_stored(candidate: Candidate, machine: Machine) -> bool:
    """Whether the weights lie on the machine's disk, as far as anybody looked."""
    return stored(machine.shelf, candidate.artifact, candidate.format.name, candidate.engine.id) is not None


def version_key(version: str) -> tuple[int, ...]:
    """Numbers of a version in order: ``b5401`` -> (5401,), ``0.4.6.post1`` -> (0, 4, 6, 1)."""
    return tuple(int(number) for number in re.findall(r"\d+", re.split(r"[+(]", version, maxsplit=1)[0]))


CANDIDATE_RULES: tuple[type[CandidateRule], ...] = (E101, E102, E103, E104, E105, Q101, D103, D101, D102)
