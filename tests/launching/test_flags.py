"""Every option that is written stands in the record of the engine's own declarations, at the version it is for.

The record is made by ``python -m benchmarks.engine_flags`` from the engines' sources.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from qwen_advisor.engine import EngineSpec
from qwen_advisor.facts import Catalog
from qwen_advisor.plan import Placement
from qwen_advisor.rules.candidate import version_key
from qwen_advisor.values import replace

ROOT = Path(__file__).resolve().parents[2]
RECORD: dict[str, Any] = yaml.safe_load((ROOT / "benchmarks" / "data" / "engine_flags.yaml").read_text("utf-8"))
BUILT_IN = {"--omni"}  # of vllm-omni, which is installed beside vLLM


def has(engine: str, option: str, version: str) -> bool:
    """Whether the newest release that was read and is not newer than ``version`` has the option."""
    entry = RECORD[engine]
    declared = entry["options"].get(option)
    if declared is None:
        return False
    if not declared:
        return True
    return version_key(str(declared["first"])) <= version_key(version) <= version_key(str(declared["last"]))


def variations(engine: str, kitchen: Any) -> list[dict[str, Any]]:
    """Calls that between them make every option appear."""
    hand = kitchen.hand
    plan = kitchen.plan
    sharded = Placement(mode="gpu", layers=36, gpu_layers=36, device_layers=(36, 36), tensor_parallel=2)
    sees = replace(hand.SEES, context=replace(hand.SEES.context, native=32768))
    return [
        {},
        {"tools": True},
        {"profile": "server"},
        {"weights": "/models/x"},
        {"host": "10.0.0.1", "port": 1234},
        {"plan": plan(engine, thinking="off"), "tools": True},
        {"plan": plan(engine, settings={"context": 65536})},
        {"plan": plan(engine, settings={"mtp": True})},
        {"plan": plan(engine, settings={"vision": False}, checkpoint=sees)},
        {"plan": plan(engine, placement=sharded)},
        {"plan": plan(engine, placement=replace(sharded, pipeline_parallel=2)), "nodes": 2},
        {"plan": plan(engine, placement=replace(sharded, pipeline_parallel=2)), "nodes": 2, "executor": "mp"},
        {"plan": plan(engine, cpu=True)},
        {"plan": plan(engine, checkpoint=replace(hand.DENSE, kind="embedding", thinking=None), thinking="none")},
        {"plan": plan(engine, checkpoint=replace(hand.DENSE, kind="reranker", thinking=None), thinking="none")},
        {
            "plan": plan(
                engine,
                placement=Placement(mode="hybrid", layers=36, gpu_layers=36, cpu_expert_layers=9, device_layers=(36,)),
            )
        },
        {"plan": plan(engine, placement=Placement(mode="gpu", layers=36, gpu_layers=36, device_layers=(24, 12)))},
        *(
            [{"plan": plan(engine, settings={"kv_type": "fp8"})}]
            if engine != "llama.cpp"
            else [
                {"plan": plan(engine, settings={"kv_type": "q8_0", "batch": 512, "ubatch": 128})},
                {"plan": plan(engine, settings={"parallel": 2, "kv_unified": True, "mmap": False, "repack": False})},
                {
                    "plan": plan(engine, settings={"flash_attention": True}),
                    "weights": "/m.gguf",
                    "projector": "/p.gguf",
                },
            ]
        ),
    ]


def options_written(engine: str, kitchen: Any) -> set[str]:
    found: set[str] = set()
    for call in variations(engine, kitchen):
        made = kitchen.cook(engine, **call)
        for step in (*made.servers, *made.chat, *made.prepare):
            if step.argv[0] in ("vllm", "llama-server", "llama-cli") or "sglang.launch_server" in step.argv:
                start = 3 if "sglang.launch_server" in step.argv else 1
                found |= {word for word in step.argv[start:] if word.startswith("-") and not word[1:].isdigit()}
            found |= {name for name, _ in step.environment if name.startswith(("VLLM_", "SGLANG_"))}
        found |= {name for name in made.secrets if not name.startswith("RAY_")}
    return found


@pytest.mark.parametrize("engine", ["vllm", "sglang", "llama.cpp"])
def test_every_option_is_declared_by_the_engine(engine: str, kitchen: Any, catalog: Catalog) -> None:
    version = catalog.engines[engine].version_read
    assert str(RECORD[engine]["versions"][-1]) == version
    written = options_written(engine, kitchen) - BUILT_IN
    assert len(written) > 15
    assert {option for option in written if not has(engine, option, version)} == set()


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_the_catalogue_knows_which_options_older_versions_lack(engine: str, kitchen: Any, catalog: Catalog) -> None:
    spec: EngineSpec = catalog.engines[engine]
    entry = RECORD[engine]
    for option, support in spec.options.items():
        assert str(entry["options"][option]["first"]) == support.since
    young = {
        option
        for option in options_written(engine, kitchen) - BUILT_IN
        if entry["options"][option].get("first") not in (None, entry["versions"][0])
    }
    grouped = {"--master-addr", "--node-rank"}  # come and go with --nnodes
    older = {name for name in young if name.startswith(("SGLANG_", "VLLM_"))}  # were read elsewhere before
    assert young - grouped - older <= set(spec.options)


def test_the_record_finds_what_is_not_there() -> None:
    assert not has("sglang", "--mamba-scheduler-strategy", "0.5.23")
    assert not has("vllm", "--swap-space", "0.33.0")
    assert has("vllm", "--disable-log-requests", "0.10.0")
    assert not has("vllm", "--disable-log-requests", "0.33.0")
