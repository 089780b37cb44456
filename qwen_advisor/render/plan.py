"""The answer of ``plan``: as a report, as rows, as shell variables."""

from __future__ import annotations

from collections.abc import Iterator

from qwen_advisor.describe.ladder import FREE, Arrangement, HardwareClass
from qwen_advisor.engines import launch
from qwen_advisor.errors import NothingFits
from qwen_advisor.render import words
from qwen_advisor.render.data import Cell, csv_text, variables
from qwen_advisor.render.documents import four_digits
from qwen_advisor.render.report import Block, Commands, Facts, Grid, Lines, Report
from qwen_advisor.sizing import TIERS, ClassNeeds, HardwarePlan, Housing, Tier
from qwen_advisor.sizing.tiers import reads_only
from qwen_advisor.units import gib

_CLASS_WORDS: dict[HardwareClass, str] = {
    "pc": "no GPU",
    "board": "board",
    "laptop": "laptop",
    "desktop": "desktop",
    "workstation": "workstation",
    "server": "server",
    "cluster": "servers",
    "cloud": "cloud",
}
_COLUMNS = (
    "model",
    "class",
    "tier",
    "machine",
    "nodes",
    "accelerators",
    "accelerator",
    "accelerator_memory_bytes",
    "ram_bytes",
    "quantization",
    "engine",
    "context_tokens",
    "largest_context_tokens",
    "memory_total_bytes",
    "memory_device_bytes",
    "memory_host_bytes",
    "memory_budget_bytes",
    "decode_tokens_per_second_low",
    "decode_tokens_per_second",
    "decode_tokens_per_second_high",
    "time_to_first_token_seconds",
    "time_to_answer_seconds",
    "memory_each_device_bytes",
    "interconnect",
    "interconnect_bandwidth_bytes_per_second",
    "nodes_used",
)


def report(answer: HardwarePlan) -> Report:
    """The machine for each tier, the smallest of each class, what each format takes, and how to run it."""
    best = answer.best
    if best is None:
        return _nothing(answer)
    steps = Commands(title="", steps=())
    if best.plan.artifact.repo is not None:
        how = launch(best.plan, nodes=best.machine.nodes)
        steps = Commands(title=f"Run it on {best.title}", steps=how.steps, notes=how.notes)
    blocks: tuple[Block, ...] = (
        Facts(pairs=_facts(answer)),
        _tiers(answer),
        _classes(answer),
        _formats(answer),
        Lines(title="Notes", lines=(*answer.notes, *_goals(answer))),
        steps,
    )
    return Report(headline=_headline(answer), good=True, blocks=blocks)


def _headline(answer: HardwarePlan) -> str:
    name = answer.checkpoint.id
    if answer.sensible is not None:
        return f"For {name} take {_article(answer.sensible)}"
    return f"For {name} nothing is sensible; the least is {_article(answer.least or answer.comfortable)}"


def _article(house: Housing | None) -> str:
    """The machine as it stands in a sentence."""
    if house is None:
        return "nothing"
    if house.kind == "pc":
        return f"a PC with {house.title}"
    if house.options[0] == "--gpu" and house.machine.nodes == 1:
        return f"a {house.kind} with {house.title}"
    return house.title


def identifier(answer: HardwarePlan) -> str:
    """One line with the model's repository; nothing where no machine holds it."""
    return f"{answer.checkpoint.id}\n" if answer.best is not None else ""


def environment(answer: HardwarePlan) -> str:
    """The setting on the sensible machine as shell variables; nothing where no machine holds the model."""
    best = answer.best
    return "" if best is None else variables(best.plan, best.plan.settings.context_per_request)


def csv(answer: HardwarePlan) -> str:
    """One row for each class and tier."""
    return csv_text(_COLUMNS, [_row(answer, needs, aim, house) for needs, aim, house in _all(answer)])


def _all(answer: HardwarePlan) -> Iterator[tuple[ClassNeeds, Tier, Housing]]:
    for needs in answer.classes:
        for aim in TIERS:
            house: Housing | None = getattr(needs, aim)
            if house is not None:
                yield needs, aim, house


def _row(answer: HardwarePlan, needs: ClassNeeds, aim: Tier, house: Housing) -> tuple[Cell, ...]:
    plan, machine = house.plan, house.machine
    card = machine.accelerators[0] if machine.accelerators else None
    return (
        answer.checkpoint.id,
        needs.kind,
        aim,
        house.title,
        machine.nodes,
        len(machine.accelerators),
        None if card is None else card.name,
        None if card is None else card.memory,
        machine.memory.total,
        plan.format,
        plan.settings.engine,
        plan.settings.context_per_request,
        house.largest_context,
        plan.memory.total,
        plan.memory.device,
        plan.memory.host,
        plan.budget,
        four_digits(plan.speed.decode.low),
        four_digits(plan.speed.decode.expected),
        four_digits(plan.speed.decode.high),
        four_digits(plan.speed.time_to_first_token),
        four_digits(plan.speed.time_to_answer),
        house.on_each,
        machine.interconnect,
        house.network,
        house.nodes_used,
    )


def _facts(answer: HardwarePlan) -> tuple[tuple[str, str], ...]:
    asked, model = answer.requirements, answer.checkpoint
    at_once = f"{asked.concurrency} requests at once" if asked.concurrency > 1 else "one request at a time"
    request = f"a prompt of {words.tokens(asked.prompt_tokens)} and an answer of {words.tokens(asked.output_tokens)}"
    pairs = [
        ("for", f"{asked.task}, {words.tokens(asked.context)} tokens of context, {at_once}; {request} tokens"),
        ("model", f"{_parameters(answer)}, {model.license or 'license not known'}"),
    ]
    rows = [row for row in answer.formats if row.ram is not None]
    usual = next((row for row in rows if row.format == "Q4_K_M"), rows[0] if rows else None)
    if usual is not None and usual.ram is not None:
        cache = f" (with a KV cache in {usual.ram_kv_type})" if usual.ram_kv_type not in (None, "f16") else ""
        pairs.append(("least RAM", f"{gib(usual.ram)} for {usual.format} without a GPU{cache}"))
    return (*pairs, *_together(answer))


def _together(answer: HardwarePlan) -> Iterator[tuple[str, str]]:
    """Memory on each accelerator and what the network allows, where machines had to be put together in some way."""
    best = answer.best
    if best is None or answer.arrangement == FREE:
        return
    if best.on_each is not None and best.machine.accelerators:
        there = min(card.budget for card in best.machine.accelerators)
        yield "each GPU", f"{words.used(best.on_each, there)} on {best.title}"
    if best.network is not None:
        plan, name = best.plan, best.machine.interconnect or "no --interconnect named, 10 Gbit/s Ethernet assumed"
        yield (
            "network",
            (
                f"{name}, {best.network / 1e9:g} GB/s: {words.pace(plan.speed, plan.settings)} tokens/s, bound by"
                f" {plan.speed.bound}"
            ),
        )


def _parameters(answer: HardwarePlan) -> str:
    total, active = answer.checkpoint.parameters_total, answer.checkpoint.parameters_active
    if total is None:
        return "number of parameters not known"
    if active is None or active == total:
        return f"{total / 1e9:.3g} billion parameters"
    return f"{total / 1e9:.4g} billion parameters, {active / 1e9:.3g} of them active"


def _tiers(answer: HardwarePlan) -> Grid:
    rows = []
    for aim in TIERS:
        house: Housing | None = getattr(answer, aim)
        rows.append((aim, *(_cells(house) if house else ("none in the catalogue", "", "", "", ""))))
    headings = ("", "machine", "setting", "memory", "tokens/s", "first token")
    return Grid(title="Hardware", headings=headings, rows=tuple(rows), right=frozenset({5}))


def _cells(house: Housing) -> tuple[str, str, str, str, str]:
    plan = house.plan
    nodes = f", {house.nodes_used} of {house.machine.nodes} nodes" if house.machine.nodes > 1 else ""
    several = f"\n{words.figure(plan.speed.throughput)} together" if plan.settings.parallel > 1 else ""
    return (
        "\nor ".join((house.title, *house.alternatives[:2])),
        f"{plan.format}, {plan.settings.engine}\n{words.whereabouts(plan.placement)}{nodes}",
        words.used(plan.memory.total, plan.budget),
        f"{words.pace(plan.speed, plan.settings)}{several}",
        words.seconds(plan.speed.time_to_first_token),
    )


def _classes(answer: HardwarePlan) -> Grid:
    rows = []
    for needs in answer.classes:
        cells: list[str] = []
        for aim in TIERS:
            house: Housing | None = getattr(needs, aim)
            cells.append("–" if house is None else house.title)
        if any(cell != "–" for cell in cells):
            rows.append((_CLASS_WORDS[needs.kind], cells[0], *(_same(cells, i) for i in (1, 2))))
    return Grid(title="The smallest of each class", headings=("", "least", "sensible", "comfortable"), rows=tuple(rows))


def _same(cells: list[str], index: int) -> str:
    return "the same" if cells[index] == cells[index - 1] and cells[index] != "–" else cells[index]


def _formats(answer: HardwarePlan) -> Grid:
    """Without what is made while it is loaded, where there are ready weights."""
    shown = [row for row in answer.formats if row.engine != "transformers"] or answer.formats
    rows = tuple(
        (
            row.format,
            row.engine,
            f"{row.bits_per_weight:.1f}",
            words.gigabytes(row.download),
            "–" if row.device is None else gib(row.device),
            "–" if row.ram is None else gib(row.ram),
            f"{row.quantization_loss:.2f}",
        )
        for row in shown
    )
    headings = ("", "engine", "bits", "download", "on one GPU", "least RAM\nwithout GPU", "ability\nlost")
    title = f"Memory at {words.tokens(answer.requirements.context)} tokens"
    if answer.requirements.concurrency > 1:
        title += f" for each of {answer.requirements.concurrency} requests"
    return Grid(title=title, headings=headings, rows=rows, right=frozenset({2, 3, 4, 5, 6}))


def _goals(answer: HardwarePlan) -> tuple[str, ...]:
    goals = answer.goals
    wanted, patience = words.figure(goals.wanted_speed), words.seconds(goals.patience)
    room = "a tenth of the memory stays free, and no weights of three bits unless asked for"
    if reads_only(answer.requirements):
        tiers = (
            "least: it fits",
            f"sensible: a request is read within {patience}, {room}",
            f"comfortable: {words.tokens(goals.roomy_context)} tokens fit too",
        )
    else:
        tiers = (
            f"least: it fits and decodes {words.figure(goals.least_speed)} tokens/s or more",
            f"sensible: {wanted} tokens/s are expected, {room}",
            (
                f"comfortable: the low end of the range is {wanted} tokens/s too, a whole answer takes {patience} at"
                f" most, and {words.tokens(goals.roomy_context)} tokens fit"
            ),
        )
    ranked = "classes stand in the order in which their machines usually cost more; the catalogue holds no prices"
    return (*tiers, ranked, *_memory_words(answer))


def _memory_words(answer: HardwarePlan) -> tuple[str, ...]:
    small = sorted({row.ram_kv_type for row in answer.formats if row.ram_kv_type and row.ram_kv_type != "f16"})
    if not small:
        return ()
    return (f"least RAM: all of main memory that has to be there, with a KV cache in {' or '.join(small)}",)


def nothing(answer: HardwarePlan) -> NothingFits:
    """That no machine holds it, as a sentence."""
    why = answer.rejection
    nearest = f": {why.message} ({why.rule})" if why else ""
    asked = answer.requirements
    hint = "ask for less by --context, --concurrency or --min-speed, or allow more by --quant or --engine"
    if answer.arrangement != FREE:
        hint += ", --nodes or --gpus-per-node"
    return NothingFits(
        f"no machine of the catalogue{_so(answer.arrangement)} runs {answer.checkpoint.id} for {asked.task} at"
        f" {words.tokens(asked.context)} tokens{nearest}",
        hint=hint,
    )


def _so(wanted: Arrangement) -> str:
    """How machines had to be put together: `` in 2 nodes of 8 GPUs``."""
    if wanted.nodes is None and wanted.gpus_per_node is None:
        return ""
    cards = "" if wanted.gpus_per_node is None else f"{wanted.gpus_per_node} GPU{'s' * (wanted.gpus_per_node != 1)}"
    if wanted.nodes is None:
        return f" with {cards}"
    return f" in {wanted.nodes} node{'s' * (wanted.nodes != 1)}{f' of {cards}' if cards else ''}"


def _nothing(answer: HardwarePlan) -> Report:
    why = answer.rejection
    pairs = [*_facts(answer)]
    if why is not None:
        pairs.append(("why", f"{why.message} ({why.rule})"))
    blocks = (Facts(pairs=tuple(pairs)), _formats(answer))
    return Report(headline=f"No machine of the catalogue runs {answer.checkpoint.id} so", good=False, blocks=blocks)
