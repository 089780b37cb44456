"""A locked choice laid on a machine as it was locked: the same settings, the same layers in the same places."""

from __future__ import annotations

from qwen_advisor.advise.search import Found, Search, fitter_for
from qwen_advisor.candidates import Candidate, candidates, usable_accelerators
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Calibration, Fitted
from qwen_advisor.gate.lock import Lock
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.plan import Rate, Speed
from qwen_advisor.rules import Question
from qwen_advisor.values import dataclass

_NO_RATE = Rate(low=0.0, expected=0.0, high=0.0)
_UNTIMED = Speed(
    decode=_NO_RATE,
    prefill=_NO_RATE,
    bound="bandwidth",
    basis="roofline",
    throughput=0.0,
    time_to_first_token=0.0,
    time_to_answer=0.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """A locked choice as it is today."""

    found: Found
    largest_context: int | None  # tokens that would still fit; None where not even the locked context does


def locked_question(catalog: Catalog, machine: Machine, lock: Lock) -> Question:
    """The question that the lock answered.

    A model that was slower than its task wants was chosen because nothing else was faster, so that is no fault today.
    """
    requirements = lock.requirements
    profile = catalog.tasks[requirements.task]
    slow = requirements.min_speed is None and lock.decode < profile.floor_speed
    return Question(
        catalog=catalog,
        machine=machine,
        requirements=requirements,
        profile=profile,
        lifted=frozenset({"S102"} if slow else ()),
    )


def locked_candidate(catalog: Catalog, checkpoint: Checkpoint, lock: Lock) -> Candidate | None:
    """Today's download of the locked quantization for the locked engine, None where there is none."""
    spec = catalog.engines.get(lock.settings.engine)
    if spec is None or lock.quantization not in catalog.formats:
        return None
    return next(candidates(catalog, checkpoint, (spec,), (lock.quantization,)), None)


def locked_calibration(candidate: Candidate, lock: Lock) -> Calibration:
    """The factors that the locked speed rests on."""
    key = (lock.settings.engine, candidate.format.kind, lock.placement.mode)
    return {key: lock.calibration} if lock.calibration else {}


def devices_needed(lock: Lock) -> int:
    """Accelerators that the locked layers lie on, over all nodes."""
    place = lock.placement
    spread = place.tensor_parallel * place.pipeline_parallel if place.gpu_layers else 0
    return max(len(place.device_layers), spread)


def devices_there(machine: Machine) -> int:
    """Accelerators that layers could lie on, over all nodes."""
    return len(usable_accelerators(machine)) * machine.nodes


def lay(question: Question, candidate: Candidate, lock: Lock, measured: Calibration) -> Laid:
    """The locked settings and placement, with today's memory and speed.

    Args:
        question: the locked one, on a machine that has the accelerators.
        candidate: today's download.
        lock: what was chosen.
        measured: factors measured on the machine.
    """
    fitter = fitter_for(question, measured)
    memory, room = fitter.at(candidate, lock.settings, lock.placement)
    untimed = Fitted(settings=lock.settings, placement=lock.placement, memory=memory, room=room, speed=_UNTIMED)
    ways = list(Search(question, fitter).scored(candidate, fitter.retimed(candidate, untimed, 0)))
    found = next((way for way in ways if way.scored.plan.thinking == lock.thinking), ways[0])
    largest = fitter.largest_context(candidate, found.fitted) if room.fits else None
    return Laid(found=found, largest_context=largest)
