"""Several machines: how they are described, what the network costs, what is written for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest

from qwen_advisor import api
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Interconnect, Machine
from qwen_advisor.profiles.files import read_profile
from qwen_advisor.values import replace

Launched = Callable[..., tuple[int, str, str]]
BIG = ("Qwen3-235B-A22B", "--engine", "vllm", "--gpu", "A100 80GB", "--gpus-per-node", "4", "--context", "16k")


@pytest.fixture(scope="module")
def eight(catalog: Catalog) -> Machine:
    """Two machines of four A100."""
    return api.machine_for(catalog, gpu=["4x A100 80GB"], ram="512G", nodes=2)


def estimated(catalog: Catalog, machine: Machine, prompt: int = 4096) -> Any:
    return api.estimate(
        "Qwen3-235B-A22B",
        machine=machine,
        catalog=catalog,
        engine="vllm",
        context=16384,
        quantization="BF16",
        prompt_tokens=prompt,
    )


def test_tensor_parallel_stays_inside_a_machine(catalog: Catalog, eight: Machine) -> None:
    # 235 billion weights in 16 bits are 438 GiB: more than four A100, less than eight
    made = estimated(catalog, eight)
    assert made.fits
    assert (made.placement.tensor_parallel, made.placement.pipeline_parallel) == (4, 2)
    assert not estimated(catalog, replace(eight, nodes=1)).fits


def test_a_faster_network_is_never_slower(catalog: Catalog, eight: Machine) -> None:
    rates = [estimated(catalog, replace(eight, interconnect=kind)).speed for kind in get_args(Interconnect)]
    for slower, faster in pairwise(rates):
        assert faster.decode.expected > slower.decode.expected
        assert faster.time_to_first_token < slower.time_to_first_token


def test_what_crosses_a_boundary(catalog: Catalog, eight: Machine) -> None:
    """4,096 positions of 4,096 16-bit values over 10 Gbit/s are 27 ms, and over 400 Gbit/s hardly any."""
    slow = estimated(catalog, replace(eight, interconnect="ethernet")).speed
    fast = estimated(catalog, replace(eight, interconnect="infiniband")).speed
    assert slow.time_to_first_token - fast.time_to_first_token == pytest.approx(4096 * 4096 * 2 / 1.25e9, rel=0.1)


def test_a_network_that_nobody_named_is_said(catalog: Catalog, eight: Machine) -> None:
    assert any("--interconnect" in note for note in estimated(catalog, eight).speed.notes)
    named = estimated(catalog, replace(eight, interconnect="100g"))
    assert not any("--interconnect" in note for note in named.speed.notes)


def test_one_machine_has_no_network(catalog: Catalog, eight: Machine) -> None:
    alone = replace(eight, nodes=1)
    small = [
        api.estimate("Qwen3-8B", machine=machine, catalog=catalog, engine="vllm", context=8192).speed
        for machine in (alone, replace(alone, interconnect="ethernet"))
    ]
    assert small[0] == small[1]


def test_ray_joins_the_machines_first(launched: Launched) -> None:
    code, out, _ = launched(*BIG, "--nodes", "2", "--interconnect", "infiniband", "--head", "10.0.0.1")
    assert code == 0
    lines = [line for line in out.splitlines() if not line.startswith("#")]
    assert (
        lines[0] == "VLLM_HOST_IP=10.0.0.1 RAY_AUTH_MODE=token ray start --head --node-ip-address=10.0.0.1 --port=6379"
    )
    assert (
        lines[1]
        == "VLLM_HOST_IP=WORKER_IP RAY_AUTH_MODE=token ray start --address=10.0.0.1:6379 --node-ip-address=WORKER_IP"
    )
    assert lines[2] == "RAY_AUTH_MODE=token ray status"
    assert "# RAY_AUTH_TOKEN is read from the environment" in out
    assert "--tensor-parallel-size 4 --pipeline-parallel-size 2" in lines[3]
    assert lines[3].endswith("--distributed-executor-backend ray")
    assert "--host 127.0.0.1" in lines[3]


def test_processes_of_vllm_itself(launched: Launched) -> None:
    _, out, _ = launched(*BIG, "--nodes", "2", "--executor", "mp", "--head", "10.0.0.1")
    lines = [line for line in out.splitlines() if not line.startswith("#")]
    assert len(lines) == 2
    assert "--nnodes 2 --master-addr 10.0.0.1 --node-rank 0" in lines[0]
    assert "--node-rank 1 --headless" in lines[1]
    assert "--port" not in lines[1]


def test_sglang_starts_on_every_machine(launched: Launched) -> None:
    words = [word if word != "vllm" else "sglang" for word in BIG]
    _, out, _ = launched(*words, "--nodes", "2", "--head", "10.0.0.1")
    lines = [line for line in out.splitlines() if not line.startswith("#")]
    assert [line.rpartition("--dist-init-addr 10.0.0.1:20000 --node-rank ")[2][0] for line in lines] == ["0", "1"]


def test_what_one_machine_holds_runs_on_one(launched: Launched) -> None:
    code, out, err = launched("Qwen3-8B", "--engine", "vllm", "--gpu", "A100 80GB", "--nodes", "2", "--context", "8k")
    assert code == 0
    assert "ray" not in out
    assert "one of the machines holds it" in err


def test_llama_cpp_lends_devices_over_rpc(launched: Launched) -> None:
    words = ("Qwen3-32B", "--gpu", "RTX 4090", "--ram", "32G", "--quant", "Q8_0", "--context", "16k")
    code, out, err = launched(*words, "--nodes", "3", "--interconnect", "ethernet")
    assert code == 0
    lines = [line for line in out.splitlines() if not line.startswith("#")]
    assert lines[0] == "ggml-rpc-server -H WORKER_1_IP -p 50052 -c"
    assert lines[2].endswith("--rpc WORKER_1_IP:50052,WORKER_2_IP:50052")
    assert "-ngl 99" in lines[2]
    assert "private network only" in err


@pytest.mark.parametrize("form", ["kubernetes", "kserve", "ray-serve"])
def test_files_for_clusters(form: str, launched: Launched) -> None:
    code, out, _ = launched(*BIG, "--nodes", "2", "--format", form)
    assert code == 0
    assert "Qwen/Qwen3-235B-A22B" in out


def test_gpus_per_node_multiplies_one_gpu(launched: Launched) -> None:
    document = json.loads(launched(*BIG, "--nodes", "2", "--interconnect", "nvlink", "--json")[1])
    assert len(document["hardware"]["accelerators"]) == 4
    assert document["hardware"]["interconnect"] == "nvlink"
    assert document["nodes"] == 2
    code, _, err = launched("Qwen3-8B", "--gpu", "3x RTX 4090", "--gpus-per-node", "4")
    assert code == 2
    assert "--gpus-per-node 4 contradicts the 3 of this machine" in err


def test_a_profile_names_the_network(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text("gpu: H100\nnodes: 2\ninterconnect: infiniband\n")
    assert read_profile(tmp_path / "two.yaml", catalog).interconnect == "infiniband"
    (tmp_path / "off.yaml").write_text("gpu: H100\nnodes: 2\ninterconnect: tin cans\n")
    with pytest.raises(UsageError, match="tin cans"):
        read_profile(tmp_path / "off.yaml", catalog)
