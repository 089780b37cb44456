"""Hand-made answers with round numbers, so that a golden file shows how things are written and nothing else."""

from __future__ import annotations

from dataclasses import replace

from qwen_advisor.advice import (
    Advice,
    Artifact,
    Estimate,
    Plan,
    Recommendation,
    Rejection,
    Rival,
    Terms,
    Upgrade,
    Weighed,
)
from qwen_advisor.evidence import Ability, Evidence
from qwen_advisor.machine import Accelerator, Cpu, HostMemory, Machine
from qwen_advisor.model import Architecture, Checkpoint, Context, TextDecoder
from qwen_advisor.plan import Memory, MemoryPart, Placement, Rate, Settings, Speed
from qwen_advisor.task import Requirements, TaskProfile
from qwen_advisor.units import GIB, MIB

ARCHITECTURE = Architecture(
    id="qwen3-8b",
    model_type="qwen3",
    text=TextDecoder(
        num_hidden_layers=36,
        hidden_size=4096,
        intermediate_size=12288,
        num_attention_heads=32,
        num_key_value_heads=8,
        head_dim=128,
        vocab_size=151936,
        tie_word_embeddings=False,
    ),
)
DENSE = Checkpoint(
    id="Qwen/Qwen3-8B",
    architecture="qwen3-8b",
    family="Qwen3",
    line="general",
    kind="hybrid",
    released="2025-04-29",
    license="apache-2.0",
    modalities_in=("text",),
    modalities_out=("text",),
    parameters_total=8_190_735_360,
    context=Context(native=32768, extended=131072, extension="YaRN factor 4"),
    thinking="hybrid",
    thinking_default="on",
    tool_calling=True,
)
CODER = replace(
    DENSE,
    id="Qwen/Qwen3-Coder-30B-A3B-Instruct",
    architecture="qwen3-30b-a3b",
    line="coder",
    kind="instruct",
    released="2025-07-31",
    parameters_total=30_532_122_624,
    parameters_active=3_350_000_000,
    context=Context(native=262144),
    thinking="none",
    thinking_default=None,
)
SEES = replace(DENSE, id="Qwen/Qwen3-VL-8B-Instruct", line="vision", kind="instruct", modalities_in=("text", "image"))

CPU = Machine(
    os="linux",
    cpu=Cpu(
        name="described processor",
        physical_cores=8,
        logical_cores=16,
        usable_cores=16,
        features=("avx2", "fma"),
        memory_bandwidth=50e9,
    ),
    memory=HostMemory(total=24 * GIB, available=24 * GIB, reserve=2 * GIB, reserve_why="the system"),
    described=True,
)
GPU = replace(
    CPU,
    accelerators=(
        Accelerator(
            name="NVIDIA GeForce RTX 4090",
            vendor="nvidia",
            memory=24 * GIB,
            free=24 * GIB,
            reserve=GIB,
            memory_bandwidth=1008e9,
            fp16_flops=165e12,
            compute_capability="8.9",
        ),
    ),
)
SPEED = Speed(
    decode=Rate(low=9.5, expected=12.34567, high=16.0),
    prefill=Rate(low=60.0, expected=88.0, high=130.0),
    bound="bandwidth",
    basis="roofline",
    throughput=12.34567,
    time_to_first_token=5.8,
    time_to_answer=150.0,
)
PARTS = (
    MemoryPart(name="weights", group="weights", bytes=4692 * MIB, pool="host", basis="exact"),
    MemoryPart(name="kv_cache", group="kv_cache", bytes=1152 * MIB, pool="host", basis="exact"),
    MemoryPart(name="compute", group="compute_buffer", bytes=304 * MIB, pool="host", basis="measured model"),
    MemoryPart(name="cpu_repack", group="runtime_overhead", bytes=2048 * MIB, pool="host", basis="measured model"),
)


def plan(**changes: object) -> Plan:
    """Qwen3-8B at Q4_K_M on llama.cpp, on a CPU, with some fields changed."""
    made = Plan(
        checkpoint=DENSE,
        architecture=ARCHITECTURE,
        format="Q4_K_M",
        artifact=Artifact(
            repo="Qwen/Qwen3-8B-GGUF", files=("Qwen3-8B-Q4_K_M.gguf",), bytes=5_027_783_488, ollama="qwen3:8b"
        ),
        settings=Settings(engine="llama.cpp", context=8192),
        placement=Placement(mode="cpu", layers=36),
        memory=Memory(parts=PARTS),
        budget=22 * GIB,
        speed=SPEED,
        thinking="off",
    )
    return replace(made, **changes)


def recommendation(rank: int, made: Plan, value: float, score: float) -> Recommendation:
    """A ranked plan with an ability that two scores carry."""
    return Recommendation(
        rank=rank,
        plan=made,
        ability=Ability(
            checkpoint=made.checkpoint.id,
            scale="code",
            thinking="off",
            value=value,
            standard_error=0.12,
            published=True,
            evidence=(
                Evidence(benchmark="LiveCodeBench v6", score=51.2, source="https://example.org/card", weight=0.6),
                Evidence(
                    benchmark="Aider polyglot",
                    score=33.3,
                    source="https://example.org/board",
                    independent=True,
                    weight=0.4,
                ),
            ),
        ),
        quantization_loss=0.04,
        terms=Terms(ability=value, quantization_loss=0.04, speed=0.5, headroom=0.1, context=0.0, memory=-0.05),
        score=score,
        reasons=("the ablest model for code that answers within 90 s here",) if rank == 1 else (),
        warnings=("8 % of the memory budget is left",) if rank == 1 else (),
        largest_context=65536 if rank == 1 else None,
        frontier=True,
    )


CODER_PLAN = plan(
    checkpoint=CODER,
    artifact=Artifact(
        repo="someone/Qwen3-Coder-30B-A3B-Instruct-GGUF",
        files=("Qwen3-Coder-30B-A3B-Instruct-Q4_K_M.gguf",),
        bytes=18_556_689_568,
        ollama="qwen3-coder:30b",
        official=False,
    ),
    placement=Placement(mode="cpu", layers=48),
    memory=Memory(
        parts=(
            MemoryPart(name="weights", group="weights", bytes=17_690 * MIB, pool="host", basis="exact"),
            MemoryPart(name="kv_cache", group="kv_cache", bytes=768 * MIB, pool="host", basis="exact"),
        )
    ),
    thinking="none",
)
FIRST, SECOND = recommendation(1, CODER_PLAN, 1.88, 100.0), recommendation(2, plan(), 1.21, 61.4)


def weighed(rank: int, made: Plan, value: float, *, dominated_by: str | None = None) -> Weighed:
    """A model that was laid on the machine."""
    like = recommendation(rank, made, value, 50.0)
    return Weighed(
        rank=rank,
        plan=made,
        ability=like.ability,
        quantization_loss=like.quantization_loss,
        terms=like.terms,
        dominated_by=dominated_by,
    )


CODE = TaskProfile(
    id="code",
    title="Writing and repairing code",
    ability="code",
    ability_spread=1.4,
    kinds=("instruct",),
    context=16384,
    prompt_tokens=3000,
    output_tokens=1000,
    reasoning_tokens=4000,
    comfortable_speed=30.0,
    floor_speed=5.0,
    patience=90.0,
)
ADVICE = Advice(
    catalog_version="2026.11",
    catalog_models=217,
    machine=CPU,
    requirements=Requirements(task="code", context=8192, prompt_tokens=3000, output_tokens=1000, tools=True),
    recommendations=(FIRST, SECOND),
    rejected=(
        Rejection(
            model="Qwen/Qwen3-32B",
            rule="S101",
            message="1.9 tokens/s, code needs 5",
            needed=5.0,
            available=1.9,
        ),
        Rejection(
            model="Qwen/Qwen3-235B-A22B",
            rule="M101",
            message="needs 133 GiB, 22.0 GiB are there",
            needed=133.0 * GIB,
            available=22.0 * GIB,
        ),
        Rejection(model="Qwen/Qwen3-8B-Base", rule="T101", message="a base model answers no question"),
    ),
    upgrades=(Upgrade(change="an RTX 3090", unlocks="Qwen/Qwen3.6-27B"),),
    notes=("bandwidth of main memory is assumed",),
    weighed=(
        weighed(1, CODER_PLAN, 1.88),
        weighed(2, plan(), 1.21),
        weighed(3, plan(checkpoint=replace(DENSE, id="Qwen/Qwen3-8B-Old")), 0.4, dominated_by="Qwen/Qwen3-8B"),
    ),
    complete=True,
    rivals=(
        Rival(
            model="Qwen/Qwen3-8B",
            behind=0.67,
            abler=0.938,
            abler_in_errors=5.527,
            faster=None,
            prefers=("speed", "memory"),
        ),
    ),
    profile=CODE,
)
NOTHING = replace(ADVICE, recommendations=(), weighed=(), rivals=())

ESTIMATE = Estimate(
    checkpoint=DENSE,
    architecture=ARCHITECTURE,
    format="Q4_K_M",
    artifact=plan().artifact,
    settings=Settings(engine="llama.cpp", context=8192),
    placement=Placement(mode="cpu", layers=36),
    memory=Memory(parts=PARTS, reclaimable=512 * MIB),
    budget=22 * GIB,
    fits=True,
    speed=SPEED,
    machine=CPU,
    file_bytes=5_027_783_488,
    largest_context=40960,
    thinking="on",
)

SPLIT = replace(
    ESTIMATE,
    machine=GPU,
    placement=Placement(mode="hybrid", layers=36, gpu_layers=36, cpu_expert_layers=12, device_layers=(36,)),
    memory=Memory(
        parts=(
            MemoryPart(name="weights", group="weights", bytes=21_000 * MIB, pool="device", basis="exact", device=0),
            MemoryPart(name="kv_cache", group="kv_cache", bytes=3_072 * MIB, pool="device", basis="exact", device=0),
            MemoryPart(
                name="cuda_context",
                group="runtime_overhead",
                bytes=450 * MIB,
                pool="device",
                basis="published",
                device=0,
            ),
            MemoryPart(name="experts", group="weights", bytes=6_144 * MIB, pool="host", basis="exact"),
        )
    ),
    budget=45 * GIB,
    fits=False,
    largest_context=None,
    projector_bytes=1_159_029_824,
    notes=("the RTX 4090 holds 0.5 GiB too little",),
)

# four equal cards, tensor parallel, on each of which lies the same
FOUR = replace(
    SPLIT,
    machine=replace(GPU, accelerators=GPU.accelerators * 4),
    settings=Settings(engine="vllm", context=32768, parallel=8),
    format="BF16",
    artifact=Artifact(repo="Qwen/Qwen3-8B", files=(), bytes=16_381_470_720),
    placement=Placement(mode="gpu", layers=36, gpu_layers=36, tensor_parallel=4, device_layers=(36, 36, 36, 36)),
    memory=Memory(
        parts=tuple(
            MemoryPart(name=name, group=group, bytes=size * MIB, pool="device", basis=basis, device=device)
            for device in range(4)
            for name, group, size, basis in (
                ("weights", "weights", 3_906, "exact"),
                ("kv_cache", "kv_cache", 9_216, "exact"),
                ("cuda_context", "runtime_overhead", 450, "published"),
            )
        )
    ),
    budget=92 * GIB,
    fits=True,
    projector_bytes=None,
    notes=(),
)
