"""SGLang 0.5.23: ``python -m sglang.launch_server``. Full option names, which abbreviations are not sure to reach."""

from __future__ import annotations

from qwen_advisor.advice import Plan
from qwen_advisor.engines.steps import Launch, Step, options
from qwen_advisor.engines.words import calls_in_xml, reasoning_parser, stretched, thinks_when_told

_KV_TYPES = {"f16": None, "bf16": None, "fp8": "fp8_e4m3"}  # "auto" is the type of the weights


def launch(plan: Plan, *, tools: bool, nodes: int) -> Launch:
    """The command that fetches the weights and serves them on port 30000, on every node."""
    checkpoint, settings, place = plan.checkpoint, plan.settings, plan.placement
    online_fp8 = plan.format == "FP8" and plan.artifact.repo in (None, checkpoint.id)
    bitsandbytes = plan.format in ("NF4", "INT8")
    argv = (
        *("python", "-m", "sglang.launch_server"),
        *options(
            ("--model-path", plan.artifact.repo or checkpoint.id),
            ("--context-length", settings.context),
            ("--max-running-requests", settings.parallel),
            # Over several nodes the size is that of the whole group.
            ("--tp-size", place.tensor_parallel if place.tensor_parallel > 1 else None),
            ("--pp-size", place.pipeline_parallel if place.pipeline_parallel > 1 else None),
            ("--quantization", "bitsandbytes" if bitsandbytes else "fp8" if online_fp8 else None),
            ("--load-format", "bitsandbytes" if bitsandbytes else None),
            ("--kv-cache-dtype", _kv_type(settings.kv_type)),
            ("--is-embedding", checkpoint.kind in ("embedding", "reward")),
            ("--reasoning-parser", reasoning_parser(checkpoint)),
            ("--tool-call-parser", ("qwen3_coder" if calls_in_xml(checkpoint) else "qwen25") if tools else None),
            ("--port", 30000),
        ),
    )
    notes = [note for note in (stretched(checkpoint, settings.context),) if note]
    if thinks_when_told(checkpoint) and plan.thinking == "off":
        notes.append('each request says {"chat_template_kwargs": {"enable_thinking": false}}, or the model thinks')
    return Launch(steps=_on_nodes(argv, nodes), notes=tuple(notes))


def _on_nodes(argv: tuple[str, ...], nodes: int) -> tuple[Step, ...]:
    if nodes == 1:
        return (Step(argv=argv),)
    group = ("--nnodes", str(nodes), "--dist-init-addr", "HEAD_IP:20000")
    return tuple(
        Step(
            argv=(*argv, *group, "--node-rank", str(rank)),
            where="on the first node, whose address is HEAD_IP" if rank == 0 else f"on node {rank + 1}",
        )
        for rank in range(nodes)
    )


def _kv_type(kv_type: str) -> str | None:
    try:
        return _KV_TYPES[kv_type]
    except KeyError:
        raise ValueError(f"SGLang has no KV cache of type {kv_type}") from None
