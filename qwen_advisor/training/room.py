"""What a machine offers a run, and how far the run could grow on it."""

from __future__ import annotations

from collections.abc import Callable

from qwen_advisor.candidates import usable_accelerators
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Accelerator, Machine
from qwen_advisor.model import Architecture
from qwen_advisor.training.memory import training_memory
from qwen_advisor.training.settings import Training
from qwen_advisor.values import dataclass, replace

_STEP = 64  # tokens by which a sequence grows: what matrix units and FlashAttention work in
_LARGEST_BATCH = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a run takes place: cards that are alike, or the processors with main memory."""

    card: Accelerator | None  # None: no card that training could use, so the processors
    cards: int  # of one node
    budget: int  # bytes that one process may take
    interconnect: str | None = None  # between nodes, as the catalogue names it

    @property
    def name(self) -> str:
        """What it is called."""
        return self.card.name if self.card else "main memory, on the processors"


def place_of(machine: Machine) -> Place:
    """The cards of the kind of which the machine has most memory; a run uses cards that are alike."""
    groups: dict[str, list[Accelerator]] = {}
    for card in usable_accelerators(machine):
        groups.setdefault(card.name, []).append(card)
    if not groups:
        return Place(card=None, cards=1, budget=machine.memory.budget)
    best = max(groups.values(), key=lambda cards: sum(card.memory for card in cards))
    return Place(
        card=best[0],
        cards=len(best),
        budget=min(card.budget for card in best),
        interconnect=machine.interconnect,
    )


def largest_sequence(catalog: Catalog, architecture: Architecture, run: Training, budget: int, most: int) -> int | None:
    """The longest sequence, up to ``most`` tokens, that fits with the batch as it is; None where none does."""

    def fits(steps: int) -> bool:
        longer = replace(run, seq_len=steps * _STEP)
        return training_memory(catalog, architecture, longer).device <= budget

    steps = _largest(fits, max(1, most // _STEP))
    return None if steps is None else steps * _STEP


def largest_batch(catalog: Catalog, architecture: Architecture, run: Training, budget: int) -> int | None:
    """The largest batch on one GPU that fits with the length as it is; None where not even one sequence does."""

    def fits(batch: int) -> bool:
        return training_memory(catalog, architecture, replace(run, batch=batch)).device <= budget

    return _largest(fits, _LARGEST_BATCH)


def _largest(fits: Callable[[int], bool], most: int) -> int | None:
    """The largest number up to ``most`` that fits, where all smaller ones do."""
    if not fits(1):
        return None
    low, high = 1, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
