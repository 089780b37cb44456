"""The command that runs a plan, per engine. Option names: each engine's own documentation at the version it names."""

from __future__ import annotations

import shlex
from dataclasses import replace
from types import ModuleType
from typing import get_args

import pytest

from qwen_advisor.advice import Plan
from qwen_advisor.engine import EngineId
from qwen_advisor.engines import launch
from qwen_advisor.plan import Placement


def command(plan: Plan, **how: object) -> str:
    """The last step, as a shell reads it."""
    return launch(plan, **how).steps[-1].shell  # type: ignore[arg-type]


def set_to(plan: Plan, **settings: object) -> Plan:
    return replace(plan, settings=replace(plan.settings, **settings))  # type: ignore[arg-type]


LLAMA = "llama-server -hf Qwen/Qwen3-8B-GGUF:Q4_K_M"


def test_llama_cpp_on_a_cpu_keeps_off_every_device(hand: ModuleType) -> None:
    assert command(hand.plan()) == f"{LLAMA} -c 8192 -np 1 --device none --reasoning off --port 8080"


@pytest.mark.parametrize(
    ("placement", "words"),
    [
        (Placement(mode="gpu", layers=36, gpu_layers=36, device_layers=(36,)), "-ngl 99"),
        (Placement(mode="unified", layers=36, gpu_layers=36, device_layers=(36,)), "-ngl 99"),
        (Placement(mode="hybrid", layers=36, gpu_layers=20, device_layers=(20,)), "-ngl 21"),
        (
            Placement(mode="hybrid", layers=48, gpu_layers=48, cpu_expert_layers=30, device_layers=(48,)),
            "-ngl 99 --n-cpu-moe 30",
        ),
        (Placement(mode="gpu", layers=36, gpu_layers=36, device_layers=(24, 12)), "-ngl 99 -ts 24,12"),
        (Placement(mode="gpu", layers=36, gpu_layers=36, device_layers=(36, 0)), "-ngl 99"),
    ],
)
def test_llama_cpp_places_layers_as_planned(placement: Placement, words: str, hand: ModuleType) -> None:
    made = command(hand.plan(placement=placement, thinking="on"))
    assert made == f"{LLAMA} -c 8192 -np 1 {words} --port 8080"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kv_type": "q8_0"}, "-c 8192 -np 1 -ctk q8_0 -ctv q8_0 -fa on"),
        ({"kv_type": "q8_0", "kv_type_v": "f16"}, "-c 8192 -np 1 -ctk q8_0"),
        ({"flash_attention": False}, "-c 8192 -np 1 -fa off"),
        ({"batch": 512, "ubatch": 256}, "-c 8192 -np 1 -b 512 -ub 256"),
        ({"context": 32768, "parallel": 4}, "-c 32768 -np 4"),
        ({"context": 32768, "parallel": 4, "kv_unified": True}, "-c 32768 -np 4 -kvu"),
        # the model was trained on 32,768 tokens, up to four times as many with YaRN; cards advise the least factor
        ({"context": 65536}, "-c 65536 -np 1 --rope-scaling yarn --rope-scale 2 --yarn-orig-ctx 32768"),
        ({"context": 131072}, "-c 131072 -np 1 --rope-scaling yarn --rope-scale 4 --yarn-orig-ctx 32768"),
        ({"mmap": False, "repack": False}, "-c 8192 -np 1 --load-mode none --no-repack"),
        ({"mtp": True}, "-c 8192 -np 1 --spec-type draft-mtp"),
    ],
)
def test_llama_cpp_is_told_each_setting(settings: dict[str, object], words: str, hand: ModuleType) -> None:
    made = command(set_to(hand.plan(thinking="on"), **settings))
    assert made == f"{LLAMA} {words} --device none --port 8080"


def test_llama_cpp_makes_the_file_where_none_is_known(hand: ModuleType) -> None:
    steps = launch(hand.plan(artifact=replace(hand.plan().artifact, repo=None, files=()))).steps
    assert [step.shell for step in steps[:3]] == [
        "hf download Qwen/Qwen3-8B --local-dir Qwen3-8B",
        "python convert_hf_to_gguf.py Qwen3-8B --outtype bf16 --outfile Qwen3-8B-BF16.gguf",
        "llama-quantize Qwen3-8B-BF16.gguf Qwen3-8B-Q4_K_M.gguf Q4_K_M",
    ]
    assert steps[3].shell.startswith("llama-server -m Qwen3-8B-Q4_K_M.gguf -c 8192")


@pytest.mark.parametrize(
    ("kind", "words"), [("embedding", "--embeddings --pooling last --port 8080"), ("reranker", "--rerank --port 8080")]
)
def test_llama_cpp_serves_vectors_and_ranks(kind: str, words: str, hand: ModuleType) -> None:
    made = command(hand.plan(checkpoint=replace(hand.DENSE, kind=kind, thinking=None), thinking="none"))
    assert made.endswith(words)


def test_llama_cpp_leaves_the_projector_where_no_images_come(hand: ModuleType) -> None:
    assert "--no-mmproj" in command(set_to(hand.plan(checkpoint=hand.SEES), vision=False))
    assert "--no-mmproj" not in command(hand.plan(checkpoint=hand.SEES))


def test_ollama_gets_its_settings_from_the_environment(hand: ModuleType) -> None:
    how = launch(set_to(hand.plan(), engine="ollama", kv_type="q8_0", context=16384, parallel=2))
    assert [step.shell for step in how.steps] == [
        (
            "OLLAMA_CONTEXT_LENGTH=8192 OLLAMA_NUM_PARALLEL=2 OLLAMA_KV_CACHE_TYPE=q8_0 OLLAMA_FLASH_ATTENTION=1"
            " ollama serve"
        ),
        "ollama run qwen3:8b --think=false",
    ]
    assert "restarted" in how.notes[0]


def test_ollama_takes_a_repository_where_its_library_has_no_tag(hand: ModuleType) -> None:
    plan = set_to(hand.plan(thinking="on", artifact=replace(hand.plan().artifact, ollama=None)), engine="ollama")
    assert command(plan) == "ollama run hf.co/Qwen/Qwen3-8B-GGUF:Q4_K_M"
    nothing = launch(replace(plan, artifact=replace(plan.artifact, repo=None)))
    assert nothing.steps == ()
    assert nothing.notes


def served(hand: ModuleType, engine: str, **changes: object) -> Plan:
    awq = {
        "format": "AWQ",
        "artifact": replace(hand.plan().artifact, repo="Qwen/Qwen3-8B-AWQ", files=(), ollama=None),
        "placement": Placement(mode="gpu", layers=36, gpu_layers=36, device_layers=(36,)),
        "thinking": "on",
    }
    return set_to(hand.plan(**{**awq, **changes}), engine=engine, context=32768)


def test_vllm_serves_one_gpu(hand: ModuleType) -> None:
    assert command(served(hand, "vllm")) == (
        "vllm serve Qwen/Qwen3-8B-AWQ --max-model-len 32768 --max-num-seqs 1 --reasoning-parser qwen3 --port 8000"
    )


def test_vllm_is_told_how_the_model_thinks_and_calls(hand: ModuleType) -> None:
    made = shlex.split(command(served(hand, "vllm", thinking="off"), tools=True))
    assert made[made.index("--default-chat-template-kwargs") + 1] == '{"enable_thinking": false}'
    assert made[made.index("--tool-call-parser") + 1] == "hermes"
    coder = command(served(hand, "vllm", checkpoint=hand.CODER, thinking="none"), tools=True)
    assert "--tool-call-parser qwen3_coder" in coder
    assert "reasoning" not in coder


@pytest.mark.parametrize(
    ("format_name", "repo", "words"),
    [
        ("FP8", "Qwen/Qwen3-8B-FP8", None),
        ("FP8", None, "--quantization fp8"),
        ("FP8", "Qwen/Qwen3-8B", "--quantization fp8"),
        ("NF4", "Qwen/Qwen3-8B", "--quantization bitsandbytes"),
        ("BF16", "Qwen/Qwen3-8B", None),
    ],
)
def test_vllm_quantizes_only_what_is_not_ready(
    format_name: str, repo: str | None, words: str | None, hand: ModuleType
) -> None:
    artifact = replace(hand.plan().artifact, repo=repo, files=())
    made = command(served(hand, "vllm", format=format_name, artifact=artifact))
    assert f"vllm serve {repo or 'Qwen/Qwen3-8B'} " in made
    assert ("--quantization" in made) == (words is not None)
    assert words is None or words in made


@pytest.mark.parametrize("engine", ["vllm", "sglang", "transformers"])
def test_a_format_without_a_repository_is_not_served_as_another(engine: str, hand: ModuleType) -> None:
    how = launch(served(hand, engine, artifact=replace(hand.plan().artifact, repo=None, files=())))
    assert how.steps == ()
    assert how.notes == ("no repository of Qwen/Qwen3-8B in AWQ is known: make one first",)


def test_vllm_spans_nodes(hand: ModuleType) -> None:
    placement = Placement(mode="gpu", layers=36, gpu_layers=36, tensor_parallel=8, pipeline_parallel=2)
    steps = launch(served(hand, "vllm", placement=placement), nodes=2).steps
    common = "--nnodes 2 --master-addr HEAD_IP --node-rank"
    assert steps[0].shell.endswith(f"{common} 0")
    assert steps[1].shell.endswith(f"{common} 1 --headless")
    assert "--tensor-parallel-size 8 --pipeline-parallel-size 2" in steps[0].shell
    assert steps[1].where == "on node 2"


def test_vllm_pools_and_reranks(hand: ModuleType) -> None:
    embedding = replace(hand.DENSE, kind="embedding", thinking=None)
    assert "--runner pooling" in command(served(hand, "vllm", checkpoint=embedding))
    reranker = shlex.split(command(served(hand, "vllm", checkpoint=replace(embedding, kind="reranker"))))
    assert '"is_original_qwen3_reranker": true' in reranker[reranker.index("--hf-overrides") + 1]


def test_vllm_says_what_a_stretched_context_needs(hand: ModuleType) -> None:
    plan = set_to(served(hand, "vllm"), context=65536)
    assert "YaRN factor 4" in launch(plan).notes[0]
    assert launch(served(hand, "vllm")).notes == ()


@pytest.mark.parametrize(("engine", "option"), [("vllm", "fp8"), ("sglang", "fp8_e4m3")])
def test_servers_know_few_types_of_kv_cache(engine: str, option: str, hand: ModuleType) -> None:
    assert f"--kv-cache-dtype {option}" in command(set_to(served(hand, engine), kv_type="fp8"))
    assert "--kv-cache-dtype" not in command(served(hand, engine))
    with pytest.raises(ValueError, match="q8_0"):
        launch(set_to(served(hand, engine), kv_type="q8_0"))


def test_sglang_serves_two_nodes(hand: ModuleType) -> None:
    placement = Placement(mode="gpu", layers=36, gpu_layers=36, tensor_parallel=8, pipeline_parallel=2)
    how = launch(served(hand, "sglang", placement=placement, thinking="off"), tools=True, nodes=2)
    assert how.steps[0].shell == (
        "python -m sglang.launch_server --model-path Qwen/Qwen3-8B-AWQ --context-length 32768"
        " --max-running-requests 1 --tp-size 8 --pp-size 2 --reasoning-parser qwen3 --tool-call-parser qwen25"
        " --port 30000 --nnodes 2 --dist-init-addr HEAD_IP:20000 --node-rank 0"
    )
    assert "enable_thinking" in how.notes[0]


@pytest.mark.parametrize(
    ("format_name", "words"),
    [("NF4", "--quantization bnb-4bit "), ("INT8", "--quantization bnb-8bit "), ("BF16", "")],
)
def test_transformers_quantizes_while_loading(format_name: str, words: str, hand: ModuleType) -> None:
    artifact = replace(hand.plan().artifact, repo="Qwen/Qwen3-8B", files=())
    made = command(served(hand, "transformers", format=format_name, artifact=artifact))
    assert made == f"transformers serve Qwen/Qwen3-8B {words}--port 8000"


def test_mlx_serves_or_converts_first(hand: ModuleType) -> None:
    ready = replace(hand.plan().artifact, repo="mlx-community/Qwen3-8B-4bit", files=())
    plan = set_to(served(hand, "mlx", format="MLX-4bit", artifact=ready, thinking="off"), kv_type="q8_0")
    made = command(plan)
    assert made == (
        "mlx_lm.server --model mlx-community/Qwen3-8B-4bit --kv-bits 8"
        """ --chat-template-args '{"enable_thinking": false}' --port 8080"""
    )
    own = launch(replace(plan, artifact=replace(ready, repo=None))).steps
    assert own[0].shell == ("mlx_lm.convert --hf-path Qwen/Qwen3-8B -q --q-bits 4 --mlx-path Qwen3-8B-MLX-4bit")
    assert "mlx_vlm.server" in command(replace(plan, checkpoint=hand.SEES))


def test_lm_studio_fetches_and_loads(hand: ModuleType) -> None:
    how = launch(set_to(hand.plan(), engine="lmstudio"))
    assert [step.shell for step in how.steps] == [
        "lms get https://huggingface.co/Qwen/Qwen3-8B-GGUF@Q4_K_M --gguf",
        "lms load --context-length 8192 --gpu off",
        "lms server start",
    ]


@pytest.mark.parametrize("engine", get_args(EngineId))
def test_every_engine_of_the_contract_has_a_command(engine: str, hand: ModuleType) -> None:
    how = launch(set_to(hand.plan(format="INT8"), engine=engine))
    assert how.steps
    for step in how.steps:
        assert shlex.split(step.shell)[-len(step.argv) :] == list(step.argv)


def test_an_engine_that_is_not_known_raises(hand: ModuleType) -> None:
    with pytest.raises(ValueError, match="exllama"):
        launch(set_to(hand.plan(), engine="exllama"))
