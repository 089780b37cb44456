"""Factors of a machine: kept, averaged, used on this machine alone, and taken back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qwen_advisor import api
from qwen_advisor.calibration import (
    Measured,
    calibration_file,
    efficiencies,
    fingerprint,
    forget,
    lapsed,
    load,
    read,
    store,
)
from qwen_advisor.catalog import load_catalog
from qwen_advisor.errors import UsageError
from qwen_advisor.machine import Accelerator, Cpu, HostMemory, Machine
from qwen_advisor.units import GIB

CATALOG = load_catalog()
HERE = Machine(
    os="linux",
    cpu=Cpu(name="A CPU", physical_cores=8, logical_cores=16, usable_cores=8, memory_bandwidth=60e9),
    memory=HostMemory(total=32 * GIB, available=30 * GIB),
)
ON_CPU = ("llama.cpp", "gguf-mix", "cpu")


def measured(machine: Machine = HERE, **changed: Any) -> Measured:
    base: dict[str, Any] = {
        "machine": fingerprint(machine),
        "engine": "llama.cpp",
        "format_kind": "gguf-mix",
        "mode": "cpu",
        "model": "Qwen/Qwen3-8B",
        "quantization": "Q4_K_M",
        "against": efficiencies(CATALOG),
        "at": "2026-01-01T00:00:00Z",
        "decode": 0.5,
        "prefill": 2.0,
    }
    return Measured(**(base | changed))


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "calibration.json"


def test_nothing_is_there_at_first(kept: Path) -> None:
    assert load(HERE, CATALOG, kept) == {}
    assert forget(HERE, kept) == ()
    assert not kept.exists()


def test_models_measured_alike_count_by_their_geometric_mean(kept: Path) -> None:
    store(measured(decode=0.5, prefill=2.0), kept)
    store(measured(model="Qwen/Qwen3-4B", decode=2.0, prefill=None), kept)
    assert load(HERE, CATALOG, kept) == {ON_CPU: {"decode": pytest.approx(1.0), "prefill": pytest.approx(2.0)}}


def test_a_newer_measurement_takes_the_place_of_the_same_one(kept: Path) -> None:
    store(measured(decode=0.5), kept)
    store(measured(decode=0.8, at="2026-02-01T00:00:00Z"), kept)
    assert len(read(kept)) == 1
    assert load(HERE, CATALOG, kept)[ON_CPU]["decode"] == pytest.approx(0.8)


def test_other_engines_formats_and_placements_are_apart(kept: Path) -> None:
    store(measured(), kept)
    store(measured(engine="vllm", format_kind="fp8", mode="gpu", decode=1.5), kept)
    assert set(load(HERE, CATALOG, kept)) == {ON_CPU, ("vllm", "fp8", "gpu")}


CARD = Accelerator(name="A card", vendor="nvidia", memory=24 * GIB, free=20 * GIB)


@pytest.mark.parametrize(
    "other",
    [
        replace(HERE, cpu=replace(HERE.cpu, name="B CPU")),
        replace(HERE, cpu=replace(HERE.cpu, usable_cores=4)),
        replace(HERE, memory=replace(HERE.memory, total=64 * GIB)),
        replace(HERE, accelerators=(CARD,)),
        replace(HERE, nodes=2),
        replace(HERE, os="windows"),
        replace(HERE, described=True),
    ],
)
def test_another_machine_has_none_of_it(other: Machine, kept: Path) -> None:
    store(measured(), kept)
    assert load(other, CATALOG, kept) == {}


def test_what_comes_and_goes_does_not_make_another_machine(kept: Path) -> None:
    store(measured(), kept)
    busy = replace(HERE, memory=replace(HERE.memory, available=2 * GIB, limit=8 * GIB), notes=("busy",))
    assert ON_CPU in load(busy, CATALOG, kept)


def test_other_efficiencies_make_it_lapse(kept: Path) -> None:
    store(measured(against="0123456789abcdef"), kept)
    assert load(HERE, CATALOG, kept) == {}
    assert lapsed(HERE, CATALOG, kept) == 1
    assert lapsed(replace(HERE, nodes=2), CATALOG, kept) == 0


def test_forgetting_takes_this_machine_s_back_and_leaves_others(kept: Path) -> None:
    other = replace(HERE, nodes=2)
    store(measured(), kept)
    store(measured(other), kept)
    assert forget(HERE, kept) == (measured(),)
    assert load(HERE, CATALOG, kept) == {}
    assert ON_CPU in load(other, CATALOG, kept)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"schema": "qwen-advisor/calibration/9", "measured": []}',
        b'{"schema": "qwen-advisor/calibration/1", "measured": {}}',
        b'{"schema": "qwen-advisor/calibration/1", "measured": [null]}',
        b'{"schema": "qwen-advisor/calibration/1", "measured": [{"machine": "x"}]}',
        b"[" * 100_000,
    ],
)
def test_a_broken_file_is_named_and_left_alone(content: bytes, kept: Path) -> None:
    kept.parent.mkdir()
    kept.write_bytes(content)
    for act in (lambda: load(HERE, CATALOG, kept), lambda: store(measured(), kept), lambda: forget(HERE, kept)):
        with pytest.raises(UsageError, match="holds no calibration"):
            act()
    assert kept.read_bytes() == content


@pytest.mark.parametrize("factor", [0, -1.0, 1e9, "2", True])
def test_factors_that_cannot_be_are_not_believed(factor: Any, kept: Path) -> None:
    store(measured(), kept)
    document = json.loads(kept.read_text("utf-8"))
    document["measured"][0]["decode"] = factor
    kept.write_text(json.dumps(document), "utf-8")
    with pytest.raises(UsageError, match="holds no calibration"):
        load(HERE, CATALOG, kept)


def test_estimate_multiplies_and_says_so() -> None:
    plain = api.estimate("Qwen3-8B", machine=HERE, catalog=CATALOG)
    factors = {ON_CPU: {"decode": 0.5, "prefill": 2.0}}
    tuned = api.estimate("Qwen3-8B", machine=HERE, catalog=CATALOG, calibration=factors)
    assert (plain.speed.basis, tuned.speed.basis) == ("roofline", "calibrated")
    assert tuned.speed.decode.expected == pytest.approx(0.5 * plain.speed.decode.expected)
    assert tuned.speed.prefill.expected == pytest.approx(2.0 * plain.speed.prefill.expected)
    assert tuned.speed.decode.high / tuned.speed.decode.low <= plain.speed.decode.high / plain.speed.decode.low


@pytest.mark.parametrize(
    "key", [("vllm", "gguf-mix", "cpu"), ("llama.cpp", "float", "cpu"), ("llama.cpp", "gguf-mix", "gpu")]
)
def test_factors_of_another_setting_change_nothing(key: Any) -> None:
    plain = api.estimate("Qwen3-8B", machine=HERE, catalog=CATALOG)
    other = api.estimate("Qwen3-8B", machine=HERE, catalog=CATALOG, calibration={key: {"decode": 0.5}})
    assert other.speed == plain.speed


def test_recommend_uses_them_and_says_so() -> None:
    factors = {ON_CPU: {"decode": 0.7, "prefill": 1.0}}
    advice = api.recommend(task="chat", machine=HERE, catalog=CATALOG, calibration=factors, engines=("llama.cpp",))
    first = advice.recommendations[0]
    assert first.plan.speed.basis == "calibrated"
    assert any(reason.endswith("rates by factors measured on this machine") for reason in first.reasons)
    without = api.recommend(task="chat", machine=HERE, catalog=CATALOG, engines=("llama.cpp",))
    assert without.recommendations[0].plan.speed.basis == "roofline"
    assert not any("measured on this machine" in r for item in without.recommendations for r in item.reasons)


@pytest.fixture
def detected(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """`HERE` is what detection finds."""
    from qwen_advisor.cli import machine_options  # noqa: PLC0415

    monkeypatch.setattr(api, "detect", lambda *_, **__: HERE)
    monkeypatch.setattr(machine_options, "detect", lambda *_, **__: HERE)
    return HERE


@pytest.mark.usefixtures("detected")
class TestThisMachine:
    def basis(self, call: Any, *words: str) -> str:
        said = call("estimate", "Qwen3-8B", "--json", *words)
        assert said.code == 0, said
        return said.json["speed"]["basis"]

    def test_is_calibrated_once_it_was_measured(self, call: Any) -> None:
        assert self.basis(call) == "roofline"
        store(measured(), calibration_file())
        assert self.basis(call) == "calibrated"
        assert api.estimate("Qwen3-8B").speed.basis == "calibrated"
        said = call("recommend", "--engine", "llama.cpp", "--json")
        assert {item["speed"]["basis"] for item in said.json["recommendations"]} == {"calibrated"}

    def test_a_described_one_is_not(self, call: Any, tmp_path: Path) -> None:
        store(measured(), calibration_file())
        saved = tmp_path / "saved.json"
        assert call("inspect-hardware", "--save", str(saved)).code == 0
        assert self.basis(call, "--ram", "32G") == "roofline"
        assert self.basis(call, "--hardware", str(saved)) == "roofline"
        assert self.basis(call, "--nodes", "2") == "roofline"
        assert api.estimate("Qwen3-8B", machine=HERE).speed.basis == "roofline"

    def test_lapsed_factors_are_named_and_not_used(self, call: Any) -> None:
        store(measured(against="old"), calibration_file())
        said = call("estimate", "Qwen3-8B")
        assert "hint: speeds were calibrated for another version" in said.err

    def test_a_broken_file_is_an_error_with_a_way_out(self, call: Any) -> None:
        calibration_file().parent.mkdir(parents=True)
        calibration_file().write_text("{", "utf-8")
        said = call("recommend")
        assert said.code == 2
        assert "hint: remove it" in said.err
