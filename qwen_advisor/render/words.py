"""Numbers and values in the words of a table: rounded once, here, and nowhere before."""

from __future__ import annotations

from collections import Counter

from qwen_advisor.advice import Artifact, Rejection
from qwen_advisor.evidence import Ability
from qwen_advisor.machine import Machine, Stored
from qwen_advisor.plan import Placement, Rate, Settings, Speed
from qwen_advisor.units import gib

_WHOLE = frozenset({"BF16", "BF16-GGUF", "MLX-bf16", "FP16", "F16", "F32"})
_BY_MACHINE = "MSED"  # rules on memory, speed, engines and formats, disk and download


def short(model: str) -> str:
    """The name without its organisation, which every command accepts too."""
    return model.removeprefix("Qwen/")


def figure(value: float) -> str:
    """Two significant figures below ten, whole numbers above."""
    if value >= 9.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2g}"


def rate(value: Rate) -> str:
    """Tokens per second with their range: ``23 (17–30)``."""
    return f"{figure(value.expected)} ({figure(value.low)}–{figure(value.high)})"


def pace(value: Speed, settings: Settings) -> str:
    """The rate that counts: of what is written, or of what is read where nothing is written (embedding, rerank)."""
    return rate(value.decode) if settings.output_tokens > 1 else f"reads {rate(value.prefill)}"


def seconds(value: float) -> str:
    """A time that somebody waits."""
    if value < 120:
        return f"{figure(value)} s"
    return f"{figure(value / 60)} min" if value < 7200 else f"{figure(value / 3600)} h"


def tokens(value: int) -> str:
    """Tokens with thousands apart."""
    return f"{value:,}"


def gigabytes(size: int) -> str:
    """The size of a download, decimal as file sizes are given."""
    return f"{size / 1e9:,.2f} GB" if size < 1e10 else f"{size / 1e9:,.1f} GB"


def quality(ability: Ability, loss: float) -> str:
    """Ability after quantization with its standard error."""
    return f"{ability.value - loss:.2f} ± {ability.standard_error:.2f}"


def setting(name: str) -> str:
    """A number format as the headline says it."""
    return f"in {name}, not quantized," if name in _WHOLE else f"quantized to {name},"


def grounds(ability: Ability) -> str:
    """What an ability rests on."""
    if not ability.published:
        return "no published score"
    independent = sum(item.independent for item in ability.evidence)
    count = len(ability.evidence)
    if count == 1:
        return f"1 published score, {'independent' if independent else 'reported by its makers'}"
    kind = f", {independent} of them independent" if independent else ", reported by its makers"
    return f"{count} published scores{kind}"


def whereabouts(place: Placement) -> str:
    """Where the layers lie."""
    match place.mode:
        case "cpu":
            return "on the CPU"
        case "unified":
            return "in unified memory"
        case "gpu":
            spread = place.tensor_parallel * place.pipeline_parallel
            cards = max(spread, sum(1 for layers in place.device_layers if layers))
            return f"on {cards} GPUs" if cards > 1 else "on the GPU"
        case "hybrid":
            if place.cpu_expert_layers:
                return f"on the GPU, experts of {place.cpu_expert_layers} of {place.layers} layers in RAM"
            return f"{place.gpu_layers} of {place.layers} layers on the GPU, the rest in RAM"


def machine(value: Machine) -> str:
    """A machine in one line: what counts for language models."""
    cards = Counter((card.name, card.memory) for card in value.accelerators if card.kind != "npu")
    parts = [
        (f"{count} × " if count > 1 else "") + (name if value.memory.unified else f"{name} ({gib(memory)})")
        for (name, memory), count in cards.items()
    ]
    kind = "unified memory" if value.memory.unified else "RAM"
    parts.append(f"{gib(value.memory.total)} {kind}")
    cores = value.cpu.usable_cores
    parts.append(f"{cores} core{'s' * (cores != 1)}")
    line = ", ".join(parts)
    return f"{value.nodes} nodes, each {line}" if value.nodes > 1 else line


def used(total: int, budget: int) -> str:
    """Memory taken of what is there."""
    return f"{gib(total)} of {gib(budget)}"


def download(artifact: Artifact) -> str:
    """What is fetched, and from where."""
    source = artifact.repo or "no ready repository known"
    by = "" if artifact.official or artifact.repo is None else ", not by the model's makers"
    ollama = f"; Ollama: {artifact.ollama}" if artifact.ollama else ""
    return f"{gigabytes(artifact.bytes)}, {source}{by}{ollama}"


def stored(where: Stored) -> str:
    """Where weights lie on this disk."""
    return f"in Ollama as {where.place}" if where.holder == "ollama" else where.place


def nearest_miss(rejected: tuple[Rejection, ...]) -> Rejection | None:
    """The rejection whose number came nearest to what it had to be."""
    return min((item for item in rejected if gap(item) is not None), key=lambda item: gap(item) or 0.0, default=None)


def by_nearness(rejected: tuple[Rejection, ...]) -> tuple[Rejection, ...]:
    """What this machine ruled out first, by how near it came; then what a wish or a fact did, in its own order."""
    return tuple(
        sorted(rejected, key=lambda item: (item.rule[0] not in _BY_MACHINE, gap(item) is None, gap(item) or 0.0))
    )


def gap(item: Rejection) -> float | None:
    """By what factor a number missed what it had to be; None where no number tells."""
    if not item.needed or not item.available or item.needed < 0 or item.available < 0:
        return None
    ratio = item.needed / item.available
    return max(ratio, 1 / ratio)


def bar(part: int, whole: int, cells: int) -> str:
    """A share as a bar: never empty for something, and with a tip where it runs over."""
    filled = min(cells, max(round(cells * part / whole), 1 if part else 0))
    return "█" * filled + "░" * (cells - filled) + (">" if part > whole else "")
