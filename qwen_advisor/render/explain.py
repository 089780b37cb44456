"""What ``--explain`` adds: the terms of every score, how to read them, what would change the order, all ruled out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from qwen_advisor.advice import Advice, Rejection, Rival, Terms
from qwen_advisor.render import words
from qwen_advisor.render.report import Block, Grid, Lines
from qwen_advisor.task import TaskProfile

# The terms in the order in which they are read, with their headings.
TERMS = (
    ("ability", "ability"),
    ("quantization_loss", "quantized"),
    ("speed", "speed"),
    ("headroom", "headroom"),
    ("context", "context"),
    ("memory", "memory"),
    ("other", "other"),
)
_TIE = 0.5  # standard errors of the difference, within which two are as good as tied
_REACH = 10.0  # times as fast, beyond which it is no use to say so
_SUPERSEDED = "T109"


def explanation(advice: Advice, *, full_names: bool) -> tuple[Block, ...]:
    """The terms, how to read them, and what would change the order."""
    rows = tuple(
        (
            item.plan.checkpoint.id if full_names else words.short(item.plan.checkpoint.id),
            *map(signed, term_values(item.terms)),
            signed(item.terms.total),
            f"{item.score:.0f}",
        )
        for item in advice.recommendations
    )
    headings = ("model", *(heading for _, heading in TERMS), "sum", "score")
    right = frozenset(range(1, len(headings)))
    return (
        Grid(title="Terms of the score", headings=headings, rows=rows, right=right),
        Lines(title="How to read them", lines=tuple(_reading(advice.profile)) if advice.profile else ()),
        Lines(title="What would change the order", lines=tuple(changes(advice))),
    )


def term_values(terms: Terms) -> tuple[float, ...]:
    """The terms as they are added up, in the order of `TERMS`."""
    return tuple(-terms.quantization_loss if name == "quantization_loss" else getattr(terms, name) for name, _ in TERMS)


def signed(number: float) -> str:
    """A term with its sign; nothing is ``0``, without one."""
    rounded = f"{number:+.2f}"
    return "0" if rounded in ("+0.00", "-0.00") else rounded


def _reading(profile: TaskProfile) -> Iterator[str]:
    yield (
        f"the unit is the spread of the models that can do {profile.id}: 1.00 is {profile.ability_spread:g} of ability;"
        " a model's sum is what it is worth here, and its score is 100 × e^(its sum - the first's)"
    )
    yield "ability: from published scores, less a quarter of its standard error, so that what is not known counts less"
    yield "quantized: what the number format takes from the ability"
    yield f"speed: {_speed(profile)}"
    yield "headroom: the last tenth of the memory; memory: the share that is taken of it; context: room to grow"
    yield (
        "other: an engine that is not the first choice here or not installed, weights not published by the makers, few"
        " bits, layers split over CPU and GPU"
    )
    yield (
        "a standard error says how well an ability is known: two models within half a standard error of their"
        " difference are as good as tied"
    )


def _speed(profile: TaskProfile) -> str:
    thoughts = ", thoughts included" if profile.reasoning_tokens else ""
    waiting = f"waiting for a whole answer beyond {words.seconds(profile.patience)}{thoughts}"
    if "text" not in profile.modalities_out:
        return waiting
    return (
        f"{waiting}, and decoding below {profile.comfortable_speed:g} tokens/s; much more below the"
        f" {profile.floor_speed:g} at which text is read"
    )


def changes(advice: Advice) -> Iterator[str]:
    """One sentence for each model that something would put first."""
    if not advice.recommendations:
        return
    for above, below in pairwise(advice.recommendations):
        if above.terms.total < below.terms.total:
            first, second = above.plan.checkpoint.id, below.plan.checkpoint.id
            yield f"{first} stands above {second}, whose sum is higher: what it outdoes in all three is worth as much"
    for rival in advice.rivals:
        yield change(rival)
    if not any(rival.prefers for rival in advice.rivals):
        yield f"no other --prefer would change the first: it stays {advice.recommendations[0].plan.checkpoint.id}"


def change(rival: Rival) -> str:
    """What would put one model first, in a sentence."""
    ways = []
    if rival.abler is not None:
        errors = rival.abler_in_errors
        tie = ""
        if errors is not None:
            tie = f", {errors:.1f} standard errors" + (": as good as tied" if errors <= _TIE else "")
        ways.append(f"{rival.abler:.2f} abler ({tie.removeprefix(', ')})" if tie else f"{rival.abler:.2f} abler")
    if rival.faster is not None and rival.faster <= _REACH:
        ways.append(f"{rival.faster:.2g} times as fast" if rival.faster >= 1.05 else "a little faster")
    sentence = f"{rival.model} is {rival.behind:.2f} behind; first if it were {' or '.join(ways)}"
    if rival.faster is None:
        sentence += "; no speed would put it first"
    if rival.prefers:
        sentence += f"; first with {' or '.join(f'--prefer {name}' for name in rival.prefers)}"
    return sentence


def ruled_out(rejected: tuple[Rejection, ...]) -> tuple[Lines, ...]:
    """Everything that was ruled out: near misses first, then what a wish excludes, then what is superseded."""
    others = words.by_nearness(tuple(item for item in rejected if item.rule != _SUPERSEDED))
    lines = tuple(f"{item.model}: {item.message} ({item.rule})" for item in others)
    older: dict[str, list[str]] = {}
    for item in rejected:
        if item.rule == _SUPERSEDED:
            older.setdefault(item.message, []).append(words.short(item.model))
    told = tuple(f"{message}: {', '.join(models)}" for message, models in sorted(older.items()))
    return (
        Lines(title="Ruled out", lines=lines),
        Lines(title=f"Older models ({_SUPERSEDED}), which --family brings back", lines=told),
    )
