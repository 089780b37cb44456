"""The answer of ``recommend``: as a report, as rows, as shell variables."""

from __future__ import annotations

from collections.abc import Iterator

from qwen_advisor.advice import Advice, Plan, Recommendation, Rejection
from qwen_advisor.engines import Launch, launch
from qwen_advisor.errors import NothingFits
from qwen_advisor.machine import Shelf
from qwen_advisor.render import words
from qwen_advisor.render.data import Cell, csv_text, variables
from qwen_advisor.render.documents import four_digits
from qwen_advisor.render.report import Block, Commands, Facts, Grid, Lines, Report
from qwen_advisor.shelf import stored
from qwen_advisor.units import gib

_SHOWN = 5  # rejections in a report; --explain and --json have all

_COLUMNS = (
    "rank",
    "model",
    "quantization",
    "engine",
    "thinking",
    "context_tokens",
    "largest_context_tokens",
    "repo",
    "download_bytes",
    "memory_total_bytes",
    "memory_device_bytes",
    "memory_host_bytes",
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
    "license",
    "score",
    "installed",
)


def report(
    advice: Advice,
    *,
    narrow: bool = False,
    full_names: bool = True,
    explain: bool = False,
    chart: bool = False,
    width: int | None = None,
) -> Report:
    """The pick in words, the ranking, what was ruled out, what would unlock more, and how to run it.

    Args:
        advice: the answer.
        narrow: save columns.
        full_names: write repositories with their organisation.
        explain: add the terms of every score, what would change the order and all that was ruled out.
        chart: add ability against speed and memory, drawn in characters.
        width: columns for the drawing; None where nothing bounds it.
    """
    if not advice.recommendations:
        return _nothing(advice, explain=explain)
    pick = advice.recommendations[0]
    plan = pick.plan
    how = launch(plan, tools=advice.requirements.tools, nodes=advice.machine.nodes)
    blocks: list[Block] = [
        Facts(pairs=_facts(advice, pick)),
        Lines(title="Why", lines=pick.reasons),
        Lines(title="Warnings", lines=pick.warnings),
        _ranking(advice, narrow=narrow, full_names=full_names),
    ]
    if chart:
        from qwen_advisor.render.chart import charts  # noqa: PLC0415  only charts pay for it

        blocks += charts(advice, width=width, narrow=narrow, full_names=full_names)
    if explain:
        from qwen_advisor.render.explain import explanation  # noqa: PLC0415  only explanations pay for it

        blocks += explanation(advice, full_names=full_names)
    blocks += [
        *_ruled_out(advice.rejected, explain=explain),
        _upgrades(advice),
        Commands(title="Run it", steps=how.steps, notes=how.notes + _complete(how)),
    ]
    return Report(headline=headline(advice), good=True, blocks=tuple(blocks))


def _complete(how: Launch) -> tuple[str, ...]:
    """Where the command is to be had with all that it can be told."""
    return ("complete, with sampling values: add --launch, or qwen-advisor launch MODEL",) if how.steps else ()


def headline(advice: Advice) -> str:
    """What to use, or that nothing fits."""
    if not advice.recommendations:
        count = len(advice.rejected)
        return f"Nothing fits: {count} model{'s were' if count != 1 else ' was'} ruled out"
    plan = advice.recommendations[0].plan
    thinks = f", thinking {plan.thinking}" if plan.thinking != "none" else ""
    return f"Use {plan.checkpoint.id}, {words.setting(plan.format)} with {plan.settings.engine}{thinks}"


def identifier(advice: Advice) -> str:
    """One line with the winner's repository; empty where nothing fits."""
    return "".join(f"{item.plan.checkpoint.id}\n" for item in advice.recommendations[:1])


def environment(advice: Advice) -> str:
    """The winner as shell variables; empty where nothing fits."""
    return "".join(variables(item.plan, item.plan.settings.context_per_request) for item in advice.recommendations[:1])


def csv(advice: Advice) -> str:
    """One row per recommendation, numbers in full."""
    return csv_text(_COLUMNS, [_row(item, advice.machine.shelf) for item in advice.recommendations])


def _row(item: Recommendation, shelf: Shelf | None) -> tuple[Cell, ...]:
    plan, speed = item.plan, item.plan.speed
    where = stored(shelf, plan.artifact, plan.format, plan.settings.engine)
    return (
        item.rank,
        plan.checkpoint.id,
        plan.format,
        plan.settings.engine,
        plan.thinking,
        plan.settings.context_per_request,
        item.largest_context,
        plan.artifact.repo,
        plan.artifact.bytes,
        plan.memory.total,
        plan.memory.device,
        plan.memory.host,
        plan.budget,
        four_digits(speed.decode.low),
        four_digits(speed.decode.expected),
        four_digits(speed.decode.high),
        four_digits(speed.prefill.expected),
        four_digits(speed.time_to_first_token),
        four_digits(speed.time_to_answer),
        round(item.ability.value, 4),
        round(item.ability.standard_error, 4),
        round(item.quantization_loss, 4),
        plan.checkpoint.license,
        round(item.score, 2),
        None if where is None else where.place,
    )


def _facts(advice: Advice, pick: Recommendation) -> tuple[tuple[str, str], ...]:
    plan, wanted, speed = pick.plan, advice.requirements, pick.plan.speed
    context = f"{words.tokens(plan.settings.context_per_request)} tokens"
    if pick.largest_context and pick.largest_context > plan.settings.context_per_request:
        context += f"; {words.tokens(pick.largest_context)} would still fit"
    users = f" each, {words.figure(speed.throughput)} together" if wanted.concurrency > 1 else ""
    return (
        ("for", f"{wanted.task} on {words.machine(advice.machine)}"),
        ("memory", f"{words.used(plan.memory.total, plan.budget)}, {words.whereabouts(plan.placement)}"),
        (
            "speed",
            (
                f"{words.rate(speed.decode)} tokens/s{users}, first token after"
                f" {words.seconds(speed.time_to_first_token)}, whole answer after {words.seconds(speed.time_to_answer)}"
            ),
        ),
        (
            "quality",
            f"{words.quality(pick.ability, pick.quantization_loss)}{_lead(advice)}, {words.grounds(pick.ability)}",
        ),
        ("context", context),
        ("license", plan.checkpoint.license or "not known"),
        ("download", words.download(plan.artifact)),
        *_here(advice, pick),
    )


def _here(advice: Advice, pick: Recommendation) -> Iterator[tuple[str, str]]:
    """Where the weights lie already, of the first and of the others that do."""
    shelf = advice.machine.shelf
    for item in advice.recommendations if shelf else ():
        plan = item.plan
        where = stored(shelf, plan.artifact, plan.format, plan.settings.engine)
        if where is not None and item is pick:
            yield "on this disk", words.stored(where)
        elif where is not None:
            yield "also here", f"{plan.checkpoint.id} {plan.format}: {words.stored(where)}"


def _lead(advice: Advice) -> str:
    """How much abler the first is than the second, which says more than a place on the scale."""
    if len(advice.recommendations) < 2:
        return ""
    first, second = (item.ability.value - item.quantization_loss for item in advice.recommendations[:2])
    return f" ({abs(first - second):.2f} {'above' if first >= second else 'below'} the second)"


def _ranking(advice: Advice, *, narrow: bool, full_names: bool) -> Grid:
    rows: list[tuple[str, ...]] = []
    for item in advice.recommendations:
        plan = item.plan
        model = plan.checkpoint.id if full_names else words.short(plan.checkpoint.id)
        speed = words.rate(plan.speed.decode)
        able = words.quality(item.ability, item.quantization_loss)
        context, license_id = words.tokens(plan.settings.context_per_request), plan.checkpoint.license or "not known"
        memory, setting = gib(plan.memory.total), (plan.format, plan.settings.engine)
        if narrow:
            merged = f"{model}\n{setting[0]}, {setting[1]}{_thinks(plan)}"
            rows.append((str(item.rank), merged, memory, speed, able, f"{context}\n{license_id}"))
        else:
            rows.append((str(item.rank), model, *setting, plan.thinking, memory, speed, able, context, license_id))
    if narrow:
        headings: tuple[str, ...] = ("", "model", "memory", "tokens/s", "quality", "context\nlicense")
        right = frozenset({0, 2})
    else:
        headings = ("", "model", "quant", "engine", "thinks", "memory", "tokens/s", "quality", "context", "license")
        right = frozenset({0, 5, 8})
    return Grid(title="Ranking", headings=headings, rows=tuple(rows), right=right)


def _thinks(plan: Plan) -> str:
    return "" if plan.thinking == "none" else f", thinking {plan.thinking}"


def _ruled_out(rejected: tuple[Rejection, ...], *, explain: bool) -> tuple[Lines, ...]:
    if explain:
        from qwen_advisor.render.explain import ruled_out  # noqa: PLC0415  only explanations pay for it

        return ruled_out(rejected)
    shown = words.by_nearness(rejected)[:_SHOWN]
    lines = [f"{item.model}: {item.message} ({item.rule})" for item in shown]
    if len(rejected) > len(shown):
        lines.append(f"and {len(rejected) - len(shown)} more, which --explain and --json list")
    return (Lines(title="Ruled out", lines=tuple(lines)),)


def _upgrades(advice: Advice) -> Lines:
    lines = tuple(f"{item.change} → {item.unlocks}" for item in advice.upgrades)
    return Lines(title="What would unlock more" if advice.recommendations else "What would lift it", lines=lines)


def nothing(advice: Advice) -> NothingFits:
    """That nothing fits, as a sentence with the nearest miss, and what would lift it."""
    miss = words.nearest_miss(advice.rejected)
    nearest = f"; nearest is {miss.model}: {miss.message}" if miss else ""
    lift = f"{advice.upgrades[0].change} would let {advice.upgrades[0].unlocks} in" if advice.upgrades else None
    return NothingFits(
        f"nothing fits {advice.requirements.task} on {words.machine(advice.machine)}{nearest}", hint=lift
    )


def _nothing(advice: Advice, *, explain: bool) -> Report:
    miss = words.nearest_miss(advice.rejected)
    pairs = [("for", f"{advice.requirements.task} on {words.machine(advice.machine)}")]
    if miss is not None:
        pairs.append(("nearest", f"{miss.model}: {miss.message} ({miss.rule})"))
    blocks: tuple[Block, ...] = (
        Facts(pairs=tuple(pairs)),
        _upgrades(advice),
        *_ruled_out(advice.rejected, explain=explain),
    )
    return Report(headline=headline(advice), good=False, blocks=blocks)
