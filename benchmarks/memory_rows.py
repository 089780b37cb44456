"""The carried measurements of memory, each with what the project predicts for it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.footprint import Footprint, LayerWeights
from qwen_advisor.machine import Accelerator, Cpu, HostMemory, InstalledEngine, Machine
from qwen_advisor.memory import memory
from qwen_advisor.plan import Memory, Placement, Settings
from qwen_advisor.weights import footprint, layers

DATA = Path(__file__).parent / "data"
_ROOM = HostMemory(total=1 << 41, available=1 << 41)
_CPU = Cpu(name="x86-64 with AVX2")
# Resident file pages and heap of a process that only loads the library, and what of the server it lacks.
_LIBRARY = 9_800_000


@dataclass(frozen=True, slots=True)
class Result:
    """One measured figure beside its prediction, in bytes."""

    part: str
    engine: str
    family: str
    what: str
    measured: int
    predicted: int
    why: str = ""

    @property
    def error(self) -> float:
        """Signed relative error."""
        return self.predicted / self.measured - 1 if self.measured else 0.0


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that could not be predicted, and why."""

    what: str
    why: str


def read(name: str) -> Iterator[dict[str, str]]:
    """Rows of one file of data; its first lines are comments."""
    with (DATA / name).open(encoding="utf-8") as file:
        yield from csv.DictReader(line for line in file if not line.startswith("#"))


def machine(count: int = 0, *, vendor: Any = "nvidia", size: int = 1 << 38, engines: tuple[Any, ...] = ()) -> Machine:
    """A machine with room for anything."""
    card = Accelerator(name=f"{vendor} device", vendor=vendor, memory=size, free=size)
    return Machine(os="linux", cpu=_CPU, memory=_ROOM, accelerators=(card,) * count, engines=engines)


def _family(architecture: str) -> str:
    return architecture.partition("-")[0]


_COUNTED: dict[tuple[str, str], tuple[Footprint, tuple[LayerWeights, ...]]] = {}


def _weights(catalog: Catalog, architecture: str, name: str) -> tuple[Footprint, tuple[LayerWeights, ...]]:
    key = (architecture, name)
    if key not in _COUNTED:
        shape, fmt = catalog.architectures[architecture], catalog.formats[name]
        _COUNTED[key] = (footprint(shape, fmt, catalog.block_types), layers(shape, fmt, catalog.block_types))
    return _COUNTED[key]


def _share(kept: int, devices: int) -> tuple[int, ...]:
    """How llama.cpp shares out ``kept`` layers and the head over equal devices: each takes an equal share."""
    counts = [0] * devices
    for index in range(kept + 1):
        counts[min(devices - 1, index * devices // (kept + 1))] += 1
    counts[-1] -= 1
    return tuple(counts)


def buffers(catalog: Catalog) -> Iterator[Result]:
    """What llama.cpp plans, on the CPU and on devices."""
    for row in read("memory_buffers.csv"):
        name, count = row["architecture"], int(row["devices"])
        shape = catalog.architectures[name]
        found, by_layer = _weights(catalog, name, "Q8_0")
        depth = found.layers
        placement = Placement(mode="cpu", layers=depth)
        if count:
            kept = int(row["gpu_layers"])
            mode: Any = "gpu" if kept == depth and row["cpu_expert_layers"] == "0" else "hybrid"
            placement = Placement(
                mode=mode,
                layers=depth,
                gpu_layers=kept,
                cpu_expert_layers=int(row["cpu_expert_layers"]),
                device_layers=_share(kept, count),
            )
        settings = Settings(
            engine="llama.cpp",
            context=int(row["context"]),
            parallel=int(row["parallel"]),
            batch=int(row["batch"]),
            ubatch=int(row["ubatch"]),
            kv_type=row["kv_type"],  # type: ignore[arg-type]
            kv_unified=row["kv_unified"] == "1",
            all_logits=row["all_logits"] == "1",
            flash_attention=row["flash_attention"] == "1",
            vision=False,
        )
        told = memory(shape, found, settings, placement, machine(count), catalog.memory_models, layers=by_layer)
        offload = (
            "experts on host" if placement.cpu_expert_layers else "layers on host" if placement.mode == "hybrid" else ""
        )
        for index in (None, *range(count)):
            suffix = "host" if index is None else f"device{index}"
            setting = f"ctx {row['context']} ub {row['ubatch']} np {row['parallel']} {row['kv_type']}"
            at = f"{name} {setting} on {suffix} {offload}"
            kept_state = sum(
                part.bytes
                for part in told.parts
                if part.group in {"kv_cache", "recurrent_state"} and part.device == index
            )
            planned = sum(part.bytes for part in told.parts if part.group == "compute_buffer" and part.device == index)
            if int(row[f"kv_state_{suffix}"]):
                yield Result(
                    "KV cache and state", "llama.cpp", _family(name), at, int(row[f"kv_state_{suffix}"]), kept_state
                )
            part = f"compute buffer, {'CPU' if not count else offload or f'{count} device' + 's' * (count > 1)}"
            if not count or index is not None:
                yield Result(part, "llama.cpp", _family(name), at, int(row[f"compute_{suffix}"]), planned)


def _lab_memory(catalog: Catalog, row: dict[str, str]) -> Memory:
    shape = catalog.architectures[row["architecture"]]
    name = row["format"]
    found = _weights(catalog, row["architecture"], name)[0]
    data, repack = int(row["data_bytes"]), int(row["repack_bytes"])
    sizes = replace(
        found,
        token_embedding=0,
        output=1,
        output_norm=0,
        layers_dense=data - 1,
        layers_experts=0,
        mtp=0,
        other=0,
        vision=0,
        audio=0,
        repack={"Q4_K": repack},
    )
    settings = Settings(
        engine="llama.cpp",
        context=int(row["context"]),
        parallel=int(row["parallel"]),
        batch=int(row["batch"]),
        ubatch=int(row["ubatch"]),
        kv_type=row["kv_type"],  # type: ignore[arg-type]
        kv_unified=row["kv_unified"] == "1",
        all_logits=row["mode"] != "server" and not row["outputs"],
        flash_attention=row["flash_attention"] == "1",
        mmap=row["mmap"] == "1",
        repack=row["repack"] == "1",
        vision=False,
        prompt_tokens=int(row["prompt_tokens"] or 512),
        output_tokens=int(row["output_tokens"] or 128),
    )
    placement = Placement(mode="cpu", layers=found.layers)
    return memory(shape, sizes, settings, placement, machine(), catalog.memory_models)


def laboratory(catalog: Catalog) -> Iterator[Result]:
    """Plans, library processes and servers measured on one machine."""
    for row in read("memory_lab.csv"):
        told = _lab_memory(catalog, row)
        name = row["architecture"]
        setting = f"ctx {row['context']} np {row['parallel']} {row['kv_type']} fa {row['flash_attention']}"
        at = f"{name} {row['format']} {setting}"
        if row["mode"] == "plan":
            kept = told.group("kv_cache") + told.group("recurrent_state")
            yield Result("KV cache and state", "llama.cpp", _family(name), at, int(row["context_bytes"]), kept)
            yield Result(
                "compute buffer, CPU",
                "llama.cpp",
                _family(name),
                at,
                int(row["compute_bytes"]),
                told.group("compute_buffer"),
            )
            continue
        total = told.total
        why = "the test's vocabulary of 248,320 tokens has shorter words than a real one" if "3.5" in name else ""
        if row["mode"] == "process":
            parts = {part.name: part.bytes for part in told.parts}
            extra = parts["program"] + parts.get("context_checkpoints", 0)
            total += _LIBRARY - extra - (parts["graph_metadata"] // 3 if parts.get("context_checkpoints") else 0)
        kind = "server" if row["mode"] == "server" else "library process"
        yield Result(f"resident memory, {kind}", "llama.cpp", _family(name), at, int(row["resident_bytes"]), total, why)


def _published(catalog: Catalog, row: dict[str, str]) -> tuple[Memory, Machine]:
    checkpoint = catalog.models[row["checkpoint"]]
    shape = catalog.architectures[checkpoint.architecture]
    name = {"AWQ-INT4": "AWQ"}.get(row["format"], row["format"])
    if name not in catalog.formats:
        raise UsageError(f"no format {name}")
    found = _weights(catalog, checkpoint.architecture, name)[0]
    engine = {"mlx-lm": "mlx"}.get(row["engine"], row["engine"])
    count, tensor = int(row["gpus"]), int(row["tensor_parallel"])
    vendor = "apple" if engine == "mlx" else "other" if "Strix" in row["hardware"] else "nvidia"
    kv_type = {"auto": "f16", "bf16": "bf16", "fp16/bf16": "f16", "fp16": "f16"}.get(row["kv_type"], row["kv_type"])
    settings = Settings(
        engine=engine,
        context=int(row["context"]),
        parallel=int(row["parallel"]),
        kv_type=kv_type,  # type: ignore[arg-type]
        all_logits=True,
        ubatch=int(row["ubatch"] or 512),
        flash_attention=row["flash_attention"] == "1",
        vision=engine == "vllm",
        prompt_tokens=int(row["prompt_tokens"] or 512),
        output_tokens=int(row["output_tokens"] or 128),
    )
    mode: Any = "unified" if engine == "mlx" else "gpu"
    depth = found.layers
    pipeline = count if engine == "transformers" else 1
    placement = Placement(
        mode=mode,
        layers=depth,
        gpu_layers=depth,
        tensor_parallel=tensor,
        pipeline_parallel=pipeline,
        device_layers=(depth,),
    )
    card = 24 << 30 if "3090" in row["hardware"] else 80 << 30
    installed = (InstalledEngine(name=engine, version=row["version"] or None),)
    place = machine(max(count, 1), vendor=vendor, size=card, engines=installed)
    return memory(shape, found, settings, placement, place, catalog.memory_models), place


# The Qwen3 tables, made with this version, show weights and a full cache at every length and no trace of the peak
# while the prompt is read, which the Qwen2.5 tables do show: they are of memory kept afterwards.
_AFTERWARDS = "4.51.3"

_KINDS = {
    "torch-allocated": "GPU memory of the makers' tables",
    "peak": "peak memory",
    "kv_cache": "KV cache in logs",
    "recurrent_state": "recurrent state in logs",
    "compute_buffer": "compute buffer in logs of builds before the output limit",
    "weights_per_gpu": "weights per GPU",
    "preallocated": "pre-allocated memory",
}


def published(catalog: Catalog) -> Iterator[Result | Skipped]:
    """What engines printed and makers tabulated."""
    for row in read("memory_published.csv"):
        at = f"{row['checkpoint'].split('/')[1]} {row['format']} ctx {row['context']} {row['hardware']}"
        try:
            told, place = _published(catalog, row)
        except UsageError as error:
            yield Skipped(at, error.message)
            continue
        kind = row["quantity"]
        match kind:
            case "torch-allocated":
                left_out = {"cuda_context"} | ({"prefill_activations"} if row["version"] == _AFTERWARDS else set())
                value = sum(part.bytes for part in told.parts if part.name not in left_out)
            case "peak":
                value = told.device
            case "kv_cache" | "recurrent_state":
                value = told.group(kind)
            case "compute_buffer":
                on = "host" if "Host" in row["buffer"] else "device"
                value = sum(part.bytes for part in told.parts if part.group == kind and part.pool == on)
            case "weights_per_gpu":
                value = sum(part.bytes for part in told.parts if part.group == "weights" and part.device == 0)
            case _:
                fraction = float(row["memory_fraction"] or 0.9)
                value = round(sum(card.memory for card in place.accelerators) * fraction)
        version = row["version"]
        family = _family(catalog.models[row["checkpoint"]].architecture)
        label = _KINDS[kind]
        if kind == "torch-allocated":
            label += {_AFTERWARDS: ", Qwen3, kept afterwards", "4.46.0": ", Qwen2.5"}.get(
                version, ", before Transformers 4.45"
            )
        yield Result(label, row["engine"], family, at, int(row["bytes"]), value)
