"""All rules of a policy, and what they say of a choice. Limits that nothing is said of do not count."""

from __future__ import annotations

from collections.abc import Iterator

from qwen_advisor.advice import Finding
from qwen_advisor.gate import model_rules, plan_rules
from qwen_advisor.gate.policy import Policy
from qwen_advisor.gate.policy_rule import Choice, PolicyRule
from qwen_advisor.gate.verdict import Place, Ruling, ruling, sentence
from qwen_advisor.values import replace

POLICY_RULES: tuple[type[PolicyRule], ...] = tuple(
    sorted((*model_rules.RULES, *plan_rules.RULES), key=lambda rule: rule.__name__)
)


def hold(choice: Choice, policy: Policy) -> Iterator[Ruling]:
    """Every rule that the policy states, held against the choice; what an exception covers is a warning."""
    for rule in POLICY_RULES:
        if not rule.stated(policy):
            continue
        title = sentence(rule)
        violations = list(rule.check(choice, policy))
        if not violations:
            place = Place(file=policy.file, line=policy.line(rule.key))
            yield Ruling(rule=rule.__name__, title=title, level="pass", place=place)
        for entry, finding in violations:
            place = Place(file=policy.file, line=policy.line(rule.key, entry))
            yield ruling(_excused(finding, rule.key, choice, policy), title, place=place)


def _excused(finding: Finding, key: str, choice: Choice, policy: Policy) -> Finding:
    for waiver in policy.exceptions:
        if waiver.model != choice.checkpoint.id or key not in waiver.rules:
            continue
        if waiver.until is not None and choice.today.isoformat() > waiver.until:
            return replace(finding, message=f"{finding.message}; its exception ended on {waiver.until}")
        end = f" until {waiver.until}" if waiver.until else ""
        return replace(finding, verdict="warn", message=f"{finding.message}; excepted{end}: {waiver.reason}")
    return finding
