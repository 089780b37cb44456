"""The weights of every architecture in every format that can hold it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping

from qwen_advisor.candidates import OWN_MIX, variant_key
from qwen_advisor.errors import AdvisorError, UsageError
from qwen_advisor.footprint import Footprint
from qwen_advisor.model import Architecture, Checkpoint
from qwen_advisor.quantization import BlockType, Format
from qwen_advisor.weights import footprint

_MOST_LAYERS = 10_000  # the largest has 94


def count_footprints(
    architecture: Architecture, formats: Iterable[Format], block_types: Mapping[str, BlockType]
) -> tuple[dict[str, Footprint], list[str]]:
    """Footprints by format name, and what kept one from being counted.

    A format that cannot hold the architecture is left out; it is no fault.
    """
    absurd = list(_absurd(architecture))
    if absurd:
        return {}, absurd
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


def _absurd(architecture: Architecture) -> Iterator[str]:
    """Counts of layers and steps that nothing could be counted with; lists are made of the former."""
    text, vision = architecture.text, architecture.vision
    layers = {"depth": vision.depth if vision else 0}
    steps = {}
    if text is not None:
        layers |= {"num_hidden_layers": text.num_hidden_layers, "mtp_num_hidden_layers": text.mtp_num_hidden_layers}
        if text.moe is not None:
            steps["decoder_sparse_step"] = text.moe.decoder_sparse_step
        if text.linear_attention is not None:
            steps["full_attention_interval"] = text.linear_attention.full_attention_interval
    for name, count in layers.items():
        if not 0 <= count <= _MOST_LAYERS:
            yield f"{name} cannot be {count}: at most {_MOST_LAYERS:,} layers are counted"
    for name, step in steps.items():
        if step < 1:
            yield f"{name} cannot be {step}: it is at least 1"


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
