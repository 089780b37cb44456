"""Memory of llama-server, which Ollama and LM Studio run too: buffers as it allocates them, and all that lies beside.

Group names mean what llama.cpp logs: weights (``model buffer``), KV cache, recurrent state, compute buffer. What the
process occupies also holds repacked copies, vocabulary, graphs and the program; of the compute buffer, only what a
prompt has written is resident, so a part with negative bytes takes the rest off the total.
"""

from __future__ import annotations

from qwen_advisor.memory.compute import on_host
from qwen_advisor.memory.host_process import cache_parts, host_parts
from qwen_advisor.memory.job import Job
from qwen_advisor.memory.offload import offloaded
from qwen_advisor.memory.projector import projector_parts
from qwen_advisor.memory.repack import repacked_bytes
from qwen_advisor.memory.run import Run, start
from qwen_advisor.memory.shape import Batch
from qwen_advisor.plan import Memory, MemoryPart


def _work_buffer(run: Run, used: Batch) -> int:
    """What the CPU backend converts activations into, for the widest product (``ggml_graph_plan``)."""
    text = run.text
    width = max(text.intermediate_size, text.num_attention_heads * text.head_dim, text.hidden_size)
    format_bits = sum(run.job.footprint.by_type.get(name, 0) for name in ("BF16", "F16"))
    per_value = 2.0 if format_bits > run.job.footprint.tensor_bytes / 2 else 292 / 256  # Q8_K blocks
    size = per_value * width * used.tokens
    if text.moe:
        routed = text.moe.num_experts_per_tok * used.tokens
        rows = 8 * text.moe.num_experts * routed
        size = max(size, per_value * text.moe.moe_intermediate_size * routed + rows)
    if not used.flash_attention:
        size = max(size, 2.0 * text.num_attention_heads * used.cells * used.tokens)
    return round(size)


def _cpu(run: Run) -> Memory:
    settings, footprint, text = run.settings, run.job.footprint, run.text
    parts = [
        MemoryPart(name="weights", group="weights", bytes=footprint.tensor_bytes, pool="host", basis=footprint.basis)  # type: ignore[arg-type]
    ]
    parts += cache_parts(run, [(None, text.num_hidden_layers)])
    batch, used = run.batch(), run.used()
    plan = on_host(run.shape, batch, text.num_hidden_layers, used)
    parts.append(
        MemoryPart(
            name="compute_buffer", group="compute_buffer", bytes=plan.planned, pool="host", basis="measured model"
        )
    )
    untouched = plan.planned - plan.touched
    parts.append(
        MemoryPart(
            name="compute_buffer_untouched",
            group="runtime_overhead",
            bytes=-untouched,
            pool="host",
            basis="measured model",
        )
    )
    if settings.mmap and settings.repack:
        size = repacked_bytes(footprint, text, run.job.machine.cpu)
        if size:
            parts.append(
                MemoryPart(name="cpu_repack", group="runtime_overhead", bytes=size, pool="host", basis="exact")
            )
    parts += host_parts(run, alone=True)
    work = _work_buffer(run, used)
    parts.append(
        MemoryPart(name="work_buffer", group="runtime_overhead", bytes=work, pool="host", basis="measured model")
    )
    return Memory(parts=tuple(parts), reclaimable=footprint.tensor_bytes if settings.mmap else 0, untouched=untouched)


def llama_cpp(job: Job) -> Memory:
    """Memory of a llama-server that has served a prompt of ``settings.prompt_tokens``; see the module's text.

    Raises:
        UsageError: the KV type is none of llama.cpp's, or needs flash attention that is off; or no language model.
    """
    run = start(job)
    placement = job.placement
    on_device = placement.mode != "cpu" and (sum(placement.device_layers) or placement.gpu_layers) > 0
    memory = offloaded(run) if on_device else _cpu(run)
    return memory.adding(*projector_parts(job.architecture, job.footprint, job.settings, 0 if on_device else None))
