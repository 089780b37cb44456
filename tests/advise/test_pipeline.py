"""Laws of the whole chain on the real catalogue: catalogue x machine x requirements -> advice."""

from __future__ import annotations

import random
from dataclasses import replace
from statistics import pstdev

import pytest

from qwen_advisor.advice import Advice
from qwen_advisor.api import estimate, load_catalog, machine_for, recommend
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.units import GIB

CATALOG = load_catalog()
MACHINES = {
    "cpu-4": {"ram": "4G"},
    "cpu-16": {"ram": "16G"},
    "rtx3060": {"gpu": "RTX 3060 12GB"},
    "rtx4090": {"gpu": "RTX 4090"},
    "two-3090": {"gpu": "2x RTX 3090"},
    "h100": {"gpu": "H100 SXM"},
    "m3-max": {"device": "MacBook Pro M3 Max 64GB"},
    "two-nodes": {"gpu": "8x H200", "nodes": 2},
}


def advice(machine: str, task: str = "chat", catalog: Catalog = CATALOG, **asked: object) -> Advice:
    return recommend(machine=machine_for(catalog, **MACHINES[machine]), catalog=catalog, task=task, **asked)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("task", CATALOG.tasks)
def test_every_answer_keeps_its_promises(machine: str, task: str) -> None:
    """What is recommended fits, is of the right kind, and its numbers are whole."""
    answer = advice(machine, task)
    profile = CATALOG.tasks[task]
    for recommendation in answer.recommendations:
        plan = recommendation.plan
        assert plan.checkpoint.id in CATALOG.models
        assert plan.checkpoint.kind in profile.kinds
        assert plan.checkpoint.kind != "base"
        assert plan.fill <= 1
        assert plan.memory.total == plan.memory.host + plan.memory.device
        assert plan.memory.total <= plan.budget
        rates = plan.speed.decode
        assert 0 < rates.low <= rates.expected <= rates.high
        assert recommendation.largest_context is not None
        assert recommendation.largest_context >= answer.requirements.context
        assert plan.artifact.bytes > 0
        assert recommendation.reasons
    scores = [r.score for r in answer.recommendations]
    assert scores == sorted(scores, reverse=True)
    assert not {r.plan.checkpoint.id for r in answer.recommendations} & {r.model for r in answer.rejected}


def test_same_question_same_answer() -> None:
    assert advice("rtx4090", "code") == advice("rtx4090", "code")


@pytest.mark.parametrize("machine", ["cpu-16", "rtx3060", "h100"])
def test_the_order_of_the_catalogue_does_not_matter(machine: str) -> None:
    names = list(CATALOG.models)
    random.Random(7).shuffle(names)  # noqa: S311  any order will do
    shuffled = replace(CATALOG, models={name: CATALOG.models[name] for name in names})
    one, other = advice(machine, "code"), advice(machine, "code", shuffled)
    assert one.recommendations == other.recommendations
    assert one.rejected == other.rejected


@pytest.mark.parametrize("machine", ["cpu-16", "rtx4090"])
def test_a_model_that_cannot_win_changes_nothing(machine: str) -> None:
    """Without what was ruled out, the recommendations are the same."""
    answer = advice(machine, "chat")
    out = {r.model for r in answer.rejected if r.rule == "M101"}
    assert out
    fewer = replace(CATALOG, models={name: m for name, m in CATALOG.models.items() if name not in out})
    again = advice(machine, "chat", fewer)
    assert [r.plan for r in again.recommendations] == [r.plan for r in answer.recommendations]


def test_what_fits_in_less_memory_fits_in_more() -> None:
    """The same model and setting never stops fitting as memory grows."""
    fits = [
        estimate(
            "Qwen3-8B",
            machine=machine_for(CATALOG, ram=size * GIB),
            catalog=CATALOG,
            quantization="Q4_K_M",
            context=8192,
        ).fits
        for size in (2, 4, 6, 8, 10, 12, 16, 24)
    ]
    assert fits == sorted(fits)
    assert fits[0] is False
    assert fits[-1] is True


def test_pruning_changes_no_recommendation() -> None:
    """Weighing every model gives the same list as stopping where none can reach it any more."""
    for machine in ("cpu-16", "rtx4090"):
        pruned = advice(machine, "code")
        whole = advice(machine, "code", explain=True)
        assert [r.plan for r in whole.recommendations] == [r.plan for r in pruned.recommendations]


def test_superseded_models_answer_only_who_asks_for_them() -> None:
    for machine in MACHINES:
        for task in ("chat", "code"):
            answer = advice(machine, task)
            rivals = {r.plan.checkpoint.id for r in answer.recommendations}
            assert not rivals & {r.plan.checkpoint.superseded_by for r in answer.recommendations}
            assert not answer.recommendations[0].plan.checkpoint.family.startswith(("Qwen1", "Qwen2", "CodeQwen"))
    asked = advice("rtx4090", "code", family="Qwen2.5-Coder")
    assert {r.plan.checkpoint.family for r in asked.recommendations} == {"Qwen2.5-Coder"}


def test_more_context_asked_is_more_memory_taken() -> None:
    machine = machine_for(CATALOG, ram="64G")
    taken = [
        estimate("Qwen3.5-9B", machine=machine, catalog=CATALOG, quantization="Q4_K_M", context=context).memory.total
        for context in (2048, 8192, 32768, 131072)
    ]
    assert taken == sorted(taken)
    assert len(set(taken)) == len(taken)


def test_upgrades_name_what_is_better_and_was_ruled_out() -> None:
    answer = advice("cpu-4", "chat")
    assert answer.upgrades
    rejected = {r.model for r in answer.rejected}
    assert all(u.unlocks in rejected for u in answer.upgrades)


def test_nothing_fits_is_an_answer_with_reasons() -> None:
    answer = recommend(machine=machine_for(CATALOG, ram="512M"), catalog=CATALOG, task="chat")
    assert answer.recommendations == ()
    memory = [r for r in answer.rejected if r.rule == "M101"]
    assert memory
    assert all(r.needed is not None and r.available is not None and r.needed > r.available for r in memory)


@pytest.mark.parametrize("task", CATALOG.tasks)
def test_the_unit_of_the_ranking_is_the_spread_of_abilities(task: str) -> None:
    """Standard deviation over the models that may answer, the better thinking setting of each; at least 0.5."""
    profile = CATALOG.tasks[task]
    values = []
    for name, settings in CATALOG.abilities[profile.ability].items():
        model = CATALOG.models[name]
        if model.kind in profile.kinds and (not profile.lines or model.line in profile.lines):
            values.append(max(a.value for a in settings))
    assert profile.ability_spread == pytest.approx(max(0.5, pstdev(values)), abs=0.15)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"quantization": "MLX-4bit"}, "does not run"),
        ({"engine": "vllm"}, "no place"),
        ({"kv_type": "fp8"}, "no fp8"),
        ({"engine": "nonsense"}, "no engine"),
        ({"quantization": "Q9"}, "no quantization"),
    ],
)
def test_estimates_of_the_impossible_say_so(asked: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        estimate("Qwen3-8B", machine=machine_for(CATALOG, ram="16G"), catalog=CATALOG, **asked)


def test_recommendation_and_estimate_count_the_same_memory() -> None:
    """One number everywhere."""
    machine = machine_for(CATALOG, **MACHINES["rtx4090"])
    plan = recommend(machine=machine, catalog=CATALOG, task="chat").recommendations[0].plan
    counted = estimate(
        plan.checkpoint.id,
        machine=machine,
        catalog=CATALOG,
        quantization=plan.format,
        engine=plan.settings.engine,
        context=plan.settings.context,
        prompt_tokens=plan.settings.prompt_tokens,
        output_tokens=plan.settings.output_tokens,
    )
    assert counted.memory == plan.memory
    assert counted.speed.decode == plan.speed.decode
