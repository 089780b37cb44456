"""The answer of ``why-not``: as a report, as rows, as shell variables."""

from __future__ import annotations

import shlex

from qwen_advisor.advice import Recommendation
from qwen_advisor.comparison import Change, WhyNot
from qwen_advisor.render import words
from qwen_advisor.render.data import Cell, csv_text, variables
from qwen_advisor.render.documents import four_digits
from qwen_advisor.render.report import Block, Facts, Grid, Lines, Report
from qwen_advisor.units import gib

_COLUMNS = (
    "model",
    "verdict",
    "effect",
    "change",
    "besides",
    "options",
    "rank",
    "winner",
    "quantization",
    "engine",
    "memory_total_bytes",
    "decode_tokens_per_second",
)
_SHOWN = 0.005  # a lead that is shown, in spreads of ability: less is 0.00 in the table


def report(answer: WhyNot) -> Report:
    """The verdict, what is against the model, how it stands beside the winner, and what would change it."""
    blocks: tuple[Block, ...] = (
        Facts(pairs=_facts(answer)),
        Lines(title="Against it", lines=_against(answer)),
        _terms(answer),
        Lines(title="What would put it first", lines=_changes(answer, "first")),
        Lines(title="What would let it in", lines=_changes(answer, "runs")),
        Lines(title="Notes", lines=_notes(answer)),
    )
    return Report(headline=_headline(answer), good=answer.verdict == "first", blocks=blocks)


def identifier(answer: WhyNot) -> str:
    """One line with the repository of the winner; nothing where nothing runs."""
    return f"{answer.winner.plan.checkpoint.id}\n" if answer.winner else ""


def environment(answer: WhyNot) -> str:
    """The winner as shell variables; nothing where nothing runs."""
    winner = answer.winner
    return variables(winner.plan, winner.plan.settings.context_per_request) if winner else ""


def csv(answer: WhyNot) -> str:
    """One row for each change."""
    return csv_text(_COLUMNS, [_row(answer, change) for change in answer.changes])


def _headline(answer: WhyNot) -> str:
    name = answer.checkpoint.id
    if answer.verdict == "first":
        return f"{name} is the first answer"
    if answer.verdict == "behind" and answer.winner is not None:
        place = f"number {answer.rank} of {answer.weighed}"
        return f"{name} is {place}, behind {answer.winner.plan.checkpoint.id}"
    why = answer.rejections[0] if answer.rejections else None
    return f"{name} is ruled out" + (f": {why.message} ({why.rule})" if why else "")


def _facts(answer: WhyNot) -> tuple[tuple[str, str], ...]:
    asked = answer.requirements
    at_once = f", {asked.concurrency} requests at once" if asked.concurrency > 1 else ""
    pairs = [
        ("for", f"{asked.task}, {words.tokens(asked.context)} tokens of context{at_once}"),
        ("on", words.machine(answer.machine)),
    ]
    if answer.own is not None:
        else_place = f"number {answer.own_rank} if it were not for that: " if answer.verdict == "ruled out" else ""
        pairs.append(("it", f"{else_place}{_said(answer.own)}"))
    if answer.winner is not None and answer.verdict != "first":
        pairs.append(("first", f"{answer.winner.plan.checkpoint.id}: {_said(answer.winner)}"))
    return tuple(pairs)


def _said(item: Recommendation) -> str:
    plan = item.plan
    return (
        f"{plan.format} with {plan.settings.engine} {words.whereabouts(plan.placement)}, {gib(plan.memory.total)},"
        f" {words.pace(plan.speed, plan.settings)} tokens/s, whole answer after"
        f" {words.seconds(plan.speed.time_to_answer)}, quality {words.quality(item.ability, item.quantization_loss)}"
    )


def _against(answer: WhyNot) -> tuple[str, ...]:
    """Every rule against it, where there is more to say than the headline does."""
    lines = []
    for item in answer.rejections:
        lack = ""
        if item.rule == "M101" and item.needed is not None and item.available is not None and answer.nearest:
            over = gib(int(item.needed - item.available))
            lack = f"; that is {over} too much at its nearest setting, with {answer.nearest.engine}"
        lines.append(f"{item.message} ({item.rule}){lack}")
    said = len(lines) == 1 and answer.rejections[0].rule != "M101"
    return () if said else tuple(lines)


def _terms(answer: WhyNot) -> Grid:
    """What the score is made of, where the two differ."""
    rows: list[tuple[str, ...]] = [
        (gap.term, f"{gap.own:+.2f}", f"{gap.winner:+.2f}", f"{gap.lead:+.2f}")
        for gap in answer.gaps
        if abs(gap.lead) >= _SHOWN
    ]
    if answer.own is None or answer.winner is None or not rows:
        return Grid(title="", headings=(), rows=())
    own, best = answer.own.terms.total, answer.winner.terms.total
    rows.append(("sum", f"{own:+.2f}", f"{best:+.2f}", f"{best - own:+.2f}"))
    headings = (
        "",
        words.short(answer.checkpoint.id),
        words.short(answer.winner.plan.checkpoint.id),
        "lead of the winner",
    )
    title = "Terms of the score, in spreads of ability"
    return Grid(title=title, headings=headings, rows=tuple(rows), right=frozenset({1, 2, 3}))


def _changes(answer: WhyNot, effect: str) -> tuple[str, ...]:
    return tuple(_sentence(change) for change in answer.changes if change.effect == effect)


def _sentence(change: Change) -> str:
    besides = f", and {change.besides}" if change.besides else ""
    options = f" ({shlex.join(change.options)})" if change.options else ""
    plan = change.plan
    place = ""
    if change.effect == "runs":
        behind = f" behind {change.winner}" if change.winner else ""
        place = f"; number {change.rank}{behind}" if change.rank else f"; not among the answers{behind}"
    return (
        f"{change.words}{besides}{options}: {plan.format} with {plan.settings.engine},"
        f" {words.figure(plan.speed.decode.expected)} tokens/s{place}"
    )


def _notes(answer: WhyNot) -> tuple[str, ...]:
    notes = list(answer.notes)
    if answer.verdict != "first" and not answer.changes:
        notes.append("no single change that was tried lets it in" if answer.rank is None else "no change puts it first")
    elif answer.verdict != "first" and all(change.effect != "first" for change in answer.changes):
        notes.append("no single change that was tried puts it first")
    return tuple(notes)


def _row(answer: WhyNot, change: Change) -> tuple[Cell, ...]:
    plan = change.plan
    return (
        answer.checkpoint.id,
        answer.verdict.replace(" ", "_"),
        change.effect,
        change.words,
        change.besides,
        shlex.join(change.options),
        change.rank,
        change.winner,
        plan.format,
        plan.settings.engine,
        plan.memory.total,
        four_digits(plan.speed.decode.expected),
    )
