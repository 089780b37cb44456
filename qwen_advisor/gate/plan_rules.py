"""Rules of a policy on how a model would be run; of a model that cannot be run they say nothing."""

from __future__ import annotations

from qwen_advisor.gate.policy import Policy
from qwen_advisor.gate.policy_rule import Choice, PolicyRule, Violations, matching
from qwen_advisor.units import gib


class P106(PolicyRule):
    """The quantization is one that the policy allows."""

    key = "quantizations"
    of_plan = True

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """By patterns of names, in any case."""
        name = format_of(choice)
        if name is not None and matching(name, policy.quantizations) is None:
            yield None, cls.fail(f"fits in {name}; allowed: {', '.join(policy.quantizations)}")


class P107(PolicyRule):
    """The quantization is none that the policy forbids."""

    key = "forbidden_quantizations"
    of_plan = True

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """By patterns of names, in any case."""
        name = format_of(choice)
        pattern = None if name is None else matching(name, policy.forbidden_quantizations)
        if pattern is not None:
            yield pattern, cls.fail(f"fits in {name} only, which is forbidden by {pattern}")


class P108(PolicyRule):
    """The weights keep as many bits as the policy wants."""

    key = "min_bits"
    of_plan = True

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """Mean bits per weight of the whole file, scales and tensors that stay whole included."""
        if choice.found is None or policy.min_bits is None:
            return
        weights = choice.found.candidate.footprint
        bits = round(8 * weights.tensor_bytes / max(1, weights.parameters), 2)
        if bits < policy.min_bits:
            message = f"{format_of(choice)} keeps {bits:g} bits per weight, wanted are {policy.min_bits:g}"
            yield None, cls.fail(message, needed=policy.min_bits, available=bits)


class P109(PolicyRule):
    """The engine is one that the policy allows."""

    key = "engines"
    of_plan = True

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """By name."""
        engine = choice.found and choice.found.candidate.engine.id
        if engine and engine not in policy.engines:
            yield None, cls.fail(f"fits with {engine}; allowed: {', '.join(policy.engines)}")


class P110(PolicyRule):
    """The engine is none that the policy forbids."""

    key = "forbidden_engines"
    of_plan = True

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """By name."""
        engine = choice.found and choice.found.candidate.engine.id
        if engine and engine in policy.forbidden_engines:
            yield engine, cls.fail(f"fits with {engine} only, which is forbidden")


class P114(PolicyRule):
    """The download is no larger than the policy allows."""

    key = "max_download"
    of_plan = True

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """Bytes of the files, projector included."""
        if choice.found is None or policy.max_download is None:
            return
        candidate = choice.found.candidate
        size = candidate.artifact.bytes + candidate.footprint.projector_bytes
        if size > policy.max_download:
            message = f"{format_of(choice)} is a download of {gib(size)}, allowed are {gib(policy.max_download)}"
            yield None, cls.fail(message, needed=size, available=policy.max_download)


class P115(PolicyRule):
    """The running model takes no more memory than the policy allows."""

    key = "max_memory"
    of_plan = True

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """Bytes of all pools together."""
        if choice.found is None or policy.max_memory is None:
            return
        total = choice.found.scored.plan.memory.total
        if total > policy.max_memory:
            message = f"takes {gib(total)} of memory, allowed are {gib(policy.max_memory)}"
            yield None, cls.fail(message, needed=total, available=policy.max_memory)


class P118(PolicyRule):
    """One request can use the context that the policy wants."""

    key = "min_context"
    of_plan = True

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """Tokens that the model was made for and that still fit on the machine."""
        wanted = policy.min_context or 0
        context = choice.checkpoint.context
        reach = max(context.native or 0, context.extended or 0)
        if reach < wanted:
            yield None, cls.fail(f"reaches {reach:,} tokens, wanted are {wanted:,}", needed=wanted, available=reach)
        elif choice.largest_context is not None and choice.largest_context < wanted:
            message = f"{choice.largest_context:,} tokens fit here, wanted are {wanted:,}"
            yield None, cls.fail(message, needed=wanted, available=choice.largest_context)


class P119(PolicyRule):
    """It decodes as fast as the policy wants."""

    key = "min_speed"
    of_plan = True

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """Expected tokens per second of one request."""
        if choice.found is None or policy.min_speed is None:
            return
        rate = round(choice.found.scored.plan.speed.decode.expected, 2)
        if rate < policy.min_speed:
            message = f"decodes {rate:.1f} tokens/s, wanted are {policy.min_speed:g}"
            yield None, cls.fail(message, needed=policy.min_speed, available=rate)


class P122(PolicyRule):
    """The weights come from the model's own makers."""

    key = "official_files"
    of_plan = True

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """The repository that is downloaded."""
        if choice.found is None or not policy.official_files:
            return
        artifact = choice.found.candidate.artifact
        if artifact.repo is None:
            yield None, cls.fail(f"nobody is known to publish it in {format_of(choice)}")
        elif not artifact.official:
            yield (
                None,
                cls.fail(f"{format_of(choice)} is published by {artifact.repo.split('/')[0]}, not by the makers"),
            )


def format_of(choice: Choice) -> str | None:
    """The quantization in which it would be run."""
    return None if choice.found is None else choice.found.candidate.format.name


RULES: tuple[type[PolicyRule], ...] = (P106, P107, P108, P109, P110, P114, P115, P118, P119, P122)
