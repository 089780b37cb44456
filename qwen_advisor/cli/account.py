"""What ``--verbose`` says on stderr: what was loaded, how much was weighed, and how long each step took."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from qwen_advisor.cli import talk
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Machine

if TYPE_CHECKING:
    from qwen_advisor.advice import Advice  # inspect-hardware need not load all that predicts

VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say on stderr what was loaded, what was weighed and how long it took.")
]


class Account:
    """Tells one step after the other, each with the time since the last. Where nobody listens it does nothing."""

    def __init__(self, *, wanted: bool) -> None:
        """Start the clock."""
        self.wanted = wanted
        self._last = time.perf_counter()

    def say(self, step: str) -> None:
        """One step is done."""
        if not self.wanted:
            return
        now = time.perf_counter()
        talk.tell(f"{step} ({1000 * (now - self._last):.0f} ms)")
        self._last = time.perf_counter()

    def catalog(self, catalog: Catalog) -> None:
        """The facts are there."""
        if not self.wanted:
            return
        from qwen_advisor.catalog.loading import overlay_directories, own_directory  # noqa: PLC0415  only who asks

        own = own_directory()
        parts = [str(own) if own else "as it came with the program", *map(str, overlay_directories())]
        self.say(f"catalogue {catalog.version}, {len(catalog.models)} models: {', '.join(parts)}")

    def machine(self, machine: Machine, said: str | None = None) -> None:
        """The machine is known."""
        if not self.wanted:
            return
        kind = said or ("described" if machine.described else "detected")
        cards = ", ".join(card.name for card in machine.accelerators) or "no accelerator"
        self.say(f"machine {kind}: {machine.cpu.name}, {cards}")

    def weighed(self, catalog: Catalog, advice: Advice) -> None:
        """The answer is there."""
        if not self.wanted:
            return
        from qwen_advisor.advise.search import engines_for  # noqa: PLC0415  only who asks pays for it
        from qwen_advisor.candidates import candidates  # noqa: PLC0415
        from qwen_advisor.rules import Question  # noqa: PLC0415

        asked = advice.requirements
        profile = catalog.tasks[asked.task]
        engines = engines_for(Question(catalog=catalog, machine=advice.machine, requirements=asked, profile=profile))
        offered = sum(
            1 for model in catalog.models.values() for _ in candidates(catalog, model, engines, asked.quantizations)
        )
        names = ", ".join(spec.id for spec in engines)
        self.say(
            f"{offered} candidates on {names}: {len(advice.rejected)} models ruled out, "
            f"{len(advice.weighed)} weighed, {len(advice.recommendations)} answers"
        )
