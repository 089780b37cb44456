"""The verb ``launch``: formats, files, exit codes, what is said on stderr."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from qwen_advisor.engine import EngineId
from qwen_advisor.render.schema import json_schema

Launched = Callable[..., tuple[int, str, str]]
GPU = ("--gpu", "RTX 4090")


def test_a_command_is_what_stands_on_stdout(launched: Launched) -> None:
    code, out, err = launched("qwen3:8b", *GPU, "--context", "8k")
    assert code == 0
    assert out.splitlines()[1].startswith("llama-server -hf Qwen/Qwen3-8B-GGUF:Q4_K_M -c 8192 -np 1 -ngl 99")
    assert err == ""


def test_context_is_that_of_one_request(launched: Launched) -> None:
    _, shared, _ = launched("qwen3:8b", *GPU, "--context", "8k", "--parallel", "4")
    assert "-c 32768 -np 4" in shared
    _, own, _ = launched("qwen3:8b", *GPU, "--engine", "vllm", "--quant", "AWQ", "--context", "8k", "--parallel", "4")
    assert "--max-model-len 8192 --max-num-seqs 4" in own


@pytest.mark.parametrize("engine", EngineId.__args__)
def test_every_engine_answers_in_json_by_the_schema(engine: str, launched: Launched) -> None:
    where = (
        ("--device", "MacBook Pro M3 Max 64GB")
        if engine == "mlx"
        else ("--ram", "32G")
        if engine
        in (
            "onnxruntime",
            "openvino",
        )
        else GPU
    )
    code, out, _ = launched("Qwen3-8B", "--engine", engine, *where, "--context", "8k", "--json")
    assert code == 0
    document = json.loads(out)
    jsonschema.validate(document, json_schema("launch-1"))
    assert document["engine"] == engine
    assert {file["format"] for file in document["files"]} == set(document["formats"]) - {"json"}


def test_a_server_engine_takes_the_first_format_that_fits(launched: Launched) -> None:
    assert "vllm serve Qwen/Qwen3-8B --" in launched("Qwen3-8B", *GPU, "--engine", "vllm", "--context", "8k")[1]
    small = launched("Qwen3-8B", "--gpu", "RTX 4070", "--engine", "vllm", "--context", "8k")[1]
    assert "Qwen/Qwen3-8B-FP8" in small or "Qwen/Qwen3-8B-AWQ" in small


def test_mtp_is_used_where_the_checkpoint_has_it(launched: Launched) -> None:
    words = ("Qwen3.5-9B", "--gpu", "H100", "--engine", "vllm", "--context", "8k")
    assert '--speculative-config \'{"method": "mtp"' in launched(*words)[1]
    assert "--speculative-config" not in launched(*words, "--no-mtp")[1]
    assert "--speculative-config" not in launched(*words, "--parallel", "8")[1]
    assert "--speculative-algorithm EAGLE" in launched(*words[:3], "--engine", "sglang", "--context", "8k")[1]
    code, _, err = launched("Qwen3-8B", *GPU, "--mtp")
    assert code == 2
    assert "has no blocks for multi-token prediction" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("Qwen3-8B", *GPU, "--engine", "mlx", "--format", "compose"), "there is no compose format for MLX"),
        (("Qwen3-8B", *GPU, "--format", "modelfile"), "there is no modelfile format for llama.cpp"),
        (("Qwen3-8B", *GPU, "--engine", "ollama", "--nodes", "2"), "Ollama does not span several machines"),
        (("Qwen3-8B", *GPU, "--format", "csv"), "csv"),
        (("Qwen3-8B", *GPU, "--json", "--format", "compose"), "contradict each other"),
        (("Qwen3-9000B", *GPU), "no model is called"),
        (("QwQ-32B", "--gpu", "H100", "--thinking", "off"), "Qwen/QwQ-32B always thinks"),
        (("Qwen3-4B-Instruct-2507", *GPU, "--thinking", "on"), "does not think"),
        (("Qwen3-8B", *GPU, "--engine", "vllm", "--gpu-layers", "3"), "--gpu-layers cannot be set for vLLM"),
        (("Qwen3-8B", *GPU, "--host", "0.0.0.0; id"), "is no address"),
        (("Qwen3-8B", *GPU, "--projector", "/p.gguf"), "--projector goes with --weights"),
        (("Qwen3-8B", *GPU, "--weights", "/a\nb"), "cannot be written into a configuration"),
        (("Qwen3-8B", *GPU, "--context", "200k"), "reaches 131072 tokens"),
    ],
)
def test_a_call_that_is_off_has_code_2(words: tuple[str, ...], message: str, launched: Launched) -> None:
    code, out, err = launched(*words)
    assert code == 2
    assert message in err
    assert out == "" or json.loads(out)["error"]["code"] == "usage"


def test_what_does_not_fit_has_code_3_unless_forced(launched: Launched) -> None:
    words = ("Qwen3-32B", "--ram", "8G", "--context", "8k")
    code, out, err = launched(*words)
    assert (code, out) == (3, "")
    assert "needs" in err
    assert "--force" in err
    code, out, err = launched(*words, "--force")
    assert code == 0
    assert "llama-server" in out
    assert err.startswith("warning:")
    assert launched(*words, "--force", "-q")[2] == ""


def test_one_file_is_written_where_it_was_asked_for(launched: Launched, tmp_path: Path) -> None:
    target = tmp_path / "Modelfile"
    code, out, _ = launched("qwen3:8b", *GPU, "--engine", "ollama", "--format", "modelfile", "-o", str(target))
    assert (code, out) == (0, "")
    assert target.read_text("utf-8").splitlines()[1] == "FROM qwen3:8b"


def test_several_files_go_into_a_directory(launched: Launched, tmp_path: Path) -> None:
    words = ("qwen3:8b", *GPU, "--context", "8k", "--profile", "server", "--format", "compose")
    code, _, _ = launched(*words, "-o", str(tmp_path / "serving"))
    assert code == 0
    names = {path.name for path in (tmp_path / "serving").iterdir()}
    assert names == {"compose.yaml", "litellm.yaml", "Caddyfile", "env.example"}
    (tmp_path / "file").write_text("x")
    code, _, err = launched(*words, "-o", str(tmp_path / "file"))
    assert code == 2
    assert "these are several" in err
    assert (tmp_path / "file").read_text() == "x"


def test_an_old_version_is_said_on_stderr(launched: Launched) -> None:
    words = ("Qwen3-8B", *GPU, "--engine", "vllm", "--context", "8k", "--thinking", "off", "--engine-version", "0.11.0")
    code, out, err = launched(*words)
    assert code == 0
    assert "--default-chat-template-kwargs" not in out
    assert err.startswith("warning: vLLM 0.11.0 has no --default-chat-template-kwargs")


def test_json_keeps_every_fact(launched: Launched) -> None:
    document: dict[str, Any] = json.loads(launched("Qwen3-8B", *GPU, "--context", "8k", "--json")[1])
    assert document["sampling"] == {"temperature": 0.6, "top_p": 0.95, "top_k": 20, "min_p": 0.0}
    assert document["server"] == {
        "url": "http://127.0.0.1:8080/v1",
        "model": "Qwen/Qwen3-8B",
        "health": "/health",
        "metrics": None,
    }
    assert document["servers"][0]["argv"][0] == "llama-server"
    assert document["placement"]["gpu_layers"] == 36


def test_recommend_writes_the_winner_s_command_alone(capsys: pytest.CaptureFixture[str]) -> None:
    from qwen_advisor.cli import main  # noqa: PLC0415

    words = ("recommend", "--task", "code", "--gpu", "RTX 4090", "--engine", "llama.cpp")
    assert main((*words, "--format", "id")) == 0
    winner = capsys.readouterr().out.strip()
    assert main((*words, "--launch")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"# {winner}, ")
    assert lines[1].startswith("llama-server ")
    assert f"--alias {winner}" in lines[1]
    assert main((*words, "--launch", "--json")) == 2
    assert "--launch writes a command and no json" in capsys.readouterr().err
    assert main(("recommend", "--ram", "1G", "--task", "vision", "--launch")) == 3
    assert "llama-server" not in capsys.readouterr().out


def test_speculation_that_nobody_asked_for_gives_way_to_better_weights(launched: Launched) -> None:
    """Qwen3.5-4B with its block fills a card that holds it without; the first format is kept, the block is not."""
    words = ("Qwen3.5-4B", "--gpu", "RTX 4090", "--engine", "vllm", "--no-vision")
    for context in ("128k", "160k", "192k", "224k", "256k"):
        document = json.loads(launched(*words, "--context", context, "--json", "-q")[1])
        asked = json.loads(
            launched(*words, "--context", context, "--mtp", "--json", "-q", "--quant", "BF16", "--force")[1]
        )
        if document["quantization"] == "BF16":
            speculates = any("--speculative-config" in step["argv"] for step in document["servers"])
            assert speculates == asked["fits"]
