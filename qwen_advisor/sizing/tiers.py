"""What makes hardware the least, sensible or comfortable for a model."""

from __future__ import annotations

from qwen_advisor.advise.search import Found
from qwen_advisor.fit import FULL, Fitted, Fitter
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.rules import Question
from qwen_advisor.sizing.answer import Goals, Tier
from qwen_advisor.task import Requirements
from qwen_advisor.values import replace


def goals_of(question: Question, checkpoint: Checkpoint) -> Goals:
    """The goals of a question about one model.

    The least speed is ``--min-speed`` or the task's floor; the wanted one ``--min-speed`` or what the task finds
    comfortable.
    """
    profile, asked = question.profile, question.requirements
    reach = max(checkpoint.context.native or 0, checkpoint.context.extended or 0)
    return Goals(
        least_speed=asked.min_speed if asked.min_speed is not None else profile.floor_speed,
        wanted_speed=asked.min_speed if asked.min_speed is not None else profile.comfortable_speed,
        patience=profile.patience,
        roomy_context=max(asked.context, min(2 * asked.context, reach)),
    )


def reads_only(requirements: Requirements) -> bool:
    """Whether nothing is written, so that the rate of decoding says nothing."""
    return requirements.output_tokens == 1


def tier(found: Found, goals: Goals, question: Question, fitter: Fitter) -> Tier:
    """The highest tier that a plan which passed every rule reaches.

    Sensible: the wanted speed is expected with the last tenth of every pool left free, and the weights are not in one
    of the formats that the ranking holds back (``fallback_formats``) unless that was asked for. Comfortable: the wanted
    speed is reached at the low end of the range too, the whole answer comes within the task's patience, and twice the
    context would fit. Where nothing is written (embedding, rerank), patience counts for the sensible already.
    """
    plan = found.scored.plan
    held_back = question.catalog.ranking["fallback_formats"]
    decode = plan.speed.decode
    if (
        (plan.format in held_back and not question.requirements.quantizations)
        or decode.expected < goals.wanted_speed
        or not _leaves_room(found, goals, fitter)
    ):
        return "least"
    if reads_only(question.requirements) and plan.speed.time_to_answer > goals.patience:
        return "least"
    if decode.low < goals.wanted_speed or plan.speed.time_to_answer > goals.patience:
        return "sensible"
    return "comfortable" if _holds_twice(found, goals, fitter) else "sensible"


def _leaves_room(found: Found, goals: Goals, fitter: Fitter) -> bool:
    """Whether a tenth of every pool can be left free.

    A split placement fills the accelerator on purpose; it is laid anew on less, and has to be as fast as is wanted.
    """
    plan = found.scored.plan
    if plan.placement.mode != "hybrid":
        return plan.fill <= FULL
    less = Fitter(fitter.catalog, _shrunk(fitter.machine), comfortable=fitter.comfortable)
    laid = less.fit(found.candidate, found.fitted.settings)
    return isinstance(laid, Fitted) and laid.speed.decode.expected >= goals.wanted_speed


def _holds_twice(found: Found, goals: Goals, fitter: Fitter) -> bool:
    settings = found.fitted.settings
    if found.scored.plan.placement.mode != "hybrid":
        return fitter.largest_context(found.candidate, found.fitted) >= goals.roomy_context
    more = replace(settings, context=settings.context * goals.roomy_context // settings.context_per_request)
    laid = fitter.fit(found.candidate, more)
    return isinstance(laid, Fitted) and laid.speed.decode.low >= goals.wanted_speed


def _shrunk(machine: Machine) -> Machine:
    """The machine with budgets of nine tenths."""
    memory = machine.memory
    kept = round(memory.budget * (1 - FULL))
    cards = tuple(replace(a, reserve=a.reserve + round(a.budget * (1 - FULL))) for a in machine.accelerators)
    return replace(machine, memory=replace(memory, reserve=memory.reserve + kept), accelerators=cards)
