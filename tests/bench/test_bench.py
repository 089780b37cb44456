"""``bench`` against a server whose every figure is known: measured, and held against a prediction."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
import yaml

from qwen_advisor import api
from qwen_advisor.bench.history import history_file, last
from qwen_advisor.calibration import calibration_file
from qwen_advisor.errors import ProbeError
from qwen_advisor.machine import Machine

Call = Callable[..., Any]
SHORT = ("--prompt-tokens", "64", "--output-tokens", "16", "--runs", "2")
pytestmark = pytest.mark.usefixtures("here")


def test_the_figures_agree_with_the_server_s_own(fake: Any, call: Call, closed: Any) -> None:
    fake.answers(fake.made(gap=0.006, first=0.05))
    said = call("bench", "--url", fake.url, *SHORT, "--json")
    assert said.code == 0, said
    document = said.json
    jsonschema.validate(document, closed("bench-1"))
    level = document["levels"][0]
    assert level["requests"] == 2
    assert level["output_tokens"] == 16
    assert level["prompt_tokens"] == pytest.approx(64, abs=2)
    assert level["decode_tokens_per_second"]["mean"] == pytest.approx(level["server_decode_tokens_per_second"], rel=0.1)
    assert level["inter_token_seconds"]["count"] == 30
    assert 0.003 < level["inter_token_seconds"]["mean"] < 0.06  # pieces that a busy machine reads late come at once
    assert level["time_to_first_token_seconds"]["minimum"] >= 0.05
    assert level["prefill_tokens_per_second"]["maximum"] <= 66 / 0.05
    assert document["server"]["engine"] == "llama.cpp"
    assert document["server"]["local"] is True
    assert document["memory"]["resident_bytes"] > 0


def test_clients_ask_at_once_and_no_prompt_twice(fake: Any, call: Call) -> None:
    fake.answers(fake.made(gap=0.01))
    said = call("bench", "--url", fake.url, *SHORT, "--concurrency", "1,4,1", "--json")
    assert [(level["concurrency"], level["requests"]) for level in said.json["levels"]] == [(1, 2), (4, 8)]
    one, four = (level["throughput_tokens_per_second"] for level in said.json["levels"])
    assert four > 2 * one
    texts = [document["messages"][0]["content"] for document in fake.questions()]
    assert len({text.split()[0] for text in texts}) == len(texts)
    assert all(document["max_tokens"] == 16 for document in fake.questions()[-10:])
    assert all(document["cache_prompt"] is False for document in fake.questions())


def test_a_listener_that_is_busy_itself_says_so(fake: Any, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    from qwen_advisor.bench import load  # noqa: PLC0415

    def told() -> bool:
        notes = call("bench", "--url", fake.url, *SHORT, "--json").json["notes"]
        return any(note.startswith("listening took most of a core") for note in notes)

    fake.answers(fake.made(gap=0.005))
    assert not told()
    monkeypatch.setattr(load, "_MOST_BUSY", 0.001)
    assert told()


def test_completions_are_asked_for_by_name(fake: Any, call: Call) -> None:
    said = call("bench", "--url", fake.url, *SHORT, "--api", "completions", "--json")
    assert said.code == 0
    assert {path for path, _, _ in fake.asked if path.startswith("/v1/c")} == {"/v1/completions"}


def test_a_table_shows_it_beside_the_prediction(fake: Any, call: Call) -> None:
    said = call("bench", "--url", fake.url, *SHORT)
    assert said.out.startswith("Qwen/Qwen3-0.6B Q4_K_M on llama.cpp decodes ")
    assert "Beside the prediction, from this hardware's figures" in said.out
    assert "for 32.0 GiB RAM, 8 cores, on the CPU" in said.out
    assert "Mean of the last" not in said.out
    assert "warming up, 1 ...\n" in said.err
    assert "1 at once ...\n" in said.err
    assert "\r" not in said.err


def test_quiet_says_nothing_beside_the_answer(fake: Any, call: Call) -> None:
    assert call("bench", "--url", fake.url, *SHORT, "-q").err == ""


def test_other_formats_hold_the_same(fake: Any, call: Call, closed: Any) -> None:
    words = ("bench", "--url", fake.url, *SHORT, "--concurrency", "1,2", "--format")
    rows = list(csv.DictReader(io.StringIO(call(*words, "csv").out)))
    assert [(row["model"], row["concurrency"]) for row in rows] == [("Qwen/Qwen3-0.6B", "1"), ("Qwen/Qwen3-0.6B", "2")]
    assert float(rows[0]["predicted_decode_tokens_per_second"]) > 0
    jsonschema.validate(yaml.safe_load(call(*words, "yaml").out), closed("bench-1"))
    assert call(*words, "markdown").out.startswith("## Qwen/Qwen3-0.6B Q4_K_M on llama.cpp")


class TestPrediction:
    def test_is_of_what_is_served_on_the_idle_machine(self, fake: Any, call: Call, here: Machine) -> None:
        document = call("bench", "--url", fake.url, *SHORT, "--json").json
        assert document["prediction"] == {
            "model": "Qwen/Qwen3-0.6B",
            "quantization": "Q4_K_M",
            "engine": "llama.cpp",
            "mode": "cpu",
            "hardware": "32.0 GiB RAM, 8 cores",
        }
        held = document["levels"][0]["prediction"]["decode"]
        expected = api.estimate(
            "Qwen3-0.6B",
            machine=here,
            quantization="Q4_K_M",
            context=80,
            prompt_tokens=round(document["levels"][0]["prompt_tokens"]),
            output_tokens=16,
            calibration={},
        )
        assert held["predicted"]["expected"] == pytest.approx(expected.speed.decode.expected, rel=1e-3)
        assert held["ratio"] == pytest.approx(held["measured"] / held["predicted"]["expected"], rel=1e-2)

    def test_of_a_machine_that_is_described(self, fake: Any, call: Call) -> None:
        document = call("bench", "--url", fake.url, *SHORT, "--gpu", "RTX 4090", "--json").json
        assert document["prediction"]["mode"] == "gpu"
        assert "RTX 4090" in document["prediction"]["hardware"]

    def test_of_what_somebody_names(self, fake: Any, call: Call) -> None:
        fake.routes["/v1/models"] = lambda talk, _: talk.send(200, {"data": [{"id": "assistant"}]})
        said = call("bench", "--url", fake.url, *SHORT, "--json")
        assert said.json["prediction"] is None
        assert "'assistant' is no model of the catalogue" in said.json["notes"][-1]
        names = ("--checkpoint", "qwen3-4b", "--quant", "q8_0", "--engine", "llama.cpp")
        document = call("bench", "--url", fake.url, *SHORT, "--json", *names).json
        assert (document["prediction"]["model"], document["prediction"]["quantization"]) == ("Qwen/Qwen3-4B", "Q8_0")

    def test_is_left_out_for_a_server_elsewhere(self, fake: Any, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        from qwen_advisor.bench import serving  # noqa: PLC0415

        monkeypatch.setattr(serving, "tunnelled", lambda _: True)
        document = call("bench", "--url", fake.url, *SHORT, "--json").json
        assert (document["server"]["local"], document["prediction"], document["memory"]) == (False, None, None)
        assert "describe its machine by --gpu" in document["notes"][-1]

    def test_is_left_out_where_this_machine_cannot_be_read(
        self, fake: Any, call: Call, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from qwen_advisor.cli import machine_options  # noqa: PLC0415

        def nothing(*_: Any, **__: Any) -> Machine:
            raise ProbeError("nothing of this machine could be read")

        monkeypatch.setattr(machine_options, "detect", nothing)
        said = call("bench", "--url", fake.url, *SHORT, "--json")
        assert (said.code, said.json["prediction"]) == (0, None)
        assert said.json["notes"][-1] == "no prediction: nothing of this machine could be read"
        assert call("bench", "--url", fake.url, *SHORT, "--calibrate").code == 5

    def test_holds_all_requests_together(self, fake: Any, call: Call) -> None:
        document = call("bench", "--url", fake.url, *SHORT, "--concurrency", "1,2", "--json").json
        for level in document["levels"]:
            held = level["prediction"]["throughput"]
            assert held["measured"] == level["throughput_tokens_per_second"]
            assert held["predicted"]["low"] < held["predicted"]["expected"] < held["predicted"]["high"]
        assert document["levels"][1]["prediction"]["prefill"] is None
        table = call("bench", "--url", fake.url, *SHORT).out
        assert re.search(r"^1 +first token s ", table, re.MULTILINE)
        assert re.search(r"^1 +all tok/s ", table, re.MULTILINE)

    def test_is_not_of_what_somebody_prefers(self, fake: Any, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("QWEN_ADVISOR_ENGINES", "vllm")
        monkeypatch.setenv("QWEN_ADVISOR_QUANTS", "Q8_0")
        document = call("bench", "--url", fake.url, *SHORT, "--json").json
        assert (document["prediction"]["engine"], document["prediction"]["quantization"]) == ("llama.cpp", "Q4_K_M")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--concurrency", "0"), "--concurrency takes numbers from 1 to 256"),
        (("--concurrency", "1,x"), "is no list of numbers"),
        (("--concurrency", ""), "is no list of numbers"),
        (("--concurrency", "257"), "--concurrency takes numbers from 1 to 256"),
        (("--runs", "0"), "--runs takes a number from 1 to 100"),
        (("--runs", "100", "--concurrency", "256"), "that makes 25,600 requests, more than 2,000"),
        (("--output-tokens", "1"), "--output-tokens must be 2 or more"),
        (("--prompt-tokens", "many"), "--prompt-tokens: 'many' is not a number of tokens"),
        (("--format", "id"), "--format id cannot hold this answer"),
        (("--checkpoint", "no-such-model"), "no model is called 'no-such-model'"),
        (("--quant", "Q99"), "Q99"),
        (("--last", "0"), "--last"),
    ],
)
def test_calls_that_cannot_be(words: tuple[str, ...], sentence: str, fake: Any, call: Call) -> None:
    said = call("bench", "--url", fake.url, *words)
    assert said.code == 2
    assert sentence in said.err
    assert not fake.questions()


def test_a_context_that_is_too_small_is_told_before_asking(fake: Any, call: Call) -> None:
    fake.routes["/props"] = lambda talk, _: talk.send(200, {"default_generation_settings": {"n_ctx": 512}})
    said = call("bench", "--url", fake.url)
    assert said.code == 2
    assert "takes 512 tokens in one request, which 512 and 128 exceed" in said.err
    assert not fake.questions()


def test_what_llama_cpp_tells_of_itself(fake: Any, call: Call) -> None:
    fake.routes["/props"] = lambda talk, _: talk.send(
        200,
        {
            "default_generation_settings": {"n_ctx": 4096},
            "total_slots": 2,
            "model_path": "/m/Qwen3-4B-Q6_K.gguf",
            "build_info": "b6910-abcdef",
        },
    )
    fake.routes["/v1/models"] = lambda talk, _: talk.send(200, {"data": [{"id": "local"}]})
    document = call("bench", "--url", fake.url, *SHORT, "--concurrency", "1,4", "--json").json
    server = document["server"]
    assert (server["version"], server["context_tokens"], server["slots"]) == ("b6910", 4096, 2)
    assert (document["prediction"]["model"], document["prediction"]["quantization"]) == ("Qwen/Qwen3-4B", "Q6_K")
    assert any("answers 2 at once" in note for note in document["notes"])


def test_other_engines_are_recognised(fake: Any, call: Call) -> None:
    fake.name = "uvicorn"
    fake.routes["/v1/models"] = lambda talk, _: talk.send(
        200, {"data": [{"id": "Qwen/Qwen3-4B", "owned_by": "vllm", "max_model_len": 4096, "root": "Qwen/Qwen3-4B"}]}
    )
    fake.routes["/version"] = lambda talk, _: talk.send(200, {"version": "0.11.0"})
    document = call("bench", "--url", fake.url, *SHORT, "--gpu", "RTX 4090", "--json").json
    assert document["server"]["engine"] == "vllm"
    assert document["server"]["version"] == "0.11.0"
    assert document["prediction"]["quantization"] == "BF16"

    fake.routes["/v1/models"] = lambda talk, _: talk.send(200, {"data": [{"id": "qwen3:8b", "owned_by": "library"}]})
    fake.routes["/api/version"] = lambda talk, _: talk.send(200, {"version": "0.12.6"})
    fake.routes["/api/show"] = lambda talk, _: talk.send(200, {"details": {"quantization_level": "Q4_K_M"}})
    fake.routes["/api/ps"] = lambda talk, _: talk.send(200, {"models": [{"name": "qwen3:8b", "context_length": 4096}]})
    document = call("bench", "--url", fake.url, *SHORT, "--json").json
    assert (document["server"]["engine"], document["server"]["context_tokens"]) == ("ollama", 4096)
    assert document["prediction"]["model"] == "Qwen/Qwen3-8B"


@pytest.mark.parametrize(
    ("after", "levels"),
    [
        (0, None),  # nothing was measured yet
        (1, [(1, 1)]),
        (2, [(1, 2)]),
        (5, [(1, 2), (2, 3)]),
    ],
)
def test_an_interrupt_leaves_what_was_measured(
    after: int,
    levels: list[tuple[int, int]] | None,
    fake: Any,
    call: Call,
    closed: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from qwen_advisor.bench import load  # noqa: PLC0415

    taken, inner = [], load._next

    def interrupted(came: Any) -> Any:
        if len(taken) == after:
            raise KeyboardInterrupt
        taken.append(1)
        return inner(came)

    monkeypatch.setattr(load, "_next", interrupted)
    said = call("bench", "--url", fake.url, *SHORT, "--concurrency", "1,2", "--calibrate", "--json")
    assert said.code == 130
    if levels is None:
        assert said.out == ""
        return
    jsonschema.validate(said.json, closed("bench-1"))
    assert [(level["concurrency"], level["requests"]) for level in said.json["levels"]] == levels
    assert "it was interrupted at " in said.json["notes"][-1]
    assert len(last(history_file(), 10)) == len(levels)
    assert not calibration_file().exists()
