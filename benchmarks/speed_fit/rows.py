"""The measurements as the package's own values: architecture, weights, settings, placement and machine."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from qwen_advisor.catalog import load_catalog
from qwen_advisor.facts import Catalog
from qwen_advisor.footprint import Footprint
from qwen_advisor.machine import Accelerator, Cpu, HostMemory, Machine
from qwen_advisor.model import Architecture, TextDecoder
from qwen_advisor.plan import Placement, Settings
from qwen_advisor.quantization import Format
from qwen_advisor.speed.hardware import accelerator_family
from qwen_advisor.weights import footprint

DATA = Path(__file__).parents[1] / "data"
Measure = Literal["decode", "prefill", "inclusive", "total"]

# Other families' models in the measurements: they tell about hardware, and are not counted in the verdict.
_OTHERS = {
    "meta-llama/Llama-3-8B": (32, 4096, 14336, 32, 8, 128, 128256, False),
    "meta-llama/Llama-3-70B": (80, 8192, 28672, 64, 8, 128, 128256, False),
    "meta-llama/Llama-3.2-3B": (28, 3072, 8192, 24, 8, 128, 128256, True),
    "meta-llama/TinyLlama-1.1B": (22, 2048, 5632, 32, 4, 64, 32000, False),
}
_CURRENT_BUILD = 8000  # February 2026
_PROMPT_CHUNK = {"llama.cpp": 512, "ollama": 512, "lmstudio": 512}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement with all that predicts it. ``tokens_per_second`` is as printed, by ``measure``."""

    id: str
    model: str
    architecture: Architecture
    format: Format
    footprint: Footprint
    settings: Settings
    placement: Placement
    machine: Machine
    device: str
    family: str
    backend: str
    fork: str
    build: int | None  # of llama.cpp, where printed
    measure: Measure
    depth: int
    prompt: int
    output: int
    tokens_per_second: float
    source: str

    @property
    def document(self) -> str:
        """The efficiency document that the engine's kernels belong to."""
        if self.format.container == "mlx":
            return "mlx"
        return {"ollama": "llama.cpp", "lmstudio": "llama.cpp", "sglang": "vllm"}.get(
            self.settings.engine, self.settings.engine
        )

    @property
    def cell(self) -> tuple[str, str]:
        """The device and the model: what is hidden together when a model is to be new there."""
        return self.device, self.model

    @property
    def kind(self) -> str:
        """Model kind, for tables: dense or experts, plain or hybrid attention."""
        text = self.architecture.text
        assert text is not None  # noqa: S101  rows are of language models
        sort = "experts" if text.moe else "dense"
        return f"hybrid {sort}" if text.linear_attention else sort

    @property
    def vendor(self) -> str:
        """Vendor of what it ran on, for tables."""
        if self.placement.mode == "cpu":
            return "cpu"
        return self.machine.accelerators[0].vendor

    @property
    def current(self) -> bool:
        """Whether the build is one of 2026; for older ones much has been made faster since."""
        return self.build is None or self.build >= _CURRENT_BUILD

    @property
    def own(self) -> bool:
        """Whether the model is one of ours; the others only help to know the hardware."""
        return not self.model.startswith("meta-llama/")


@cache
def catalog() -> Catalog:
    """The catalogue that predictions rest on."""
    return load_catalog()


@cache
def machines() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Machines that the catalogue does not describe."""
    loaded: Mapping[str, Mapping[str, Mapping[str, Any]]] = yaml.safe_load((DATA / "speed_machines.yaml").read_text())
    return loaded


@cache
def architecture(model: str) -> Architecture:
    """The architecture of a model of the measurements."""
    if model in _OTHERS:
        layers, hidden, inner, heads, kv_heads, head_dim, vocabulary, tied = _OTHERS[model]
        text = TextDecoder(
            num_hidden_layers=layers,
            hidden_size=hidden,
            intermediate_size=inner,
            num_attention_heads=heads,
            num_key_value_heads=kv_heads,
            head_dim=head_dim,
            vocab_size=vocabulary,
            tie_word_embeddings=tied,
        )
        return Architecture(id=model, model_type="llama", text=text)
    facts = catalog()
    if model == "lab/Qwen3-30B-A3B-6-layers":
        whole = architecture("Qwen/Qwen3-30B-A3B")
        assert whole.text is not None  # noqa: S101  it is a language model
        return replace(whole, id=model, text=replace(whole.text, num_hidden_layers=6))
    return facts.architectures[facts.models[model].architecture]


@cache
def weights(model: str, name: str) -> Footprint:
    """Bytes of a model's weights in a format."""
    facts = catalog()
    return footprint(architecture(model), facts.formats[name], facts.block_types)


def _cpu(key: str, threads: int | None) -> Cpu:
    known = machines()["cpus"][key]
    count = int(known["cores"])
    return Cpu(
        name=known["name"],
        arch=known["arch"],
        physical_cores=count,
        performance_cores=known.get("fast"),
        logical_cores=count,
        usable_cores=min(count, threads or count),
        features=tuple(known["features"]),
        memory_bandwidth=known["bandwidth"],
        memory_bandwidth_basis="modules",
    )


@cache
def accelerator(key: str) -> Accelerator:
    """An accelerator of the catalogue, or one that only the measurements know."""
    if key.startswith("unlisted:"):
        own = machines()["accelerators"][key.removeprefix("unlisted:")]
        memory = int(own.get("memory", 16)) << 30
        return Accelerator(
            name=own["name"],
            vendor=own["vendor"],
            kind=own["kind"],
            memory=memory,
            free=memory,
            memory_bandwidth=own["bandwidth"],
            fp16_flops=own["flops"],
            compute_capability=own.get("capability"),
            spec=key,
        )
    spec = catalog().accelerators[key]
    kind: Any = "discrete" if spec.kind == "datacenter" else spec.kind
    vendor: Any = spec.vendor
    return Accelerator(
        name=spec.name,
        vendor=vendor,
        kind=kind,
        memory=spec.memory,
        free=spec.memory,
        memory_bandwidth=spec.memory_bandwidth,
        fp16_flops=spec.fp16_flops,
        compute_capability=spec.compute_capability,
        spec=key,
        cores=spec.cores,
    )


def _number(text: str) -> int | None:
    return int(text) if text else None


def _row(line: Mapping[str, str]) -> Row:
    model, engine = line["model"], line["engine"]
    shape = architecture(model)
    text = shape.text
    assert text is not None  # noqa: S101  rows are of language models
    layers = text.num_hidden_layers
    mode: Any = line["mode"]
    count = int(line["count"])
    cards = (accelerator(line["accelerator"]),) * count if line["accelerator"] else ()
    cpu = _cpu(line["cpu"], _number(line["threads"])) if line["cpu"] else Cpu(name="not stated")
    on_gpu = _number(line["gpu_layers"])
    on_gpu = 0 if mode == "cpu" else layers if on_gpu is None else min(on_gpu, layers)
    shard = int(line["tensor_parallel"])
    spread = [on_gpu // count + (index < on_gpu % count) for index in range(count)] if count else []
    prompt, output, depth = int(line["prompt"] or 0), int(line["output"]), int(line["depth"])
    chunk = _number(line["ubatch"]) or _PROMPT_CHUNK.get(engine, 512)
    kv: Any = line["kv_type"] if line["kv_type"] != "other" else "f16"
    measure: Any = line["measure"]
    return Row(
        id=line["id"],
        model=model,
        architecture=shape,
        format=catalog().formats[line["format"]],
        footprint=weights(model, line["format"]),
        settings=Settings(
            engine=engine,
            context=max(4096, depth + prompt + output),
            parallel=1,
            kv_type=kv,
            batch=max(2048, chunk),
            ubatch=chunk,
            prompt_tokens=prompt if measure == "prefill" else depth,
            output_tokens=output,
        ),
        placement=Placement(
            mode=mode,
            layers=layers,
            gpu_layers=on_gpu,
            cpu_expert_layers=min(layers, _number(line["cpu_expert_layers"]) or 0),
            tensor_parallel=shard,
            device_layers=() if shard > 1 or mode == "cpu" else tuple(spread),
        ),
        machine=Machine(
            os="linux",
            cpu=cpu,
            memory=HostMemory(total=1 << 40, available=1 << 40),
            accelerators=cards,
            described=True,
            fanless=bool(line["cpu"] and machines()["cpus"][line["cpu"]].get("fanless")),
        ),
        device=line["device"],
        family="cpu" if mode == "cpu" else accelerator_family(cards[0]),
        backend=line["backend"],
        fork=line["fork"],
        build=_number(line["build"]),
        measure=measure,
        depth=depth,
        prompt=prompt,
        output=output,
        tokens_per_second=float(line["tokens_per_second"]),
        source=line["source"],
    )


def _lab() -> Iterator[Row]:
    """The rows measured with real llama.cpp on two cores, every setting recorded."""
    with (DATA / "speed_lab.csv").open(newline="") as file:
        for line in csv.DictReader(file):
            yield _row(
                {
                    **line,
                    "engine": "llama.cpp",
                    "backend": "cpu",
                    "fork": "",
                    "build": "11549",
                    "device": "lab-zen3-2c",
                    "accelerator": "",
                    "count": "0",
                    "cpu": "lab",
                    "mode": "cpu",
                    "tensor_parallel": "1",
                    "gpu_layers": "",
                    "cpu_expert_layers": "",
                    "ubatch": "",
                    "measure": line["phase"],
                }
            )


@cache
def measurements() -> tuple[Row, ...]:
    """Every row that can be held against a prediction."""
    with (DATA / "speed.csv").open(newline="") as file:
        return (*(_row(line) for line in csv.DictReader(file) if not line["left_out"]), *_lab())


def left_out() -> Counter[str]:
    """How many rows are left out, by reason."""
    with (DATA / "speed.csv").open(newline="") as file:
        return Counter(line["left_out"] for line in csv.DictReader(file) if line["left_out"])
