"""``bench`` and ``health`` against the real llama.cpp: counts and rates agree with what the server says of itself.

A small file of Qwen3's layers with random weights is served by llama.cpp's own HTTP server in a process of its own.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from qwen_advisor.bench import Endpoint, Level, Load, Wire, look_up, measure, parse_address
from qwen_advisor.catalog import load_catalog
from qwen_advisor.cli import main

pytestmark = pytest.mark.heavy
pytest.importorskip("xllamacpp", reason="the package xllamacpp, which carries llama.cpp, is not installed")
pytest.importorskip("gguf", reason="the package gguf, which writes the files, is not installed")

# One thread, so that the one who listens has a core of its own.
SERVER = """
import sys
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.n_ctx, params.n_parallel, params.n_gpu_layers = 4096, 2, 0
params.cpuparams.n_threads = 1
params.endpoint_metrics = True
params.port = 0
server = xllamacpp.Server(params)
print("LISTENING", server.listening_address, flush=True)
sys.stdin.read()
import os
os._exit(0)
"""
LAYERS, VOCABULARY = 6, 8192
AGREES = 0.03


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    url: str
    process: subprocess.Popen[str]

    def metrics(self) -> dict[str, float]:
        """What it has counted since its start, as it tells Prometheus."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as answer:  # noqa: S310  our own http address
            text = answer.read().decode()
        return {name: float(value) for name, value in re.findall(r"^llamacpp:(\w+) (\S+)$", text, re.MULTILINE)}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from benchmarks.llama_cpp_files import write  # noqa: PLC0415  needs gguf

    whole = load_catalog().architectures["qwen3-0.6b"]
    assert whole.text is not None
    text = replace(whole.text, num_hidden_layers=LAYERS, vocab_size=VOCABULARY, tie_word_embeddings=False)
    path = tmp_path_factory.mktemp("gguf") / "Qwen3-0.6B-Q8_0.gguf"
    return write(path, replace(whole, text=text, vision=None), "Q8_0", reads_text=True).path


def start(weights: Path, log: Path) -> Served:
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(weights)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("LISTENING "):
            return Served(line.split()[1].rstrip("/"), process)
    process.kill()
    raise AssertionError(log.read_text("utf-8", "replace")[-3000:])


def stop(served: Served) -> None:
    served.process.kill()
    served.process.communicate()


@pytest.fixture(scope="module")
def served(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    running = start(weights, tmp_path_factory.mktemp("log") / "server.log")
    yield running
    stop(running)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Run the command line in this process, with a home of its own: exit code, stdout, stderr."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "HOME", "APPDATA", "LOCALAPPDATA", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))

    def run(*words: str) -> tuple[int, str, str]:
        code = main(words)
        caught = capsys.readouterr()
        return code, caught.out, caught.err

    return run


@dataclass(frozen=True)
class Between:
    """One level, and what the server counted and took from before it until after it."""

    level: Level
    seconds: float
    counted: dict[str, float]


@pytest.fixture(scope="module")
def levels(served: Served) -> list[Between]:
    wire = Wire(address=parse_address(served.url), timeout=120.0)
    looks: list[tuple[float, dict[str, float]]] = []

    def progress(sentence: str) -> None:
        if ": 0 of " in sentence:
            looks.append((time.perf_counter(), served.metrics()))

    load = Load(prompt_tokens=512, output_tokens=128, concurrency=(1, 2), runs=3)
    found = measure(Endpoint(wire=wire, model=look_up(wire, None).model), look_up(wire, None), load, progress)
    assert found.fault is None
    looks.append((time.perf_counter(), served.metrics()))
    return [
        Between(level, after[0] - before[0], {name: after[1][name] - before[1][name] for name in after[1]})
        for level, before, after in zip(found.levels, looks, looks[1:], strict=False)
    ]


def test_counts_are_the_server_s_own(levels: list[Between]) -> None:
    assert [(item.level.concurrency, item.level.requests) for item in levels] == [(1, 3), (2, 6)]
    for item in levels:
        level = item.level
        assert level.output_tokens == 128
        assert level.prompt_tokens == pytest.approx(512, rel=0.1)  # letters are tokens here, and words differ in them
        assert level.output_tokens * level.requests == item.counted["tokens_predicted_total"]
        assert level.prompt_tokens * level.requests == pytest.approx(item.counted["prompt_tokens_total"])
        assert item.counted["prompt_tokens_cached_total"] == 0


def test_decode_rates_are_the_server_s_own(levels: list[Between]) -> None:
    for item in levels:
        level = item.level
        assert level.decode is not None
        assert level.decode.mean == pytest.approx(level.server_decode, rel=AGREES)
        # Over all requests together; its clock starts at the first token of each, which it counts too.
        steps = item.counted["tokens_predicted_total"] - level.requests
        by_counters = steps / item.counted["tokens_predicted_seconds_total"]
        assert level.inter_token is not None
        assert 1 / level.inter_token.mean == pytest.approx(by_counters, rel=AGREES)


def test_prefill_of_single_requests_is_the_server_s_own(levels: list[Between]) -> None:
    level, counted = levels[0].level, levels[0].counted
    assert level.prefill is not None
    assert level.prefill.mean == pytest.approx(level.server_prefill, rel=AGREES)
    by_counters = counted["prompt_tokens_total"] / counted["prompt_seconds_total"]
    assert level.prompt_tokens / level.time_to_first_token.mean == pytest.approx(by_counters, rel=AGREES)


def test_throughput_is_tokens_over_the_time_on_the_wall(levels: list[Between]) -> None:
    for item in levels:
        rate = item.counted["tokens_predicted_total"] / item.seconds
        assert item.level.throughput == pytest.approx(rate, rel=AGREES)


SHORT = ("--prompt-tokens", "256", "--output-tokens", "64", "--runs", "2")


def test_what_it_says_of_the_server(served: Served, call: Callable[..., Any]) -> None:
    code, out, _ = call("bench", "--url", served.url, *SHORT, "--json")
    assert code == 0
    document = json.loads(out)
    assert document["server"]["engine"] == "llama.cpp"
    assert (document["server"]["context_tokens"], document["server"]["slots"]) == (2048, 2)
    assert (document["prediction"]["model"], document["prediction"]["quantization"]) == ("Qwen/Qwen3-0.6B", "Q8_0")
    resident = psutil.Process(served.process.pid).memory_info().rss
    assert document["memory"]["resident_bytes"] == pytest.approx(resident, rel=AGREES)


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_both_routes_are_measured_alike(api: str, served: Served, call: Callable[..., Any]) -> None:
    code, out, _ = call("bench", "--url", served.url, *SHORT, "--api", api, "--json")
    assert code == 0
    level = json.loads(out)["levels"][0]
    assert level["output_tokens"] == 64
    assert level["prompt_tokens"] == pytest.approx(256, rel=0.25)  # letters are tokens here, and words differ in them
    own = level["server_decode_tokens_per_second"]
    assert level["decode_tokens_per_second"]["mean"] == pytest.approx(own, rel=AGREES)


def test_factors_make_what_was_measured_the_next_prediction(served: Served, call: Callable[..., Any]) -> None:
    code, out, said = call("bench", "--url", served.url, *SHORT, "--calibrate", "--json")
    assert code == 0, said
    first = json.loads(out)["levels"][0]["prediction"]
    second = json.loads(call("bench", "--url", served.url, *SHORT, "--json")[1])["levels"][0]["prediction"]
    assert (first["basis"], second["basis"]) == ("roofline", "calibrated")
    for phase in ("decode", "prefill"):  # prompts of the two calls differ by a few letters
        assert second[phase]["predicted"]["expected"] == pytest.approx(first[phase]["measured"], rel=0.05)
    assert "forgotten: Qwen/Qwen3-0.6B Q8_0 on llama.cpp" in call("bench", "--forget")[1]


def test_more_than_its_context_is_not_asked_for(served: Served, call: Callable[..., Any]) -> None:
    code, out, said = call("bench", "--url", served.url, "--prompt-tokens", "2000", "--output-tokens", "64")
    assert (code, out) == (2, "")
    assert "takes 2,048 tokens in one request" in said


def test_another_model_is_named(served: Served, call: Callable[..., Any]) -> None:
    code, _, said = call("bench", "--url", served.url, "--model", "qwen3:32b")
    assert code == 2
    assert "Qwen3-0.6B-Q8_0.gguf, not 'qwen3:32b'" in said


def test_random_weights_are_unhealthy(served: Served, call: Callable[..., Any]) -> None:
    code, out, _ = call("health", "--url", served.url, "--json")
    assert code == 9
    checks = {check["name"]: check["passed"] for check in json.loads(out)["checks"]}
    assert checks["correctness"] is False
    assert checks["generation_rate"] is True


def test_a_server_that_is_killed_in_the_middle(weights: Path, tmp_path: Path, call: Callable[..., Any]) -> None:
    dying = start(weights, tmp_path / "server.log")
    threading.Timer(2.0, dying.process.kill).start()
    began = time.monotonic()
    code, out, said = call("bench", "--url", dying.url, "--prompt-tokens", "64", "--output-tokens", "1500", "--no-keep")
    stop(dying)
    assert (code, out) == (6, "")
    assert re.search("broke (off in the middle of an answer|the connection off)|nothing listens", said), said
    assert time.monotonic() - began < 20
