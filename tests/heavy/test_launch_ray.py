"""The Ray path of ``launch`` for real: its commands join two Ray nodes of this machine, and actors load a tiny Qwen.

vLLM itself needs GPUs; what is tried here is what comes before it: the commands that make the cluster, and a group of
actors spread over its nodes, as vLLM's Ray executor places its stages, each with the weights loaded.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from qwen_advisor.cli import main

pytestmark = pytest.mark.heavy
pytest.importorskip("ray", reason="ray is not installed")
pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

HERE = Path(__file__).parent
ENVIRONMENT = {
    **os.environ,
    "RAY_USAGE_STATS_ENABLED": "0",
    "HF_HUB_OFFLINE": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}
DRIVER = """
import json, sys
import ray
from ray.util.placement_group import placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

ray.init(address=sys.argv[1], logging_level="ERROR", log_to_driver=False)
group = placement_group([{"CPU": 1}, {"CPU": 1}], strategy="STRICT_SPREAD")
ray.get(group.ready(), timeout=120)

@ray.remote(num_cpus=1)
class Stage:
    def load(self, folder):
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        torch.set_num_threads(1)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        inputs = tokenizer("three primes", return_tensors="pt")
        with torch.no_grad():
            written = model.generate(**inputs, max_new_tokens=4, do_sample=False)
        return ray.get_runtime_context().get_node_id(), written[0].tolist()

stages = [
    Stage.options(
        scheduling_strategy=PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=index)
    ).remote()
    for index in range(2)
]
print("SAID " + json.dumps(ray.get([stage.load.remote(sys.argv[2]) for stage in stages], timeout=240)))
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    spec = importlib.util.spec_from_file_location("tiny_qwen", HERE / "tiny_qwen.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder: Path = module.dense(tmp_path / "tiny")
    return folder


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """The commands that are written for two machines."""
    words = ("Qwen3-235B-A22B", "--engine", "vllm", "--gpu", "A100 80GB", "--gpus-per-node", "4", "--nodes", "2")
    assert main(("launch", *words, "--context", "16k", "--head", "127.0.0.1", "-q")) == 0
    return [shlex.split(line) for line in capsys.readouterr().out.splitlines() if not line.startswith("#")]


@pytest.fixture
def cluster(lines: list[list[str]]) -> Iterator[str]:
    """Its address; both nodes were started by the commands, in the foreground so that they can be ended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    address = f"127.0.0.1:{port}"
    running = []
    try:
        for line in lines[:2]:
            words = [word.replace("WORKER_IP", "127.0.0.1").replace("6379", port) for word in line]
            argv = words[words.index("ray") :]
            variables = dict(word.split("=", 1) for word in words[: words.index("ray")])
            more = ["--block", "--num-cpus=1", "--object-store-memory=100000000", "--disable-usage-stats"]
            more += ["--include-dashboard=false"] if "--head" in argv else []
            running.append(
                subprocess.Popen(
                    [*argv, *more],
                    env={**ENVIRONMENT, **variables},
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
            wait_for_nodes(address, len(running))
        yield address
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            process.wait(60)


def wait_for_nodes(address: str, count: int) -> None:
    """Until ``ray status`` tells of so many nodes."""
    end = time.monotonic() + 120
    said = ""
    while time.monotonic() < end:
        done = subprocess.run(
            ["ray", "status", f"--address={address}"], env=ENVIRONMENT, capture_output=True, text=True, check=False
        )
        said = done.stdout + done.stderr
        active = said.partition("Active:")[2].partition("Pending:")[0]
        if done.returncode == 0 and active.count("node_") >= count:
            return
        time.sleep(1)
    raise AssertionError(said[-2000:])


def test_the_commands_make_a_cluster_whose_nodes_load_the_model(
    cluster: str, lines: list[list[str]], tiny: Path
) -> None:
    assert lines[2] == ["RAY_AUTH_MODE=token", "ray", "status"]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, cluster, str(tiny)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    line = next((line for line in done.stdout.splitlines() if line.startswith("SAID ")), None)
    assert line is not None, done.stdout[-2000:] + done.stderr[-3000:]
    (first, one), (second, other) = json.loads(line.removeprefix("SAID "))
    assert first != second
    assert one == other


def test_ray_serve_takes_its_configuration(tmp_path: Path) -> None:
    schema = pytest.importorskip("ray.serve.schema", reason="ray[serve] is not installed", exc_type=ImportError)
    import yaml  # noqa: PLC0415

    words = ("Qwen3-32B", "--engine", "vllm", "--gpu", "2x H100", "--format", "ray-serve", "-q")
    assert main(("launch", *words, "-o", str(tmp_path / "serve.yaml"))) == 0
    document = yaml.safe_load((tmp_path / "serve.yaml").read_text("utf-8"))
    deployed = schema.ServeDeploySchema.model_validate(document)
    assert deployed.applications[0].import_path == "ray.serve.llm:build_openai_app"
