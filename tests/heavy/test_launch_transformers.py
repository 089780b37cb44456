"""The Python scripts of ``launch`` for Transformers, run on tiny Qwen models of the real architectures, on the CPU."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from qwen_advisor.cli import main

pytestmark = pytest.mark.heavy
pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("accelerate", reason="accelerate, which device_map needs, is not installed")

HERE = Path(__file__).parent
WRITTEN = 32  # tokens that a script asks for


def _tiny() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tiny_qwen", HERE / "tiny_qwen.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = _tiny()
    folder = tmp_path_factory.mktemp("models")
    return {"dense": made.dense(folder / "it's $(dense)"), "hybrid": made.hybrid(folder / "hybrid")}


def run(folder: Path, script: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Write the script and run it, with no network."""
    assert (
        main(("launch", *words, "--engine", "transformers", "--weights", str(folder), *SHORT, "-o", str(script))) == 0
    )
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "2"}
    return subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        check=False,
        encoding="utf-8",
        errors="replace",
        env=offline,
        timeout=300,
    )


SHORT = ("--output-tokens", str(WRITTEN), "-q")
ROOM = ("--ram", "64G", "--format", "python", "--context", "8k")


@pytest.mark.parametrize(
    ("model", "kind", "words"),
    [
        ("Qwen3-0.6B", "dense", ()),
        ("Qwen3-0.6B", "dense", ("--thinking", "off")),
        ("Qwen3-4B", "dense", ("--context", "64k")),
        ("Qwen3.5-4B", "hybrid", ("--thinking", "off")),
    ],
)
def test_a_script_answers(model: str, kind: str, words: tuple[str, ...], tiny: dict[str, Path], tmp_path: Path) -> None:
    done = run(tiny[kind], tmp_path / "script.py", model, *ROOM, *words)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip()


@pytest.mark.parametrize("quantization", ["INT8", "NF4"])
def test_weights_are_quantized_while_they_load(quantization: str, tiny: dict[str, Path], tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed")
    words = ("Qwen3-0.6B", "--gpu", "RTX 4090", "--format", "python", "--context", "8k", "--quant", quantization)
    done = run(tiny["dense"], tmp_path / "script.py", *words)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip()
    script = (tmp_path / "script.py").read_text("utf-8")
    assert ("bnb_4bit_use_double_quant=True" in script) == (quantization == "NF4")


def test_yarn_reaches_the_model(tiny: dict[str, Path], tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    words = ("Qwen3-4B", "--ram", "64G", "--format", "python", "--context", "64k")
    assert (
        main(("launch", *words, "--engine", "transformers", "--weights", str(tiny["dense"]), *SHORT, "-o", str(script)))
        == 0
    )
    head = script.read_text("utf-8").partition("\nmessages =")[0]
    probe = head + "\nprint(model.model.rotary_emb.rope_type, model.config.rope_parameters['factor'])\n"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False, timeout=300)
    assert done.stdout.split() == ["yarn", "2.0"], done.stderr[-3000:]
