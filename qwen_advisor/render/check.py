"""The answer of ``check``: as a report, as rows, as shell variables."""

from __future__ import annotations

from qwen_advisor.gate.verdict import Gate, Level, Ruling, Verdict
from qwen_advisor.render import words
from qwen_advisor.render.data import Cell, csv_text, variables
from qwen_advisor.render.report import Block, Facts, Grid, Lines, Report

_COLUMNS = ("model", "passed", "rule", "level", "message", "needed", "available", "nearest", "file", "line")
_LEVELS = {"fail": "fails", "warn": "warns"}
_COUNTED: tuple[tuple[Level, str], ...] = (("pass", "hold"), ("warn", "warn"), ("fail", "fail"))


def report(gate: Gate, *, full_names: bool = True) -> Report:
    """The verdict, how each model would be run, and what every rule found that does not simply hold.

    Args:
        gate: the answer.
        full_names: write repositories with their organisation in the table.
    """
    several = len(gate.verdicts) > 1
    blocks: tuple[Block, ...] = (
        Facts(pairs=_facts(gate)),
        _models(gate, full_names=full_names),
        *(_findings(verdict, titled=several) for verdict in gate.verdicts),
        Facts(pairs=_rules(gate)),
    )
    return Report(headline=headline(gate), good=gate.passed, blocks=blocks)


def headline(gate: Gate) -> str:
    """Pass or fail in one line."""
    if len(gate.verdicts) == 1:
        verdict = gate.verdicts[0]
        how = f", in {verdict.plan.format} with {verdict.plan.settings.engine}" if verdict.plan else ""
        return f"{verdict.model} {'passes' if verdict.passed else 'does not pass'}{how}"
    passing = sum(verdict.passed for verdict in gate.verdicts)
    return f"{passing} of {len(gate.verdicts)} models pass"


def reason(gate: Gate) -> tuple[str, str | None]:
    """Why it fails in one sentence, and the nearest setting that would hold."""
    failures = [(verdict, item) for verdict in gate.verdicts for item in verdict.findings if item.level == "fail"]
    verdict, first = failures[0]
    more = f"; and {len(failures) - 1} more" if len(failures) > 1 else ""
    hint = f"it would hold with {' or '.join(first.nearest)}" if first.nearest else None
    return f"{verdict.model}: {_said(first)}{more}", hint


def identifiers(gate: Gate) -> str:
    """One line for each model that passes, with its repository."""
    return "".join(f"{verdict.model}\n" for verdict in gate.verdicts if verdict.passed)


def environment(gate: Gate) -> str:
    """The first model that passes as shell variables; empty where none does."""
    for verdict in gate.verdicts:
        if verdict.passed and verdict.plan is not None:
            return variables(verdict.plan, verdict.plan.settings.context_per_request)
    return ""


def csv(gate: Gate) -> str:
    """One row per finding, and one for a model of which there is nothing to say."""
    rows: list[tuple[Cell, ...]] = []
    for verdict in gate.verdicts:
        rows += [_row(verdict, item) for item in verdict.findings] or [(verdict.model, verdict.passed, *[None] * 8)]
    return csv_text(_COLUMNS, rows)


def _row(verdict: Verdict, item: Ruling) -> tuple[Cell, ...]:
    place = item.place
    return (
        verdict.model,
        verdict.passed,
        item.rule,
        item.level,
        item.message,
        item.needed,
        item.available,
        " | ".join(item.nearest) or None,
        place.file if place else None,
        place.line or None if place else None,
    )


def _facts(gate: Gate) -> tuple[tuple[str, str], ...]:
    pairs = [("on", words.machine(gate.machine))]
    asked = list(dict.fromkeys(_asked(verdict) for verdict in gate.verdicts))
    if len(asked) == 1:
        pairs.append(("for", asked[0]))
    if gate.policy is not None:
        pairs.append(("policy", gate.policy))
    if gate.lock is not None:
        same = gate.locked_with == gate.catalog_version
        made = "today's catalogue" if same else f"catalogue {gate.locked_with}, today it is {gate.catalog_version}"
        pairs.append(("lock", f"{gate.lock}, made with {made}"))
    return tuple(pairs)


def _asked(verdict: Verdict) -> str:
    asked = verdict.requirements
    users = f", {asked.concurrency} requests at once" if asked.concurrency > 1 else ""
    speed = f", {asked.min_speed:g} tokens/s at least" if asked.min_speed else ""
    return f"{asked.task}, {words.tokens(asked.context)} tokens of context{users}{speed}"


def _models(gate: Gate, *, full_names: bool) -> Grid:
    rows = []
    for verdict in gate.verdicts:
        plan = verdict.plan
        name = verdict.model if full_names else words.short(verdict.model)
        passed = "passes" if verdict.passed else "fails"
        if plan is None:
            rows.append((name, passed, "nothing fits", "", "", "", ""))
            continue
        largest = f"{words.tokens(verdict.largest_context)} fit" if verdict.largest_context else ""
        memory = words.used(plan.memory.total, plan.budget)
        setting = (plan.format, plan.settings.engine)
        rows.append((name, passed, *setting, memory, words.rate(plan.speed.decode), largest))
    headings = ("model", "", "quant", "engine", "memory", "tokens/s", "context")
    return Grid(title="", headings=headings, rows=tuple(rows))


def _findings(verdict: Verdict, *, titled: bool) -> Lines:
    lines = tuple(f"{_LEVELS[item.level]}: {_said(item)}{_nearest(item)}" for item in verdict.findings)
    return Lines(title=f"Findings on {verdict.model}" if titled else "Findings", lines=lines)


def _said(item: Ruling) -> str:
    place = item.place
    at = "" if place is None else f", {place.file}:{place.line}" if place.line else f", {place.file}"
    return f"{item.message} ({item.rule}{at})"


def _nearest(item: Ruling) -> str:
    return f"; would hold with {' or '.join(item.nearest)}" if item.nearest else ""


def _rules(gate: Gate) -> tuple[tuple[str, str], ...]:
    levels = [item.level for verdict in gate.verdicts for item in verdict.rulings]
    told = ", ".join(f"{levels.count(level)} {word}" for level, word in _COUNTED)
    return (("rules", f"{len(levels)} applied: {told}"),)
