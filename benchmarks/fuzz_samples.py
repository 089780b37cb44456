"""True documents, for `benchmarks.fuzz_inputs` to bend: one or more of every kind that is read."""

from __future__ import annotations

import functools
import json
from typing import Any

from qwen_advisor import api
from qwen_advisor.catalog.strict_yaml import parse_yaml
from qwen_advisor.catalog.structure import plain
from qwen_advisor.facts import Catalog
from qwen_advisor.gate.lock import lock_of
from qwen_advisor.hub.overlay import entry_text
from qwen_advisor.profiles.document import machine_document
from qwen_advisor.render.check_documents import lock_document


@functools.cache
def catalog() -> Catalog:
    """The facts as they are shipped."""
    return api.load_catalog()


MACHINES = (
    {"gpu": "RTX 4090", "ram": "64G"},
    {"ram": "16G"},
    {"device": "MacBook Pro M3 Max 64GB"},
    {"gpu": ["2x3090"]},
)


@functools.cache
def profiles() -> tuple[Any, ...]:
    """Machines, as files hold them."""
    whole = tuple(json.loads(json.dumps(machine_document(api.machine_for(catalog(), **said)))) for said in MACHINES)
    return (*whole, {"ram": "16G", "gpu": ["RTX 3060 12GB"], "cpu_cores": 8, "nodes": 2, "ram_bandwidth": 51.2})


ROWS = (
    (b"name,ram,gpu,vram,device,cpu_cores,nodes,gpu_bandwidth,ram_bandwidth,reserve,hardware\n"
    b"a,16G,RTX 4090,,,8,1,,,1G,\n"
    b'b,"32G","RTX 3090; RTX 3060 12GB",,,,2,,,,\nc,,,,g5.xlarge,,,,,,\nd,8G,,,,,,,,,../../etc/passwd\n'),
    b"ram;gpu\n16G;none\n",
)  # fmt: skip


FLEET = (
    {"machines": [{"name": "a", "ram": "16G", "gpu": ["RTX 4090", "3090"]}, {"device": "g5.xlarge", "nodes": 2}]},
    [{"ram": 16, "cpu_cores": 8, "hardware": "profile.json"}, {"ram": "1T", "reserve": 0}],
)


@functools.cache
def entries() -> tuple[Any, ...]:
    """Entries of the catalogue, with the folder that each belongs to."""
    named = catalog()
    found = [named.models["Qwen/Qwen3-8B"], named.models["Qwen/Qwen3-30B-A3B"]]
    shapes = [named.architectures[model.architecture] for model in found if model.architecture]
    made = []
    for kind, value in (*(("models", model) for model in found), *(("architectures", shape) for shape in shapes)):
        node, _ = parse_yaml(entry_text(value).encode(), kind)
        made.append({"kind": kind, "entry": plain(node) if node else None})
    return tuple(made)


POLICY = {
    "licenses": ["permissive"],
    "forbidden_families": ["Qwen1.5", "Qwen2"],
    "forbidden_quantizations": ["Q2_*", "IQ1_*"],
    "models": ["Qwen/*", "qwen3:8b"],
    "min_bits": 4.5,
    "max_download": "20G",
    "max_parameters": "32B",
    "max_memory": "30G",
    "max_age_days": 730,
    "released_after": "2025-01-01",
    "min_context": "32k",
    "min_speed": 10,
    "languages": ["de"],
    "tools": True,
    "min_ability": {"code": "Qwen3-8B", "chat": 1.5},
    "exceptions": [{"model": "Qwen/Qwen2.5-7B", "rules": ["max_age_days"], "reason": "x", "until": "2027-06-30"}],
}


@functools.cache
def locks() -> tuple[Any, ...]:
    """Lock files."""
    made = []
    for said in MACHINES[:2]:
        advice = api.recommend(task="code", machine=api.machine_for(catalog(), **said), catalog=catalog())
        lock = lock_of(advice, advice.recommendations[0], catalog(), program="1", calibration={})
        made.append(json.loads(json.dumps(lock_document(lock))))
    return tuple(made)


CONFIG = (
    b'engines = ["llama.cpp", "vllm"]\nquants = "Q4_K_M"\nformat = "json"\ntop = 3\nlanguage = "de"\nreserve = "2G"\n'
)


TENSORS = ({"__metadata__": {"format": "pt"}, "a.weight": {"dtype": "BF16", "shape": [4, 8], "data_offsets": [0, 64]}},)


# Of Qwen3-8B's and Qwen3-30B-A3B's repositories, as far as they are read.
CONFIGS = (
    {
        "model_type": "qwen3", "num_hidden_layers": 36, "hidden_size": 4096, "num_attention_heads": 32,
        "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 12288, "vocab_size": 151936,
        "tie_word_embeddings": False, "max_position_embeddings": 40960, "attention_bias": False,
    },
    {
        "model_type": "qwen3_moe", "num_hidden_layers": 48, "hidden_size": 2048, "num_attention_heads": 32,
        "num_key_value_heads": 4, "head_dim": 128, "intermediate_size": 6144, "moe_intermediate_size": 768,
        "num_experts": 128, "num_experts_per_tok": 8, "decoder_sparse_step": 1, "mlp_only_layers": [],
        "vocab_size": 151936, "tie_word_embeddings": False, "max_position_embeddings": 40960,
    },
    {
        "model_type": "qwen3_next", "num_hidden_layers": 48, "hidden_size": 2048, "num_attention_heads": 16,
        "num_key_value_heads": 2, "head_dim": 256, "intermediate_size": 5120, "moe_intermediate_size": 512,
        "num_experts": 512, "num_experts_per_tok": 10, "shared_expert_intermediate_size": 512,
        "full_attention_interval": 4, "linear_num_key_heads": 16, "linear_num_value_heads": 32,
        "linear_key_head_dim": 128, "linear_value_head_dim": 128, "linear_conv_kernel_dim": 4, "vocab_size": 151936,
        "tie_word_embeddings": False, "max_position_embeddings": 262144,
    },
)  # fmt: skip


COMMIT = "c0ffee0000000000000000000000000000000001"


INFOS = (
    {
        "id": "Qwen/Qwen3-8B-GGUF", "sha": COMMIT, "tags": ["license:apache-2.0"], "private": False,
        "createdAt": "2025-04-28T08:00:00.000Z", "downloads": 1, "likes": 1, "gated": False,
        "siblings": [
            {"rfilename": "a-Q4_K_M.gguf", "size": 5, "blobId": COMMIT,
             "lfs": {"sha256": "0" * 64, "size": 5, "pointerSize": 130}},
            {"rfilename": "config.json", "size": 3, "blobId": COMMIT},
        ],
    },
)  # fmt: skip


FILES = (
    {
        "Data": {
            "Files": [{"Path": "a.gguf", "Size": 5, "Sha256": "0" * 64, "Type": "blob"}, {"Path": "d", "Type": "tree"}]
        }
    },
)


MANIFESTS = ({"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:00", "size": 3}]},)


NOTES = (
    {
        "files": [
            {"source": "huggingface", "repo": "a/b", "file": "c", "path": "/c", "size": 1, "changed": 2, "checksum": ""}
        ]
    },
)


EXAMPLES = (
    {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
    {"instruction": "a", "input": "", "output": "b"},
    {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
    {"prompt": "a", "completion": "b"},
    {"text": "a"},
)


PIECES = (
    {"choices": [{"delta": {"content": "a", "reasoning_content": "b"}, "finish_reason": None}]},
    {
        "choices": [],
        "usage": {"prompt_tokens": 5, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 1}},
    },
    {"timings": {"prompt_n": 5, "prompt_ms": 1.5, "predicted_n": 3, "predicted_ms": 2.5, "draft_n": 1}},
    {"error": {"message": "x"}},
)


MEASURED = (
    {
        "schema": "qwen-advisor/calibration/1",
        "measured": [
            {
                "machine": "0" * 16, "engine": "llama.cpp", "format_kind": "gguf-mix", "mode": "cpu",
                "model": "Qwen/Qwen3-8B", "quantization": "Q4_K_M", "against": "0" * 16, "at": "2026-01-01T00:00:00Z",
                "decode": 0.9, "prefill": None,
            }
        ],
    },
)  # fmt: skip


ENTRY = {
    "schema": "qwen-advisor/bench-entry/1", "at": "2026-01-01T00:00:00Z", "url": "http://x", "model": "Qwen/Qwen3-8B",
    "quantization": None, "engine": "llama.cpp", "engine_version": None, "concurrency": 1, "prompt_tokens": 5,
    "output_tokens": 5, "requests": 3, "time_to_first_token_seconds": 0.1, "inter_token_seconds": None,
    "decode_tokens_per_second": 5.5, "prefill_tokens_per_second": 50, "throughput_tokens_per_second": 5.0,
    "resident_bytes": None, "gpu_bytes": 5,
}  # fmt: skip
