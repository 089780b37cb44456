"""vLLM's and SGLang's own clock, out of what they count for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from qwen_advisor.bench import counters
from qwen_advisor.bench.counters import read_counts

Call = Callable[..., Any]
SHORT = ("--prompt-tokens", "64", "--output-tokens", "16", "--runs", "2", "--no-keep", "--json")

VLLM = """# HELP vllm:prompt_tokens_total Number of prefill tokens processed.
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{{engine="0",model_name="m"}} {prompts}
vllm:generation_tokens_total{{engine="0",model_name="m"}} {outputs}
vllm:request_prefill_time_seconds_bucket{{engine="0",le="+Inf",model_name="m"}} {requests}
vllm:request_prefill_time_seconds_count{{engine="0",model_name="m"}} {requests}
vllm:request_prefill_time_seconds_sum{{engine="0",model_name="m"}} {reading}
vllm:request_decode_time_seconds_count{{engine="0",model_name="m"}} {requests}
vllm:request_decode_time_seconds_sum{{engine="0",model_name="m"}} {writing}
vllm:request_decode_time_seconds_created{{engine="0",model_name="m"}} 1.76e+09
"""
SGLANG = """sglang:prompt_tokens_total{{model_name="m"}} {prompts}
sglang:generation_tokens_total{{model_name="m"}} {outputs}
sglang:time_to_first_token_seconds_sum{{model_name="m"}} {reading}
sglang:time_to_first_token_seconds_count{{model_name="m"}} {requests}
sglang:e2e_request_latency_seconds_sum{{model_name="m"}} {both}
sglang:e2e_request_latency_seconds_count{{model_name="m"}} {requests}
"""
FIGURES = {"requests": 10, "prompts": "5120.0", "outputs": 1290.0, "reading": 2.5, "writing": 16.0, "both": 18.5}


@pytest.mark.parametrize(("text", "engine"), [(VLLM, "vllm"), (SGLANG, "sglang")])
def test_rates_leave_the_first_token_of_each_request_to_the_prefill(text: str, engine: str) -> None:
    found = read_counts(text.format(**FIGURES), engine)
    assert found is not None
    assert found.decode == pytest.approx(1280 / 16)
    assert found.prefill == pytest.approx(5120 / 2.5)


def test_workers_add_up() -> None:
    one = VLLM.format(**FIGURES)
    found = read_counts(one + one.replace('engine="0"', 'engine="1"'), "vllm")
    assert found is not None
    assert (found.requests, found.output_tokens) == (20, 2580)
    assert found.decode == pytest.approx(80)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        VLLM.format(**FIGURES).replace("generation_tokens", "other"),
        VLLM.format(**(FIGURES | {"writing": "NaN"})),
        VLLM.format(**(FIGURES | {"writing": "-1"})),
        VLLM.format(**(FIGURES | {"writing": "many"})),
    ],
)
def test_what_is_not_whole_is_not_told(text: str) -> None:
    assert read_counts(text, "vllm") is None


class Counting:
    """A server that counts as vLLM does."""

    def __init__(self, fake: Any, *, others: int = 0) -> None:
        self.figures = {"requests": 3.0, "prompts": 100.0, "outputs": 50.0, "reading": 1.0, "writing": 2.0, "both": 3.0}
        self.others, self.fake = others, fake
        fake.name = "uvicorn"
        fake.routes["/v1/models"] = lambda talk, _: talk.send(200, {"data": [{"id": "m", "owned_by": "vllm"}]})
        fake.routes["/metrics"] = self.metrics
        fake.answers(self.answer)

    def answer(self, talk: Any, document: dict[str, Any]) -> None:
        talk.begin()
        began = time.perf_counter()
        time.sleep(0.02)
        first = time.perf_counter()
        for index in range(document["max_tokens"]):
            time.sleep(0.004 if index else 0)
            talk.token(" word")
        done = time.perf_counter()
        with self.fake.lock:
            self.figures["requests"] += 1 + self.others
            self.figures["prompts"] += 64
            self.figures["outputs"] += document["max_tokens"]
            self.figures["reading"] += first - began
            self.figures["writing"] += done - first
        talk.end(64, document["max_tokens"])

    def metrics(self, talk: Any, _: Any) -> None:
        talk.send(200, VLLM.format(**self.figures), "text/plain; version=0.0.4")


def test_the_server_s_own_clock_stands_beside_ours(fake: Any, call: Call) -> None:
    Counting(fake)
    level = call("bench", "--url", fake.url, *SHORT).json["levels"][0]
    assert level["server_decode_tokens_per_second"] == pytest.approx(
        level["decode_tokens_per_second"]["mean"], rel=0.15
    )
    prefill = level["server_prefill_tokens_per_second"]
    assert 0.9 * level["prefill_tokens_per_second"]["mean"] <= prefill <= 64 / 0.02


def test_what_is_counted_late_is_waited_for(fake: Any, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "_PAUSE", 0.01)
    served = Counting(fake)
    looks: list[dict[str, float]] = []

    def late(talk: Any, _: Any) -> None:
        looks.append(dict(served.figures))
        shown = looks[0] if len(looks) == 2 else looks[-1]  # the first look after the answers shows what was before
        talk.send(200, VLLM.format(**shown), "text/plain; version=0.0.4")

    fake.routes["/metrics"] = late
    level = call("bench", "--url", fake.url, *SHORT).json["levels"][0]
    assert len(looks) == 3
    assert level["server_decode_tokens_per_second"] is not None


def test_a_server_that_answers_others_too_tells_nothing_of_us(
    fake: Any, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "_PAUSE", 0.01)
    Counting(fake, others=1)
    level = call("bench", "--url", fake.url, *SHORT).json["levels"][0]
    assert level["server_decode_tokens_per_second"] is None
    assert level["decode_tokens_per_second"] is not None


def test_a_server_without_counters_is_measured_all_the_same(fake: Any, call: Call) -> None:
    Counting(fake)
    del fake.routes["/metrics"]
    said = call("bench", "--url", fake.url, *SHORT)
    assert (said.code, said.json["levels"][0]["server_decode_tokens_per_second"]) == (0, None)
