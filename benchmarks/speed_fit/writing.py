"""From fitted values to the catalogue's documents, and to disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from math import exp
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from benchmarks.speed_fit.model import own_key
from benchmarks.speed_fit.parameters import ACCUMULATION, BY_KIND, BY_SET, CHUNKS, PLAIN, SETS, Parameters
from benchmarks.speed_fit.rows import Row

MARK = (
    "# Made by `python -m benchmarks.speed_accuracy --write`: change benchmarks/data or benchmarks/speed_fit, not this."
)
CATALOG = Path(__file__).parents[2] / "catalog" / "efficiency"
_OWN_ROWS = 8  # a device with fewer has no pace of its own
Documents = dict[str, dict[str, Any]]

# The classes of hardware that each engine runs on, and the kinds of weights that it has kernels for.
_EVERY_GPU = (
    "nvidia",
    "nvidia-hbm",
    "nvidia-pascal",
    "nvidia-unified",
    "nvidia-jetson",
    "amd",
    "amd-instinct",
    "amd-unified",
    "intel",
    "intel-integrated",
    "apple",
    "apple-m1",
    "qualcomm",
    "other",
)
_GGUF = ("float", "q8", "q4", "k", "k-low", "iq4", "iq-low")
_SERVED = ("float", "w4", "w8", "fp8", "fp4", "int8", "bnb4", "bnb8")
RUNS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "llama.cpp": ((*_EVERY_GPU, "cpu"), _GGUF),
    "vllm": ((*(f for f in _EVERY_GPU if not f.startswith(("apple", "qualcomm"))), "cpu"), _SERVED),
    "transformers": ((*_EVERY_GPU, "cpu"), _SERVED),
    "mlx": (("apple", "apple-m1", "nvidia", "nvidia-hbm", "nvidia-unified", "cpu"), ("mlx", "float")),
}
# Engines that run a format with another engine's kernels.
_LIKE: Mapping[str, Mapping[str, str]] = {
    "ollama": {"mlx": "mlx", "other": "llama.cpp"},
    "lmstudio": {"mlx": "mlx", "other": "llama.cpp"},
    "sglang": {"other": "vllm"},
}
_PACKED = {"w4": "k", "w8": "q8", "int8": "q8", "float": "float"}
_BORROWED: Mapping[str, tuple[tuple[str, ...], Mapping[str, str]]] = {
    "openvino": (("cpu", "intel", "intel-integrated"), _PACKED),
    "onnxruntime": ((*_EVERY_GPU, "cpu"), _PACKED),
}
_DECODE = {
    "cache": "cache",
    "state": "state",
    "decode_attention": "attention",
    "decode_delta": "delta",
    "attention_layer": "attention_layer",
    "linear_layer": "linear_layer",
    "expert_layer": "expert_layer",
    "token": "token",
    "collective": "collective",
}
_PREFILL = {
    "experts": "experts",
    "expert_rows": "expert_rows",
    "prompt_attention": "attention",
    "prompt_delta": "delta",
    "layer": "layer",
    "link": "link",
    "fabric": "fabric",
}


@cache
def hardware() -> Mapping[str, Any]:
    """The document about hardware, which is written by hand."""
    loaded: Mapping[str, Any] = yaml.safe_load((CATALOG / "hardware.yaml").read_text())
    return loaded


def documents(
    values: Mapping[tuple[str, str], Mapping[str, float]],
    rows: Mapping[tuple[str, str], list[Row]],
    crossing: Mapping[str, Mapping[str, float]],
) -> Documents:
    """Documents for every engine and class; a class without rows stands at the engine's middle."""
    found: Documents = {}
    cpu = values.get(("llama.cpp", "cpu"), {})
    sets = {
        name: {
            phase: _round(exp(cpu[f"{role}/cpu/{name}"])) if f"{role}/cpu/{name}" in cpu else expected[phase]
            for role, phase in BY_SET.items()
        }
        for name, expected in SETS.items()
    }
    crossings = crossing.get("llama.cpp", {})
    found["hardware"] = dict(hardware())
    found["processors"] = {
        "instruction_sets": sets,
        "crossing_seconds": _round(exp(crossings["crossing"]) * 1e-6) if "crossing" in crossings else 30e-6,
    }
    for document, (families, kinds) in RUNS.items():
        own = {family: known for (owner, family), known in values.items() if owner == document}
        entry: dict[str, Any] = {
            "engine": document,
            "chunk_tokens": CHUNKS[document],
            "accumulation": ACCUMULATION[document],
            "families": {},
        }
        for family in families:
            entry["families"][family] = _family(
                document,
                family,
                kinds,
                {**own.get(family, {}), **{k: v for k, v in crossings.items() if k.endswith(f"/{family}")}},
                own,
                rows.get((document, family), []),
            )
        found[document] = entry
    for document, like in _LIKE.items():
        found[document] = {"engine": document, "like": dict(like)}
    for document, (families, kinds) in _BORROWED.items():
        found[document] = _borrowed(document, families, kinds, found["llama.cpp"]["families"])
    return found


def _borrowed(
    document: str, families: tuple[str, ...], kinds: Mapping[str, str], lent: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The document of an engine that no public row measures: llama.cpp's figures for the kinds nearest to its own."""
    entry: dict[str, Any] = {
        "engine": document,
        "chunk_tokens": CHUNKS[document],
        "accumulation": ACCUMULATION[document],
        "families": {},
    }
    for family in families:
        decode, prefill = lent[family]["decode"], lent[family]["prefill"]
        entry["families"][family] = {
            "decode": {
                **decode,
                "bandwidth": {kind: decode["bandwidth"][near] for kind, near in kinds.items()},
                "unpack": {kind: decode["unpack"][near] for kind, near in kinds.items()} if decode["unpack"] else {},
                "rows": 0,
                "devices": 0,
            },
            "prefill": {
                **prefill,
                "matrix": {kind: prefill["matrix"][near] for kind, near in kinds.items()},
                "rows": 0,
                "devices": 0,
            },
            "kinds": [],
            "devices": {},
        }
    return entry


def _family(
    document: str,
    family: str,
    kinds: tuple[str, ...],
    known: Mapping[str, float],
    others: Mapping[str, Mapping[str, float]],
    rows: list[Row],
) -> dict[str, Any]:
    parameters = Parameters(document)

    def value(role: str, kind: str = "") -> float:
        name = "/".join(part for part in (role, family, kind) if part)
        place = parameters.place(role, family, kind)
        if place in parameters.zero_places:
            return 0.0
        if name in known:
            return _round(exp(known[name]))
        near = _near(role, family, kind, known, others)
        return _round(exp(near if near is not None else parameters.expected[place]))

    decode = [row for row in rows if row.measure != "prefill"]
    prefill = [row for row in rows if row.measure != "decode"]
    unpack = {kind: value("unpack", kind) for kind in kinds}
    kind_layer = {kind: value("kind_layer", kind) for kind in kinds}
    return {
        "decode": {
            "bandwidth": {kind: value("bandwidth", kind) for kind in kinds},
            "unpack": unpack if any(unpack.values()) else {},
            "kind_layer": kind_layer if any(kind_layer.values()) else {},
            **{written: value(role) for role, written in _DECODE.items()},
            "rows": len(decode),
            "devices": len({row.device for row in decode}),
        },
        "prefill": {
            "matrix": {kind: value("matrix", kind) for kind in kinds},
            **{written: value(role) for role, written in _PREFILL.items()},
            "rows": len(prefill),
            "devices": len({row.device for row in prefill}),
        },
        "kinds": sorted({kind for row in rows for kind in _kinds(row)}),
        "devices": _devices(known, rows),
    }


def _devices(known: Mapping[str, float], rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Paces of single accelerators that many rows tell."""
    found: dict[str, dict[str, float]] = {}
    told = [row for row in rows if row.placement.mode != "cpu" or row.machine.fanless]
    for key, count in sorted(Counter(own_key(row) for row in told).items()):
        if count >= _OWN_ROWS:
            found[key] = {phase: _round(exp(known.get(f"own_{phase}/{key}", 0.0))) for phase in ("decode", "prefill")}
    return found


def _kinds(row: Row) -> list[str]:
    from qwen_advisor.speed.kinds import shares  # noqa: PLC0415
    from qwen_advisor.speed.work import work  # noqa: PLC0415

    assert row.architecture.text is not None  # noqa: S101  rows are of language models
    return [kind for kind, share in shares(row.footprint, work(row.architecture.text), row.format.kind) if share > 0.1]


def _near(
    role: str, family: str, kind: str, known: Mapping[str, float], others: Mapping[str, Mapping[str, float]]
) -> float | None:
    """A value that no row tells: the class's other kinds first, then the engine's other classes."""
    if role in BY_KIND:
        own = [v for name, v in known.items() if name.startswith(f"{role}/{family}/")]
        if own:
            return median(own)
    found = []
    for other, values in others.items():
        if (other == "cpu") != (family == "cpu"):
            continue
        found += [v for name, v in values.items() if name == "/".join(p for p in (role, other, kind) if p)]
        if role in BY_KIND and not found:
            found += [v for name, v in values.items() if name.startswith(f"{role}/{other}/")]
    return median(found) if found else None


def _round(value: float) -> float:
    return float(f"{value:.3g}")


assert set(_DECODE) | set(_PREFILL) == set(PLAIN)  # noqa: S101  every parameter is written


def write(found: Documents) -> None:
    """Write every fitted document to the catalogue; what is said of hardware by hand stays as it is."""
    for name, document in found.items():
        if name != "hardware":
            text = yaml.safe_dump(document, sort_keys=False, width=110)
            (CATALOG / f"{name}.yaml").write_text(f"{MARK}\n{text}")
