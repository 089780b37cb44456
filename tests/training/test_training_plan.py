"""Fit, room, speed and remedies of a run on a machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Machine
from qwen_advisor.requirements import resolve
from qwen_advisor.training import Training, TrainingPlan, choose, training_memory
from qwen_advisor.training.speed import operations

Plan = Callable[..., TrainingPlan]


def test_what_everybody_knows(plan_of: Plan) -> None:
    """8B by LoRA fits a 24 GB card, by full training it does not; 4 bit brings it to a 12 GB card."""
    assert plan_of("Qwen3-8B").fits
    assert not plan_of("Qwen3-8B", method="full").fits
    assert plan_of("Qwen3-8B", gpu="RTX 3060 12GB", method="qlora", loss="fused").fits
    assert not plan_of("Qwen3-8B", gpu="RTX 3060 12GB").fits


def test_a_plan_that_fits_has_no_remedies_and_a_room(plan_of: Plan) -> None:
    plan = plan_of("Qwen3-4B")
    assert plan.remedies == ()
    assert plan.largest_seq_len is not None
    assert plan.largest_seq_len >= 1024
    assert plan.largest_batch is not None
    assert plan.largest_batch >= 1


CASES: list[tuple[str, dict[str, Any]]] = [
    ("Qwen3-8B", {"method": "full"}),
    ("Qwen3-32B", {"method": "full"}),
    ("Qwen3-8B", {"seq_len": 16384, "batch": 4}),
    ("Qwen3-0.6B", {"seq_len": 32768, "checkpointing": False}),
    ("Qwen3-30B-A3B", {"method": "qlora"}),
    ("Qwen3.5-27B", {"method": "full", "gpus_per_node": 4}),
]


@pytest.mark.parametrize(("model", "settings"), CASES)
def test_every_remedy_that_is_named_works(
    catalog: Catalog, plan_of: Plan, model: str, settings: dict[str, Any]
) -> None:
    plan = plan_of(model, **settings)
    assert not plan.fits
    assert plan.remedies
    for remedy in plan.remedies:
        assert remedy.fits
        changed = plan.run
        architecture = plan.architecture
        if remedy.model is not None:
            architecture = catalog.architectures[catalog.models[remedy.model].architecture]
        else:
            changed = _applied(plan.run, remedy.option)
        device = training_memory(catalog, architecture, changed).device
        assert device == remedy.device
        assert device <= plan.place.budget


def _applied(run: Training, option: str) -> Training:
    """The run with the options of a remedy, as a reader would type them."""
    words = option.split()
    fields: dict[str, Any] = {}
    while words:
        match words.pop(0):
            case "--gradient-checkpointing":
                fields["checkpointing"] = True
            case "--zero":
                fields["sharding"] = f"zero{words.pop(0)}"
            case "--batch":
                fields["batch"] = int(words.pop(0))
            case "--accumulation":
                fields["accumulation"] = int(words.pop(0))
            case "--seq-len":
                fields["seq_len"] = int(words.pop(0))
            case "--rank":
                fields["rank"] = int(words.pop(0))
            case name:
                fields[name.removeprefix("--")] = words.pop(0)
    return replace(run, **fields)


def test_what_costs_nothing_comes_first(plan_of: Plan) -> None:
    plan = plan_of("Qwen3-0.6B", seq_len=32768)
    assert plan.remedies[0].option == "--loss fused"
    assert plan.remedies[0].cost == "none"


def test_several_gpus_are_split_where_copies_do_not_fit(catalog: Catalog, machine_of: Callable[..., Machine]) -> None:
    from qwen_advisor.training import plan_training  # noqa: PLC0415  the fixture leaves the choice to the caller

    machine = machine_of("4x4090", 256 << 30)
    run = Training(method="full", gpus_per_node=4, loss="fused")
    model = catalog.models["Qwen/Qwen3-4B"]
    assert plan_training(catalog, model, machine, run, choose_sharding=True).run.sharding == "zero3"
    small = catalog.models["Qwen/Qwen3-0.6B"]
    assert plan_training(catalog, small, machine, run, choose_sharding=True).run.sharding == "none"


def test_operations_are_six_for_each_weight_of_a_dense_model(catalog: Catalog) -> None:
    """Kaplan et al.: 6 N for a full step; 8 N with checkpointing. The head is not computed again."""
    architecture = catalog.architectures["qwen3-8b"]
    short = Training(method="full", seq_len=64, checkpointing=False)
    weights = 8_190_735_360 - 151936 * 4096  # the embedding is looked up, not multiplied
    assert operations(architecture, short) == pytest.approx(6 * weights, rel=0.01)


def test_speed_lies_in_the_range_of_the_published_table(plan_of: Plan) -> None:
    """Qwen's README: Qwen-14B by LoRA on an A100, 8 sequences of 8,192 tokens in 36.0 s: 1,820 tokens a second."""
    plan = plan_of("Qwen-14B-Chat", gpu="A100 80GB", seq_len=8192, rank=64, tokens=1_000_000)
    assert plan.speed is not None
    assert plan.speed.tokens.low < 1820 < plan.speed.tokens.high
    assert plan.speed.seconds is not None
    assert plan.speed.seconds.expected == pytest.approx(3e6 / plan.speed.tokens.expected)


def test_nothing_is_said_of_the_speed_of_what_is_not_known(plan_of: Plan) -> None:
    plan = plan_of("Qwen3-0.6B", gpu=None)
    assert plan.speed is None
    assert plan.place.card is None
    assert plan.memory.part("cuda_context") == 0
    assert any("no GPU" in note for note in plan.notes)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"framework": "unsloth", "optimizer": "muon"}, "Unsloth has no Muon"),
        ({"framework": "unsloth", "sharding": "zero2", "gpus_per_node": 2}, "Unsloth shards nothing"),
        ({"sharding": "zero3", "method": "qlora", "gpus_per_node": 2}, "ZeRO-3 does not split weights"),
        ({"sharding": "fsdp", "optimizer": "muon", "gpus_per_node": 2}, "does not work on tensors that FSDP"),
    ],
)
def test_settings_that_exclude_each_other(plan_of: Plan, settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        plan_of("Qwen3-4B", **settings)


@pytest.mark.parametrize("model", ["Qwen3-Embedding-0.6B", "Qwen-Image", "Qwen2.5-Math-RM-72B"])
def test_what_is_no_conversation_is_refused(plan_of: Plan, model: str) -> None:
    with pytest.raises(UsageError, match="not trained on conversations"):
        plan_of(model)


def test_the_choice_fits_and_is_in_order(catalog: Catalog, machine_of: Callable[..., Machine]) -> None:
    run = Training(framework="trl", loss="chunked", seq_len=2048)
    advice = choose(catalog, machine_of(), resolve(catalog, task="chat"), run)
    assert [choice.rank for choice in advice.choices] == list(range(1, len(advice.choices) + 1))
    assert all(choice.device <= advice.place.budget for choice in advice.choices)
    best = advice.choices[0]
    assert all(best.ability >= choice.ability - 0.15 for choice in advice.choices)
    larger = choose(catalog, machine_of("H100"), resolve(catalog, task="chat"), run).choices[0]
    assert larger.ability >= best.ability


def test_nothing_to_choose_names_the_nearest(catalog: Catalog, machine_of: Callable[..., Machine]) -> None:
    advice = choose(catalog, machine_of(None, 1 << 30), resolve(catalog, task="chat"), Training())
    assert advice.choices == ()
    assert advice.smallest is not None
