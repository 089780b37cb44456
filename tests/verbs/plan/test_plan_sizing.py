"""What hardware a model needs: the numbers are recommend's own, the tiers mean what they say, the order is by size."""

from __future__ import annotations

import pytest

from qwen_advisor import load_catalog, plan
from qwen_advisor.advise.search import Search, fitter_for
from qwen_advisor.api import estimate, recommend
from qwen_advisor.describe import Description, describe
from qwen_advisor.describe.ladder import CLASSES, ladder
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.names import resolve_model
from qwen_advisor.requirements import resolve
from qwen_advisor.rules import Question
from qwen_advisor.rules.natural import natural_task
from qwen_advisor.sizing import TIERS, ClassNeeds, HardwarePlan, Housing
from qwen_advisor.sizing.climbing import Climber
from qwen_advisor.sizing.formats import smallest
from qwen_advisor.units import GIB, MIB


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture(scope="module")
def thirty(catalog: Catalog) -> HardwarePlan:
    """A mixture of experts, which runs split as well as whole."""
    return plan("Qwen3-30B-A3B", catalog=catalog)


@pytest.fixture(scope="module")
def eight(catalog: Catalog) -> HardwarePlan:
    return plan("Qwen3-8B", catalog=catalog)


def of(answer: HardwarePlan, kind: str) -> ClassNeeds:
    return next(needs for needs in answer.classes if needs.kind == kind)


def houses(answer: HardwarePlan) -> list[tuple[str, Housing]]:
    return [(tier, house) for needs in answer.classes for tier in TIERS if (house := getattr(needs, tier)) is not None]


def test_the_numbers_are_those_of_recommend_for_the_same_setting(eight: HardwarePlan, catalog: Catalog) -> None:
    house = of(eight, "desktop").sensible
    assert house is not None
    advice = recommend(
        machine=house.machine,
        catalog=catalog,
        family="Qwen3",
        quantizations=[house.plan.format],
        engines=[house.plan.settings.engine],
        top=20,
    )
    (same,) = [r.plan for r in advice.recommendations if r.plan.checkpoint.id == "Qwen/Qwen3-8B"]
    assert same.memory == house.plan.memory
    assert same.speed == house.plan.speed
    assert same.placement == house.plan.placement


def test_the_numbers_are_those_of_estimate_for_the_same_setting(eight: HardwarePlan, catalog: Catalog) -> None:
    # No tokens of reasoning and weights that are mapped: estimate takes neither from its caller.
    house = next(h for _, h in houses(eight) if h.plan.thinking == "off" and h.plan.settings.mmap)
    settings = house.plan.settings
    same = estimate(
        "Qwen3-8B",
        machine=house.machine,
        catalog=catalog,
        quantization=house.plan.format,
        engine=settings.engine,
        context=settings.context,
        prompt_tokens=settings.prompt_tokens,
        output_tokens=settings.output_tokens,
        kv_type=settings.kv_type,
    )
    assert same.memory == house.plan.memory
    assert same.speed == house.plan.speed


def test_the_options_describe_the_very_machine(thirty: HardwarePlan, catalog: Catalog) -> None:
    for kind in CLASSES:
        for rung in ladder(catalog, kind)[::17]:
            words = rung.options
            said = Description(
                gpus=tuple(words[i + 1] for i, word in enumerate(words) if word == "--gpu"),
                device=next((words[i + 1] for i, word in enumerate(words) if word == "--device"), None),
                ram=next((int(words[i + 1][:-1]) * GIB for i, w in enumerate(words) if w == "--ram"), None),
                nodes=next((int(words[i + 1]) for i, word in enumerate(words) if word == "--nodes"), 1),
            )
            assert describe(catalog, said) == rung.machine(catalog), rung.title
    assert all(house.options for _, house in houses(thirty))


def test_each_tier_holds_what_it_promises(thirty: HardwarePlan) -> None:
    goals = thirty.goals
    assert (goals.least_speed, goals.wanted_speed) == (5.0, 20.0)  # catalog/tasks/chat.yaml
    for tier, house in houses(thirty):
        decode = house.plan.speed.decode
        assert decode.expected >= goals.least_speed
        assert TIERS.index(house.tier) >= TIERS.index(tier)  # type: ignore[arg-type]
        if tier != "least":
            assert decode.expected >= goals.wanted_speed
            assert house.plan.format not in ("IQ4_XS", "Q3_K_M", "UD-Q3_K_XL")  # fallback_formats of ranking.yaml
        if tier == "comfortable":
            assert decode.low >= goals.wanted_speed
            assert house.plan.speed.time_to_answer <= goals.patience


def test_no_accelerator_stands_idle(thirty: HardwarePlan, eight: HardwarePlan) -> None:
    for answer in (thirty, eight):
        for _, house in houses(answer):
            assert not (house.machine.accelerators and house.plan.placement.mode == "cpu"), house.title


def test_a_tier_is_never_smaller_than_the_one_below(thirty: HardwarePlan) -> None:
    for needs in thirty.classes:
        sizes = [
            sum(a.memory for a in house.machine.accelerators) or house.machine.memory.total
            for tier in TIERS
            if (house := getattr(needs, tier)) is not None
        ]
        assert sizes == sorted(sizes), needs.kind


def test_the_named_machine_is_the_first_of_the_classes(thirty: HardwarePlan) -> None:
    named = [needs for needs in thirty.classes if needs.kind not in ("board", "cloud")]
    for tier in TIERS:
        assert getattr(thirty, tier) is next((h for n in named if (h := getattr(n, tier)) is not None), None)


def test_nothing_smaller_in_a_class_would_do(catalog: Catalog, eight: HardwarePlan) -> None:
    """By trying every machine without a GPU that stands below the least."""
    least = of(eight, "pc").least
    assert least is not None
    question = question_of(catalog, "Qwen3-8B")
    for rung in ladder(catalog, "pc"):
        if rung.ram >= least.machine.memory.total:
            break
        there = Question(
            catalog=catalog,
            machine=rung.machine(catalog),
            requirements=question.requirements,
            profile=question.profile,
            named=question.named,
        )
        assert Search(there, fitter_for(there)).best(catalog.models["Qwen/Qwen3-8B"]).found is None, rung.title


def question_of(catalog: Catalog, name: str) -> Question:
    model = resolve_model(catalog, name)
    return Question(
        catalog=catalog,
        machine=describe(catalog, Description(ram=16 * GIB)),
        requirements=resolve(catalog, task="chat"),
        profile=catalog.tasks["chat"],
        named=frozenset({model.id}),
    )


@pytest.mark.parametrize("name", ["Q4_K_M", "Q8_0"])
def test_the_least_ram_is_exact(name: str, eight: HardwarePlan, catalog: Catalog) -> None:
    row = next(row for row in eight.formats if row.format == name)
    assert row.ram is not None
    model = catalog.models["Qwen/Qwen3-8B"]
    for less, fits in ((0, True), (MIB, False)):
        machine = describe(catalog, Description(ram=row.ram - less))
        asked = resolve(catalog, task="chat", quantizations=[name], engines=["llama.cpp"], min_speed=0.001)
        there = Question(
            catalog=catalog,
            machine=machine,
            requirements=asked,
            profile=catalog.tasks["chat"],
            named=frozenset({model.id}),
        )
        assert (Search(there, fitter_for(there)).best(model).found is not None) is fits


def test_more_bits_take_more(eight: HardwarePlan) -> None:
    rows = [row for row in eight.formats if row.engine == "llama.cpp"]
    assert [row.format for row in rows if row.format in ("Q4_K_M", "Q6_K", "Q8_0")] == ["Q4_K_M", "Q6_K", "Q8_0"]
    for column in ("device", "ram", "download"):
        sizes = [getattr(row, column) for row in rows]
        assert sizes == sorted(sizes), column


def test_memory_on_one_gpu_is_that_of_estimate(eight: HardwarePlan, catalog: Catalog) -> None:
    row = next(row for row in eight.formats if row.format == "Q4_K_M")
    machine = describe(catalog, Description(gpus=("B300 SXM6 AC",)))
    same = estimate("Qwen3-8B", machine=machine, catalog=catalog, quantization="Q4_K_M", context=8192)
    assert same.placement.mode == "gpu"
    assert row.device == same.memory.device


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("Qwen3-8B", "chat"),
        ("Qwen3-Coder-30B-A3B-Instruct", "code"),
        ("Qwen2.5-Math-7B-Instruct", "math"),
        ("Qwen3-VL-8B-Instruct", "vision"),
        ("Qwen3-Omni-30B-A3B-Instruct", "omni"),
        ("Qwen3-Embedding-8B", "embedding"),
        ("Qwen3-Reranker-4B", "rerank"),
        ("Qwen3-ASR-1.7B", "speech-to-text"),
        ("Qwen3Guard-Gen-8B", "moderation"),
        ("Qwen3-8B-Base", "chat"),  # answers none: how a chat looks is taken for it
    ],
)
def test_a_model_is_asked_about_its_own_task(name: str, task: str, catalog: Catalog) -> None:
    assert natural_task(catalog, [resolve_model(catalog, name)]) == task


@pytest.mark.parametrize(
    ("name", "asked", "at_least"),
    [
        # 480 billion parameters at 8 bits are 447 GiB: three cards of 180 GiB or more
        ("Qwen3-Coder-480B-A35B-Instruct", {"quantizations": ["FP8"]}, 447),
        # 2.4 trillion at 8 bits are 2,235 GiB: more than eight cards of 192 GiB
        ("Qwen3.8-2.4T-A95B", {"quantizations": ["FP8"]}, 2235),
        # 32 requests of 32,768 tokens, 36 layers x 2 x 8 heads x 128 x 1 byte (fp8) each: 72 GiB of cache
        ("Qwen3-8B", {"engines": ["vllm"], "concurrency": 32, "context": 32768}, 72),
    ],
)
def test_large_needs_get_large_machines(name: str, asked: dict[str, object], at_least: int, catalog: Catalog) -> None:
    answer = plan(name, catalog=catalog, **asked)  # type: ignore[arg-type]
    assert answer.sensible is not None
    machine = answer.sensible.machine
    assert sum(a.memory for a in machine.accelerators) * machine.nodes >= at_least * GIB
    assert answer.sensible.plan.memory.total >= at_least * GIB
    assert answer.sensible.kind != "laptop" or "concurrency" not in asked


def test_nothing_is_quantized_while_it_is_loaded_unless_asked_for(catalog: Catalog) -> None:
    answer = plan("Qwen3-30B-A3B", catalog=catalog, engines=["vllm"], concurrency=32, context=32768, min_speed=20)
    assert {house.plan.format for _, house in houses(answer)} <= {"BF16", "FP8", "GPTQ-Int4"}
    asked = plan("Qwen3-30B-A3B", catalog=catalog, engines=["vllm"], quantizations=["INT8"])
    assert {house.plan.format for _, house in houses(asked)} == {"INT8"}


def test_long_context_asks_for_more(catalog: Catalog, eight: HardwarePlan) -> None:
    longer = plan("Qwen3-8B", catalog=catalog, context=131072)
    for short, long in zip(eight.formats, longer.formats, strict=True):
        assert short.format == long.format
        # 123k tokens x 36 layers x 2 x 8 heads x 128 x 2 bytes = 16.9 GiB; GQA of the architecture file
        assert short.device is not None
        assert long.device is not None
        assert 16 * GIB < long.device - short.device < 19 * GIB, short.format


def test_a_higher_speed_asks_for_more(catalog: Catalog, eight: HardwarePlan) -> None:
    fast = plan("Qwen3-8B", catalog=catalog, min_speed=60)
    assert fast.least is not None
    assert fast.least.plan.speed.decode.expected >= 60
    assert eight.least is not None
    assert CLASSES.index(fast.least.kind) > CLASSES.index(eight.least.kind)


def test_what_the_model_cannot_do_is_said_with_the_rule(catalog: Catalog) -> None:
    answer = plan("Qwen3-8B", catalog=catalog, context=10_000_000)
    assert answer.best is None
    assert answer.rejection is not None
    assert (answer.rejection.rule, answer.rejection.needed, answer.rejection.available) == ("T107", 10_000_000, 131_072)


def test_a_task_that_is_asked_for_has_to_be_its_own(catalog: Catalog) -> None:
    answer = plan("Qwen3-8B", catalog=catalog, task="vision")
    assert answer.rejection is not None
    assert answer.rejection.rule == "T101"


def test_a_format_that_nobody_serves_is_no_machine(catalog: Catalog) -> None:
    answer = plan("Qwen-Image", catalog=catalog)
    assert answer.best is None
    assert answer.rejection is not None
    assert answer.rejection.rule == "E101"


def test_few_machines_are_searched(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of a test is no measure; how often the whole search runs is. There are some 800 machines."""
    calls = 0
    best = Search.best

    def counted(self: Search, *arguments: object) -> object:
        nonlocal calls
        calls += 1
        return best(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Search, "best", counted)
    plan("Qwen3.6-27B", catalog=catalog)
    assert sum(len(ladder(catalog, kind)) for kind in CLASSES) > 600
    assert 10 < calls < 200


def test_what_was_searched_once_is_kept(catalog: Catalog) -> None:
    question = question_of(catalog, "Qwen3-0.6B")
    model = catalog.models["Qwen/Qwen3-0.6B"]
    climber = Climber(question, model, plan("Qwen3-0.6B", catalog=catalog).goals)
    assert climber.climb("pc") == climber.climb("pc")


@pytest.mark.parametrize(("low", "high", "limit"), [(0, 1, 1), (0, 100, 37), (36, 37, 37), (0, 4096, 4096)])
def test_halving_finds_the_smallest(low: int, high: int, limit: int) -> None:
    tried: list[int] = []

    def holds(size: int) -> bool:
        tried.append(size)
        return size >= limit

    assert smallest(holds, low, high) == limit
    assert len(tried) <= 13


def test_an_unknown_model_is_refused(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="no model is called"):
        plan("Qwen3-9000B", catalog=catalog)


def test_the_ladder_rises(catalog: Catalog) -> None:
    for kind in CLASSES:
        sizes = [rung.size for rung in ladder(catalog, kind)]
        assert sizes == sorted(sizes)
        assert sizes


def test_the_ladder_names_what_can_be_had(catalog: Catalog) -> None:
    titles = " ".join(rung.title for kind in CLASSES for rung in ladder(catalog, kind))
    for wanted in (
        "RTX 3090",
        "RTX 4090",
        "RTX 5090",
        "H100 80GB HBM3",
        "Mac Studio M3 Ultra with 512 GiB",
        "Raspberry Pi 5",
    ):
        assert wanted in titles
    for unwanted in ("modded", "A800", "H20 ", "RTX 4090 D"):
        assert unwanted not in titles


def test_a_speed_that_was_asked_for_spreads_a_model_over_more_cards(catalog: Catalog) -> None:
    """One card is comfortable for the task (20 tokens/s); what was asked for takes several."""
    machine = describe(catalog, Description(gpus=("8x H200",)))
    asked = {"family": "Qwen3.6", "engines": ["vllm"], "quantizations": ["BF16"]}
    one = recommend(machine=machine, catalog=catalog, **asked).recommendations  # type: ignore[arg-type]
    fast = recommend(machine=machine, catalog=catalog, min_speed=60, **asked).recommendations  # type: ignore[arg-type]
    cards = [
        next(r.plan.placement.tensor_parallel for r in answer if r.plan.checkpoint.id == "Qwen/Qwen3.6-27B")
        for answer in (one, fast)
    ]
    assert cards[0] < cards[1]
