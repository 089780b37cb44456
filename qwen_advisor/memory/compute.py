"""Compute buffers of llama.cpp: planned by walking its graph with its own allocator.

The walk covers the first layers, in which the plan becomes periodic, and the last one; deeper layers repeat
addresses that are already counted.
"""

from __future__ import annotations

from functools import lru_cache

from qwen_advisor.memory.arena import Arena, Sizes, covered
from qwen_advisor.memory.graph import Planner, Walk
from qwen_advisor.memory.inputs import embed, embed_on_device, embed_on_host, enter_device
from qwen_advisor.memory.shape import Batch, Shape, Staged
from qwen_advisor.values import dataclass, replace

_HOST_ALIGNMENT = 32  # TENSOR_ALIGNMENT of the CPU backend
_PERIODS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPlan:
    """The compute buffer of a model that runs on the CPU, in bytes."""

    planned: int
    touched: int  # resident after serving a prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How layers lie on devices.

    Attributes:
        layers: decoder layers on each device in use.
        away: what of a host layer is copied to the first device for a large batch.
        away_layers: how many layers, the first ones, have such weights.
        alignment: of tensors on the devices, in bytes.
        copies: of the inputs: 4 with pipeline parallelism, else 1.
    """

    layers: tuple[int, ...]
    away: Staged
    away_layers: int
    alignment: int
    copies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePlan:
    """Compute buffers where layers are on devices, in bytes."""

    host: int
    devices: tuple[int, ...]


def _depth(shape: Shape, count: int) -> int:
    """How many layers to walk: two periods of a hybrid, five layers of a uniform stack."""
    return min(count, max(5, _PERIODS * shape.interval))


def _only_shifts(batch: Batch) -> bool:
    """Whether the mask only shifts the plan: it lies below all that comes after it, and outlives it."""
    return batch.flash_attention and batch.outputs < batch.tokens and not batch.unpacked and not batch.cell_bytes


def _aligned(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment


def on_host(shape: Shape, batch: Batch, count: int, used: Batch) -> HostPlan:
    """The plan of a graph of ``count`` layers on the CPU, and what a batch like ``used`` touches of it."""
    if not _only_shifts(batch):
        return _on_host(shape, batch, count, used)
    plan = _on_host(shape, replace(batch, cells=0), count, replace(used, cells=0))
    return HostPlan(
        planned=plan.planned + _aligned(batch.mask_bytes, _HOST_ALIGNMENT), touched=plan.touched + used.mask_bytes
    )


@lru_cache(maxsize=4096)
def _on_host(shape: Shape, batch: Batch, count: int, used: Batch) -> HostPlan:
    arena, sizes = Arena(_HOST_ALIGNMENT), Sizes()
    planners: tuple[tuple[Planner, Batch], ...] = ((arena, batch), (sizes, used))
    for planner, part in planners:
        walk = Walk(planner, shape, part)
        walk.layers(embed(walk), _depth(shape, count))
        walk.logits()
    return HostPlan(planned=arena.peak, touched=covered(arena.offsets, sizes.sizes))


def on_devices(shape: Shape, batch: Batch, split: Split) -> DevicePlan:
    """Plans of a model whose layers are split over devices, host layers first."""
    if not _only_shifts(batch) or split.away_layers or split.copies > 1:
        return _on_devices(shape, batch, split)
    plan = _on_devices(shape, replace(batch, cells=0), split)
    mask = batch.mask_bytes
    on_device = _aligned(mask, split.alignment)
    return DevicePlan(
        host=plan.host + _aligned(mask, _HOST_ALIGNMENT), devices=tuple(size + on_device for size in plan.devices)
    )


@lru_cache(maxsize=4096)
def _on_devices(shape: Shape, batch: Batch, split: Split) -> DevicePlan:
    host = Arena(_HOST_ALIGNMENT)
    embed_on_host(Walk(host, shape, batch), split.copies)
    plans = []
    for index, count in enumerate(split.layers):
        ends = index == len(split.layers) - 1
        arena = Arena(split.alignment)
        walk = Walk(arena, shape, batch)
        if index:
            inputs = enter_device(walk, split.copies, ends=ends)
        else:
            late = split.away_layers > 0 and (split.away.cache or shape.interval > 1)
            inputs = embed_on_device(walk, split.copies, ends=ends, late=late)
        if index == 0 and split.away_layers:
            staged = Walk(arena, shape, batch, split.away)
            inputs.residual = staged.layers(inputs, _depth(shape, split.away_layers), ends=False)
            inputs.kept_layers = 0
            if split.away.cache:
                inputs.last = (*inputs.last, *(arena.take(8 * batch.tokens) for _ in "kv"))
        walk.layers(inputs, _depth(shape, count), ends=ends)
        if ends:
            walk.logits()
        plans.append(arena.peak)
    return DevicePlan(host=host.peak, devices=tuple(plans))
