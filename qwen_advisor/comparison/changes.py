"""Changes of a question that may let a model in, or put it first: one kind after the other, each from small to large.

Nothing here is judged: `Trial` runs the whole search with each change before it names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from qwen_advisor.advice import Finding
from qwen_advisor.candidates import candidates
from qwen_advisor.describe import Description, describe
from qwen_advisor.describe.devices import DeviceMatch, build
from qwen_advisor.errors import UsageError
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.rules import Question
from qwen_advisor.rules.natural import natural_task
from qwen_advisor.task import Prefer, Requirements
from qwen_advisor.units import GIB, gib
from qwen_advisor.values import dataclass, replace

_RAM = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)  # GiB, as it is sold
_SPEEDS = (1, 2, 3, 5, 8, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300)  # tokens per second, round to a person
_LONGER = (16384, 32768, 65536, 131072, 262144, 1048576)
_COUNTS = (2, 4, 8)
# Beyond the cards that a person could add: two in a workstation, and what servers are sold and rented with.
_SERVERS = (
    "2x RTX PRO 6000 Blackwell Workstation Edition",
    "4x H100 80GB HBM3",
    "8x H100 80GB HBM3",
    "8x H200",
    "8x B200",
)
_NODES = (2, 4, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One changed question, in options where options say it, and in words."""

    question: Question
    words: str
    besides: str = ""  # what it takes as well
    options: tuple[str, ...] = ()
    own: bool = False  # whether only the model that is asked about is weighed so, and the others as before
    hardware: bool = False  # whether it is the machine that changes
    same_cpu: bool = True  # whether what was measured on the processor holds still


def remedy(question: Question, checkpoint: Checkpoint, finding: Finding) -> Step | None:
    """The change that lifts a rule on the checkpoint itself; None where no change of this question does."""
    asked = question.requirements
    match finding.rule:
        case "T102" | "T103" | "T109":
            return _asking(question, f"ask for its family, {checkpoint.family}", family=checkpoint.family)
        case "T104" if checkpoint.released is not None:
            before = (date.fromisoformat(checkpoint.released) - timedelta(days=1)).isoformat()
            return _asking(question, f"allow models as old as {checkpoint.released}", released_after=before)
        case "T104":
            return _asking(question, "ask for no date of release", released_after=None)
        case "T105" if asked.tools and asked.task != "agent":
            return _asking(question, "do not ask for tool calls", tools=False)
        case "T106":
            return _asking(question, "leave it to the model whether it thinks", thinking="auto")
        case "T107" if (finding.available or 0) >= asked.prompt_tokens + asked.output_tokens:
            reach = int(finding.available or 0)
            return _asking(question, f"ask for {reach:,} tokens of context, as far as it reaches", context=reach)
        case "T108":
            return _asking(question, "ask for no language", language=None)
        case "L101":
            entry = question.catalog.licenses.get(checkpoint.license or "")
            named = entry.id if entry is not None and asked.license not in ("any", "permissive") else "any"
            return _asking(question, "accept its license", license=named)
        case _:
            return None


def kinds(
    question: Question, checkpoint: Checkpoint, *, runs: bool, winning_speed: float = 0.0
) -> Iterator[Iterable[Step]]:
    """Kinds of change, cheapest first. Of each, whatever a step lets in the last one does too.

    Args:
        question: what is asked.
        checkpoint: the model that is to come in, or to the top.
        runs: whether it runs already and only stands behind others.
        winning_speed: decode rate of the winner in tokens/s: a speed that it reaches does not rule it out.
    """
    if runs:
        yield _leanings(question)
        yield _faster(question, winning_speed)
        yield _longer(question, checkpoint)
        yield _stricter(question, checkpoint)
    else:
        yield _slower(question)
        yield _shorter(question)
        yield _fewer(question)
        yield _formats(question, checkpoint)
        yield _engines(question, checkpoint)
        yield _downloads(question)
    yield _ram(question)
    yield _same_cards(question)
    yield _other_cards(question)
    yield _nodes(question)


def tasks(question: Question, checkpoint: Checkpoint) -> Iterator[Step]:
    """The other tasks, the one that it is made for first, with what their requests look like."""
    asked, catalog = question.requirements, question.catalog
    own = natural_task(catalog, [checkpoint])
    reach = max(checkpoint.context.native or 0, checkpoint.context.extended or 0)
    for name in dict.fromkeys((own, *catalog.tasks)):
        profile = catalog.tasks[name]
        if name != asked.task and profile.context <= max(reach, 1):
            requirements = replace(
                asked,
                task=profile.id,
                context=profile.context,
                prompt_tokens=profile.prompt_tokens,
                output_tokens=profile.output_tokens,
            )
            yield Step(
                question=replace(question, requirements=requirements, profile=profile),
                words=f"ask it for {name}",
                options=("--task", name),
            )


def _asking(question: Question, words: str, **changes: object) -> Step:
    """A step that asks for something else; an option that is dropped needs no words of the command line."""
    requirements: Requirements = replace(question.requirements, **changes)  # type: ignore[arg-type]
    options: list[str] = []
    for name, value in changes.items():
        if value is not None and value is not False:
            options += [f"--{name.replace('_', '-')}", f"{value:g}" if isinstance(value, float) else f"{value}"]
    return Step(question=replace(question, requirements=requirements), words=words, options=tuple(options))


def _leanings(question: Question) -> Iterator[Step]:
    leanings: tuple[Prefer, ...] = ("balanced", "quality", "speed", "memory")
    for prefer in leanings:
        if prefer != question.requirements.prefer:
            words = {
                "balanced": "weigh everything evenly",
                "quality": "lean towards quality",
                "speed": "lean towards speed",
                "memory": "lean towards little memory",
            }[prefer]
            yield _asking(question, words, prefer=prefer)


def _faster(question: Question, winning_speed: float) -> Iterator[Step]:
    least = max(question.requirements.min_speed or 0.0, winning_speed)
    for speed in _SPEEDS:
        if speed > least:
            yield _asking(question, f"want {speed} tokens/s at least", min_speed=speed)


def _slower(question: Question) -> Iterator[Step]:
    """Speeds from the floor downwards, tenth by tenth where it is small."""
    floor = question.requirements.min_speed or question.profile.floor_speed
    tried = [floor * share / 20 for share in range(19, 0, -1)]
    for speed in tried:
        rounded = round(speed, 1) if speed >= 1 else round(speed, 2)
        if 0 < rounded < floor:
            yield _asking(question, f"be content with {rounded:g} tokens/s", min_speed=rounded)


def _longer(question: Question, checkpoint: Checkpoint) -> Iterator[Step]:
    reach = max(checkpoint.context.native or 0, checkpoint.context.extended or 0)
    for context in _LONGER:
        if question.requirements.context < context <= reach:
            yield _asking(question, f"want {context:,} tokens of context", context=context)


def _shorter(question: Question) -> Iterator[Step]:
    asked = question.requirements
    least = asked.prompt_tokens + asked.output_tokens
    context = asked.context // 2
    while context >= least:
        yield _asking(question, f"ask for {context:,} tokens of context", context=context)
        context //= 2


def _fewer(question: Question) -> Iterator[Step]:
    many = question.requirements.concurrency // 2
    while many >= 1:
        yield _asking(question, f"serve {many} request{'s' * (many > 1)} at a time", concurrency=many)
        many //= 2


def _stricter(question: Question, checkpoint: Checkpoint) -> Iterator[Step]:
    entry = question.catalog.licenses.get(checkpoint.license or "")
    if entry is not None and entry.permissive and question.requirements.license == "any":
        yield _asking(question, "accept permissive licenses only", license="permissive")


def _formats(question: Question, checkpoint: Checkpoint) -> Iterator[Step]:
    """Every format that somebody publishes of it, most bits first."""
    catalog, asked = question.catalog, question.requirements
    engines = tuple(s for s in catalog.engines.values() if not asked.engines or s.id in asked.engines)
    table = catalog.footprints.get(checkpoint.architecture, {})
    offered = {c.format.name: c for c in candidates(catalog, checkpoint, engines, tuple(table)) if c.known}
    for name, _ in sorted(offered.items(), key=lambda item: (-item[1].footprint.tensor_bytes, item[0])):
        if name not in asked.quantizations:
            options = ("--quant", name)
            changed = replace(question, requirements=replace(asked, quantizations=(name,)))
            yield Step(question=changed, words=f"take {name}", options=options, own=True)


def _engines(question: Question, checkpoint: Checkpoint) -> Iterator[Step]:
    asked = question.requirements
    model_type = question.catalog.architectures[checkpoint.architecture].model_type
    specs = [s for s in question.catalog.engines.values() if model_type in s.models and s.id not in asked.engines]
    for spec in sorted(specs, key=lambda s: min(s.preference.values(), default=99)):
        changed = replace(question, requirements=replace(asked, engines=(spec.id,)))
        yield Step(question=changed, words=f"use {spec.title}", options=("--engine", spec.id), own=True)
    if question.machine.engines:
        newer = replace(question.machine, engines=())
        yield Step(question=replace(question, machine=newer), words="update the engines that are installed")


def _downloads(question: Question) -> Iterator[Step]:
    allowed = question.requirements.max_download
    if allowed is not None:
        for times in (1.25, 1.5, 2, 3, 4, 8, 16, 64):
            size = -(-int(allowed * times) // GIB)
            changed = replace(question, requirements=replace(question.requirements, max_download=size * GIB))
            yield Step(question=changed, words=f"allow {size} GiB of download", options=("--max-download", f"{size}G"))
    disk = question.machine.disk
    if disk is not None:
        for more in (16, 64, 256, 1024, 4096):
            roomier = replace(question.machine, disk=replace(disk, free=disk.free + more * GIB))
            yield Step(question=replace(question, machine=roomier), words=f"free {more} GiB more on {disk.path}")


def _ram(question: Question) -> Iterator[Step]:
    """More main memory: modules, or where it is soldered, the same machine in a larger size."""
    machine = question.machine
    if machine.memory.unified:
        yield from _larger_devices(question)
        return
    for size in _RAM:
        if size * GIB > machine.memory.total * 1.1:
            words = f"{size} GiB of RAM instead of {gib(machine.memory.total)}"
            anew = described_anew(question, ram=size * GIB)
            if anew is not None:
                yield Step(
                    hardware=True, question=replace(question, machine=anew), words=words, options=("--ram", f"{size}G")
                )
                continue
            more = size * GIB - machine.memory.total
            memory = replace(
                machine.memory,
                total=machine.memory.total + more,
                available=machine.memory.available + more,
                limit=None if machine.memory.limit is None else machine.memory.limit + more,
            )
            changed = replace(question, machine=replace(machine, memory=memory))
            yield Step(hardware=True, question=changed, words=words)


def _larger_devices(question: Question) -> Iterator[Step]:
    """The same device with more memory, then others with its chip, then others of its maker."""
    machine, catalog = question.machine, question.catalog
    own = machine.sources.get("cpu", "").removeprefix("catalogue: ")
    chips = {a.spec for a in machine.accelerators}
    vendors = {a.vendor for a in machine.accelerators}
    sizes: list[tuple[bool, bool, int, str, DeviceMatch]] = []
    for device in catalog.devices.values():
        makers = {catalog.accelerators[name].vendor for name in device.accelerators}
        if device.unified and device.os == machine.os and vendors & makers:
            related = bool(chips & set(device.accelerators))
            sizes += [
                (device.id != own, not related, size, device.name, DeviceMatch(device, size))
                for size in device.memory
                if size > machine.memory.total * 1.1
            ]
    for *_, size, name, match in sorted(sizes, key=lambda item: item[:4]):
        yield Step(
            hardware=True,
            question=replace(question, machine=replace(build(catalog, match), nodes=machine.nodes)),
            words=f"a {name} with {size / GIB:g} GiB",
            options=("--device", name, "--ram", f"{size // GIB}G") if machine.described else (),
            same_cpu=False,
        )


def _same_cards(question: Question) -> Iterator[Step]:
    """More accelerators of the kind that is there."""
    machine = question.machine
    cards = [a for a in machine.accelerators if a.kind == "discrete"]
    if not cards or machine.memory.unified or len({a.name for a in machine.accelerators}) > 1:
        return
    for count in _COUNTS:
        if count > len(cards):
            name = f"{count}x {cards[0].name}"
            anew = described_anew(question, gpus=(name,))
            further = replace(cards[-1], reserve=0)  # no desktop is drawn by it
            changed = anew or replace(machine, accelerators=(*cards, *[further] * (count - len(cards))))
            yield Step(
                hardware=True,
                question=replace(question, machine=changed),
                words=f"{count} × {cards[0].name} instead of {len(cards)}",
                options=("--gpu", name, "--ram", f"{machine.memory.total // GIB}G") if anew else (),
            )


def _other_cards(question: Question) -> Iterator[Step]:
    """Another accelerator, from the catalogue's list of cards that a person could add, then those of servers."""
    machine, catalog = question.machine, question.catalog
    if machine.memory.unified or machine.nodes > 1:
        return
    largest = sum(a.memory for a in machine.accelerators)
    for name in (*catalog.ranking["upgrade_cards"], *_SERVERS):
        server = name in _SERVERS
        described = describe(catalog, Description(gpus=(name,)))
        cards = described.accelerators
        if sum(a.memory for a in cards) <= largest:
            continue
        what = f"{len(cards)} × {cards[0].name}" if len(cards) > 1 else f"{_article(cards[0].name)} {cards[0].name}"
        if server:
            # A server brings main memory of its own, as much as suits its cards.
            yield Step(
                hardware=True,
                question=replace(question, machine=described),
                words=what,
                options=("--gpu", name),
                same_cpu=False,
            )
            continue
        anew = described_anew(question, gpus=(name,))
        changed = anew or replace(machine, accelerators=cards)
        options = ("--gpu", name, "--ram", f"{machine.memory.total // GIB}G") if anew else ()
        yield Step(hardware=True, question=replace(question, machine=changed), words=what, options=options)


def _article(name: str) -> str:
    return "an" if name.startswith(("NVIDIA", "AMD", "Intel")) else "a"


def described_anew(
    question: Question, *, ram: int | None = None, gpus: tuple[str, ...] | None = None
) -> Machine | None:
    """The machine with other memory or cards as its description would give it; None where it was not described so.

    Args:
        question: what is asked, of a machine that may have been described by memory and cards.
        ram: bytes of main memory instead of what there is.
        gpus: cards instead of what there are.
    """
    machine = question.machine
    names = [card.name for card in machine.accelerators]
    if not machine.described or len(set(names)) > 1:
        return None
    now = (f"{len(names)}x {names[0]}",) if names else ()
    said = Description(ram=machine.memory.total, gpus=now, nodes=machine.nodes)
    try:
        known = describe(question.catalog, said)
        if (known.memory, known.accelerators, known.cpu) != (machine.memory, machine.accelerators, machine.cpu):
            return None
        return describe(question.catalog, replace(said, ram=ram or said.ram, gpus=now if gpus is None else gpus))
    except UsageError:
        return None


def _nodes(question: Question) -> Iterator[Step]:
    machine = question.machine
    if not machine.accelerators or machine.memory.unified:
        return
    for nodes in _NODES:
        if nodes > machine.nodes:
            changed = replace(question, machine=replace(machine, nodes=nodes))
            yield Step(hardware=True, question=changed, words=f"{nodes} such machines", options=("--nodes", str(nodes)))
