"""The parameters of the fit, with where they are expected and how far they may stray."""

from __future__ import annotations

from collections.abc import Mapping
from math import log

import numpy as np
from numpy.typing import NDArray

# Expected value on an accelerator, on a CPU (per core and GHz-like rate of 1e9), and the standard deviation of the
# logarithm around it. Zero means: the term does not exist there.
PLAIN: Mapping[str, tuple[float, float, float]] = {
    "cache": (0.82, 0.70, 0.15),
    "state": (0.70, 0.70, 0.10),
    "decode_attention": (0.06, 4.0, 0.8),
    "decode_delta": (0.0, 3.0, 0.6),
    "attention_layer": (45.0, 80.0, 0.6),
    "linear_layer": (80.0, 80.0, 0.6),
    "expert_layer": (25.0, 20.0, 0.6),
    "token": (300.0, 1000.0, 0.4),
    "collective": (30.0, 30.0, 0.6),
    "experts": (0.85, 0.85, 0.40),
    "expert_rows": (24.0, 2.0, 0.7),
    "prompt_attention": (0.25, 20.0, 0.6),
    "prompt_delta": (0.05, 8.0, 0.8),
    "layer": (40.0, 40.0, 0.4),
    "link": (0.6, 0.6, 0.4),
    "fabric": (0.6, 0.6, 0.5),
}
BY_KIND: Mapping[str, tuple[float, float, float]] = {
    "bandwidth": (0.80, 0.78, 0.12),
    "unpack": (8.0, 0.06, 0.5),
    "matrix": (0.38, 70.0, 0.45),
    "kind_layer": (300.0, 300.0, 0.8),
}
# How much faster a device is than its class: drawn strongly to 1, so that many rows of one device teach little.
BY_DEVICE: Mapping[str, float] = {"own_decode": 0.15, "own_prefill": 0.25}
BY_SET: Mapping[str, str] = {"set_decode": "decode", "set_prefill": "prefill", "set_plain": "plain"}
# What an instruction set is expected to bring against AVX2, by register width and int8 dot products.
SETS: Mapping[str, Mapping[str, float]] = {
    "amx": {"decode": 1.1, "prefill": 4.0, "plain": 1.2},
    "avx512": {"decode": 1.1, "prefill": 2.0, "plain": 1.2},
    "avx2": {"decode": 1.0, "prefill": 1.0, "plain": 1.0},
    "i8mm": {"decode": 0.6, "prefill": 0.8, "plain": 0.6},
    "dotprod": {"decode": 0.5, "prefill": 0.6, "plain": 0.5},
    "neon": {"decode": 0.15, "prefill": 0.12, "plain": 0.12},
    "sse": {"decode": 0.4, "prefill": 0.3, "plain": 0.3},
}
# Tokens of a prompt that an engine takes in at once; 0 where that is a setting.
CHUNKS: Mapping[str, int] = {
    "llama.cpp": 0,
    "vllm": 8192,
    "transformers": 1 << 20,
    "mlx": 2048,
    "openvino": 1 << 20,
    "onnxruntime": 1 << 20,
}
# What the matrix products of an engine are summed in.
ACCUMULATION: Mapping[str, str] = {
    "llama.cpp": "half",
    "vllm": "full",
    "transformers": "full",
    "mlx": "full",
    "openvino": "full",
    "onnxruntime": "full",
}
# Families whose decoding is held up by unpacking weights: weak vector units for their bandwidth.
UNPACKS = frozenset({"cpu", "apple", "apple-m1", "nvidia-pascal", "intel-integrated"})
# Vendors whose attention kernels in llama.cpp run on the vector units, a quarter of the matrix units' rate.
VECTOR_ATTENTION = ("amd", "intel")
_VECTOR_ATTENTION: Mapping[str, float] = {"prompt_attention": 0.10, "decode_attention": 0.03}
# Engines that go through Python for every layer: how long that takes, and what their kernels reach on accelerators.
SLOW_LAYERS: Mapping[str, Mapping[str, float]] = {
    "transformers": {
        "attention_layer": 700.0,
        "linear_layer": 1000.0,
        "expert_layer": 5000.0,
        "cache": 0.4,
    }
}
SLOW_KERNELS: Mapping[str, Mapping[str, float]] = {"transformers": {"prompt_attention": 0.05}}


class Parameters:
    """Names, expected values and places of the parameters of one engine's document."""

    plain = tuple(PLAIN)
    by_kind = tuple(BY_KIND)
    by_set = tuple(BY_SET)
    by_device = tuple(BY_DEVICE)

    def __init__(self, document: str, centres: Mapping[str, float] | None = None) -> None:
        """Start without parameters; ``centres`` override where one is expected (logarithms, by name)."""
        self.document = document
        self.names: list[str] = []
        self.expected: list[float] = []
        self.spread: list[float] = []
        self.zero_places: list[int] = []
        self._places: dict[str, int] = {}
        self._centres = centres or {}

    def place(self, role: str, family: str, kind: str = "") -> int:
        """The place of a parameter in the vector, registering it when it is new."""
        name = "/".join(part for part in (role, family, kind) if part)
        if name not in self._places:
            value, spread = self._expectation(role, family, kind)
            self._places[name] = len(self.names)
            self.names.append(name)
            if value == 0.0:
                self.zero_places.append(self._places[name])
                self.expected.append(0.0)
            else:
                self.expected.append(self._centres.get(name, log(value)))
            self.spread.append(spread)
        return self._places[name]

    def _expectation(self, role: str, family: str, kind: str) -> tuple[float, float]:
        if role in BY_DEVICE:
            return 1.0, BY_DEVICE[role] if kind != "phone" else 0.7
        if role in BY_SET:
            return SETS[kind][BY_SET[role]], 0.05 if kind == "avx2" else 0.35
        if role == "crossing":
            return 30.0, 0.5
        on_cpu = family == "cpu"
        if role in BY_KIND:
            device, host, spread = BY_KIND[role]
            if role == "kind_layer" and (self.document not in SLOW_LAYERS or kind == "float"):
                return 0.0, spread
            if role == "unpack" and family not in UNPACKS:
                return 0.0, spread
            return (host if on_cpu else device), spread
        device, host, spread = PLAIN[role]
        if self.document == "llama.cpp" and family.startswith(VECTOR_ATTENTION):
            device = _VECTOR_ATTENTION.get(role, device)
        if not on_cpu:
            device = SLOW_KERNELS.get(self.document, {}).get(role, device)
        return SLOW_LAYERS.get(self.document, {}).get(role, host if on_cpu else device), spread

    @property
    def zero(self) -> NDArray[np.int64]:
        """Places of the terms that do not exist."""
        return np.array(self.zero_places, dtype=np.int64)
