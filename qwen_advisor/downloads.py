"""In which formats a checkpoint can be had, and where: computed sizes beside known ones."""

from __future__ import annotations

from collections.abc import Iterator

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.footprint import Footprint
from qwen_advisor.model import Checkpoint, QuantizedRepo
from qwen_advisor.values import dataclass
from qwen_advisor.weights import footprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A repository that has the weights ready in one format. Sizes are bytes of the weight files."""

    repo: str
    official: bool
    files: tuple[str, ...] = ()
    bytes: int | None = None  # where a source gives it exactly
    computed_bytes: int | None = None  # derived, for the way that this repository was made; None where it cannot be


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """A checkpoint in one format: what its architecture gives, and where it can be had."""

    footprint: Footprint
    downloads: tuple[Download, ...]


def quantizations(catalog: Catalog, model: Checkpoint) -> tuple[Quantization, ...]:
    """Every format that can hold the checkpoint, the largest first."""
    found: dict[str, list[Download]] = {name: [] for name in catalog.footprints[model.architecture]}
    if "BF16" in found:
        computed = catalog.footprints[model.architecture]["BF16"].file_bytes
        found["BF16"].append(Download(repo=model.id, official=True, computed_bytes=computed + 2 * model.extra_weights))
    for repo in sorted(model.quantized, key=lambda repo: not repo.official):
        for name, download in _downloads(catalog, model, repo):
            if name in found:
                found[name].append(download)
    footprints = catalog.footprints[model.architecture]
    every = [Quantization(footprint=footprints[name], downloads=tuple(of)) for name, of in found.items()]
    return tuple(sorted(every, key=lambda each: (-each.footprint.file_bytes, each.footprint.format)))


def _downloads(catalog: Catalog, model: Checkpoint, repo: QuantizedRepo) -> Iterator[tuple[str, Download]]:
    if repo.format != "GGUF":
        yield (
            repo.format,
            Download(
                repo=repo.repo,
                official=repo.official,
                bytes=repo.bytes,
                computed_bytes=_computed(catalog, model, repo, repo.format),
            ),
        )
        return
    for name, file in repo.files.items():
        yield (
            name,
            Download(
                repo=repo.repo,
                official=repo.official,
                files=file.names,
                bytes=file.bytes,
                computed_bytes=_computed(catalog, model, repo, name),
            ),
        )


def _computed(catalog: Catalog, model: Checkpoint, repo: QuantizedRepo, name: str) -> int | None:
    if name not in catalog.footprints[model.architecture]:
        return None
    architecture, fmt = catalog.architectures[model.architecture], catalog.formats[name]
    try:
        return footprint(architecture, fmt, catalog.block_types, variant=frozenset(repo.variant)).file_bytes
    except UsageError:  # a variant of another container's files
        return None
