"""The weights of every architecture in every format that can hold it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qwen_advisor.errors import AdvisorError, UsageError
from qwen_advisor.footprint import Footprint
from qwen_advisor.model import Architecture
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
