"""The answer of ``compare``: as a report, as rows, as shell variables."""

from __future__ import annotations

from collections.abc import Callable

from qwen_advisor.advice import Recommendation
from qwen_advisor.comparison import Compared, Comparison, Criterion, Win
from qwen_advisor.errors import NothingFits
from qwen_advisor.render import words
from qwen_advisor.render.data import Cell, csv_text, variables
from qwen_advisor.render.documents import four_digits
from qwen_advisor.render.report import Block, Facts, Grid, Lines, Report
from qwen_advisor.units import gib

_SIDE_BY_SIDE = 4  # models that stand beside each other; more stand below each other
_NARROW = 3  # of these in 80 columns

_CRITERIA: dict[Criterion, str] = {
    "overall": "overall",
    "ability": "ablest",
    "decode": "fastest text",
    "answer": "soonest whole answer",
    "memory": "least memory",
    "download": "smallest download",
    "context": "longest context here",
    "license": "license without restrictions",
}
_COLUMNS = (
    "model",
    "rank",
    "standing",
    "quantization",
    "engine",
    "thinking",
    "context_tokens",
    "largest_context_tokens",
    "memory_total_bytes",
    "memory_budget_bytes",
    "decode_tokens_per_second_low",
    "decode_tokens_per_second",
    "decode_tokens_per_second_high",
    "prefill_tokens_per_second",
    "time_to_first_token_seconds",
    "time_to_answer_seconds",
    "ability",
    "standard_error",
    "quantization_loss",
    "download_bytes",
    "license",
    "score",
    "rule",
    "needed",
    "available",
    "message",
)


def report(answer: Comparison, *, narrow: bool = False) -> Report:
    """The models side by side, what wins where, and what does not run.

    Args:
        answer: the comparison.
        narrow: save columns.
    """
    best = answer.best
    asked = answer.requirements
    at_once = f", {asked.concurrency} requests at once" if asked.concurrency > 1 else ""
    pairs = (
        ("for", f"{asked.task}, {words.tokens(asked.context)} tokens of context{at_once}"),
        ("on", words.machine(answer.machine)),
    )
    beside = len(answer.models) <= (_NARROW if narrow else _SIDE_BY_SIDE)
    blocks: tuple[Block, ...] = (
        Facts(pairs=pairs),
        _columns(answer) if beside else _rows(answer, narrow=narrow),
        Grid(title="What wins where", headings=("", "", "", "next best"), rows=tuple(map(_win, answer.wins))),
        Lines(title="Not in the running", lines=tuple(map(_out, (m for m in answer.models if m.rejection)))),
        Lines(title="Notes", lines=_notes(answer)),
    )
    headline = f"{best.plan.checkpoint.id} is the first choice of {len(answer.models)}" if best else "None of them runs"
    if best and len(answer.models) == 1:
        headline = f"{best.plan.checkpoint.id} runs"
    return Report(headline=headline, good=best is not None, blocks=blocks)


def identifier(answer: Comparison) -> str:
    """One line with the repository of the first; nothing where none runs."""
    return f"{answer.best.plan.checkpoint.id}\n" if answer.best else ""


def environment(answer: Comparison) -> str:
    """The first as shell variables; nothing where none runs."""
    return variables(answer.best.plan, answer.best.plan.settings.context_per_request) if answer.best else ""


def csv(answer: Comparison) -> str:
    """One row for each model."""
    return csv_text(_COLUMNS, [_row(item) for item in answer.models])


def nothing(answer: Comparison) -> NothingFits:
    """That none of them runs, as a sentence with the nearest miss."""
    miss = words.nearest_miss(tuple(m.rejection for m in answer.models if m.rejection))
    nearest = f"; nearest is {miss.model}: {miss.message}" if miss else ""
    return NothingFits(
        f"none of the {len(answer.models)} models runs {answer.requirements.task} on"
        f" {words.machine(answer.machine)}{nearest}",
        hint="see what would let one in: qwen-advisor why-not MODEL, with the same options",
    )


_Say = Callable[[Recommendation], str]
_FACETS: tuple[tuple[str, _Say], ...] = (
    ("setting", lambda a: f"{a.plan.format}, {a.plan.settings.engine}"),
    ("placed", lambda a: words.whereabouts(a.plan.placement)),
    ("memory", lambda a: words.used(a.plan.memory.total, a.plan.budget)),
    ("tokens/s", lambda a: words.pace(a.plan.speed, a.plan.settings)),
    ("all together", lambda a: f"{words.figure(a.plan.speed.throughput)} tokens/s"),
    ("first token", lambda a: words.seconds(a.plan.speed.time_to_first_token)),
    ("whole answer", lambda a: f"{words.seconds(a.plan.speed.time_to_answer)}{_thinking(a)}"),
    ("quality", lambda a: words.quality(a.ability, a.quantization_loss)),
    ("rests on", lambda a: words.grounds(a.ability)),
    ("context here", lambda a: f"up to {words.tokens(a.largest_context or a.plan.settings.context_per_request)}"),
    ("download", lambda a: words.gigabytes(a.plan.artifact.bytes)),
    ("score", lambda a: f"{a.score:.0f}"),
)


def _thinking(answer: Recommendation) -> str:
    return "" if answer.plan.thinking == "none" else f", thinking {answer.plan.thinking}"


def _columns(answer: Comparison) -> Grid:
    """Models as columns, what counts as rows."""
    rows = [("", *(_standing(m) for m in answer.models))]
    for label, say in _FACETS:
        if label != "all together" or answer.requirements.concurrency > 1:
            rows.append((label, *(_facet(label, say, m) for m in answer.models)))
    rows.append(("license", *(m.checkpoint.license or "not known" for m in answer.models)))
    rows.append(("parameters", *(_parameters(m) for m in answer.models)))
    rows.append(("released", *(m.checkpoint.released or "not known" for m in answer.models)))
    headings = ("", *(words.short(m.checkpoint.id) for m in answer.models))
    return Grid(title="Side by side", headings=headings, rows=tuple(rows))


def _standing(item: Compared) -> str:
    if item.standing == "runs" and item.recommendation:
        return f"number {item.recommendation.rank}"
    return item.standing


def _facet(label: str, say: _Say, item: Compared) -> str:
    if item.recommendation is None or (label == "score" and item.standing != "runs"):
        return _missing(label, item)
    return say(item.recommendation)


def _missing(label: str, item: Compared) -> str:
    """What is known of a model that does not run."""
    miss, ability = item.rejection, item.ability
    if label == "setting" and item.nearest is not None:
        return f"{item.nearest.format}, {item.nearest.engine}"
    if label == "memory" and miss and miss.rule == "M101" and miss.needed and miss.available is not None:
        return f"{gib(int(miss.needed))} of {gib(int(miss.available))}"
    if label == "quality" and ability is not None:
        return words.quality(ability, 0.0)
    return words.grounds(ability) if label == "rests on" and ability is not None else "–"


def _parameters(item: Compared) -> str:
    total, active = item.checkpoint.parameters_total, item.checkpoint.parameters_active
    if total is None:
        return "not known"
    return (
        f"{total / 1e9:.3g} B"
        if active in (None, total)
        else f"{total / 1e9:.3g} B, {(active or 0) / 1e9:.2g} B active"
    )


def _rows(answer: Comparison, *, narrow: bool) -> Grid:
    """Models as rows."""
    labels = _IN_NARROW_ROWS if narrow else _IN_ROWS
    facets = [(label, say) for label, say in _FACETS if label in labels]
    rows = []
    for item in answer.models:
        cells = [_facet(label, say, item).replace(" of ", "\nof ") for label, say in facets]
        name = words.short(item.checkpoint.id)
        if narrow:
            name += f"\n{_facet('setting', _FACETS[0][1], item)}"
        rows.append((_standing(item).removeprefix("number "), name, *cells))
    return Grid(title="Side by side", headings=("", "model", *(label for label, _ in facets)), rows=tuple(rows))


_IN_ROWS = ("setting", "memory", "tokens/s", "whole answer", "quality", "context here", "score")
_IN_NARROW_ROWS = ("memory", "tokens/s", "quality", "score")


def _win(item: Win) -> tuple[str, str, str, str]:
    other = f"{words.short(item.runner_up)}, {_value(item.runner_up_value, item)}"
    if item.within_error and item.error is not None:
        other += f": less than the error of the two, {item.error:.2f}"
    elif item.error is not None:
        other += f": {abs(item.value - item.runner_up_value) / item.error:.1f} times the error of the two"
    return (_CRITERIA[item.criterion], words.short(item.model), _value(item.value, item), other)


def _value(value: float, win: Win) -> str:
    match win.unit:
        case "logits":
            return f"{value:.2f}"
        case "score":
            return f"score {value:.0f}"
        case "seconds":
            return words.seconds(value)
        case "bytes":
            return words.gigabytes(int(value)) if win.criterion == "download" else gib(int(value))
        case "tokens":
            return f"{words.tokens(int(value))} tokens"
        case "license":
            return "permissive" if value else "restricted or not known"
        case _:
            return f"{words.figure(value)} tokens/s"


def _out(item: Compared) -> str:
    why = item.rejection
    return "" if why is None else f"{words.short(why.model)}: {why.message} ({why.rule})"


def _notes(answer: Comparison) -> tuple[str, ...]:
    older = [m for m in answer.models if m.superseded_by]
    taken = tuple(
        f"{words.short(m.checkpoint.id)} is superseded by {words.short(m.superseded_by or '')}" for m in older
    )
    return (*answer.notes, *taken)


def _row(item: Compared) -> tuple[Cell, ...]:
    found, why = item.recommendation, item.rejection
    plan = found.plan if found else None
    ability = item.ability
    nearest = item.nearest
    return (
        item.checkpoint.id,
        found.rank if found and item.standing == "runs" else None,
        item.standing.replace(" ", "_"),
        plan.format if plan else nearest.format if nearest else None,
        plan.settings.engine if plan else nearest.engine if nearest else None,
        plan.thinking if plan else None,
        plan.settings.context_per_request if plan else None,
        found.largest_context if found else None,
        plan.memory.total if plan else None,
        plan.budget if plan else None,
        four_digits(plan.speed.decode.low) if plan else None,
        four_digits(plan.speed.decode.expected) if plan else None,
        four_digits(plan.speed.decode.high) if plan else None,
        four_digits(plan.speed.prefill.expected) if plan else None,
        four_digits(plan.speed.time_to_first_token) if plan else None,
        four_digits(plan.speed.time_to_answer) if plan else None,
        round(ability.value, 4) if ability else None,
        round(ability.standard_error, 4) if ability else None,
        round(found.quantization_loss, 4) if found else None,
        plan.artifact.bytes if plan else None,
        item.checkpoint.license,
        found.score if found and item.standing == "runs" else None,
        why.rule if why else None,
        why.needed if why else None,
        why.available if why else None,
        why.message if why else None,
    )
