"""``bench`` against a server whose every figure is known: measured, kept, held against a prediction, calibrated."""

from __future__ import annotations

import csv
import io
import json
import re
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from qwen_advisor import api
from qwen_advisor.bench.history import append, history_file, last
from qwen_advisor.calibration import calibration_file
from qwen_advisor.errors import ProbeError
from qwen_advisor.machine import Cpu, HostMemory, Machine
from qwen_advisor.render.schema import json_schema
from qwen_advisor.units import GIB

Call = Callable[..., Any]
SHORT = ("--prompt-tokens", "64", "--output-tokens", "16", "--runs", "2")
HERE = Machine(
    os="linux",
    cpu=Cpu(name="A CPU", physical_cores=8, logical_cores=16, usable_cores=8, memory_bandwidth=60e9),
    memory=HostMemory(total=32 * GIB, available=2 * GIB),
)


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    from qwen_advisor.cli import machine_options  # noqa: PLC0415

    monkeypatch.setattr(api, "detect", lambda *_, **__: HERE)
    monkeypatch.setattr(machine_options, "detect", lambda *_, **__: HERE)


def closed(name: str) -> dict[str, Any]:
    schema = json_schema(name)
    for part in (schema, *schema["$defs"].values()):
        part["additionalProperties"] = False
    return schema


def good(fake: Any, **how: Any) -> Any:
    return type(fake.routes["/v1/chat/completions"])(**how)


def test_the_figures_agree_with_the_server_s_own(fake: Any, call: Call) -> None:
    fake.answers(good(fake, gap=0.006, first=0.05))
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
    fake.answers(good(fake, gap=0.01))
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

    fake.answers(good(fake, gap=0.005))
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


def test_other_formats_hold_the_same(fake: Any, call: Call) -> None:
    words = ("bench", "--url", fake.url, *SHORT, "--concurrency", "1,2", "--format")
    rows = list(csv.DictReader(io.StringIO(call(*words, "csv").out)))
    assert [(row["model"], row["concurrency"]) for row in rows] == [("Qwen/Qwen3-0.6B", "1"), ("Qwen/Qwen3-0.6B", "2")]
    assert float(rows[0]["predicted_decode_tokens_per_second"]) > 0
    jsonschema.validate(yaml.safe_load(call(*words, "yaml").out), closed("bench-1"))
    assert call(*words, "markdown").out.startswith("## Qwen/Qwen3-0.6B Q4_K_M on llama.cpp")


class TestPrediction:
    def test_is_of_what_is_served_on_the_idle_machine(self, fake: Any, call: Call) -> None:
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
            machine=HERE,
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


class TestHistory:
    def test_grows_by_a_line_for_each_level_and_means_follow(self, fake: Any, call: Call) -> None:
        words = ("bench", "--url", fake.url, *SHORT, "--json")
        first = call(*words).json
        second = call(*words, "--concurrency", "1,2").json
        path = Path(second["history"]["file"])
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        assert [(line["concurrency"], line["model"]) for line in lines] == [
            (1, "Qwen/Qwen3-0.6B"),
            (1, "Qwen/Qwen3-0.6B"),
            (2, "Qwen/Qwen3-0.6B"),
        ]
        assert [item["measurements"] for item in second["history"]["averages"]] == [2, 1]
        rates = [item["levels"][0]["throughput_tokens_per_second"] for item in (first, second)]
        mean = second["history"]["averages"][0]["throughput_tokens_per_second"]
        assert mean == pytest.approx(statistics.mean(rates), rel=1e-3)
        assert call(*words, "--last", "1").json["history"]["averages"][0]["measurements"] == 1
        assert "Mean of the last measurements alike" in call(*words[:-1]).out

    def test_other_lengths_are_other_things(self, fake: Any, call: Call) -> None:
        call("bench", "--url", fake.url, *SHORT)
        document = call("bench", "--url", fake.url, *SHORT, "--output-tokens", "8", "--json").json
        assert document["history"]["averages"][0]["measurements"] == 1

    def test_is_left_alone_when_asked(self, fake: Any, call: Call) -> None:
        assert call("bench", "--url", fake.url, *SHORT, "--no-keep", "--json").json["history"] is None
        assert not history_file().exists()

    def test_is_shown_by_thing(self, fake: Any, call: Call) -> None:
        for _ in range(2):
            call("bench", "--url", fake.url, *SHORT, "--concurrency", "1,2")
        said = call("bench", "--history", "--json")
        jsonschema.validate(said.json, closed("bench-history-1"))
        assert [item["average"]["concurrency"] for item in said.json["measured"]] == [1, 2]
        assert [item["average"]["measurements"] for item in said.json["measured"]] == [2, 2]
        rows = list(csv.DictReader(io.StringIO(call("bench", "--history", "--format", "csv").out)))
        assert [(row["concurrency"], row["measurements"]) for row in rows] == [("1", "2"), ("2", "2")]
        assert rows[0]["model"] == "Qwen/Qwen3-0.6B"
        table = call("bench", "--history")
        assert table.out.startswith("Means of up to 10 measurements each\n")
        assert "Q4_K_M on" in table.out

    def test_nothing_was_measured_yet(self, call: Call) -> None:
        assert call("bench", "--history").out.startswith("Nothing was measured yet\n")

    def test_a_torn_line_costs_itself_alone(self, fake: Any, call: Call) -> None:
        call("bench", "--url", fake.url, *SHORT)
        path = history_file()
        whole = path.read_bytes()
        path.write_bytes(whole + whole[:50])
        document = call("bench", "--url", fake.url, *SHORT, "--json").json
        assert document["history"]["averages"][0]["measurements"] == 2
        assert path.read_bytes().startswith(whole + whole[:50] + b"\n{")

    def test_rubbish_is_passed_over(self, tmp_path: Path) -> None:
        path = tmp_path / "bench.jsonl"
        path.write_bytes(b"\xff\n[]\n{}\nnull\n" + b"[" * 70_000 + b'\n{"schema": "qwen-advisor/bench-entry/1"}\n')
        assert last(path, 10) == ()

    def test_a_history_that_cannot_be_written_is_no_fault(self, fake: Any, call: Call) -> None:
        history_file().mkdir(parents=True)
        said = call("bench", "--url", fake.url, *SHORT, "--json")
        assert (said.code, said.json["history"]) == (0, None)
        assert "warning: the history was not kept" in said.err

    def test_lines_of_many_writers_stay_whole(self, fake: Any, call: Call) -> None:
        import threading  # noqa: PLC0415

        call("bench", "--url", fake.url, *SHORT)
        entry = last(history_file(), 1)[0]
        writers = [
            threading.Thread(target=lambda: [append(history_file(), [entry, entry]) for _ in range(5)])
            for _ in range(8)
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert last(history_file(), 1000) == (entry,) * 81


class TestCalibration:
    def words(self, fake: Any) -> tuple[str, ...]:
        return ("bench", "--url", fake.url, "--prompt-tokens", "64", "--output-tokens", "4", "--runs", "1", "--json")

    def test_makes_what_was_measured_the_next_prediction(self, fake: Any, call: Call) -> None:
        # Far slower than 8 cores at 60 GB/s decode this model, so that the factor is not near one.
        fake.answers(good(fake, gap=0.06, first=0.04))
        before = call(*self.words(fake), "--calibrate")
        assert before.code == 0, before
        factor = before.json["calibration"]["decode"]
        held = before.json["levels"][0]["prediction"]
        assert held["basis"] == "roofline"
        assert factor == pytest.approx(held["decode"]["ratio"], rel=1e-3)
        assert 0.1 < factor < 0.5
        assert calibration_file().exists()
        after = call(*self.words(fake)).json["levels"][0]["prediction"]
        assert after["basis"] == "calibrated"
        for phase in ("decode", "prefill"):
            assert after[phase]["predicted"]["expected"] == pytest.approx(held[phase]["measured"], rel=0.05)
        said = call("estimate", "Qwen3-0.6B", "--json")
        assert said.json["speed"]["basis"] == "calibrated"
        # Measuring again replaces it: it neither multiplies what is there nor is held against it.
        again = call(*self.words(fake), "--calibrate").json["calibration"]["decode"]
        assert again == pytest.approx(factor, rel=0.4)

    def test_is_taken_back(self, fake: Any, call: Call) -> None:
        fake.answers(good(fake, gap=0.012, first=0.04))
        assert call(*self.words(fake), "--calibrate").code == 0
        said = call("bench", "--forget")
        assert said.out.startswith("forgotten: Qwen/Qwen3-0.6B Q4_K_M on llama.cpp, measured ")
        assert call("bench", "--forget").out == "nothing was kept for this machine\n"
        assert call("estimate", "Qwen3-0.6B", "--json").json["speed"]["basis"] == "roofline"

    def test_taking_back_has_no_answer_for_programs(self, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        said = call("bench", "--forget", "--json")
        assert said.code == 2
        assert "--forget has no answer that a format could hold" in said.err
        monkeypatch.setenv("QWEN_ADVISOR_FORMAT", "json")  # settled for all calls, not asked of this one
        assert call("bench", "--forget").out == "nothing was kept for this machine\n"

    def test_is_not_believed_where_it_must_be_of_something_else(self, fake: Any, call: Call) -> None:
        fake.answers(good(fake, gap=0.0))  # thousands of tokens per second
        said = call(*self.words(fake), "--calibrate")
        assert said.code == 2
        assert "nothing is stored: measured is decode" in said.err
        assert said.json["calibration"] == {}
        assert said.json["levels"]
        assert not calibration_file().exists()

    def test_of_a_server_that_speculates_is_refused(self, fake: Any, call: Call) -> None:
        inner = good(fake, gap=0.012, first=0.04)

        def route(talk: Any, document: dict[str, Any]) -> None:
            event = talk.event
            talk.event = lambda item: event(
                {**item, "timings": {**item["timings"], "draft_n": 8, "draft_n_accepted": 6}}
                if "timings" in item
                else item
            )
            inner(talk, document)

        fake.answers(route)
        said = call(*self.words(fake), "--calibrate")
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
    def test_calls_that_contradict_themselves(
        self, words: tuple[str, ...], sentence: str, fake: Any, call: Call
    ) -> None:
        said = call("bench", "--url", fake.url, *words)
        assert said.code == 2
        assert sentence in said.err
        assert not fake.asked

    def test_needs_to_know_what_is_served(self, fake: Any, call: Call) -> None:
        fake.routes["/v1/models"] = lambda talk, _: talk.send(200, {"data": [{"id": "Qwen3-8B"}]})
        said = call("bench", "--url", fake.url, *SHORT, "--calibrate")
        assert said.code == 2
        assert "hint: name it by --quant" in said.err
        assert not fake.questions()


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
    after: int, levels: list[tuple[int, int]] | None, fake: Any, call: Call, monkeypatch: pytest.MonkeyPatch
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
