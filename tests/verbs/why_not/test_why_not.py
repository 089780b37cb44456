"""Why a model is not the first answer: the rule or the terms, and changes that hold when they are made."""

from __future__ import annotations

import pytest

from qwen_advisor import load_catalog, recommend, why_not
from qwen_advisor.comparison import WhyNot
from qwen_advisor.describe import Description, describe
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Machine
from qwen_advisor.units import GIB, parse_size


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture(scope="module")
def laptop(catalog: Catalog) -> Machine:
    return describe(catalog, Description(ram=16 * GIB))


def made(answer: WhyNot, options: tuple[str, ...], catalog: Catalog) -> list[str]:
    """What `recommend` answers to the call with a change: the ids, best first."""
    asked = answer.requirements
    said: dict[str, object] = {
        "task": asked.task,
        "context": asked.context,
        "prompt_tokens": asked.prompt_tokens,
        "output_tokens": asked.output_tokens,
        "license": asked.license,
        "min_speed": asked.min_speed,
        "prefer": asked.prefer,
        "tools": asked.tools,
    }
    cards = [a.name for a in answer.machine.accelerators]
    where = {"ram": answer.machine.memory.total, "gpus": (f"{len(cards)}x {cards[0]}",) if cards else ()}
    pairs = dict(zip(options[::2], options[1::2], strict=True))
    for option, value in pairs.items():
        match option:
            case "--ram":
                where["ram"] = parse_size(value)
            case "--gpu":
                where["gpus"] = (value,)
                where["ram"] = parse_size(pairs["--ram"]) if "--ram" in pairs else None
            case "--context":
                said["context"] = int(value)
            case "--min-speed":
                said["min_speed"] = float(value)
            case "--family" | "--license" | "--prefer":
                said[option[2:]] = value
            case "--task":
                said = {"task": value}
            case _:
                pytest.fail(f"no call is known for {option}")
    machine = describe(catalog, Description(**where))  # type: ignore[arg-type]
    advice = recommend(machine=machine, catalog=catalog, **said)  # type: ignore[arg-type]
    return [r.plan.checkpoint.id for r in advice.recommendations]


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        ("Qwen3-8B", {"task": "chat"}),
        ("Qwen3.5-9B", {"task": "code"}),
        ("Qwen3.6-35B-A3B", {"task": "code"}),
        ("Qwen3.8-27B", {"task": "chat"}),
        ("Qwen3-Embedding-8B", {"task": "chat"}),
        ("Qwen2.5-3B-Instruct", {"task": "chat", "license": "permissive"}),
        ("Qwen3.5-2B", {"task": "chat"}),
    ],
)
def test_recommend_answers_so_with_each_change(
    model: str, asked: dict[str, str], laptop: Machine, catalog: Catalog
) -> None:
    answer = why_not(model, machine=laptop, catalog=catalog, **asked)
    name = answer.checkpoint.id
    tried = [c for c in answer.changes if c.options and not {"--quant", "--engine"} & set(c.options)]
    assert tried
    for change in tried:
        ids = made(answer, change.options, catalog)
        assert (ids[0] == name) is (change.effect == "first"), change.words
        assert (ids.index(name) + 1 if name in ids else None) == change.rank, change.words
        assert ids[0] == change.winner


def test_the_winner_is_the_one_of_recommend(laptop: Machine, catalog: Catalog) -> None:
    first = recommend(machine=laptop, catalog=catalog, task="code").recommendations[0]
    answer = why_not("Qwen3.5-9B", machine=laptop, catalog=catalog, task="code")
    assert answer.winner is not None
    assert answer.winner.plan == first.plan
    assert answer.winner.terms == first.terms


def test_behind_is_told_in_terms_of_the_score(laptop: Machine, catalog: Catalog) -> None:
    answer = why_not("Qwen3.5-2B", machine=laptop, catalog=catalog)
    assert answer.verdict == "behind"
    assert answer.rank is not None
    assert answer.rank > 1
    assert answer.own is not None
    assert answer.winner is not None
    lead = answer.winner.terms.total - answer.own.terms.total
    assert sum(gap.lead for gap in answer.gaps) == pytest.approx(lead)
    assert answer.gaps[0].term == "ability"
    assert [gap.lead for gap in answer.gaps] == sorted((gap.lead for gap in answer.gaps), reverse=True)
    assert answer.rejections == ()


def test_the_first_needs_no_excuse(laptop: Machine, catalog: Catalog) -> None:
    first = recommend(machine=laptop, catalog=catalog).recommendations[0].plan.checkpoint.id
    answer = why_not(first, machine=laptop, catalog=catalog)
    assert (answer.verdict, answer.rank, answer.gaps, answer.changes) == ("first", 1, (), ())


def test_memory_is_told_with_its_numbers_and_the_least_that_lifts_it(laptop: Machine, catalog: Catalog) -> None:
    answer = why_not("Qwen3.6-35B-A3B", machine=laptop, catalog=catalog, task="code")
    (rejection,) = answer.rejections
    assert rejection.rule == "M101"
    assert rejection.needed is not None
    assert rejection.available == pytest.approx(laptop.memory.budget)
    assert answer.nearest is not None
    more = next(c for c in answer.changes if c.options == ("--ram", "24G"))
    assert more.plan.memory.total > laptop.memory.budget


def test_a_newer_model_is_told_with_what_would_be_without_it(laptop: Machine, catalog: Catalog) -> None:
    answer = why_not("Qwen3-8B", machine=laptop, catalog=catalog)
    assert [r.rule for r in answer.rejections] == ["T109"]
    assert answer.own is not None
    assert answer.own_rank is not None
    assert answer.own_rank > 1
    assert answer.gaps[0].term == "ability"
    assert any(c.options == ("--family", "Qwen3") for c in answer.changes)


def test_every_rule_on_the_model_is_told_and_lifted_together(catalog: Catalog) -> None:
    machine = describe(catalog, Description(gpus=("RTX 4090",)))
    answer = why_not("Qwen2.5-72B-Instruct", machine=machine, catalog=catalog, license="permissive")
    assert [r.rule for r in answer.rejections] == ["L101", "T109"]
    assert answer.changes
    for change in answer.changes:
        assert change.options[:4] == ("--license", "any", "--family", "Qwen2.5")
        assert change.besides or change.words.startswith("accept its license")


def test_a_quantization_is_tried_for_the_model_alone(catalog: Catalog) -> None:
    machine = describe(catalog, Description(ram=16 * GIB))
    answer = why_not("Qwen3.6-35B-A3B", machine=machine, catalog=catalog, task="code")
    change = next(c for c in answer.changes if "--quant" in c.options)
    assert change.plan.format == change.options[-1]
    assert change.plan.memory.total <= machine.memory.budget
    assert change.rank is not None


def test_a_speed_that_is_out_of_reach_is_told_with_the_rate(laptop: Machine, catalog: Catalog) -> None:
    answer = why_not("Qwen3.5-9B", machine=laptop, catalog=catalog, min_speed=15)
    (rejection,) = answer.rejections
    assert (rejection.rule, rejection.needed) == ("S101", 15)
    slower = next(c for c in answer.changes if c.options[0] == "--min-speed")
    assert slower.plan.speed.decode.expected >= float(slower.options[1])
    assert float(slower.options[1]) < 15


def test_context_beyond_its_reach_is_cut_to_it(catalog: Catalog) -> None:
    machine = describe(catalog, Description(gpus=("H100 80GB HBM3",)))
    answer = why_not("Qwen3-8B", machine=machine, catalog=catalog, context=200_000, family="Qwen3")
    assert [r.rule for r in answer.rejections] == ["T107"]
    assert ("--context", "131072") in [c.options[:2] for c in answer.changes]


def test_a_larger_mac_is_named_for_a_mac(catalog: Catalog) -> None:
    machine = describe(catalog, Description(device="MacBook Air M4", ram=16 * GIB))
    answer = why_not("Qwen3.8-27B", machine=machine, catalog=catalog)
    larger = [c for c in answer.changes if c.options[:1] == ("--device",)]
    assert larger
    assert larger[0].options == ("--device", "MacBook Air M4", "--ram", "24G")


def test_what_no_change_lets_in_says_so(laptop: Machine, catalog: Catalog) -> None:
    answer = why_not("Qwen3-8B-Base", machine=laptop, catalog=catalog)
    assert answer.verdict == "ruled out"
    assert answer.rejections[0].rule == "T101"
    assert answer.changes == ()


def test_where_nothing_runs_there_is_no_winner(catalog: Catalog) -> None:
    machine = describe(catalog, Description(ram=GIB // 2))
    answer = why_not("Qwen3-8B", machine=machine, catalog=catalog, family="Qwen3")
    assert answer.winner is None
    assert answer.verdict == "ruled out"
    assert any(c.effect == "first" or c.rank for c in answer.changes)
