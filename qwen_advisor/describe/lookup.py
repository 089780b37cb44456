"""From what people write for a GPU to the catalogue's entry."""

from __future__ import annotations

from collections.abc import Mapping

from qwen_advisor.describe.matching import Found, NameIndex, squash, unique
from qwen_advisor.describe.names import words
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import AcceleratorSpec, Catalog
from qwen_advisor.units import gib
from qwen_advisor.values import dataclass

# What a driver reports lies up to 6.3 % under the nominal size (L40S with ECC: 46068 of 49152 MiB).
MEMORY_TOLERANCE = 0.07
_VARIANTS = ("laptop",)  # words that name another product in the same breath
_GENERATIONS = ("ada", "pro")  # NVIDIA's workstation cards share numbers across generations


@dataclass(frozen=True, slots=True)
class Match:
    """The entry that a name means. ``notes`` say what was assumed."""

    spec: AcceleratorSpec
    notes: tuple[str, ...] = ()


class AcceleratorIndex(NameIndex[AcceleratorSpec]):
    """The names of all accelerators of a catalogue."""

    def __init__(self, specs: Mapping[str, AcceleratorSpec]) -> None:
        """Read the names; ``specs`` is kept, to know whose index this is."""
        self.specs = specs
        super().__init__((alias, spec) for spec in specs.values() for alias in (spec.name, *spec.aliases))


_latest: list[AcceleratorIndex] = []


def accelerator_index(catalog: Catalog) -> AcceleratorIndex:
    """The name index of a catalogue; that of the catalogue asked about last is kept."""
    if not _latest or _latest[0].specs is not catalog.accelerators:
        _latest[:] = [AcceleratorIndex(catalog.accelerators)]
    return _latest[0]


def near(size: int | None, wanted: int) -> bool:
    """Whether a size is the wanted one, within what drivers and data sheets differ by."""
    return size is not None and abs(size - wanted) <= MEMORY_TOLERANCE * max(size, wanted)


def of_size(spec: AcceleratorSpec, memory: int) -> bool:
    """Whether a card of this entry has ``memory`` bytes, by data sheet or as its driver reports."""
    return near(spec.memory, memory) or near(spec.reported_memory, memory)


def summary(spec: AcceleratorSpec) -> str:
    """An entry in a few words, for choices and notes."""
    parts = [gib(spec.memory)] if spec.memory else []
    parts += [f"{spec.memory_bandwidth / 1e9:.0f} GB/s"] if spec.memory_bandwidth else []
    return f"{spec.name} ({', '.join(parts)})" if parts else spec.name


def find_accelerator(catalog: Catalog, text: str, *, memory: int | None = None) -> Match:
    """The entry that ``text`` means; ``memory`` bytes choose between sizes, where one fits.

    Raises:
        UsageError: nothing matches (with suggestions), or several do and none is clearly the common one (with the
            choices).
    """
    if memory is None and text in catalog.accelerators:
        return Match(catalog.accelerators[text])  # an id names one entry
    index = accelerator_index(catalog)
    name = words(text)
    every = index.find(name) or index.spelled(text)
    if not every:
        raise UsageError(
            f"no accelerator is called {text!r}",
            hint="write its model number; a card that is not listed is described by --vram and --gpu-bandwidth",
            suggestions=index.suggestions(text),
        )
    wanted = name.memory if memory is None else memory
    # A name without a size is not that of an entry which is only called by its size.
    found = unique([one for one in every if one.name.memory is None] or every)
    if wanted is not None:
        fitting = unique(one for one in every if one.name.memory == wanted or of_size(one.entry, wanted))
        if not fitting and memory is None:
            raise UsageError(
                f"no {text!r} is known with {gib(wanted)}",
                hint=f"choose one of: {_choices(found)}; or override the size with --vram",
            )
        found = fitting or found
    chosen, notes = _common(text, found, wanted)
    return Match(chosen.entry, notes + _not_as(index, text, chosen, found, wanted))


def _not_as(
    index: AcceleratorIndex,
    text: str,
    chosen: Found[AcceleratorSpec],
    found: list[Found[AcceleratorSpec]],
    memory: int | None,
) -> tuple[str, ...]:
    """What else the name is used for: the laptop's GPU of the same number, said in a note.

    Raises:
        UsageError: cards of several generations carry the number (RTX 6000), and the name is not that of one in full.
    """
    if squash(chosen.entry.name) in squash(text):
        return ()
    taken = {one.entry.id for one in found}

    def called(variants: tuple[str, ...]) -> list[AcceleratorSpec]:
        siblings = {spec.id: spec for spec in index.siblings(chosen.name, variants)}.values()
        return [s for s in siblings if s.id not in taken and (memory is None or of_size(s, memory))]

    generations = called(_GENERATIONS) if chosen.entry.vendor == "nvidia" else []
    if generations:
        several = [chosen.entry, *generations]
        raise UsageError(
            f"{text!r} may mean several accelerators",
            hint=f"choose one of: {'; '.join(summary(spec) for spec in several)}",
            suggestions=tuple(spec.name for spec in several),
        )
    laptops = called(_VARIANTS)
    if not laptops:
        return ()
    listed = "; ".join(summary(spec) for spec in laptops)
    return (f"{text!r} is taken as {summary(chosen.entry)}, not as {listed}",)


def _choices(found: list[Found[AcceleratorSpec]]) -> str:
    return "; ".join(summary(one.entry) for one in found)


def _common(
    text: str, found: list[Found[AcceleratorSpec]], memory: int | None
) -> tuple[Found[AcceleratorSpec], tuple[str, ...]]:
    figures = {(s.memory, s.memory_bandwidth, s.fp16_flops, s.kind) for s in (one.entry for one in found)}
    if len(figures) == 1:
        return found[0], ()
    matched = {one.name.words for one in found}
    common = [
        one
        for one in found
        if any(name.words in matched and name.memory in (None, memory) for name in map(words, one.entry.default_of))
    ]
    if len(common) != 1:
        raise UsageError(
            f"{text!r} may mean several accelerators",
            hint=f"choose one of: {_choices(found)}",
            suggestions=tuple(one.entry.name for one in found),
        )
    others = _choices([one for one in found if one is not common[0]])
    return common[0], (f"{text!r} is taken as {summary(common[0].entry)}; the name also stands for {others}",)
