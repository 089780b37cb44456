"""``bench --calibrate`` and ``--forget``: factors of this machine, kept, used and taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qwen_advisor.calibration import calibration_file

Call = Callable[..., Any]
SHORT = ("--prompt-tokens", "64", "--output-tokens", "16", "--runs", "2")
pytestmark = pytest.mark.usefixtures("here")


def words(fake: Any) -> tuple[str, ...]:
    return ("bench", "--url", fake.url, "--prompt-tokens", "64", "--output-tokens", "4", "--runs", "1", "--json")


def test_makes_what_was_measured_the_next_prediction(fake: Any, call: Call) -> None:
    # Far slower than 8 cores at 60 GB/s decode this model, so that the factor is not near one.
    fake.answers(fake.made(gap=0.06, first=0.04))
    before = call(*words(fake), "--calibrate")
    assert before.code == 0, before
    factor = before.json["calibration"]["decode"]
    held = before.json["levels"][0]["prediction"]
    assert held["basis"] == "roofline"
    assert factor == pytest.approx(held["decode"]["ratio"], rel=1e-3)
    assert 0.1 < factor < 0.5
    assert calibration_file().exists()
    after = call(*words(fake)).json["levels"][0]["prediction"]
    assert after["basis"] == "calibrated"
    for phase in ("decode", "prefill"):
        assert after[phase]["predicted"]["expected"] == pytest.approx(held[phase]["measured"], rel=0.05)
    said = call("estimate", "Qwen3-0.6B", "--json")
    assert said.json["speed"]["basis"] == "calibrated"
    # Measuring again replaces it: it neither multiplies what is there nor is held against it.
    again = call(*words(fake), "--calibrate").json["calibration"]["decode"]
    assert again == pytest.approx(factor, rel=0.4)


def test_is_taken_back(fake: Any, call: Call) -> None:
    fake.answers(fake.made(gap=0.012, first=0.04))
    assert call(*words(fake), "--calibrate").code == 0
    said = call("bench", "--forget")
    assert said.out.startswith("forgotten: Qwen/Qwen3-0.6B Q4_K_M on llama.cpp, measured ")
    assert call("bench", "--forget").out == "nothing was kept for this machine\n"
    assert call("estimate", "Qwen3-0.6B", "--json").json["speed"]["basis"] == "roofline"


def test_taking_back_has_no_answer_for_programs(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    said = call("bench", "--forget", "--json")
    assert said.code == 2
    assert "--forget has no answer that a format could hold" in said.err
    monkeypatch.setenv("QWEN_ADVISOR_FORMAT", "json")  # settled for all calls, not asked of this one
    assert call("bench", "--forget").out == "nothing was kept for this machine\n"


def test_is_not_believed_where_it_must_be_of_something_else(fake: Any, call: Call) -> None:
    fake.answers(fake.made(gap=0.0))  # thousands of tokens per second
    said = call(*words(fake), "--calibrate")
    assert said.code == 2
    assert "nothing is stored: measured is decode" in said.err
    assert said.json["calibration"] == {}
    assert said.json["levels"]
    assert not calibration_file().exists()


def test_of_a_server_that_speculates_is_refused(fake: Any, call: Call) -> None:
    inner = fake.made(gap=0.012, first=0.04)

    def route(talk: Any, document: dict[str, Any]) -> None:
        event = talk.event
        talk.event = lambda item: event(
            {**item, "timings": {**item["timings"], "draft_n": 8, "draft_n_accepted": 6}} if "timings" in item else item
        )
        inner(talk, document)

    fake.answers(route)
    said = call(*words(fake), "--calibrate")
    assert said.code == 2
    assert "the server speculates" in said.err
    assert said.json["levels"][0]["speculated_tokens_accepted"] == 0.75


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--calibrate", "--concurrency", "4"), "--calibrate needs requests one at a time"),
        (("--calibrate", "--gpu", "RTX 4090"), "factors are kept for this very machine"),
        (("--calibrate", "--forget"), "exclude each other"),
        (("--forget", "--ram", "16G"), "factors are kept for this very machine"),
        (("--forget",), "--forget measures nothing"),  # of the server that --url names
        (("--history",), "--history measures nothing"),
    ],
)
def test_calls_that_contradict_themselves(words: tuple[str, ...], sentence: str, fake: Any, call: Call) -> None:
    said = call("bench", "--url", fake.url, *words)
    assert said.code == 2
    assert sentence in said.err
    assert not fake.asked


def test_needs_to_know_what_is_served(fake: Any, call: Call) -> None:
    fake.routes["/v1/models"] = lambda talk, _: talk.send(200, {"data": [{"id": "Qwen3-8B"}]})
    said = call("bench", "--url", fake.url, *SHORT, "--calibrate")
    assert said.code == 2
    assert "hint: name it by --quant" in said.err
    assert not fake.questions()
