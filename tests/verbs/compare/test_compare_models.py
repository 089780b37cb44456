"""Models side by side: recommend's own numbers and order, what wins where, and what does not run."""

from __future__ import annotations

import pytest

from qwen_advisor import compare, estimate, load_catalog, recommend
from qwen_advisor.comparison import Comparison
from qwen_advisor.describe import Description, describe
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Machine
from qwen_advisor.units import GIB


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture(scope="module")
def laptop(catalog: Catalog) -> Machine:
    return describe(catalog, Description(ram=16 * GIB))


@pytest.fixture(scope="module")
def four(catalog: Catalog, laptop: Machine) -> Comparison:
    names = ("Qwen3.8-27B", "Qwen3.5-9B", "Qwen3-Coder-480B-A35B-Instruct", "Qwen3.5-4B")
    return compare(*names, machine=laptop, catalog=catalog, task="code")


def test_plans_and_order_are_those_of_recommend(four: Comparison, laptop: Machine, catalog: Catalog) -> None:
    advice = recommend(machine=laptop, catalog=catalog, task="code", top=20)
    theirs = {r.plan.checkpoint.id: r for r in advice.recommendations}
    mine = [m.recommendation for m in four.models if m.standing == "runs"]
    assert [r.plan.checkpoint.id for r in mine if r] == [
        name for name in theirs if name in {"Qwen/Qwen3.5-9B", "Qwen/Qwen3.5-4B"}
    ]
    for item in mine:
        assert item is not None
        same = theirs[item.plan.checkpoint.id]
        assert item.plan == same.plan
        assert (item.ability, item.quantization_loss, item.terms) == (same.ability, same.quantization_loss, same.terms)
        assert item.largest_context == same.largest_context


def test_numbers_are_those_of_estimate(catalog: Catalog, laptop: Machine) -> None:
    answer = compare("Qwen3-8B", "Qwen3-4B", machine=laptop, catalog=catalog)
    for item in answer.models:
        assert item.recommendation is not None
        plan = item.recommendation.plan
        if plan.thinking == "on" or not plan.settings.mmap:
            continue
        same = estimate(
            item.checkpoint.id,
            machine=laptop,
            catalog=catalog,
            quantization=plan.format,
            engine=plan.settings.engine,
            context=plan.settings.context,
            kv_type=plan.settings.kv_type,
            prompt_tokens=plan.settings.prompt_tokens,
            output_tokens=plan.settings.output_tokens,
        )
        assert (same.memory, same.speed) == (plan.memory, plan.speed)


def test_what_does_not_run_stands_last_with_its_rule_and_numbers(four: Comparison) -> None:
    last = four.models[-1]
    assert last.checkpoint.id == "Qwen/Qwen3-Coder-480B-A35B-Instruct"
    assert last.standing == "ruled out"
    assert last.recommendation is None
    assert last.rejection is not None
    assert last.rejection.rule == "M101"
    # 480 billion weights at 3.5 bits are some 196 GiB
    assert last.rejection.needed is not None
    assert 190 * GIB < last.rejection.needed < 230 * GIB
    assert last.nearest is not None
    assert last.nearest.engine == "llama.cpp"
    assert last.ability is not None


def test_what_is_too_slow_shows_its_numbers_and_the_rule(four: Comparison) -> None:
    slow = next(m for m in four.models if m.checkpoint.id == "Qwen/Qwen3.8-27B")
    assert slow.standing == "too slow"
    assert slow.recommendation is not None
    assert slow.recommendation.plan.speed.decode.expected < 5  # catalog/tasks/code.yaml
    assert slow.rejection is not None
    assert slow.rejection.rule == "S102"
    assert [m.standing for m in four.models] == ["runs", "runs", "too slow", "ruled out"]
    scores = [m.recommendation.score for m in four.models if m.recommendation]
    assert scores == sorted(scores, reverse=True)


def test_a_speed_that_was_asked_for_counts(catalog: Catalog, laptop: Machine) -> None:
    answer = compare("Qwen3-8B", "Qwen3-0.6B", machine=laptop, catalog=catalog, min_speed=30)
    assert [(m.checkpoint.id, m.standing) for m in answer.models] == [
        ("Qwen/Qwen3-0.6B", "runs"),
        ("Qwen/Qwen3-8B", "too slow"),
    ]
    slow = answer.models[1]
    assert slow.rejection is not None
    assert (slow.rejection.rule, slow.rejection.needed) == ("S101", 30)


def test_what_wins_where(four: Comparison) -> None:
    wins = {win.criterion: win for win in four.wins}
    assert wins["memory"].model == "Qwen/Qwen3.5-4B"
    assert wins["download"].model == "Qwen/Qwen3.5-4B"
    assert wins["decode"].model == "Qwen/Qwen3.5-4B"
    assert wins["ability"].model == "Qwen/Qwen3.5-9B"
    for win in four.wins:
        assert win.value != win.runner_up_value
        assert (win.value < win.runner_up_value) is (win.criterion in ("memory", "download", "answer"))
    able = wins["ability"]
    assert able.error is not None
    assert able.within_error is (abs(able.value - able.runner_up_value) < able.error)
    assert "license" not in wins  # both are Apache-2.0


def test_a_license_wins_where_the_others_are_restricted(catalog: Catalog) -> None:
    machine = describe(catalog, Description(gpus=("8x H100 80GB HBM3",)))
    answer = compare("Qwen2.5-72B-Instruct", "Qwen3-32B", machine=machine, catalog=catalog)
    (win,) = [win for win in answer.wins if win.criterion == "license"]
    assert (win.model, win.runner_up) == ("Qwen/Qwen3-32B", "Qwen/Qwen2.5-72B-Instruct")


def test_a_superseded_model_is_compared_all_the_same(catalog: Catalog, laptop: Machine) -> None:
    answer = compare("Qwen3-8B", "Qwen3.5-9B", machine=laptop, catalog=catalog)
    older = next(m for m in answer.models if m.checkpoint.id == "Qwen/Qwen3-8B")
    assert older.standing == "runs"
    assert older.superseded_by == "Qwen/Qwen3.5-9B"
    assert answer.best is not None
    assert answer.best.plan.checkpoint.id == "Qwen/Qwen3.5-9B"


def test_the_order_of_the_names_does_not_matter(catalog: Catalog, laptop: Machine) -> None:
    names = ("Qwen3-8B", "Qwen3.5-9B", "Qwen3.5-4B")
    one = compare(*names, machine=laptop, catalog=catalog)
    other = compare(*reversed(names), machine=laptop, catalog=catalog)
    assert one == other


@pytest.mark.parametrize(
    ("names", "task"),
    [
        (("Qwen3-8B", "Qwen3-14B"), "chat"),
        (("Qwen3-8B", "Qwen3-Coder-30B-A3B-Instruct"), "code"),
        (("Qwen3-Embedding-8B", "Qwen3-Embedding-0.6B"), "embedding"),
        (("Qwen3-VL-8B-Instruct", "Qwen2.5-VL-7B-Instruct"), "vision"),
        (("Qwen3-8B", "Qwen3-Embedding-8B"), "chat"),  # nothing in common: one of them is ruled out
    ],
)
def test_the_task_is_one_that_all_answer(names: tuple[str, ...], task: str, catalog: Catalog, laptop: Machine) -> None:
    assert compare(*names, machine=laptop, catalog=catalog).requirements.task == task


def test_what_is_no_kin_is_ruled_out(catalog: Catalog, laptop: Machine) -> None:
    answer = compare("Qwen3-8B", "Qwen3-Embedding-8B", machine=laptop, catalog=catalog)
    out = answer.models[1]
    assert out.rejection is not None
    assert (out.checkpoint.id, out.rejection.rule) == ("Qwen/Qwen3-Embedding-8B", "T101")


def test_a_model_is_named_once(catalog: Catalog, laptop: Machine) -> None:
    with pytest.raises(UsageError, match="named twice"):
        compare("Qwen3-8B", "qwen3:8b", machine=laptop, catalog=catalog)
    with pytest.raises(UsageError, match="no model"):
        compare(machine=laptop, catalog=catalog)
