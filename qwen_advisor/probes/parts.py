"""What the evidence of one system comes to, before the catalogue is asked."""

from __future__ import annotations

from qwen_advisor.probes.found import FoundCpu, FoundGpu, FoundMemory, FoundModules
from qwen_advisor.values import dataclass, field


@dataclass(slots=True, kw_only=True)
class Parts:
    """Parts of one machine, with where they came from."""

    arch: str = "x86_64"
    cpu: FoundCpu = field(default_factory=FoundCpu)
    memory: FoundMemory = field(default_factory=FoundMemory)
    modules: FoundModules = field(default_factory=FoundModules)
    gpus: list[FoundGpu] = field(default_factory=list)
    idle_gpus: list[FoundGpu] = field(default_factory=list)  # there, but without a working driver
    names: tuple[str, ...] = ()  # of the board and the processor, most telling first
    usable_cores: int | None = None
    usable_threads: int | None = None  # logical CPUs that this process may keep busy at once
    wsl: bool = False
    container: bool = False
    npus: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def normal_arch(text: str) -> str:
    """``x86_64`` or ``arm64``; other processors keep their own name."""
    lower = text.strip().lower()
    if lower in ("x86_64", "amd64", "x64"):
        return "x86_64"
    return "arm64" if lower in ("aarch64", "arm64") else lower
