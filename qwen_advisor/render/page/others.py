"""The other recommendations, the terms of all scores, what was ruled out, and what would unlock more."""

from __future__ import annotations

from qwen_advisor.advice import Advice, Rejection
from qwen_advisor.render import words
from qwen_advisor.render.explain import explanation, ruled_out
from qwen_advisor.render.markup import Child, Markup, element, joined
from qwen_advisor.render.page.frame import bullets, row, table
from qwen_advisor.render.page.pick import commands, evidence, reasons
from qwen_advisor.render.report import Grid, Lines
from qwen_advisor.units import gib


def others(advice: Advice) -> Markup:
    """Each with its reasons, its evidence and its commands, folded away."""
    folded = [
        element(
            "details",
            element(
                "summary",
                f"{item.rank}. {item.plan.checkpoint.id}, {item.plan.format}: score {item.score:.0f}, "
                f"{words.rate(item.plan.speed.decode)} tokens/s, {gib(item.plan.memory.total)}",
            ),
            reasons(item),
            evidence(item),
            commands(item, advice),
        )
        for item in advice.recommendations[1:]
    ]
    return joined(*folded) if folded else element("p", "There is no other.")


def score(advice: Advice) -> Markup:
    """The terms, how to read them, and what would change the order."""
    parts: list[Child] = []
    for block in explanation(advice, full_names=False):
        match block:
            case Grid():
                parts.append(table(block.title, block.headings, [row(block.headings, cells) for cells in block.rows]))
            case Lines() if block.lines:
                parts += [element("h3", block.title), bullets(block.lines)]
            case _:
                continue
    return joined(*parts)


def upgrades(advice: Advice) -> Markup:
    """The smallest changes, and what each unlocks."""
    lines = [joined(element("strong", item.change), f" → {item.unlocks}") for item in advice.upgrades]
    return bullets(lines) or element("p", "No single change that is known here would unlock something clearly better.")


def out(rejected: tuple[Rejection, ...]) -> Markup:
    """What a reader might have expected, with the rule and the numbers; older models folded away."""
    parts: list[Child] = []
    for index, block in enumerate(ruled_out(rejected)):
        listed = bullets(block.lines)
        if listed is None:
            continue
        count = len(block.lines)
        summary = element("summary", f"{block.title}: {count} line{'s' * (count != 1)}")
        parts.append(element("details", summary, listed, open=index == 0))
    return joined(*parts) if parts else element("p", "Nothing was ruled out.")
