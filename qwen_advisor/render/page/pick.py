"""The pick: why, how to run it, what it takes in memory, how fast it is, and what its ability rests on."""

from __future__ import annotations

from urllib.parse import quote

from qwen_advisor.advice import Advice, Recommendation
from qwen_advisor.engines import launch
from qwen_advisor.plan import Rate
from qwen_advisor.quality import expected_score
from qwen_advisor.render import words
from qwen_advisor.render.estimate import BASIS, by_pool
from qwen_advisor.render.markup import Child, Markup, element, joined
from qwen_advisor.render.page.frame import bar, bullets, facts, linked, row, table
from qwen_advisor.units import gib

_HUB = "https://huggingface.co/"


def why(pick: Recommendation) -> Markup:
    """The setting, the reasons and the warnings."""
    plan, speed = pick.plan, pick.plan.speed
    score = expected_score(pick.ability.value - pick.quantization_loss)
    able = f"ability {words.quality(pick.ability, pick.quantization_loss)}"
    largest = f"; {words.tokens(pick.largest_context)} would still fit" if pick.largest_context else ""
    return joined(
        facts(
            (
                ("model", _model(plan.checkpoint.id)),
                ("setting", f"{words.setting(plan.format).strip(',')}, {plan.settings.engine}, {thinks(pick)}"),
                ("expected score", f"{score:.0f} of 100 ({able}, {words.grounds(pick.ability)})"),
                ("answer", f"whole after {words.seconds(speed.time_to_answer)}, {words.rate(speed.decode)} tokens/s"),
                ("memory", f"{words.used(plan.memory.total, plan.budget)}, {words.whereabouts(plan.placement)}"),
                ("context", f"{words.tokens(plan.settings.context_per_request)} tokens{largest}"),
                ("license", plan.checkpoint.license or "not known"),
                ("download", words.download(plan.artifact)),
            )
        ),
        reasons(pick),
    )


def reasons(item: Recommendation) -> Markup:
    """Why it stands where it stands, and what to know before relying on it."""
    warnings = bullets(item.warnings)
    return joined(
        element("h3", "Why"),
        bullets(item.reasons),
        *((element("h3", "Warnings"), element("div", warnings, class_="warnings")) if warnings else ()),
    )


def commands(item: Recommendation, advice: Advice) -> Markup:
    """What to type, each command with a button that copies it."""
    how = launch(item.plan, tools=advice.requirements.tools, nodes=advice.machine.nodes)
    return joined(
        *(
            element(
                "figure",
                element("figcaption", step.where) if step.where else None,
                element("pre", element("code", step.shell), tabindex="0"),
                class_="command",
            )
            for step in how.steps
        ),
        bullets(how.notes),
    )


def memory(pick: Recommendation, advice: Advice) -> Markup:
    """A table for each pool: every part as a bar of what may be used there."""
    headings = ("part", "size", "share", "known")
    tables = []
    for title, room, parts in by_pool(advice.machine, pick.plan.memory):
        taken = sum(part.bytes for part in parts)
        rows = [
            row(
                headings,
                (
                    part.name.replace("_", " "),
                    _bytes(part.bytes),
                    bar(0, part.bytes / room, kind=f"bar {part.group}"),
                    part.basis,
                ),
            )
            for part in sorted(parts, key=lambda part: -part.bytes)
            if part.bytes
        ]
        rows.append(
            row(
                headings,
                ("total", gib(taken), bar(0, taken / room, kind="bar total"), f"{100 * taken / room:.0f} %"),
                class_="total",
            )
        )
        tables.append(table(f"{title}: bars are shares of the {gib(room)} that may be used", headings, rows))
    return joined(*tables)


def _bytes(size: int) -> str:
    """What is allocated and not touched is taken off, and shown so."""
    return f"-{gib(-size)}" if size < 0 else gib(size)


def speed(advice: Advice) -> Markup:
    """Decode and prefill of each recommendation as ranges, and how they are known."""
    pick = advice.recommendations[0].plan
    parts: list[Child] = [element("p", f"Speed is {BASIS[pick.speed.basis]}. The bars span the likely range.")]
    for title, rates in (
        ("Decode, tokens per second", [item.plan.speed.decode for item in advice.recommendations]),
        ("Prefill, tokens per second", [item.plan.speed.prefill for item in advice.recommendations]),
    ):
        headings = ("model", "expected (range)", "range")
        most = max(rate.high for rate in rates) or 1.0
        rows = [
            row(headings, (words.short(item.plan.checkpoint.id), words.rate(rate), _range(rate, most)))
            for item, rate in zip(advice.recommendations, rates, strict=True)
        ]
        parts.append(table(title, headings, rows))
    parts.append(bullets(pick.speed.notes))
    return joined(*parts)


def _range(rate: Rate, most: float) -> Markup:
    return bar(rate.low / most, rate.high / most, mark=rate.expected / most)


def evidence(item: Recommendation) -> Markup:
    """The scores that carry the ability, heaviest first, with where they can be read."""
    ability = item.ability
    if not ability.evidence:
        return element("p", f"No published score carries it: {words.grounds(ability)}.")
    headings = ("benchmark", "score", "by", "weight", "source")
    rows = [
        row(
            headings,
            (
                score.benchmark,
                f"{score.score:g}",
                "independent" if score.independent else "its makers",
                bar(0, score.weight),
                linked(score.source),
            ),
        )
        for score in sorted(ability.evidence, key=lambda score: -score.weight)
    ]
    name = words.short(item.plan.checkpoint.id)
    caption = f"{name}: bars are shares of what the ability rests on; the rest is its size and generation"
    return table(caption, headings, rows)


def thinks(item: Recommendation) -> str:
    """Whether it thinks before it answers."""
    return {"on": "thinking on", "off": "thinking off", "none": "does not think"}[item.plan.thinking]


def _model(name: str) -> Markup:
    return element("a", name, href=f"{_HUB}{quote(name)}", rel="noopener noreferrer")
