"""vLLM 0.33: ``vllm serve``. Options from its own documentation (docs/cli/serve, docs/serving, recipes)."""

from __future__ import annotations

from qwen_advisor.advice import Plan
from qwen_advisor.engines.steps import Launch, Step, options
from qwen_advisor.engines.words import calls_in_xml, reasoning_parser, stretched, thinks_when_told

# The published rerankers are causal models that answer "yes" or "no" (docs/models/pooling_models.md).
_RERANKER = (
    '{"architectures": ["Qwen3ForSequenceClassification"],'
    ' "classifier_from_token": ["no", "yes"], "is_original_qwen3_reranker": true}'
)
_KV_TYPES = {"f16": None, "bf16": "bfloat16", "fp8": "fp8"}


def launch(plan: Plan, *, tools: bool, nodes: int) -> Launch:
    """The command that fetches the weights and serves them on port 8000, on every node."""
    checkpoint, settings, place = plan.checkpoint, plan.settings, plan.placement
    speaks = set(checkpoint.modalities_out) & {"audio", "speech"}
    argv = (
        "vllm",
        "serve",
        plan.artifact.repo or checkpoint.id,
        *options(
            ("--omni", bool(speaks)),
            ("--max-model-len", settings.context),
            ("--max-num-seqs", settings.parallel),
            ("--tensor-parallel-size", place.tensor_parallel if place.tensor_parallel > 1 else None),
            ("--pipeline-parallel-size", place.pipeline_parallel if place.pipeline_parallel > 1 else None),
            ("--quantization", _quantization(plan)),
            ("--kv-cache-dtype", _kv_type(settings.kv_type)),
            ("--language-model-only", "image" in checkpoint.modalities_in and not settings.vision),
            ("--runner", "pooling" if checkpoint.kind in ("embedding", "reranker", "reward") else None),
            ("--hf-overrides", _RERANKER if checkpoint.kind == "reranker" and "VL" not in checkpoint.id else None),
            ("--reasoning-parser", reasoning_parser(checkpoint)),
            ("--default-chat-template-kwargs", _thinking(plan)),
            ("--enable-auto-tool-choice", tools),
            ("--tool-call-parser", ("qwen3_coder" if calls_in_xml(checkpoint) else "hermes") if tools else None),
            ("--speculative-config", '{"method": "mtp", "num_speculative_tokens": 1}' if settings.mtp else None),
            ("--port", 8000),
        ),
    )
    notes = [note for note in (stretched(checkpoint, settings.context),) if note]
    if speaks:
        notes.append("speech comes out through vllm-omni, which is installed beside vLLM")
    return Launch(steps=_on_nodes(argv, nodes), notes=tuple(notes))


def _on_nodes(argv: tuple[str, ...], nodes: int) -> tuple[Step, ...]:
    if nodes == 1:
        return (Step(argv=argv),)
    group = ("--nnodes", str(nodes), "--master-addr", "HEAD_IP")
    first = Step(argv=(*argv, *group, "--node-rank", "0"), where="on the first node, whose address is HEAD_IP")
    rest = [
        Step(argv=(*argv, *group, "--node-rank", str(rank), "--headless"), where=f"on node {rank + 1}")
        for rank in range(1, nodes)
    ]
    return (first, *rest)


def _quantization(plan: Plan) -> str | None:
    if plan.format in ("NF4", "INT8"):
        return "bitsandbytes"
    # Ready repositories say themselves how they are quantized.
    return "fp8" if plan.format == "FP8" and plan.artifact.repo in (None, plan.checkpoint.id) else None


def _kv_type(kv_type: str) -> str | None:
    try:
        return _KV_TYPES[kv_type]
    except KeyError:
        raise ValueError(f"vLLM has no KV cache of type {kv_type}") from None


def _thinking(plan: Plan) -> str | None:
    if not thinks_when_told(plan.checkpoint) or plan.thinking == "none":
        return None
    default = plan.checkpoint.thinking_default or "on"
    return (
        None if plan.thinking == default else f'{{"enable_thinking": {"true" if plan.thinking == "on" else "false"}}}'
    )
