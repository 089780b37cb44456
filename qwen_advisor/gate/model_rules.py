"""Rules of a policy on the model itself, however it is run."""

from __future__ import annotations

from datetime import date

from qwen_advisor.gate.abilities import able_at
from qwen_advisor.gate.policy import Policy
from qwen_advisor.gate.policy_rule import Choice, PolicyRule, Violations, matching


class P101(PolicyRule):
    """The license is one that the policy allows."""

    key = "licenses"

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """By id, SPDX id or the class ``permissive``."""
        entry = choice.catalog.licenses.get(choice.checkpoint.license or "")
        if entry is None:
            yield None, cls.fail("no source states its license")
            return
        names = {entry.id.lower(), (entry.spdx or entry.id).lower()} | ({"permissive"} if entry.permissive else set())
        if not names & {name.lower() for name in policy.licenses}:
            yield None, cls.fail(f"its license is {entry.id}; allowed: {', '.join(policy.licenses)}")


class P102(PolicyRule):
    """The family is one that the policy allows."""

    key = "families"

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """By the family's name."""
        if choice.checkpoint.family not in policy.families:
            yield None, cls.fail(f"is of the family {choice.checkpoint.family}; allowed: {', '.join(policy.families)}")


class P103(PolicyRule):
    """The family is none that the policy forbids."""

    key = "forbidden_families"

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """By the family's name."""
        family = choice.checkpoint.family
        if family in policy.forbidden_families:
            yield family, cls.fail(f"the family {family} is forbidden")


class P104(PolicyRule):
    """The model is one that the policy allows."""

    key = "models"

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """By patterns of repositories, in any case."""
        if matching(choice.checkpoint.id, policy.models) is None:
            yield None, cls.fail(f"is none of the allowed models: {', '.join(policy.models)}")


class P105(PolicyRule):
    """The model is none that the policy forbids."""

    key = "forbidden_models"

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """By patterns of repositories, in any case."""
        pattern = matching(choice.checkpoint.id, policy.forbidden_models)
        if pattern is not None:
            yield pattern, cls.fail(f"is forbidden by {pattern}")


class P111(PolicyRule):
    """The model is as able as the policy wants."""

    key = "min_ability"
    of_plan = True

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """In logits of each task's scale, in the way of thinking in which it is ablest.

        Where another model is named, both count before quantization.
        """
        for task, least in policy.min_ability.items():
            able = able_at(choice.catalog, choice.checkpoint, task, None if least.of else choice.found)
            of = f" (that of {least.of})" if least.of else ""
            if able is None:
                yield task, cls.fail(f"nothing tells how able it is at {task}", needed=least.value)
            elif round(able, 4) < least.value:
                message = f"ability at {task} is {able:.2f}, wanted are {least.value:.2f}{of}"
                yield task, cls.fail(message, needed=least.value, available=round(able, 4))


class P112(PolicyRule):
    """The model has no more parameters than the policy allows."""

    key = "max_parameters"

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """All of them, whether a token uses them or not."""
        yield from cls.most(choice.checkpoint.parameters_total, policy.max_parameters or 0, "parameters")

    @classmethod
    def most(cls, count: int | None, limit: int, what: str) -> Violations:
        """At most so many."""
        if count is None:
            yield None, cls.fail(f"no source tells how many {what} it has", available=limit)
        elif count > limit:
            message = f"has {count / 1e9:.3g}e9 {what}, allowed are {limit / 1e9:.3g}e9"
            yield None, cls.fail(message, needed=count, available=limit)


class P113(P112):
    """A token uses no more parameters than the policy allows."""

    key = "max_active_parameters"

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """Those of a dense model are all of them."""
        active = choice.checkpoint.parameters_active or choice.checkpoint.parameters_total
        yield from cls.most(active, policy.max_active_parameters or 0, "active parameters")


class P116(PolicyRule):
    """The model is no older than the policy allows."""

    key = "max_age_days"

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """Days from its release to today."""
        limit = policy.max_age_days or 0
        released = choice.checkpoint.released
        if released is None:
            yield None, cls.fail("no source tells when it was released", available=limit)
            return
        age = (choice.today - date.fromisoformat(released)).days
        if age > limit:
            message = f"was released {released}, {age} days ago; allowed are {limit}"
            yield None, cls.fail(message, needed=age, available=limit)


class P117(PolicyRule):
    """The model came out after the day that the policy names."""

    key = "released_after"

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """ISO dates compare as text; an unknown day does not pass."""
        released = choice.checkpoint.released
        if released is None or released <= (policy.released_after or ""):
            yield None, cls.fail(f"was released {released or 'on an unknown day'}, not after {policy.released_after}")


class P120(PolicyRule):
    """The makers name every language that the policy wants."""

    key = "languages"

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """The generation that first names the language must not be a later one."""
        family = choice.catalog.families.get(choice.checkpoint.family, {})
        for code in policy.languages:
            entry = choice.catalog.languages[code]
            if float(family.get("generation", 0)) < float(entry["since"]):
                yield code, cls.fail(f"no source says that it speaks {entry['title']}")


class P121(PolicyRule):
    """The model calls tools."""

    key = "tools"

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """As its makers say."""
        if policy.tools and choice.checkpoint.tool_calling is not True:
            yield None, cls.fail("no source says that it calls tools")


class P123(PolicyRule):
    """No newer model has taken its place."""

    key = "allow_superseded"

    @classmethod
    def check(cls, choice: Choice, policy: Policy) -> Violations:
        """As the catalogue names successors."""
        successor = choice.checkpoint.superseded_by
        if policy.allow_superseded is False and successor is not None:
            yield None, cls.fail(f"superseded by {successor}")


RULES: tuple[type[PolicyRule], ...] = (P101, P102, P103, P104, P105, P111, P112, P113, P116, P117, P120, P121, P123)
