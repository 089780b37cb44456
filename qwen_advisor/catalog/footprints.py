"""The weights of every architecture in every format that can hold it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from qwen_advisor.candidates import OWN_MIX, variant_key
from qwen_advisor.errors import AdvisorError, UsageError
from qwen_advisor.footprint import Footprint
from qwen_advisor.model import Architecture, Checkpoint
from qwen_advisor.quantization import BlockType, Format
from qwen_advisor.weights import footprint


def count_footprints(
    architecture: Architecture, formats: Iterable[Format], block_types: Mapping[str, BlockType]
) -> tuple[dict[str, Footprint], list[str]]:
    """Footprints by format name, and what kept one from being counted.

    A format that cannot hold the architecture is left out; it is no fault.
    """
    found: dict[str, Footprint] = {}
    faults: list[str] = []
    for fmt in formats:
        try:
            found[fmt.name] = footprint(architecture, fmt, block_types)
        except UsageError:
            continue
        except (AdvisorError, ValueError) as error:
            faults.append(f"its weights in {fmt.name} cannot be counted: {error}")
    return found, faults


def count_variants(
    checkpoints: Iterable[Checkpoint],
    architectures: Mapping[str, Architecture],
    formats: Mapping[str, Format],
    block_types: Mapping[str, BlockType],
    usual: Container[str],
) -> dict[str, dict[str, Footprint]]:
    """Footprints of the files that checkpoints can be had in and that differ from what plain tools write.

    Only formats that are weighed without being asked for; others are counted when somebody asks.
    """
    found: dict[str, dict[str, Footprint]] = {}
    for checkpoint in checkpoints:
        architecture = architectures.get(checkpoint.architecture)
        for repo in checkpoint.quantized if architecture is not None else ():
            variant = frozenset(repo.variant) - {OWN_MIX}
            names = repo.files if repo.format == "GGUF" else (repo.format,)
            for name in names if variant else ():
                own = found.setdefault(checkpoint.architecture, {})
                key = variant_key(name, variant)
                if name in formats and name in usual and key not in own and architecture is not None:
                    own[key] = footprint(architecture, formats[name], block_types, variant=variant)
    return found
