"""Laws of the speed model, well-known machines, and what is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_advisor.api import load_catalog, machine_for
from qwen_advisor.errors import UsageError
from qwen_advisor.machine import Machine
from qwen_advisor.plan import Placement, Settings, Speed
from qwen_advisor.speed import speed

CATALOG = load_catalog()
DENSE, EXPERTS, HYBRID = "qwen3-8b", "qwen3-30b-a3b", "qwen3.5-27b"


def predicted(architecture: str, fmt: str, machine: Machine, engine: str = "llama.cpp", **more: int) -> Speed:
    """Speed with everything on the first accelerator, or on the CPU where there is none."""
    shape = CATALOG.architectures[architecture]
    assert shape.text is not None
    layers = shape.text.num_hidden_layers
    on = (layers, *(0 for _ in machine.accelerators[1:])) if machine.accelerators else ()
    mode = "cpu" if not on else "unified" if machine.memory.unified else "gpu"
    return speed(
        shape,
        CATALOG.footprints[architecture][fmt],
        Settings(engine=engine, context=131072, **more),
        Placement(mode=mode, layers=layers, gpu_layers=sum(on), device_layers=on),
        machine,
        CATALOG.efficiency,
        format_kind=CATALOG.formats[fmt].kind,
    )


RTX4090 = machine_for(CATALOG, gpu="RTX 4090")
CPU = machine_for(CATALOG, ram="64G")


@pytest.mark.parametrize(
    ("machine", "architecture", "fmt", "engine", "low", "high"),
    [
        # tokens per second that many report for these; a factor of about 1.4 either way
        ({"gpu": "RTX 4090"}, DENSE, "Q4_K_M", "llama.cpp", 95, 190),
        ({"gpu": "RTX 3090"}, DENSE, "Q4_K_M", "llama.cpp", 80, 160),
        ({"gpu": "RTX 3060 12GB"}, DENSE, "Q4_K_M", "llama.cpp", 35, 75),
        ({"device": "MacBook Pro M3 Max 64GB"}, EXPERTS, "Q4_K_M", "llama.cpp", 45, 110),
        ({"device": "Raspberry Pi 5 8GB"}, "qwen3-1.7b", "Q4_K_M", "llama.cpp", 5, 13),
        ({"gpu": "RTX 4090"}, HYBRID, "Q4_K_M", "llama.cpp", 30, 55),
    ],
)
def test_well_known_machines(
    machine: dict[str, str], architecture: str, fmt: str, engine: str, low: float, high: float
) -> None:
    rate = predicted(architecture, fmt, machine_for(CATALOG, **machine), engine).decode
    assert low <= rate.expected <= high


def test_no_token_comes_faster_than_its_bytes() -> None:
    """Decode never beats bandwidth over the bytes that one token reads."""
    for machine in (RTX4090, CPU):
        bandwidth = (machine.accelerators[0] if machine.accelerators else machine.cpu).memory_bandwidth
        assert bandwidth is not None
        for architecture in (DENSE, EXPERTS, HYBRID):
            for fmt in ("Q4_K_M", "Q8_0", "BF16-GGUF"):
                footprint = CATALOG.footprints[architecture][fmt]
                assert predicted(architecture, fmt, machine).decode.expected < bandwidth / footprint.active_bytes


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([DENSE, EXPERTS, HYBRID]),
    st.sampled_from(["Q4_K_M", "Q8_0"]),
    st.integers(1, 60_000),
    st.integers(1, 60_000),
    st.sampled_from([RTX4090, CPU]),
)
def test_deeper_is_never_faster(architecture: str, fmt: str, one: int, other: int, machine: Machine) -> None:
    shallow, deep = sorted((one, other))
    first = predicted(architecture, fmt, machine, prompt_tokens=shallow)
    second = predicted(architecture, fmt, machine, prompt_tokens=deep)
    assert second.decode.expected <= first.decode.expected * (1 + 1e-9)
    assert second.time_to_first_token >= first.time_to_first_token * (1 - 1e-9)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([DENSE, EXPERTS, HYBRID]), st.integers(1, 63), st.sampled_from(["llama.cpp", "vllm"]))
def test_more_requests_slow_each_and_speed_all(architecture: str, parallel: int, engine: str) -> None:
    fmt = "Q4_K_M" if engine == "llama.cpp" else "FP8"
    alone = predicted(architecture, fmt, RTX4090, engine, parallel=parallel)
    more = predicted(architecture, fmt, RTX4090, engine, parallel=parallel + 1)
    assert more.decode.expected <= alone.decode.expected * (1 + 1e-9)
    assert more.throughput >= alone.throughput * (1 - 1e-9)


@given(st.floats(1.01, 4.0))
def test_more_bandwidth_is_never_slower(factor: float) -> None:
    card = RTX4090.accelerators[0]
    assert card.memory_bandwidth is not None
    faster = replace(card, memory_bandwidth=card.memory_bandwidth * factor)
    before = predicted(DENSE, "Q4_K_M", RTX4090)
    after = predicted(DENSE, "Q4_K_M", replace(RTX4090, accelerators=(faster,)))
    assert after.decode.expected > before.decode.expected


def test_the_range_holds_the_expectation_and_is_a_factor_of_two_at_most_where_known() -> None:
    for architecture in (DENSE, EXPERTS, HYBRID):
        found = predicted(architecture, "Q4_K_M", RTX4090)
        for rate in (found.decode, found.prefill):
            assert rate.low <= rate.expected <= rate.high
            assert rate.high / rate.low <= 2.01


def test_hardware_known_by_its_sheet_only_is_said_to_be() -> None:
    found = predicted(DENSE, "Q4_K_M", machine_for(CATALOG, gpu="GB200"))
    assert found.basis == "roofline"
    measured = predicted(DENSE, "Q4_K_M", RTX4090)
    assert found.decode.high / found.decode.low >= measured.decode.high / measured.decode.low


def test_fewer_bits_decode_faster_and_thinking_costs_its_tokens() -> None:
    rates = [predicted(DENSE, fmt, RTX4090).decode.expected for fmt in ("Q4_K_M", "Q6_K", "Q8_0", "BF16-GGUF")]
    assert rates == sorted(rates, reverse=True)
    shape = CATALOG.architectures[DENSE]
    assert shape.text is not None
    layers = shape.text.num_hidden_layers
    answers = [
        speed(
            shape,
            CATALOG.footprints[DENSE]["Q4_K_M"],
            Settings(engine="llama.cpp", context=32768),
            Placement(mode="gpu", layers=layers, gpu_layers=layers, device_layers=(layers,)),
            RTX4090,
            CATALOG.efficiency,
            format_kind="gguf-mix",
            reasoning_tokens=tokens,
        ).time_to_answer
        for tokens in (0, 1000, 4000)
    ]
    assert answers == sorted(answers)
    assert answers[2] - answers[0] > 3 * (answers[1] - answers[0])


def test_a_calibration_of_this_machine_says_so() -> None:
    shape = CATALOG.architectures[DENSE]
    assert shape.text is not None
    layers = shape.text.num_hidden_layers
    found = speed(
        shape,
        CATALOG.footprints[DENSE]["Q4_K_M"],
        Settings(engine="llama.cpp", context=4096),
        Placement(mode="gpu", layers=layers, gpu_layers=layers, device_layers=(layers,)),
        RTX4090,
        CATALOG.efficiency,
        format_kind="gguf-mix",
        calibration={"decode": 0.5, "prefill": 0.5},
    )
    assert found.basis == "calibrated"
    assert found.decode.expected == pytest.approx(predicted(DENSE, "Q4_K_M", RTX4090).decode.expected / 2, rel=0.05)


def test_an_engine_that_is_not_known_is_refused() -> None:
    with pytest.raises(UsageError, match="no speed is known"):
        predicted(DENSE, "Q4_K_M", RTX4090, "nonsense")


@pytest.mark.parametrize("engine", list(CATALOG.engines))
def test_every_engine_of_the_catalogue_has_a_speed(engine: str) -> None:
    assert engine in CATALOG.efficiency
