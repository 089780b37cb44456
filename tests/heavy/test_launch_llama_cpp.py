"""The commands of ``launch`` in llama.cpp's own parser, and served by its server with a small model of random weights.

The package xllamacpp carries llama.cpp whole. Its function ``common_params_parse``, which is what llama-server and
llama-cli begin with, is called through its symbol on the parameters that the package then serves with.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qwen_advisor.catalog import load_catalog
from qwen_advisor.cli import main

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(sys.platform != "linux", reason="the symbol's name is that of Linux"),
]
pytest.importorskip("xllamacpp", reason="the package xllamacpp, which carries llama.cpp, is not installed")
pytest.importorskip("gguf", reason="the package gguf, which writes the files, is not installed")

PARSE = """
import ctypes, json, os, sys
import xllamacpp
from xllamacpp import xllamacpp as core

OBJECT_HEAD = 16  # the parameters stand behind the two words that every Python object begins with
whole = ctypes.CDLL(core.__file__)
parse = whole._Z19common_params_parseiPPcR13common_params13llama_examplePFviS0_E
parse.restype = ctypes.c_bool
parse.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]

def parsed(argv, program):
    params = xllamacpp.CommonParams()
    words = (ctypes.c_char_p * (len(argv) + 1))(*[word.encode() for word in argv], None)
    taken = parse(len(argv), words, id(params) + OBJECT_HEAD, program, None)
    return params if taken else None

def number_of(*words):
    # The programs are numbered in llama.cpp's order, which grows; this is the first that takes the words.
    return next(number for number in range(32) if parsed(["x", "-m", "y", *words], number))

argv = json.loads(sys.argv[1])
program = number_of(*{"llama-server": ["--metrics"], "llama-cli": ["--chat-template-kwargs", "{}"]}[argv[0]])
"""
TELL = """
params = parsed(argv, program)
names = json.loads(sys.argv[2])
def at(path):
    value = params
    for name in path.split("."):
        value = getattr(value, name)
    return value if isinstance(value, (int, float, str, bool, list)) else str(value)
print("PARSED " + json.dumps(None if params is None else {name: at(name) for name in names}), flush=True)
os._exit(0)
"""
SERVE = """
params = parsed(argv, program)
params.port = 0
params.cpuparams.n_threads = 2
server = xllamacpp.Server(params)
print("LISTENING", server.listening_address, flush=True)
sys.stdin.read()
os._exit(0)
"""
FIELDS = [
    *("n_ctx", "n_parallel", "n_batch", "n_ubatch", "n_gpu_layers", "flash_attn_type", "cache_type_k", "cache_type_v"),
    *("sampling.temp", "sampling.top_p", "sampling.top_k", "sampling.min_p", "sampling.penalty_present"),
    *("sampling.penalty_repeat", "endpoint_metrics", "endpoint_slots", "port", "hostnames", "yarn_orig_ctx"),
    *("rope_freq_scale", "model.path", "embedding", "pooling_type"),
]


def commands(capsys: pytest.CaptureFixture[str], *words: str) -> list[list[str]]:
    """What ``launch`` writes, the one to talk in a terminal included, as words."""
    assert main(("launch", *words, "--engine", "llama.cpp", "-q")) == 0
    lines = [line.removeprefix("# ") for line in capsys.readouterr().out.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith(("llama-server ", "llama-cli "))]


def told(argv: list[str]) -> dict[str, Any] | None:
    """What the parser makes of a command; None where it refuses it."""
    done = subprocess.run(
        [sys.executable, "-c", PARSE + TELL, json.dumps(argv), json.dumps(FIELDS)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    line = next((line for line in done.stdout.splitlines() if line.startswith("PARSED ")), None)
    assert line is not None, done.stdout[-2000:] + done.stderr[-2000:]
    parsed: dict[str, Any] | None = json.loads(line.removeprefix("PARSED "))
    return parsed


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from benchmarks.llama_cpp_files import write  # noqa: PLC0415  needs gguf

    whole = load_catalog().architectures["qwen3-0.6b"]
    assert whole.text is not None
    text = replace(whole.text, num_hidden_layers=2, vocab_size=4096, tie_word_embeddings=False)
    # A name that a careless command would break on.
    path = tmp_path_factory.mktemp("gguf") / "a $(b) 'c' %d.gguf"
    return write(path, replace(whole, text=text, vision=None), "Q8_0", reads_text=True).path


WHERE = ("--ram", "16G", "--context", "8k")
CASES: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "usual": (
        (),
        {
            "n_ctx": 8192,
            "n_parallel": 1,
            "sampling.temp": 0.6,
            "sampling.top_p": 0.95,
            "sampling.top_k": 20,
            "sampling.min_p": 0.0,
            "port": 8080,
            "hostnames": ["127.0.0.1"],
        },
    ),
    "not thinking": (("--thinking", "off"), {"sampling.temp": 0.7, "sampling.top_p": 0.8}),
    "four users": (("--parallel", "4"), {"n_ctx": 32768, "n_parallel": 4}),
    "small cache": (("--kv-type", "q8_0"), {"n_ctx": 8192}),
    "server": (("--profile", "server"), {"endpoint_metrics": True, "endpoint_slots": False}),
    "tools": (("--tools", "--port", "9000", "--host", "10.0.0.1"), {"port": 9000, "hostnames": ["10.0.0.1"]}),
    "stretched": (("--context", "64k", "--force"), {"n_ctx": 65536, "yarn_orig_ctx": 32768, "rope_freq_scale": 0.5}),
    "no flash attention": (("--no-flash-attn",), {"n_ctx": 8192}),
}


@pytest.mark.parametrize("name", CASES)
def test_llama_cpp_s_parser_takes_it(name: str, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words, expected = CASES[name]
    server, chat = commands(capsys, "Qwen3-4B", *WHERE, *words, "--weights", str(weights))
    parsed = told(server)
    assert parsed is not None, server
    assert parsed["model.path"] == str(weights)
    for key, value in expected.items():
        assert parsed[key] == (pytest.approx(value) if isinstance(value, float) else value), key
    assert told(chat) is not None, chat


@pytest.mark.parametrize(
    "words",
    [
        ("Qwen3-30B-A3B", "--gpu", "RTX 3060 12GB", "--ram", "32G", "--context", "8k"),
        ("Qwen3-32B", "--gpu", "2x RTX 3090", "--context", "8k"),
        ("Qwen3.5-9B", "--gpu", "RTX 4090", "--context", "8k", "--mtp"),
        ("Qwen3-VL-8B-Instruct", "--gpu", "RTX 4090", "--context", "8k", "--no-vision"),
        ("Qwen3-Coder-30B-A3B-Instruct", "--ram", "64G", "--context", "8k"),
        ("Qwen3-Embedding-0.6B", "--ram", "16G", "--context", "8k"),
        ("Qwen3-Reranker-0.6B", "--ram", "16G", "--context", "8k"),
    ],
    ids=lambda words: " ".join(words[:3]),
)
def test_every_placement_is_taken(words: tuple[str, ...], weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for argv in commands(capsys, *words, "--weights", str(weights)):
        # -ts needs as many devices as it names, and this build has none.
        assert told(argv) is not None, argv


def test_the_parser_refuses_what_it_does_not_know(weights: Path) -> None:
    assert told(["llama-server", "-m", str(weights), "--no-such-option"]) is None


def test_the_command_serves(weights: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    words = ("--weights", str(weights), "--profile", "server")
    server, _ = commands(capsys, "Qwen3-0.6B", "--ram", "16G", "--context", "1k", *words)
    monkeypatch.setenv("LLAMA_API_KEY", "a key")
    process = subprocess.Popen(
        [sys.executable, "-c", PARSE + SERVE, json.dumps(server)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = next(line.split()[1] for line in process.stdout if line.startswith("LISTENING ")).rstrip("/")
        with urllib.request.urlopen(f"{address}/health", timeout=60) as answer:  # noqa: S310  our own http address
            assert json.load(answer)["status"] == "ok"
        asked = {"model": "Qwen/Qwen3-0.6B", "messages": [{"role": "user", "content": "1 2 3"}], "max_tokens": 8}
        request = urllib.request.Request(  # noqa: S310  as above
            f"{address}/v1/chat/completions",
            json.dumps(asked).encode(),
            {"Content-Type": "application/json", "Authorization": "Bearer a key"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310  as above
            said = json.load(answer)
        assert said["model"] == "Qwen/Qwen3-0.6B"
        assert said["usage"]["completion_tokens"] > 0
        request.remove_header("Authorization")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(request, timeout=60)  # noqa: S310  as above
    finally:
        process.kill()
        process.communicate()
