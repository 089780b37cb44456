"""What becomes of one machine: a pick, nothing, or a fault in its description."""

from __future__ import annotations

from typing import Literal

from qwen_advisor.advice import Rejection
from qwen_advisor.advise.picking import Picker
from qwen_advisor.advise.search import Found
from qwen_advisor.describe import describe, override
from qwen_advisor.errors import AdvisorError, UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.fleet.inventory import Words
from qwen_advisor.machine import Machine
from qwen_advisor.plan import Mode, Rate
from qwen_advisor.profiles.files import parse_profile
from qwen_advisor.profiles.words import description_of
from qwen_advisor.task import Requirements
from qwen_advisor.values import dataclass

_WHERE = "machine"
_SLOW = "nothing reaches the least speed of this task on this machine; this comes nearest"
_HARDWARE = ("M101", "S101", "S102")  # rules that a larger or faster machine passes


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """The first recommendation, without what only one machine's reader asks for. Bytes, tokens, seconds."""

    model: str
    quantization: str
    engine: str
    thinking: Literal["on", "off", "none"]
    context: int
    mode: Mode
    memory: int
    budget: int
    decode: Rate
    first_token: float
    answer: float
    ability: float
    standard_error: float
    license: str | None
    repo: str | None
    file: str | None
    ollama: str | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """No model fits; ``message`` names the one that came nearest."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The row describes no machine."""

    message: str
    hint: str | None = None


Answer = Pick | Nothing | Fault


class Desk:
    """Answers descriptions one after the other; each worker has one."""

    def __init__(self, catalog: Catalog, requirements: Requirements) -> None:
        """Take what is the same for all machines."""
        self._catalog = catalog
        self._picker = Picker(catalog, requirements)

    def answer(self, words: Words) -> Answer:
        """The answer for one description; a fault in it is an answer too."""
        try:
            machine = machine_of(words, self._catalog)
        except AdvisorError as error:
            message = error.message.removeprefix(f"{_WHERE}: ")
            if error.suggestions and not any(name in message for name in error.suggestions):
                message += f"; did you mean {' or '.join(error.suggestions)}?"
            return Fault(message=message, hint=error.hint)
        picked = self._picker.pick(machine)
        if picked.found is None:
            return Nothing(message=_nearest(picked.rejected))
        return _pick(picked.found, slow=picked.slow)


def machine_of(words: Words, catalog: Catalog) -> Machine:
    """The machine that a row describes.

    Raises:
        UsageError: a word is not understood, a name is not known, or nothing is described.
        ProbeError: the profile is evidence that tells of no machine.
    """
    said = {key: list(cell) if isinstance(cell, tuple) else cell for key, cell in words.said}
    if words.profile is None:
        if not said.keys() & {"ram", "vram", "gpu", "device"}:
            raise UsageError("nothing describes the machine", hint="give ram, gpu, device or hardware")
        return describe(catalog, description_of(said, _WHERE))
    both = sorted(said.keys() & {"ram", "vram", "gpu", "device"})
    if both:
        raise UsageError(f"hardware and {both[0]} both describe the machine", hint="leave one of them empty")
    name, data = words.profile
    machine = parse_profile(data, name, catalog)
    return override(machine, description_of(said, _WHERE)) if said else machine


def _pick(first: Found, *, slow: bool) -> Pick:
    plan = first.scored.plan
    notes = (_SLOW,) if slow else ()
    return Pick(
        model=plan.checkpoint.id,
        quantization=plan.format,
        engine=plan.settings.engine,
        thinking=plan.thinking,
        context=plan.settings.context_per_request,
        mode=plan.placement.mode,
        memory=plan.memory.total,
        budget=plan.budget,
        decode=plan.speed.decode,
        first_token=plan.speed.time_to_first_token,
        answer=plan.speed.time_to_answer,
        ability=first.scored.able,
        standard_error=first.scored.ability.standard_error,
        license=plan.checkpoint.license,
        repo=plan.artifact.repo,
        file=plan.artifact.files[0] if plan.artifact.files else None,
        ollama=plan.artifact.ollama,
        notes=(*notes, *(finding.message for finding in first.warnings)),
    )


def _nearest(rejected: tuple[Rejection, ...]) -> str:
    """The rejection for want of hardware whose number came nearest to what it had to be, in words."""
    wanting = [r for r in rejected if r.rule in _HARDWARE] or rejected
    near = [(max(r.needed / r.available, r.available / r.needed), r) for r in wanting if r.needed and r.available]
    if not near:
        return "nothing fits"
    _, nearest = min(near, key=lambda item: (item[0], item[1].model))
    return f"nothing fits; nearest is {nearest.model}: {nearest.message}"
