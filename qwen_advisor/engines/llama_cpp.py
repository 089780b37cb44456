"""llama.cpp: ``llama-server``, options as of ggml-org/llama.cpp@0c1e57098 (``tools/server/README.md``).

What is left unset there is chosen by ``--fit`` and would change the plan, so all that the plan decides is said.
"""

from __future__ import annotations

import re
from math import ceil

from qwen_advisor.advice import Plan
from qwen_advisor.engines.steps import Launch, Step, options
from qwen_advisor.engines.words import in_file_names
from qwen_advisor.plan import Settings

_ALL_LAYERS = 99  # more than any model has, head included: everything goes to the devices
_YARN = re.compile(r"yarn factor (\d+(?:\.\d+)?)", re.IGNORECASE)


def launch(plan: Plan) -> Launch:
    """The commands that fetch the weights and serve them on port 8080."""
    preparation, source = _weights(plan)
    server = Step(argv=("llama-server", *source, *_settings(plan), *_placement(plan), *_purpose(plan)))
    return Launch(steps=(*preparation, server))


def _weights(plan: Plan) -> tuple[tuple[Step, ...], tuple[str, ...]]:
    artifact = plan.artifact
    if artifact.repo:
        return (), ("-hf", f"{artifact.repo}:{in_file_names(plan.format)}")
    # No repository with this file is known: it is made from the published weights.
    name = plan.checkpoint.id.rsplit("/", 1)[-1]
    whole, small = f"{name}-BF16.gguf", f"{name}-{in_file_names(plan.format)}.gguf"
    steps = (
        Step(argv=("hf", "download", plan.checkpoint.id, "--local-dir", name)),
        Step(
            argv=("python", "convert_hf_to_gguf.py", name, "--outtype", "bf16", "--outfile", whole),
            where="with the script of a llama.cpp checkout",
        ),
    )
    if whole == small:
        return steps, ("-m", whole)
    return (*steps, Step(argv=("llama-quantize", whole, small, plan.format))), ("-m", small)


def _settings(plan: Plan) -> tuple[str, ...]:
    settings, native = plan.settings, plan.checkpoint.context.native
    yarn = _YARN.search(plan.checkpoint.context.extension or "")
    stretched = bool(native and yarn and settings.context_per_request > native)
    return options(
        ("-c", settings.context),
        ("-np", settings.parallel),
        ("-kvu", settings.kv_unified and settings.parallel > 1),
        ("--rope-scaling", "yarn" if stretched else None),
        ("--rope-scale", _least_factor(settings, native, yarn[1]) if native and yarn and stretched else None),
        ("--yarn-orig-ctx", native if stretched else None),
        ("-ctk", _unless(settings.kv_type, "f16")),
        ("-ctv", _unless(settings.kv_type_v or settings.kv_type, "f16")),
        ("-fa", _flash_attention(settings)),
        ("-b", _unless(settings.batch, 2048)),
        ("-ub", _unless(settings.ubatch, 512)),
        ("--load-mode", None if settings.mmap else "none"),
        ("--no-repack", not settings.repack),
        ("--spec-type", "draft-mtp" if settings.mtp else None),
    )


def _least_factor(settings: Settings, native: int, most: str) -> str:
    """The least whole factor that reaches the context, as the cards advise: a larger one costs more on short texts."""
    return f"{min(float(most), ceil(settings.context_per_request / native)):g}"


def _flash_attention(settings: Settings) -> str | None:
    if settings.flash_attention is not None:
        return "on" if settings.flash_attention else "off"
    # A quantized V cache works with flash attention only, and must not hang on an automatism.
    return None if (settings.kv_type_v or settings.kv_type) in ("f32", "f16", "bf16") else "on"


def _placement(plan: Plan) -> tuple[str, ...]:
    place = plan.placement
    if place.mode == "cpu":
        return ("--device", "none")
    used = [layers for layers in place.device_layers if layers]
    return options(
        ("-ngl", _ALL_LAYERS if place.gpu_layers >= place.layers else _ngl(place.gpu_layers)),
        ("--n-cpu-moe", place.cpu_expert_layers or None),
        ("-sm", "tensor" if place.tensor_parallel > 1 else None),
        ("-ts", ",".join(map(str, place.device_layers)) if len(used) > 1 else None),
    )


def _purpose(plan: Plan) -> tuple[str, ...]:
    checkpoint = plan.checkpoint
    return options(
        ("--no-mmproj", "image" in checkpoint.modalities_in and not plan.settings.vision),
        ("--embeddings", checkpoint.kind == "embedding"),
        ("--pooling", "last" if checkpoint.kind == "embedding" else None),
        ("--rerank", checkpoint.kind == "reranker"),
        ("--reasoning", "off" if plan.thinking == "off" and checkpoint.thinking == "hybrid" else None),
        ("--port", 8080),
    )


def _ngl(decoder_layers: int) -> int:
    """``-ngl N`` moves the output head and the last N - 1 decoder layers."""
    return decoder_layers + 1


def _unless(value: object, default: object) -> object | None:
    return None if value == default else value
