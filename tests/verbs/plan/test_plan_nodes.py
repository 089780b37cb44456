"""``plan`` for machines that are put together as said: so many nodes of so many GPUs, on that network."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Callable
from typing import Any

import pytest

from qwen_advisor import load_catalog
from qwen_advisor.describe.ladder import CLASSES, Arrangement, ladder
from qwen_advisor.units import GIB

Say = Callable[..., Any]
# 235.1 billion parameters in two bytes: 438 GiB, more than four of the largest cards that this test takes
BIG = ("plan", "Qwen3-235B-A22B", "--engine", "vllm", "--quant", "BF16")
TWO_BY_FOUR = ("--nodes", "2", "--gpus-per-node", "4")


def houses(document: Any) -> list[Any]:
    tiers = ("least", "sensible", "comfortable")
    every = [document["tiers"][aim] for aim in tiers]
    return [h for h in every + [each[aim] for each in document["classes"] for aim in tiers] if h is not None]


def test_every_machine_is_put_together_as_said(say: Say, fits_schema: Say) -> None:
    said = say(*BIG, *TWO_BY_FOUR, "--interconnect", "infiniband", "--json")
    fits_schema("plan-1", said.json)
    assert said.code == 0
    assert said.json["arrangement"] == {"nodes": 2, "gpus_per_node": 4, "interconnect": "infiniband"}
    found = houses(said.json)
    assert found
    for house in found:
        assert house["nodes"] == 2
        assert sum(card["count"] for card in house["accelerators"]) == 4
        assert house["interconnect"] == "infiniband"
        assert house["interconnect_bandwidth_bytes_per_second"] == 50e9  # NDR, 400 Gbit/s
        assert house["memory_each_device_bytes"] < house["accelerators"][0]["memory_bytes"]
    sensible = said.json["tiers"]["sensible"]
    placement = sensible["placement"]
    assert (placement["tensor_parallel"], placement["pipeline_parallel"]) == (4, 2)
    assert sensible["nodes_used"] == 2
    assert sensible["memory_each_device_bytes"] > 438 * GIB / 8
    assert "--nnodes 2" in " ".join(sensible["launch"]["steps"][0]["argv"])


def test_the_options_of_a_machine_mean_the_same_to_estimate(say: Say) -> None:
    sensible = say(*BIG, *TWO_BY_FOUR, "--interconnect", "infiniband", "--json").json["tiers"]["sensible"]
    assert sensible["options"][-4:] == ["--nodes", "2", "--interconnect", "infiniband"]
    again = say("estimate", "Qwen3-235B-A22B", "--engine", "vllm", "--quant", "BF16", "--context", "8192",
                "--prompt-tokens", "512", "--output-tokens", "400", *sensible["options"], "--json").json  # fmt: skip
    assert again["memory"]["total_bytes"] == sensible["memory"]["total_bytes"]


def test_a_slower_network_is_slower(say: Say) -> None:
    rates = []
    for network in ("ethernet", "infiniband"):
        document = say(*BIG, *TWO_BY_FOUR, "--concurrency", "16", "--interconnect", network, "--json").json
        server = next(each for each in document["classes"] if each["class"] == "server")["least"]
        rates.append((server["machine"], server["prefill_tokens_per_second"]["expected"]))
    assert rates[0][0] == rates[1][0]
    assert rates[0][1] < rates[1][1]


def test_the_table_says_memory_on_each_gpu_and_what_the_network_allows(say: Say) -> None:
    said = say(*BIG, *TWO_BY_FOUR, "--interconnect", "100g")
    text = " ".join(said.out.split())
    assert "2 of 2 nodes" in text
    assert "each GPU" in text
    assert "network 100g, 12.5 GB/s: " in text
    assumed = " ".join(say(*BIG, *TWO_BY_FOUR).out.split())
    assert "network no --interconnect named, 10 Gbit/s Ethernet assumed, 1.25 GB/s" in assumed
    assert "each GPU" not in say("plan", "Qwen3-0.6B").out


def test_nodes_that_stand_idle_are_said(say: Say) -> None:
    document = say("plan", "Qwen3-0.6B", "--engine", "llama.cpp", "--nodes", "3", "--json").json
    best = document["tiers"]["sensible"]
    assert (best["nodes"], best["nodes_used"]) == (3, 1)
    assert document["notes"] == [
        f"on {best['machine']} the model lies on 1 of the 3 nodes: the others are free for copies of it"
    ]
    assert len(best["launch"]["steps"]) == 1


def test_one_node_of_so_many_gpus(say: Say) -> None:
    document = say("plan", "Qwen3-32B", "--nodes", "1", "--gpus-per-node", "3", "--json").json
    for house in houses(document):
        assert house["nodes"] == 1
        assert sum(card["count"] for card in house["accelerators"]) == 3
        assert house["interconnect_bandwidth_bytes_per_second"] is None


def test_a_network_that_nothing_stands_on_is_said(say: Say) -> None:
    notes = say("plan", "Qwen3-0.6B", "--interconnect", "nvlink", "--json").json["notes"]
    assert notes == ["one machine is enough, so that --interconnect changes nothing: --nodes asks for several"]


def test_rows_have_the_columns(say: Say) -> None:
    rows = list(csv.DictReader(io.StringIO(say(*BIG, *TWO_BY_FOUR, "--format", "csv").out)))
    assert {row["nodes_used"] for row in rows} == {"2"}
    assert all(int(row["memory_each_device_bytes"]) > 438 * GIB / 8 for row in rows)
    assert {row["interconnect_bandwidth_bytes_per_second"] for row in rows} == {"1250000000.0"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--nodes", "1", "--interconnect", "100g"), "--interconnect says nothing of one node"),
        (("--nodes", "65"), "--nodes must be from 1 to 64, not 65"),
        (("--gpus-per-node", "1025"), "--gpus-per-node must be from 1 to 1024, not 1025"),
    ],
)
def test_nonsense_is_refused(words: tuple[str, ...], message: str, say: Say) -> None:
    said = say("plan", "Qwen3-8B", *words)
    assert said.code == 2
    assert message in said.err


def test_nothing_put_together_so_holds_it(say: Say) -> None:
    said = say(
        "plan", "Qwen3-235B-A22B", "--quant", "BF16", "--engine", "vllm", "--gpus-per-node", "1", "--nodes", "1", "-q"
    )
    assert (said.code, said.out) == (3, "")
    assert "no machine of the catalogue in 1 node of 1 GPU runs Qwen/Qwen3-235B-A22B" in said.err
    assert "--nodes or --gpus-per-node" in said.err


def test_the_ladder_puts_no_boards_and_no_laptops_together() -> None:
    catalog = load_catalog()
    for kind in CLASSES:
        rungs = ladder(catalog, kind, Arrangement(nodes=2, interconnect="100g"))
        assert bool(rungs) == (kind in ("desktop", "workstation", "server", "cloud"))
        for rung in rungs:
            assert rung.accelerators
            assert rung.title.startswith("2 nodes of ")
            assert shlex.join(rung.options).endswith("--nodes 2 --interconnect 100g")
    assert not [r for r in ladder(catalog, "laptop", Arrangement(gpus_per_node=2)) if r.accelerators != 2]


@pytest.mark.parametrize("verb", [("recommend",), ("estimate", "Qwen3-8B"), ("launch", "Qwen3-8B")])
def test_more_nodes_than_anybody_has_are_refused_at_once(verb: tuple[str, ...], say: Say) -> None:
    said = say(*verb, "--gpu", "H100", "--nodes", "1000000000")
    assert said.code == 2
    assert "1000000000 nodes are more than are reckoned with" in said.err


def test_a_pipeline_has_no_more_stages_than_layers(say: Say) -> None:
    """Qwen3-0.6B has 28 layers."""
    said = say("estimate", "Qwen3-0.6B", "--gpu", "H100", "--engine", "vllm", "--nodes", "1000", "--json")
    assert said.code == 0
    assert said.json["placement"]["pipeline_parallel"] <= 28


def test_a_model_on_one_of_two_nodes_is_started_on_one(say: Say) -> None:
    """Else the engine would cut its tensors across the network."""
    said = say("recommend", "--gpu", "8x H100", "--nodes", "2", "--engine", "vllm", "--task", "code", "--json")
    best = said.json["recommendations"][0]
    assert best["placement"]["pipeline_parallel"] == 1
    assert [step["argv"][:2] for step in best["launch"]["steps"]] == [["vllm", "serve"]]
    assert "--nnodes" not in best["launch"]["steps"][0]["argv"]
