"""Memory against the real llama.cpp: buffers as its log prints them, and what the process then occupies.

Each case writes a small file of true layer kinds with random weights, starts llama.cpp's server in a process of its
own, sends one prompt and reads the log and ``/proc``.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from qwen_advisor.catalog import load_catalog
from qwen_advisor.machine import Cpu, HostMemory, Machine
from qwen_advisor.memory import memory
from qwen_advisor.model import Architecture
from qwen_advisor.plan import Memory, Placement, Settings
from qwen_advisor.units import MIB

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
pytest.importorskip("xllamacpp", reason="the package xllamacpp, which carries llama.cpp, is not installed")
pytest.importorskip("gguf", reason="the package gguf, which writes the files, is not installed")

CATALOG = load_catalog()
VOCABULARY = 8192
PROMPT = 300

SERVER = """
import json, sys, urllib.request
import xllamacpp

def resident():
    with open("/proc/self/status") as file:
        rows = dict(line.split(":", 1) for line in file)
    return {name: int(rows[name].split()[0]) * 1024 for name in ("RssAnon", "RssFile")}

wanted = json.loads(sys.argv[1])
params = xllamacpp.CommonParams()
params.model.path = wanted["path"]
params.n_ctx, params.n_ubatch, params.n_parallel = wanted["context"], wanted["ubatch"], wanted["parallel"]
params.kv_unified = wanted["kv_unified"]
params.n_gpu_layers = 0
params.no_extra_bufts = not wanted["repack"]
params.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_MMAP if wanted["mmap"] else (
    xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE)
params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED if wanted["fa"] else (
    xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED)
kind = getattr(xllamacpp.ggml_type, "GGML_TYPE_" + wanted["kv_type"].upper())
params.cache_type_k = params.cache_type_v = kind
params.cpuparams.n_threads = 2
params.verbosity = 4
params.warmup = True
before = resident()
server = xllamacpp.Server(params)
asked = {"prompt": [300 + i % 5000 for i in range(wanted["prompt"])], "n_predict": 4, "ignore_eos": True}
server.handle_completions(asked)
after = resident()
print("MEASURED " + json.dumps({name: after[name] - before[name] for name in after}), flush=True)
import os
os._exit(0)
"""


def small(name: str, layers: int) -> Architecture:
    """An architecture of the catalogue with fewer layers and a small vocabulary."""
    whole = CATALOG.architectures[name]
    assert whole.text is not None
    text = replace(
        whole.text,
        num_hidden_layers=layers,
        vocab_size=VOCABULARY,
        tie_word_embeddings=False,
        mtp_num_hidden_layers=0,
    )
    return replace(whole, text=text, vision=None)


MODELS = {
    "dense": ("qwen3-0.6b", 12),
    "biased": ("qwen2-0.5b", 12),
    "experts": ("qwen3-30b-a3b", 1),
    "hybrid": ("qwen3.5-0.8b", 12),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory):
    from benchmarks.llama_cpp_files import write  # noqa: PLC0415 - needs gguf

    made = {}

    def make(name: str, matrices: str):
        if (name, matrices) not in made:
            architecture = small(*MODELS[name])
            path = tmp_path_factory.mktemp("gguf") / f"{name}-{matrices}.gguf"
            made[name, matrices] = (architecture, write(path, architecture, matrices))
        return made[name, matrices]

    return make


def features() -> tuple[str, ...]:
    """What this processor can do, under Linux's names."""
    line = re.search(r"^(?:flags|Features)\s*:(.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return tuple(line[1].split()) if line else ()


def run(path: Path, settings: Settings) -> tuple[dict[str, float], dict[str, int]]:
    """Start the server; its buffers in MiB as logged, and by how much the process grew."""
    wanted = {
        "path": str(path),
        "context": settings.context,
        "ubatch": settings.ubatch,
        "parallel": settings.parallel,
        "kv_unified": settings.kv_unified,
        "kv_type": settings.kv_type,
        "fa": settings.flash_attention is not False,
        "mmap": settings.mmap,
        "repack": settings.repack,
        "prompt": settings.prompt_tokens,
    }
    done = subprocess.run(
        [sys.executable, "-c", SERVER, json.dumps(wanted)], capture_output=True, text=True, timeout=300, check=False
    )
    log = done.stdout + done.stderr
    measured = re.search(r"MEASURED (.*)", log)
    assert measured, log[-3000:]
    buffers: dict[str, float] = {}
    for name, kind, size in re.findall(r"(CPU\w*)\s+(\w+) buffer size\s+=\s+([\d.]+) MiB", log):
        label = f"{'CPU' if name.startswith('CPU_M') else name} {kind}"
        buffers[label] = buffers.get(label, 0) + float(size)
    return buffers, json.loads(measured[1])


def told(architecture: Architecture, footprint, settings: Settings) -> Memory:
    machine = Machine(
        os="linux",
        cpu=Cpu(name="this", arch="arm64" if platform.machine() == "aarch64" else "x86_64", features=features()),
        memory=HostMemory(total=1 << 40, available=1 << 40),
    )
    place = Placement(mode="cpu", layers=footprint.layers)
    return memory(architecture, footprint, settings, place, machine, CATALOG.memory_models)


def settings(**given) -> Settings:
    base = {"engine": "llama.cpp", "context": 4096, "vision": False, "prompt_tokens": PROMPT, "output_tokens": 4}
    return Settings(**(base | given))


CASES = [
    ("dense", "Q8_0", {}),
    ("dense", "Q4_0", {}),
    ("dense", "Q4_0", {"mmap": False}),
    ("dense", "Q4_0", {"repack": False}),
    ("dense", "Q8_0", {"flash_attention": False}),
    ("dense", "Q8_0", {"kv_type": "q8_0", "context": 16384}),
    ("dense", "Q8_0", {"parallel": 3, "context": 5000}),
    ("biased", "Q8_0", {"ubatch": 128}),
    ("experts", "Q8_0", {}),
    ("experts", "Q4_0", {"kv_type": "q4_0"}),
    ("hybrid", "Q8_0", {}),
    ("hybrid", "Q4_0", {"context": 16384, "ubatch": 256}),
    ("hybrid", "Q8_0", {"parallel": 2, "kv_unified": True}),
]


@pytest.mark.parametrize(("model", "matrices", "given"), CASES)
def test_buffers_and_resident_memory(files, model: str, matrices: str, given: dict) -> None:
    architecture, written = files(model, matrices)
    asked = settings(**given)
    buffers, grown = run(written.path, asked)
    expected = told(architecture, written.footprint, asked)

    assert buffers["CPU KV"] == pytest.approx(expected.group("kv_cache") / MIB, abs=0.01)
    assert buffers.get("CPU RS", 0) == pytest.approx(expected.group("recurrent_state") / MIB, abs=0.01)
    assert buffers["CPU compute"] == pytest.approx(expected.group("compute_buffer") / MIB, abs=0.01)
    repacked = sum(part.bytes for part in expected.parts if part.name == "cpu_repack")
    if asked.mmap and asked.repack:
        assert buffers.get("CPU_REPACK model", 0) == pytest.approx(repacked / MIB, abs=0.01)

    # The program's own pages were there before; what the process grew by is all the rest.
    program = sum(part.bytes for part in expected.parts if part.name == "program")
    rest = expected.total - program
    assert sum(grown.values()) == pytest.approx(rest, rel=0.03, abs=12 * MIB)


def test_file_holds_the_tensors_and_a_small_header(files) -> None:
    _, written = files("dense", "Q8_0")
    assert 0 < written.path.stat().st_size - written.footprint.tensor_bytes < 2 * MIB
