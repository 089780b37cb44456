"""The nearest setting under which a model would hold: single changes, each tried before it is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from math import floor, log10

from qwen_advisor.advice import Finding, Rejection
from qwen_advisor.advise.search import Found, Search
from qwen_advisor.advise.upgrades import larger_machines
from qwen_advisor.fit import Fitter
from qwen_advisor.model import Checkpoint
from qwen_advisor.rules import Question
from qwen_advisor.units import MIB
from qwen_advisor.values import replace

_SPEEDS = frozenset({"S101", "S102"})
_SIZES = frozenset({"M101", "S101", "S102", "D101", "D102"})  # what fewer bits can lift


def nearest_wish(question: Question, checkpoint: Checkpoint, finding: Finding) -> tuple[str, ...]:
    """What to ask for instead, where a rule on the checkpoint alone fails."""
    match finding.rule:
        case "T103":
            return (f"--family {checkpoint.family}",)
        case "T104" if checkpoint.released is not None:
            return (f"--released-after {date.fromisoformat(checkpoint.released) - timedelta(days=1)}",)
        case "T106":
            return ("--thinking auto",)
        case "T107" if finding.available:
            return (f"--context {finding.available:.0f}",)
        case "L101":
            entry = question.catalog.licenses.get(checkpoint.license or "")
            return (f"--license {entry.id}" if entry else "--license any",)
        case _:
            return ()


def nearest_plan(question: Question, fitter: Fitter, checkpoint: Checkpoint, rejection: Rejection) -> tuple[str, ...]:
    """Single changes under which some plan of the checkpoint would hold, one of each kind, the least of its kind.

    Args:
        question: as asked.
        fitter: for the machine that was asked for.
        checkpoint: the model.
        rejection: what came nearest, and still failed.
    """

    def found(**changes: object) -> Found | None:
        changed = replace(question, requirements=replace(question.requirements, **changes))  # type: ignore[arg-type]
        return Search(changed, fitter).best(checkpoint).found

    ways = (_context, _concurrency, _speed, _format, _engine, _download)
    options = [option for way in ways if (option := way(question, checkpoint, rejection, found)) is not None]
    if rejection.rule in ("M101", *_SPEEDS):
        options += _machines(question, fitter, checkpoint)
    return tuple(options)


def _machines(question: Question, fitter: Fitter, checkpoint: Checkpoint) -> Iterator[str]:
    """More memory, and another accelerator: the least of each that lets the model in."""
    for purchases in larger_machines(question):
        for words, machine in purchases:
            # What was measured on the processor holds beside another accelerator too.
            measured = {
                key: factors
                for key, factors in fitter.calibration.items()
                if key[2] == "cpu" or machine.accelerators == question.machine.accelerators
            }
            other = Fitter(question.catalog, machine, comfortable=fitter.comfortable, calibration=measured)
            if Search(replace(question, machine=machine), other).best(checkpoint).found is not None:
                yield words
                break


_Try = Callable[..., Found | None]


def _context(question: Question, checkpoint: Checkpoint, miss: Rejection, found: _Try) -> str | None:  # noqa: ARG001
    """The longest context that holds."""
    asked = question.requirements
    least = asked.prompt_tokens + asked.output_tokens
    if miss.rule not in ("M101", *_SPEEDS):
        return None
    for context in _downwards(asked.context, least):
        shorter = found(context=context)
        if shorter is not None:
            longest = _most(context, asked.context, 256, lambda tokens: found(context=tokens) is not None)
            return f"--context {longest}"
    return None


def _concurrency(question: Question, checkpoint: Checkpoint, miss: Rejection, found: _Try) -> str | None:  # noqa: ARG001
    """The most requests at once that hold."""
    asked = question.requirements.concurrency
    if miss.rule not in ("M101", *_SPEEDS) or asked == 1:
        return None
    if found(concurrency=1) is None:
        return None
    return f"--concurrency {_most(1, asked, 1, lambda many: found(concurrency=many) is not None)}"


def _speed(question: Question, checkpoint: Checkpoint, miss: Rejection, found: _Try) -> str | None:  # noqa: ARG001
    """The highest speed that holds."""
    if miss.rule not in _SPEEDS or not miss.available:
        return None
    rate = _rounded_down(miss.available)
    return None if found(min_speed=rate) is None else f"--min-speed {rate:g}"


def _format(question: Question, checkpoint: Checkpoint, miss: Rejection, found: _Try) -> str | None:
    """Another quantization: the one of most bits that holds."""
    asked, catalog = question.requirements, question.catalog
    if asked.quantizations:
        other = found(quantizations=())
        if other is not None:
            return f"--quant {other.scored.plan.format}"
    if miss.rule not in _SIZES:
        return None
    sizes = catalog.footprints.get(checkpoint.architecture, {})
    usual = catalog.ranking["usual_formats"]
    smaller = [name for name in sizes if name not in usual and name not in asked.quantizations]
    for name in sorted(smaller, key=lambda name: -sizes[name].file_bytes):
        if found(quantizations=(name,)) is not None:
            return f"--quant {name}"
    return None


def _engine(question: Question, checkpoint: Checkpoint, miss: Rejection, found: _Try) -> str | None:  # noqa: ARG001
    """Another engine than the ones that were asked for."""
    if not question.requirements.engines:
        return None
    other = found(engines=())
    return None if other is None else f"--engine {other.scored.plan.settings.engine}"


def _download(question: Question, checkpoint: Checkpoint, miss: Rejection, found: _Try) -> str | None:
    """The smallest download that holds, rounded up to whole MiB."""
    if miss.rule != "D101":
        return None
    asked = question.requirements.quantizations
    sizes = question.catalog.footprints.get(checkpoint.architecture, {})
    usual = question.catalog.ranking["usual_formats"]
    names = [name for name in (asked or usual) if name in sizes]
    for name in sorted(names, key=lambda name: sizes[name].file_bytes):
        smallest = found(quantizations=(name,), max_download=None)
        if smallest is not None:
            candidate = smallest.candidate
            size = candidate.artifact.bytes + candidate.footprint.projector_bytes
            return f"--max-download {-(-size // MIB)}M"
    return None


def _downwards(asked: int, least: int) -> Iterator[int]:
    """Halves of what was asked for, ending with the least."""
    half = asked // 2
    while half > least:
        yield half
        half //= 2
    if least < asked:
        yield least


def _most(holds: int, fails: int, step: int, passes: Callable[[int], bool]) -> int:
    """The largest number that passes between one that does and one that does not, to within ``step``."""
    while fails - holds > step:
        middle = (holds + fails) // 2
        holds, fails = (middle, fails) if passes(middle) else (holds, middle)
    return holds // step * step if holds >= step else holds


def _rounded_down(value: float) -> float:
    """Two significant digits, never more than the value."""
    places = 1 - floor(log10(value))
    nearest = round(value, places)
    return nearest if nearest <= value else round(nearest - 10.0**-places, places)
