"""What would change the order: done, it does."""

from __future__ import annotations

from functools import cache

import pytest

from qwen_advisor.advice import Advice, Rival
from qwen_advisor.advise import advise
from qwen_advisor.api import load_catalog
from qwen_advisor.describe import Description, describe
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Machine
from qwen_advisor.rank import speed_term
from qwen_advisor.requirements import resolve
from qwen_advisor.units import GIB
from qwen_advisor.values import replace

RUNNER = Description(device="GitHub ubuntu-latest")
CARD = Description(gpus=("RTX 4090",), ram=64 * GIB)


@cache
def machine(said: Description) -> Machine:
    return describe(load_catalog(), said)


def answer(said: Description, task: str, by: Catalog | None = None, **asked: object) -> Advice:
    catalog = by or load_catalog()
    return advise(catalog, machine(said), resolve(catalog, task=task, **asked), everything=True, explain=True)


def abler(catalog: Catalog, scale: str, model: str, by: float) -> Catalog:
    """The catalogue with one model's ability raised in every setting."""
    raised = tuple(replace(a, value=a.value + by) for a in catalog.abilities[scale][model])
    return replace(catalog, abilities={**catalog.abilities, scale: {**catalog.abilities[scale], model: raised}})


@pytest.mark.parametrize("said", [RUNNER, CARD], ids=["runner", "card"])
def test_a_rival_that_is_so_much_abler_is_first_and_with_less_it_is_not(said: Description) -> None:
    advice = answer(said, "code")
    first = advice.recommendations[0].plan.checkpoint.id
    assert [r.model for r in advice.rivals][:4] == [r.plan.checkpoint.id for r in advice.recommendations[1:]]
    for rival in advice.rivals[:2]:
        assert rival.abler is not None
        for more, winner in ((1.02 * rival.abler + 0.001, rival.model), (0.9 * rival.abler, first)):
            changed = abler(load_catalog(), "code", rival.model, more)
            assert answer(said, "code", by=changed).recommendations[0].plan.checkpoint.id == winner


def test_another_preference_puts_first_what_it_is_said_to() -> None:
    advice = answer(RUNNER, "code")
    said = {prefer: rival.model for rival in advice.rivals for prefer in rival.prefers}
    assert said
    for prefer in ("quality", "speed", "memory"):
        first = answer(RUNNER, "code", prefer=prefer).recommendations[0].plan.checkpoint.id
        assert said.get(prefer, advice.recommendations[0].plan.checkpoint.id) == first


def by_name(advice: Advice) -> dict[str, Rival]:
    return {rival.model: rival for rival in advice.rivals}


def test_so_many_times_as_fast_makes_up_for_what_it_is_behind() -> None:
    """The 9B model is abler and slower than the 4B; as many times as fast, its speed term gains what it lacks."""
    catalog, advice = load_catalog(), answer(Description(ram=16 * GIB), "code")
    item = next(r for r in advice.recommendations[1:] if by_name(advice)[r.plan.checkpoint.id].faster is not None)
    rival, speed = by_name(advice)[item.plan.checkpoint.id], item.plan.speed
    assert rival.faster is not None
    assert rival.faster > 1
    quick = speed_term(
        speed.time_to_answer / rival.faster,
        speed.decode.expected * rival.faster,
        profile=catalog.tasks["code"],
        weights=catalog.ranking["terms"]["balanced"],
    )
    assert quick - item.terms.speed == pytest.approx(rival.behind, abs=1e-6)


def test_nothing_is_said_where_nothing_was_asked_or_fits() -> None:
    catalog = load_catalog()
    plain = advise(catalog, machine(RUNNER), resolve(catalog, task="code"))
    assert plain.rivals == ()
    assert not plain.complete
    assert answer(Description(ram=1 * GIB), "vision").rivals == ()
