"""What an engine is: where it runs, which formats on which accelerators, from which version for which model."""

from __future__ import annotations

from typing import Literal

from qwen_advisor.values import dataclass, field

EngineId = Literal[
    "llama.cpp", "ollama", "vllm", "sglang", "transformers", "mlx", "onnxruntime", "openvino", "lmstudio"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatSupport:
    """Formats that the engine runs on one kind of hardware. ``vendors`` holds accelerator vendors or ``cpu``."""

    formats: tuple[str, ...]  # format names, or a container: "gguf"
    vendors: tuple[str, ...]
    min_compute_capability: float | None = None  # NVIDIA
    gfx: tuple[str, ...] = ()  # AMD targets, empty means any
    cpu_features: tuple[str, ...] = ()  # all of them must be there, for "cpu"
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSupport:
    """From which engine version a ``model_type`` works; ``None`` where no source says since when."""

    min_version: str | None = None
    until_version: str | None = None  # first version that no longer has it
    verified: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionSupport:
    """From which version of an engine a command-line option, or a variable of its environment, is there."""

    since: str | None = None  # None: in every version that was read
    until: str | None = None  # first version that no longer has it
    needed: bool = False  # without it the plan would not hold, so an engine without it is refused
    note: str = ""  # what its absence means, or what took its place


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec:
    """One engine of the catalogue."""

    id: EngineId
    title: str
    version_read: str  # the version whose facts stand here
    systems: tuple[str, ...]  # "linux", "macos", "windows"
    supports: tuple[FormatSupport, ...]
    models: dict[str, ModelSupport]  # model_type -> since when
    modalities: tuple[str, ...] = ("text",)  # inputs that it accepts where the model does
    outputs: tuple[str, ...] = ("text",)
    cpu_offload: Literal["layers-and-experts", "whole-or-nothing"] = "whole-or-nothing"
    tensor_parallel: bool = False
    pipeline_parallel: bool = False
    multi_gpu: Literal["none", "layers", "tensor"] = "none"
    kv_types: tuple[str, ...] = ("f16",)
    preference: dict[str, int] = field(default_factory=dict)  # hardware class -> rank, 1 is the first choice
    options: dict[str, OptionSupport] = field(default_factory=dict)  # those that not every version has
    images: dict[str, str] = field(default_factory=dict)  # vendor or "cpu" -> container image; {version} is put in
    names: dict[str, str] = field(default_factory=dict)  # checkpoint -> its name in a catalogue of the engine's own
    sources: tuple[str, ...] = ()
