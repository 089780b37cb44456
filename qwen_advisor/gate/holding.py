"""Whether a locked choice still holds: the same files, the same fit, the same rules; and whether it is outdone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from qwen_advisor.advise.search import Search, fitter_for
from qwen_advisor.advise.weighing import weigh
from qwen_advisor.candidates import Candidate
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Calibration
from qwen_advisor.gate.fitting import CHOSEN, TITLES
from qwen_advisor.gate.laying import (
    Laid,
    devices_needed,
    devices_there,
    lay,
    locked_calibration,
    locked_candidate,
    locked_question,
)
from qwen_advisor.gate.lock import Lock, LockedFile, stated_bytes
from qwen_advisor.gate.verdict import Level, Place, Ruling, Verdict, ruling
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.rank import Scored, dominates, rank
from qwen_advisor.rules import CANDIDATE_RULES, CHECKPOINT_RULES, Question
from qwen_advisor.units import gib
from qwen_advisor.values import replace

K101 = "Today's catalogue has the model, in this quantization and for this engine."
K102 = "Today's catalogue has the same files."
K103 = "The machine has the accelerators that the layers were laid on."
K104 = "No newer model is at least as able, as fast and as small."
K105 = "Today's first answer is this model."
K106 = "The license is the one that was chosen."

_MANY = 20  # answers of today that are held against the lock


def hold_lock(catalog: Catalog, machine: Machine, lock: Lock, place: Place) -> tuple[Verdict, Laid | None]:
    """Judge a locked choice by today's catalogue; the verdict, and the choice as it is today where it can be laid out.

    Args:
        catalog: today's facts.
        machine: where it is to run; the lock's own, unless another is asked for.
        lock: what was chosen.
        place: the file.
    """
    checkpoint = catalog.models.get(lock.model)
    candidate = None if checkpoint is None else locked_candidate(catalog, checkpoint, lock)
    rulings: list[Ruling] = []
    laid: Laid | None = None
    if checkpoint is None or candidate is None:
        what = lock.model if checkpoint is None else f"{lock.quantization} of {lock.model} for {lock.settings.engine}"
        rulings.append(_ruling("K101", K101, "fail", f"the catalogue has no {what}"))
    else:
        measured = locked_calibration(candidate, lock) if machine == lock.machine else {}
        question = locked_question(catalog, machine, lock)
        rulings += [_ruling("K101", K101), *_files(checkpoint, candidate, lock), *_rules(question, candidate)]
        if checkpoint.license == lock.license:
            rulings.append(_ruling("K106", K106))
        else:
            then, now = lock.license or "not known", checkpoint.license or "not known"
            rulings.append(_ruling("K106", K106, "fail", f"the license was {then}, today it is {now}"))
        if devices_needed(lock) > devices_there(machine):
            needed, there = devices_needed(lock), devices_there(machine)
            message = f"its layers were laid on {needed} accelerator{'s' * (needed != 1)}, this machine has {there}"
            rulings.append(_ruling("K103", K103, "fail", message, needed, there))
        else:
            laid = lay(question, candidate, lock, measured)
            rulings += [_ruling("K103", K103), *_fit(laid, lock)]
        rulings += _today(question, lock, laid, measured)
    verdict = Verdict(
        model=lock.model,
        checkpoint=checkpoint,
        requirements=lock.requirements,
        plan=None if laid is None else laid.found.scored.plan,
        largest_context=None if laid is None else laid.largest_context,
        rulings=tuple(replace(item, place=place) for item in rulings),
    )
    return verdict, laid


def _ruling(
    rule: str,
    title: str,
    level: Level = "pass",
    message: str = "",
    needed: float | None = None,
    available: float | None = None,
) -> Ruling:
    return Ruling(rule=rule, title=title, level=level, message=message, needed=needed, available=available)


def _files(checkpoint: Checkpoint, candidate: Candidate, lock: Lock) -> Iterator[Ruling]:
    """The repository must still have the same files of the same size; that another is preferred is only said.

    Sizes count where a source states them, then and now: a derived one may change with what it is derived from.
    """
    today, names = candidate.artifact, tuple(file.name for file in lock.files)
    stated = stated_bytes(checkpoint, lock.repo, lock.quantization, names)
    if lock.exact and stated is not None and stated != lock.bytes:
        message = f"the files of {lock.repo} took {lock.bytes:,} bytes, today they take {stated:,}"
        yield _ruling("K102", K102, "fail", message, lock.bytes, stated)
    elif (other := _other_projector(checkpoint, lock)) is not None:
        yield _ruling("K102", K102, "fail", f"{lock.repo} has no projector {other.name} of the locked size")
    elif lock.repo == today.repo and names == today.files:
        yield _ruling("K102", K102)
    elif lock.repo == today.repo:
        files = ", ".join(today.files) or "none that are named"
        yield _ruling("K102", K102, "fail", f"the files in {lock.repo} are others: {files}")
    else:
        now = today.repo or "nowhere: the weights have to be converted"
        if _still_there(checkpoint, lock, names):
            message = f"{lock.quantization} is taken from {now} today; {lock.repo} has it still"
            yield _ruling("K102", K102, "warn", message)
        else:
            then = lock.repo or "nowhere: the weights had to be converted"
            yield _ruling("K102", K102, "fail", f"{lock.quantization} was taken from {then}; today it is from {now}")


def _other_projector(checkpoint: Checkpoint, lock: Lock) -> LockedFile | None:
    """The first file of the projector that the repository no longer has, or has in another size."""
    there = {
        name: file.bytes if len(file.names) == 1 else None
        for known in checkpoint.quantized
        if known.repo == lock.repo
        for file in known.projector.values()
        for name in file.names
    }
    return next((file for file in lock.projector if not _same(file, there)), None)


def _same(file: LockedFile, there: Mapping[str, int | None]) -> bool:
    """Whether a file is there, in the size that was locked where both are known."""
    return file.name in there and (file.bytes is None or there[file.name] in (None, file.bytes))


def _still_there(checkpoint: Checkpoint, lock: Lock, names: tuple[str, ...]) -> bool:
    return any(
        known.repo == lock.repo
        and (
            names == known.files[lock.quantization].names
            if lock.quantization in known.files
            else known.format == lock.quantization and not names
        )
        for known in checkpoint.quantized
    )


def _rules(question: Question, candidate: Candidate) -> Iterator[Ruling]:
    """What was asked for, of the model and of its download."""
    for rule in CHECKPOINT_RULES:
        finding = rule.check(candidate.checkpoint, question)
        if finding is not None and finding.rule in CHOSEN:
            finding = replace(finding, verdict="warn")
        name = rule.__name__
        yield _ruling(name, TITLES[name]) if finding is None else ruling(finding, TITLES[name])
    for kind in CANDIDATE_RULES:
        finding, name = kind.check(candidate, question), kind.__name__
        yield _ruling(name, TITLES[name]) if finding is None else ruling(finding, TITLES[name])


def _fit(laid: Laid, lock: Lock) -> Iterator[Ruling]:
    """Memory and speed of the very settings that were locked."""
    fitted = laid.found.fitted
    space = fitted.room
    if space.fits:
        yield _ruling("M101", TITLES["M101"])
    else:
        message = (
            f"{lock.quantization} at {fitted.settings.context_per_request:,} tokens as locked "
            f"needs {gib(space.needed)} of {space.pool}, free are {gib(space.available)}"
        )
        yield _ruling("M101", TITLES["M101"], "fail", message, space.needed, space.available)
    for finding in laid.found.warnings:
        yield ruling(finding, TITLES[finding.rule])


def _today(question: Question, lock: Lock, laid: Laid | None, measured: Calibration) -> Iterator[Ruling]:
    """What the same question is answered today."""
    found, _, _ = weigh(Search(question, fitter_for(question, measured)), _MANY, everything=False)
    ranked = rank([item.scored for item in found])
    if laid is not None:
        newer = [item for item in ranked if (item.plan.checkpoint.released or "") > (lock.released or "")]
        over = next((item for item in newer if dominates(item, laid.found.scored)), None)
        message = "" if over is None else _outdone(over, laid.found.scored)
        yield _ruling("K104", K104, "pass" if over is None else "warn", message)
    first = ranked[0].plan if ranked else None
    if first is None or first.checkpoint.id == lock.model:
        yield _ruling("K105", K105)
    else:
        yield _ruling("K105", K105, "warn", f"today {first.checkpoint.id} in {first.format} is recommended first")


def _outdone(over: Scored, held: Scored) -> str:
    """When the better one came out, and the three figures in which it is as good or better."""
    theirs, mine = over.plan, held.plan
    return (
        f"{theirs.checkpoint.id} in {theirs.format}, released {theirs.checkpoint.released}, is at least as good in all:"
        f" ability {over.able:.2f} to {held.able:.2f}, answer after {theirs.speed.time_to_answer:.3g} s to "
        f"{mine.speed.time_to_answer:.3g} s, memory {gib(theirs.memory.total)} to {gib(mine.memory.total)}"
    )
