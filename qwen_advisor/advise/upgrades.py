"""What would change the answer: the smallest change of machine or demand that unlocks something clearly better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qwen_advisor.advice import Rejection, Upgrade
from qwen_advisor.advise.ceilings import Counts
from qwen_advisor.advise.quick import quick_search
from qwen_advisor.advise.search import Search, fitter_for
from qwen_advisor.describe import Description, describe
from qwen_advisor.fit import Calibration
from qwen_advisor.machine import Machine
from qwen_advisor.rules import Question
from qwen_advisor.units import GIB, gib
from qwen_advisor.values import replace

_RAM_SIZES = (4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
_CLOSE = 1e-9  # what rounding may take from a sum of terms
_TRIED = 4  # ablest ruled-out models that are tried on each changed machine


def upgrades(
    question: Question, rejected: Sequence[Rejection], best: float | None, calibration: Calibration | None = None
) -> tuple[Upgrade, ...]:
    """The smallest changes, one per kind of change.

    Args:
        question: the question as asked.
        rejected: what was ruled out.
        best: utility of the winner, None where nothing fits.
        calibration: factors measured on this machine; on other accelerators only those of the CPU hold.
    """
    threshold = float("-inf") if best is None else best + question.catalog.ranking["clearly_better"]
    found: list[Upgrade] = []
    measured, counts = calibration or {}, Counts(question.catalog.efficiency)
    on_cpu = {key: factors for key, factors in measured.items() if key[2] == "cpu"}
    for changes in _changes(question):
        for words, changed, rules in changes:
            same = changed.machine.accelerators == question.machine.accelerators
            name = _unlocked(changed, rejected, rules, threshold, measured if same else on_cpu, counts)
            if name is not None:
                found.append(Upgrade(change=words, unlocks=name))
                break
    return tuple(found)


def _changes(question: Question) -> Iterator[Iterator[tuple[str, Question, frozenset[str]]]]:
    """Kinds of change, each from small to large: words, the changed question, the rules that it may lift."""
    size = frozenset({"M101", "S101", "S102"})
    yield ((w, replace(question, machine=m), size) for w, m in _more_memory(question.machine))
    yield ((w, replace(question, machine=m), size) for w, m in _accelerators(question))
    asked = question.requirements
    if asked.context > 4096:
        shorter = replace(asked, context=asked.context // 2)
        yield iter([(f"--context {shorter.context}", replace(question, requirements=shorter), size | {"T107"})])
    if asked.license != "any":
        yield iter(
            [("--license any", replace(question, requirements=replace(asked, license="any")), frozenset({"L101"}))]
        )
    if asked.min_speed is not None:
        lower = replace(asked, min_speed=asked.min_speed / 2)
        yield iter([(f"--min-speed {lower.min_speed:g}", replace(question, requirements=lower), frozenset({"S101"}))])
    if asked.max_download is not None:
        larger = replace(asked, max_download=asked.max_download * 2)
        yield iter(
            [
                (
                    f"--max-download {gib(larger.max_download or 0)}",
                    replace(question, requirements=larger),
                    frozenset({"D101"}),
                )
            ]
        )


def larger_machines(question: Question) -> Iterator[Iterator[tuple[str, Machine]]]:
    """Machines that are one purchase away, each kind of purchase from small to large: in words, and as it then is."""
    yield _more_memory(question.machine)
    yield _accelerators(question)


def _more_memory(machine: Machine) -> Iterator[tuple[str, Machine]]:
    """The next two sizes in which main memory is sold. Memory soldered to an accelerator is bought with it."""
    if machine.memory.unified:
        return
    larger = [s for s in _RAM_SIZES if s * GIB > machine.memory.total * 1.1][:2]
    for gibs in larger:
        more = gibs * GIB - machine.memory.total
        memory = replace(
            machine.memory,
            total=machine.memory.total + more,
            available=machine.memory.available + more,
            limit=None if machine.memory.limit is None else machine.memory.limit + more,
        )
        yield f"{gibs} GiB of RAM", replace(machine, memory=memory)


def _accelerators(question: Question) -> Iterator[tuple[str, Machine]]:
    """One more accelerator, from the list of the catalogue, smallest first."""
    machine = question.machine
    if machine.memory.unified or machine.nodes > 1:
        return
    largest = max((a.memory for a in machine.accelerators), default=0)
    for name in question.catalog.ranking["upgrade_cards"]:
        card = describe(question.catalog, Description(gpus=(name,))).accelerators[0]
        if card.memory > largest:
            yield card.name, replace(machine, accelerators=(card,))


def _unlocked(
    question: Question,
    rejected: Sequence[Rejection],
    rules: frozenset[str],
    threshold: float,
    calibration: Calibration,
    counts: Counts,
) -> str | None:
    """The best model that the changed question lets in and that is clearly better."""
    fitter = fitter_for(question, calibration)
    # Ceilings know nothing of measured factors, with which a plan may be faster than they allow.
    quick = None if calibration else quick_search(question, fitter, counts)
    search = quick or Search(question, fitter)
    hopeful = [question.catalog.models[r.model] for r in rejected if r.rule in rules]
    hopeful = [c for c in hopeful if search.bound(c) > threshold and search.admit(c) is None]
    hopeful.sort(key=lambda c: (-search.bound(c), c.id))
    best: tuple[float, str] | None = None
    for checkpoint in hopeful[:_TRIED]:
        if best is not None and search.bound(checkpoint) <= best[0]:
            break
        above = threshold if best is None else max(threshold, best[0] - _CLOSE)
        found = search.best(checkpoint).found if quick is None else quick.better(checkpoint, above)
        if found is not None and found.scored.terms.total > threshold:
            worth = (found.scored.terms.total, checkpoint.id)
            best = worth if best is None or worth > best else best
    return best[1] if best else None
