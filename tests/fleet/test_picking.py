"""Picking for many machines finds what `advise` puts first, whatever machines were answered before."""

from __future__ import annotations

import random

import pytest

from qwen_advisor import load_catalog
from qwen_advisor.advice import Advice
from qwen_advisor.advise import advise
from qwen_advisor.advise.picking import Picked, Picker
from qwen_advisor.describe import Description, describe
from qwen_advisor.errors import UsageError
from qwen_advisor.machine import Machine
from qwen_advisor.requirements import resolve
from qwen_advisor.units import GIB

CATALOG = load_catalog()


def machines(count: int, seed: int) -> list[Machine]:
    """CPUs alone, one to four cards, devices by name, from half a GiB to half a TiB."""
    rng = random.Random(seed)  # noqa: S311
    cards = [spec.name for spec in CATALOG.accelerators.values()]
    devices = [spec.name for spec in CATALOG.devices.values()]
    found: list[Machine] = []
    while len(found) < count:
        ram = round(GIB * 2 ** rng.uniform(-1, 9))
        kind = rng.random()
        if kind < 0.3:
            said = Description(ram=ram, cpu_cores=rng.randrange(1, 65))
        elif kind < 0.8:
            card = rng.choice(("", "", "", "2x ", "4x ")) + rng.choice(cards)
            said = Description(ram=ram, gpus=(card,), nodes=rng.choice((1, 1, 1, 2)))
        else:
            said = Description(device=rng.choice(devices))
        try:
            found.append(describe(CATALOG, said))
        except UsageError:
            continue
    return found


def first(answer: Advice) -> tuple[object, ...] | None:
    if not answer.recommendations:
        return None
    plan = answer.recommendations[0].plan
    return (plan.checkpoint.id, plan.format, plan.settings, plan.placement, plan.thinking, plan.memory, plan.speed)


def picked(answer: Picked) -> tuple[object, ...] | None:
    if answer.found is None:
        return None
    plan = answer.found.scored.plan
    return (plan.checkpoint.id, plan.format, plan.settings, plan.placement, plan.thinking, plan.memory, plan.speed)


@pytest.mark.parametrize(
    "asked",
    [
        {"task": "chat"},
        {"task": "code", "prefer": "speed"},
        {"task": "agent", "context": 65536, "prefer": "quality"},
        {"task": "reasoning", "prefer": "memory"},
        {"task": "code", "min_speed": 25.0, "license": "permissive"},
        {"task": "chat", "concurrency": 8, "engines": ["vllm", "llama.cpp"]},
        {"task": "vision", "quantizations": ["Q4_K_M", "FP8", "AWQ"]},
        {"task": "embedding"},
        {"task": "speech-to-text"},
    ],
    ids=lambda asked: " ".join(map(str, asked.values())),
)
def test_the_pick_is_what_advise_puts_first(asked: dict[str, object]) -> None:
    requirements = resolve(CATALOG, top=1, **asked)  # type: ignore[arg-type]
    picker = Picker(CATALOG, requirements)
    for machine in machines(5, seed=len(str(asked))):
        answer, whole = picker.pick(machine), advise(CATALOG, machine, requirements)
        assert picked(answer) == first(whole)
        assert answer.found is not None or answer.rejected == whole.rejected
        assert answer.slow is bool(whole.notes)
