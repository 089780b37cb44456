"""What could be run: every (engine, format, download) in which a checkpoint can be had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from qwen_advisor.advice import Artifact
from qwen_advisor.engine import EngineSpec, FormatSupport
from qwen_advisor.facts import Catalog
from qwen_advisor.footprint import Footprint
from qwen_advisor.machine import Accelerator, Machine, Shelf
from qwen_advisor.model import Architecture, Checkpoint, QuantizedRepo
from qwen_advisor.quantization import Format
from qwen_advisor.shelf import stored
from qwen_advisor.units import GIB
from qwen_advisor.values import dataclass, replace
from qwen_advisor.weights import footprint

# Mixes that llama-quantize makes of any checkpoint, for models that nobody is known to publish as GGUF.
PLAIN_MIXES = ("Q2_K", "Q3_K_M", "IQ4_XS", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0")
# Formats that are made from the full-precision repository while it is loaded.
ON_THE_FLY = frozenset({"NF4", "INT8"})
# Marks a repository whose mix follows no known rule: the plain mix stands for it, and others are preferred.
OWN_MIX = "own-mix"
_COUNTED = 0  # stands for the bytes of a file whose size nobody states: the footprint's are used
_SERVER_MEMORY = 40 * GIB  # from here on a single card is built for serving (A100 40GB, L40S, RTX 6000 ...)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A checkpoint in one format, for one engine, with what has to be downloaded."""

    checkpoint: Checkpoint
    architecture: Architecture
    engine: EngineSpec
    format: Format
    footprint: Footprint
    artifact: Artifact
    variant: frozenset[str] = frozenset()  # how the file differs from what plain tools write, as weights count it
    known: bool = True  # False where the reader has to convert the weights first


def usable_accelerators(machine: Machine) -> tuple[Accelerator, ...]:
    """Accelerators that language models gain from: integrated graphics without fast memory of their own do not.

    Of MIG instances a process can use one (NVIDIA MIG user guide, CUDA device enumeration): the roomiest.
    """
    instances = [a for a in machine.accelerators if a.kind == "mig"]
    roomiest = max(instances, key=lambda a: a.budget, default=None)
    return tuple(
        a for a in machine.accelerators if a.kind not in ("integrated", "npu") and (a.kind != "mig" or a is roomiest)
    )


def hardware_class(machine: Machine, concurrency: int = 1) -> str:
    """The class of hardware by which engines are preferred: ``cpu``, ``nvidia``, ``nvidia-server``, ``apple`` ..."""
    accelerators = usable_accelerators(machine)
    if not accelerators:
        return "cpu"
    first = max(accelerators, key=lambda a: a.memory)
    if first.vendor == "apple":
        return "apple"
    if first.kind == "unified":
        return "unified" if first.vendor == "nvidia" else first.vendor
    server = concurrency > 1 or machine.nodes > 1 or first.memory >= _SERVER_MEMORY
    if first.vendor in ("nvidia", "amd") and server:
        return f"{first.vendor}-server"
    return first.vendor if first.vendor in ("nvidia", "amd", "intel") else "cpu"


def supports(spec: EngineSpec, fmt: Format, machine: Machine) -> FormatSupport | None:
    """The entry under which the engine runs this format on this machine, or None."""
    accelerators = usable_accelerators(machine)
    for entry in spec.supports:
        if fmt.name not in entry.formats and fmt.container not in entry.formats:
            continue
        if any(_runs_on(entry, accelerator) for accelerator in accelerators):
            return entry
        if "cpu" in entry.vendors and all(f in machine.cpu.features for f in entry.cpu_features):
            return entry
    return None


def _runs_on(entry: FormatSupport, accelerator: Accelerator) -> bool:
    if accelerator.vendor not in entry.vendors:
        return False
    capability = accelerator.compute_capability or ""
    if entry.min_compute_capability is not None and accelerator.vendor == "nvidia":
        return not capability or float(capability) >= entry.min_compute_capability
    return not entry.gfx or not capability or capability in entry.gfx


def candidates(
    catalog: Catalog,
    checkpoint: Checkpoint,
    engines: tuple[EngineSpec, ...],
    wanted: tuple[str, ...] = (),
    shelf: Shelf | None = None,
) -> Iterator[Candidate]:
    """All candidates of one checkpoint, engine by engine.

    Args:
        catalog: the facts.
        checkpoint: which model.
        engines: the engines to consider, in order of preference.
        wanted: formats asked for by name; empty means the usual ones in which the checkpoint is known to be had.
        shelf: what lies on the disk already; that is taken, usual or not, before what would have to be fetched.
    """
    architecture = catalog.architectures[checkpoint.architecture]
    footprints = catalog.footprints.get(architecture.id, {})
    offered = _downloads(checkpoint, footprints, wanted)
    usual = catalog.ranking["usual_formats"]
    for spec in engines:
        here = _stored(checkpoint, footprints, spec.id, shelf) if shelf is not None else {}
        downloads = {**offered, **{name: found for name, found in here.items() if not wanted or name in wanted}}
        for name, (artifact, variant, known) in downloads.items():
            fmt = catalog.formats[name]
            if (
                not wanted
                and name not in here
                and (name not in usual or (name in ON_THE_FLY and spec.id != "transformers"))
            ):
                continue
            if any(fmt.name in s.formats or fmt.container in s.formats for s in spec.supports):
                weights = _footprint(catalog, architecture, fmt, variant)
                yield Candidate(
                    checkpoint=checkpoint,
                    architecture=architecture,
                    engine=spec,
                    format=fmt,
                    footprint=weights,
                    artifact=artifact if artifact.bytes else replace(artifact, bytes=weights.file_bytes),
                    variant=variant,
                    known=known,
                )


def variant_key(fmt: str, variant: frozenset[str]) -> str:
    """The name under which the catalogue keeps the footprint of a format in one variant."""
    return f"{fmt}|{'+'.join(sorted(variant))}" if variant else fmt


def _footprint(catalog: Catalog, architecture: Architecture, fmt: Format, variant: frozenset[str]) -> Footprint:
    """From the catalogue, where that variant was counted when it was compiled."""
    if not variant:
        return catalog.footprints[architecture.id][fmt.name]
    counted = catalog.variants.get(architecture.id, {})
    key = variant_key(fmt.name, variant)
    if key in counted:
        return counted[key]
    return footprint(architecture, fmt, catalog.block_types, variant=variant)


_Download = tuple[Artifact, frozenset[str], bool]


def _downloads(checkpoint: Checkpoint, table: Mapping[str, Footprint], wanted: tuple[str, ...]) -> dict[str, _Download]:
    """Format name -> what is downloaded for it, its variant, and whether such a repository is known.

    The makers' own repositories come first.
    """
    tags = {tag.quantization: tag.tag for tag in reversed(checkpoint.ollama) if tag.quantization and tag.verified}
    found: dict[str, _Download] = {}
    for repo in sorted(checkpoint.quantized, key=lambda r: (not r.official, OWN_MIX in r.variant)):
        variant = frozenset(repo.variant) - {OWN_MIX}
        for name, artifact in _of_repo(repo, table, tags):
            found.setdefault(name, (artifact, variant, True))
    full = table.get("BF16")
    if full is not None:
        own = Artifact(repo=checkpoint.id, files=(), bytes=full.file_bytes)
        found.setdefault("BF16", (own, frozenset(), True))
        for name in ON_THE_FLY & table.keys():
            found.setdefault(name, (own, frozenset(), True))
    gguf_known = any(r.format == "GGUF" and r.files for r in checkpoint.quantized)
    makeable = wanted or (() if gguf_known else PLAIN_MIXES) + tuple(n for n in table if n.startswith("MLX-"))
    for name in makeable:
        if name in table and name not in found:
            made = Artifact(repo=None, files=(), bytes=table[name].file_bytes, ollama=tags.get(name))
            found[name] = (made, frozenset(), False)
    return {n: found[n] for n in (wanted or found) if n in found and n in table}


def _stored(checkpoint: Checkpoint, table: Mapping[str, Footprint], engine: str, shelf: Shelf) -> dict[str, _Download]:
    """The same as `_downloads`, of what lies where this engine finds it; of Ollama's tags, the one that was fetched."""
    tags = {tag.quantization: tag.tag for tag in checkpoint.ollama if tag.tag.casefold() in shelf.tags}
    found: dict[str, _Download] = {}
    for repo in checkpoint.quantized:
        variant = frozenset(repo.variant) - {OWN_MIX}
        for name, artifact in _of_repo(repo, table, {name: tag for name, tag in tags.items() if name}):
            if stored(shelf, artifact, name, engine) is not None:
                found.setdefault(name, (artifact, variant, True))
    return found


def _of_repo(
    repo: QuantizedRepo, table: Mapping[str, Footprint], tags: Mapping[str, str]
) -> Iterator[tuple[str, Artifact]]:
    if repo.format == "GGUF":
        for name, file in repo.files.items():
            if name in table:
                yield (
                    name,
                    Artifact(
                        repo=repo.repo,
                        files=file.names,
                        bytes=file.bytes or _COUNTED,
                        ollama=tags.get(name),
                        official=repo.official,
                    ),
                )
    elif repo.format in table:
        yield (
            repo.format,
            Artifact(repo=repo.repo, files=(), bytes=repo.bytes or _COUNTED, official=repo.official),
        )
