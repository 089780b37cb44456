"""Worked numbers: caches, states, slots, parts, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen_advisor.catalog import load_catalog
from qwen_advisor.errors import CatalogError, UsageError
from qwen_advisor.machine import Accelerator, Cpu, HostMemory, InstalledEngine, Machine
from qwen_advisor.memory import (
    audio_tokens,
    image_tokens,
    kv_bytes_per_token,
    largest_context,
    memory,
    recurrent_state_bytes,
)
from qwen_advisor.memory.repack import repacked_types
from qwen_advisor.plan import Memory, Placement, Settings
from qwen_advisor.units import GIB

CATALOG = load_catalog()
ROOM = HostMemory(total=1 << 40, available=1 << 40)
HOST = Machine(os="linux", cpu=Cpu(name="x86"), memory=ROOM)
CARD = Accelerator(name="RTX 4090", vendor="nvidia", memory=24 * GIB, free=24 * GIB)


def on_cards(count: int) -> Machine:
    return replace(HOST, accelerators=(CARD,) * count)


def text(name: str):
    return CATALOG.architectures[name].text


def told(
    name: str, settings: Settings, placement: Placement | None = None, *, fmt: str = "Q4_K_M", machine=None
) -> Memory:
    layers = text(name).num_hidden_layers
    if placement is None:
        placement = Placement(mode="cpu", layers=layers)
    if machine is None:
        machine = HOST if placement.mode == "cpu" else on_cards(2)
    return memory(
        CATALOG.architectures[name], CATALOG.footprints[name][fmt], settings, placement, machine, CATALOG.memory_models
    )


def llama(context: int = 4096, **settings) -> Settings:
    return Settings(engine="llama.cpp", context=context, vision=False, **settings)


def whole(name: str, *shares: int) -> Placement:
    layers = text(name).num_hidden_layers
    return Placement(mode="gpu", layers=layers, gpu_layers=layers, device_layers=shares or (layers,))


@pytest.mark.parametrize(
    ("name", "kv_type", "expected"),
    [
        # KV at F16 per token as llama.cpp logs it: 35B-A3B 20,480 bytes, 27B 65,536.
        ("qwen3.5-35b-a3b", "f16", 20480),
        ("qwen3.5-27b", "f16", 65536),
        # 36 layers x 8 heads x 128 x 2 x 2 bytes: 144 KiB, https://huggingface.co/Qwen/Qwen3-8B config.json
        ("qwen3-8b", "f16", 147456),
        ("qwen3-8b", "q8_0", 147456 * 34 // 64),
        ("qwen3-8b", "q4_0", 147456 * 18 // 64),
        ("qwen3-8b", "fp8", 147456 // 2),
        # 48 layers x 4 heads x 128: 96 KiB
        ("qwen3-30b-a3b", "bf16", 98304),
    ],
)
def test_kv_bytes_per_token(name: str, kv_type, expected: int) -> None:
    assert kv_bytes_per_token(text(name), kv_type) == expected


def test_kv_types_differ() -> None:
    assert kv_bytes_per_token(text("qwen3-8b"), "q8_0", "q4_0") == 147456 * (34 + 18) // 128


@pytest.mark.parametrize(
    ("name", "mebibytes"),
    # "llama_memory_recurrent: size" per sequence: 50.25, 62.81, 75.38, 149.06 and 149.6 MiB in llama.cpp's logs.
    [
        ("qwen3.5-9b", 50.25),
        ("qwen3.5-35b-a3b", 62.81),
        ("qwen3-next-80b-a3b", 75.38),
        ("qwen3.5-122b-a10b", 149.06),
        ("qwen3.5-27b", 149.62),
    ],
)
def test_recurrent_state(name: str, mebibytes: float) -> None:
    assert recurrent_state_bytes(text(name), 1) / (1 << 20) == pytest.approx(mebibytes, abs=0.01)
    assert recurrent_state_bytes(text(name), 4, rollback=3) == 16 * recurrent_state_bytes(text(name), 1)


def test_dense_models_have_no_state() -> None:
    assert recurrent_state_bytes(text("qwen3-8b"), 4) == 0


def test_unknown_kv_type_is_refused() -> None:
    with pytest.raises(UsageError, match="q3_0"):
        kv_bytes_per_token(text("qwen3-8b"), "q3_0")  # type: ignore[arg-type]


def test_slots_share_the_context_or_pad_their_own() -> None:
    per_token = 147456
    assert told("qwen3-8b", llama(1000)).group("kv_cache") == 1024 * per_token
    # llama_context: n_ctx_seq = pad256(1024 / 3) = 512 cells for each of 3 slots
    assert told("qwen3-8b", llama(1000, parallel=3)).group("kv_cache") == 3 * 512 * per_token
    assert told("qwen3-8b", llama(1000, parallel=3, kv_unified=True)).group("kv_cache") == 1024 * per_token


def test_state_stands_for_every_slot() -> None:
    one = told("qwen3.5-9b", llama()).group("recurrent_state")
    assert one == recurrent_state_bytes(text("qwen3.5-9b"), 1)
    assert told("qwen3.5-9b", llama(parallel=4)).group("recurrent_state") == 4 * one


def test_mapping_keeps_the_file_beside_the_repacked_copy() -> None:
    mapped = told("qwen3-8b", llama())
    repacked = CATALOG.footprints["qwen3-8b"]["Q4_K_M"].repack["Q4_K"]
    assert mapped.total - told("qwen3-8b", llama(repack=False)).total == repacked
    assert mapped.total - told("qwen3-8b", llama(mmap=False)).total == repacked
    assert mapped.reclaimable == CATALOG.footprints["qwen3-8b"]["Q4_K_M"].tensor_bytes
    assert told("qwen3-8b", llama(mmap=False)).reclaimable == 0


def test_repacked_types_follow_the_processor() -> None:
    assert repacked_types(Cpu(name="x")) == {"Q4_0", "Q4_K", "IQ4_NL", "MXFP4"}
    assert "Q2_K" in repacked_types(Cpu(name="x", features=("avx2", "avx512f", "avx512bw")))
    assert repacked_types(Cpu(name="old", features=("sse4_1",))) == set()
    arm = repacked_types(Cpu(name="arm", arch="arm64", features=("asimddp",)))
    assert arm >= {"Q8_0", "Q6_K", "Q5_K"}
    assert repacked_types(Cpu(name="pi 4", arch="arm64", features=("asimd",))) == set()


def test_untouched_pages_come_off_the_total() -> None:
    short = told("qwen3-8b", llama(131072, prompt_tokens=64))
    long = told("qwen3-8b", llama(131072, prompt_tokens=100_000))
    assert short.group("compute_buffer") == long.group("compute_buffer")
    assert short.untouched > long.untouched >= 0
    assert short.total + short.untouched == pytest.approx(long.total + long.untouched, rel=0.002)


def test_layers_take_their_cache_along() -> None:
    split = told("qwen3-8b", llama(), whole("qwen3-8b", 12, 24))
    caches = {part.device: part.bytes for part in split.parts if part.group == "kv_cache"}
    assert caches == {0: 12 * 4096 * 4096, 1: 24 * 4096 * 4096}
    assert split.on_device(0) + split.on_device(1) == split.device
    assert split.host + split.device == split.total


def test_a_tied_head_is_copied_to_the_device_and_the_embedding_stays() -> None:
    found = CATALOG.footprints["qwen3-4b"]["Q4_K_M"]
    weights = told("qwen3-4b", llama(), whole("qwen3-4b"))
    placed = {part.device: part.bytes for part in weights.parts if part.group == "weights"}
    assert placed[None] == found.token_embedding
    assert placed[0] == found.tensor_bytes


def test_experts_on_the_host_leave_the_device() -> None:
    name = "qwen3-30b-a3b"
    found = CATALOG.footprints[name]["Q4_K_M"]
    base = told(name, llama(), whole(name))
    moved = told(name, llama(), replace(whole(name), mode="hybrid", cpu_expert_layers=48))
    weights = [sum(p.bytes for p in one.parts if p.group == "weights" and p.pool == "host") for one in (base, moved)]
    assert weights[1] - weights[0] == found.layers_experts


def test_heads_fewer_than_devices_are_repeated() -> None:
    name = "qwen3-30b-a3b"  # 4 K and V heads
    served = told(
        name,
        Settings(engine="vllm", context=4096),
        Placement(mode="gpu", layers=48, tensor_parallel=8),
        fmt="BF16",
        machine=on_cards(8),
    )
    assert served.group("kv_cache") == 2 * 4096 * 98304


def test_what_vllm_takes_is_told_apart_from_what_is_needed() -> None:
    served = told(
        "qwen3-8b",
        Settings(engine="vllm", context=8192, kv_type="bf16"),
        Placement(mode="gpu", layers=36),
        fmt="AWQ",
        machine=on_cards(1),
    )
    assert served.preallocated == int(24 * GIB * 0.9)
    assert served.device < served.preallocated
    held = served.preallocated - served.device + served.group("kv_cache")
    assert served.kv_capacity_tokens == pytest.approx(held / 147456, rel=1e-3)


def test_old_transformers_computed_every_logit() -> None:
    settings = Settings(engine="transformers", context=8192, prompt_tokens=6144, vision=False)
    place = Placement(mode="gpu", layers=28)
    new = told("qwen2-7b", settings, place, fmt="BF16", machine=on_cards(1))
    old = replace(on_cards(1), engines=(InstalledEngine(name="transformers", version="4.38.2"),))
    before = told("qwen2-7b", settings, place, fmt="BF16", machine=old)
    assert before.group("compute_buffer") > 4 * new.group("compute_buffer")


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        (llama(kv_type="fp8"), "fp8"),
        (llama(kv_type="q8_0", flash_attention=False), "flash attention"),
        (Settings(engine="vllm", context=4096, kv_type="q8_0"), "q8_0"),
        (Settings(engine="transformers", context=4096, kv_type="q4_0"), "q4_0"),
        (Settings(engine="mlx", context=4096, kv_type="fp8"), "fp8"),
        (Settings(engine="tgi", context=4096), "tgi"),
    ],
)
def test_what_an_engine_cannot_do_is_refused(settings: Settings, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        told("qwen3-8b", settings)


def test_an_engine_without_constants_is_a_fault_of_the_catalogue() -> None:
    with pytest.raises(CatalogError, match="mlx"):
        memory(
            CATALOG.architectures["qwen3-8b"],
            CATALOG.footprints["qwen3-8b"]["MLX-4bit"],
            Settings(engine="mlx", context=4096),
            Placement(mode="unified", layers=36),
            HOST,
            {},
        )


def test_towers_are_counted_where_they_are_loaded() -> None:
    bare = told("qwen3-vl-8b", llama())
    loaded = told("qwen3-vl-8b", replace(llama(), vision=True))
    assert (
        loaded.group("weights") - bare.group("weights") == CATALOG.footprints["qwen3-vl-8b"]["Q4_K_M"].projector_bytes
    )
    assert loaded.group("compute_buffer") > bare.group("compute_buffer")


def test_images_and_recordings_become_tokens() -> None:
    vision = CATALOG.architectures["qwen3-vl-8b"].vision
    assert image_tokens(vision, 1024, 1024) == 32 * 32
    audio = CATALOG.architectures["qwen2.5-omni-7b"].audio
    assert audio_tokens(audio, 10) == 250


def test_largest_context_is_the_last_that_fits() -> None:
    def at(settings: Settings) -> Memory:
        return told("qwen3-8b", settings, whole("qwen3-8b"))

    budget = 8 * GIB
    found = largest_context(at, llama(), host=64 * GIB, devices=(budget,), most=131072)
    assert at(llama(found)).on_device(0) <= budget < at(llama(found + 256)).on_device(0)
    assert largest_context(at, llama(), host=64 * GIB, devices=(64 * GIB,), most=40960) == 40960
    assert largest_context(at, llama(), host=64 * GIB, devices=(GIB,), most=40960) == 0


@pytest.mark.parametrize(
    "engine", ["llama.cpp", "ollama", "lmstudio", "vllm", "sglang", "transformers", "onnxruntime", "openvino"]
)
@pytest.mark.parametrize("name", ["qwen3-8b", "qwen3-30b-a3b", "qwen3.5-9b", "qwen3.8-flash-next", "qwen2.5-vl-7b"])
def test_memory_grows_with_context_and_slots(engine: str, name: str) -> None:
    fmt = "Q4_K_M" if engine in {"llama.cpp", "ollama", "lmstudio"} else "BF16"

    def total(**settings) -> int:
        found = told(name, Settings(**{"engine": engine, "context": 4096} | settings), fmt=fmt)
        return found.total + found.untouched

    assert total() < total(context=32768) < total(context=131072)
    assert total(context=16384) < total(context=65536, parallel=4)
    assert total(prompt_tokens=256) <= total(prompt_tokens=2048)
