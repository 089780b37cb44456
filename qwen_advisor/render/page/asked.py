"""What was asked, and of which machine."""

from __future__ import annotations

from collections.abc import Iterator

from qwen_advisor.advice import Advice
from qwen_advisor.render import hardware, words
from qwen_advisor.render.markup import Child, Markup, element, joined
from qwen_advisor.render.page.frame import bullets, facts, row, table
from qwen_advisor.render.report import Facts, Grid, Lines
from qwen_advisor.units import gib


def requirements(advice: Advice) -> Markup:
    """Every requirement that was asked for, and what one request looks like."""
    return facts(_requirements(advice))


def _requirements(advice: Advice) -> Iterator[tuple[str, Child]]:
    wanted = advice.requirements
    yield "task", advice.profile.title if advice.profile else wanted.task
    prompt, output = words.tokens(wanted.prompt_tokens), words.tokens(wanted.output_tokens)
    yield "one request", f"{prompt} tokens of prompt, {output} of answer, in {words.tokens(wanted.context)} of context"
    if advice.profile:
        yield "patience", f"{words.seconds(advice.profile.patience)} to a whole answer"
        yield "comfortable", f"{advice.profile.comfortable_speed:g} tokens/s"
    if wanted.concurrency > 1:
        yield "at once", f"{wanted.concurrency} requests"
    yield "leaning", wanted.prefer
    yield "thinking", wanted.thinking
    named = {
        "speed at least": f"{wanted.min_speed:g} tokens/s" if wanted.min_speed else "",
        "engines": ", ".join(wanted.engines),
        "quantizations": ", ".join(wanted.quantizations),
        "license": wanted.license if wanted.license != "any" else "",
        "language": wanted.language or "",
        "tools": "must be called" if wanted.tools else "",
        "download at most": gib(wanted.max_download) if wanted.max_download else "",
        "family": wanted.family or "",
        "released after": wanted.released_after or "",
    }
    yield from ((label, value) for label, value in named.items() if value)


def machine(advice: Advice) -> Markup:
    """The machine, as ``inspect-hardware`` shows it."""
    report = hardware.report(advice.machine)
    parts: list[Child] = [element("p", report.headline)]
    for block in report.blocks:
        match block:
            case Grid():
                rows = [row(block.headings, cells) for cells in block.rows]
                parts.append(table(block.title, block.headings, rows))
            case Facts():
                parts.append(facts(block.pairs))
            case Lines() if block.lines:
                parts += [element("h3", block.title), bullets(block.lines)]
            case _:
                continue
    return joined(*parts)
