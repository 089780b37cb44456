"""One run of llama.cpp: how its context is divided, and the batches that its buffers are planned for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qwen_advisor.errors import UsageError
from qwen_advisor.footprint import LayerWeights
from qwen_advisor.memory.job import Job
from qwen_advisor.memory.kv_cache import is_quantized
from qwen_advisor.memory.shape import Batch, Shape, shape_of
from qwen_advisor.model import Architecture, TextDecoder
from qwen_advisor.plan import Settings
from qwen_advisor.values import dataclass

_CELLS = 256  # the cache is padded to whole groups of cells


def _padded(tokens: int) -> int:
    return -(-tokens // _CELLS) * _CELLS


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """How llama.cpp divides ``--ctx-size``: cells per stream, streams, and the largest batch."""

    cells: int
    streams: int
    tokens: int
    outputs: int

    @property
    def total(self) -> int:
        """Cells of all streams."""
        return self.cells * self.streams


def slots(settings: Settings) -> Slots:
    """The cache layout that `Settings` lead to (``llama_context`` and ``sched_reserve``).

    With a unified cache all slots share one stream; otherwise each slot has ``ceil(ctx / slots)`` cells, padded.
    """
    whole = _padded(settings.context)
    parallel = settings.parallel
    if settings.kv_unified or parallel == 1:
        cells, streams = whole, 1
    else:
        cells, streams = _padded(whole // parallel), parallel
    batch = min(settings.context, settings.batch)
    tokens = min(cells * streams, batch, settings.ubatch)
    tokens = -(-tokens // parallel) * parallel
    outputs = batch if settings.all_logits else parallel
    return Slots(cells=cells, streams=streams, tokens=tokens, outputs=min(tokens, outputs))


def decoder(architecture: Architecture) -> TextDecoder:
    """The language model of an architecture.

    Raises:
        UsageError: it has none.
    """
    if architecture.text is None:
        raise UsageError(
            f"{architecture.id} is no language model, and its engine's memory is not known",
            hint="ask for its weights alone with `qwen-advisor catalog show`",
        )
    return architecture.text


def deepstack(architecture: Architecture) -> int:
    """Levels of visual features that llama.cpp feeds into the first layers."""
    vision = architecture.vision
    return len(vision.deepstack_visual_indexes) if vision and vision.kind == "qwen3_vl" else 0


def tensors(text: TextDecoder) -> int:
    """Tensors that the decoder is stored in, which bounds the nodes of its graphs."""
    per_layer = {True: 12, False: 11 if text.qk_norm else 12}[text.moe is not None]
    if text.moe and text.moe.shared_expert_intermediate_size:
        per_layer += 4
    if text.linear_attention:
        per_layer += 3
    return per_layer * text.num_hidden_layers + 3


@dataclass(frozen=True, slots=True)
class Run:
    """A job for llama.cpp with what follows from its settings."""

    job: Job
    text: TextDecoder
    shape: Shape
    layout: Slots

    @property
    def settings(self) -> Settings:
        """The job's settings."""
        return self.job.settings

    @property
    def constants(self) -> Mapping[str, Any]:
        """The catalogue's constants of llama.cpp."""
        return self.job.constants

    def batch(self) -> Batch:
        """The worst batch, which buffers are planned for."""
        layout, settings = self.layout, self.settings
        value_type = settings.kv_type_v or settings.kv_type
        turns = self.text.head_dim % 64 == 0
        return Batch(
            tokens=layout.tokens,
            sequences=settings.parallel,
            outputs=layout.outputs,
            cells=layout.cells,
            streams=layout.streams,
            flash_attention=settings.flash_attention is not False,
            rotate_k=turns and is_quantized(settings.kv_type),
            rotate_v=turns and is_quantized(value_type),
        )

    def used(self) -> Batch:
        """A batch as one request of the given length makes it."""
        settings, worst = self.settings, self.batch()
        depth = min(worst.cells, _padded(settings.prompt_tokens + settings.output_tokens))
        return Batch(
            tokens=min(worst.tokens, max(1, settings.prompt_tokens)),
            sequences=1,
            outputs=1,
            cells=depth,
            flash_attention=worst.flash_attention,
            rotate_k=worst.rotate_k,
            rotate_v=worst.rotate_v,
        )


def _check(settings: Settings) -> None:
    value_type = settings.kv_type_v or settings.kv_type
    for kv_type in (settings.kv_type, value_type):
        if kv_type == "fp8":
            raise UsageError(
                "fp8 is not a KV cache type of llama.cpp", hint="use q8_0, or an engine such as vllm that has fp8"
            )
    if settings.flash_attention is False and is_quantized(value_type):
        raise UsageError(
            f"llama.cpp keeps a V cache of type {value_type} only with flash attention",
            hint="leave flash attention on, or keep V in f16",
        )


def start(job: Job) -> Run:
    """Lay out a job; the checks that llama.cpp itself makes.

    Raises:
        UsageError: the KV type is none of llama.cpp's, or needs flash attention that is off; or no language model.
    """
    _check(job.settings)
    text = decoder(job.architecture)
    shape = shape_of(text, job.architecture.model_type, deepstack(job.architecture))
    return Run(job, text, shape, slots(job.settings))


def layer_sums(run: Run, first: int, count: int) -> LayerWeights:
    """Dense and expert bytes of ``count`` layers from ``first`` on."""
    footprint, layers = run.job.footprint, run.job.layers
    if layers is not None:
        chosen = layers[first : first + count]
        return LayerWeights(dense=sum(layer.dense for layer in chosen), experts=sum(layer.experts for layer in chosen))
    total = footprint.layers
    return LayerWeights(
        dense=footprint.layers_dense * count // total, experts=footprint.layers_experts * count // total
    )
