"""The door to the machine: raw evidence is gathered here, and read by pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen_advisor.values import replace

if TYPE_CHECKING:  # a described machine is answered without any of it
    from qwen_advisor.facts import Catalog
    from qwen_advisor.machine import Machine
    from qwen_advisor.probes.evidence import Evidence

__all__ = ["detect", "look"]


def look(*, measure: bool = False) -> Evidence:
    """Raw evidence of this machine; with ``measure`` also the memory bandwidth that a short benchmark reads."""
    from qwen_advisor.probes.collect import collect  # noqa: PLC0415  as above

    evidence = collect()
    if not measure:
        return evidence
    from qwen_advisor.probes.measure import measured  # noqa: PLC0415  takes a second, and only when asked

    return replace(evidence, readings={**evidence.readings, "bandwidth": measured()})


def detect(catalog: Catalog, *, measure: bool = False) -> Machine:
    """This machine.

    Args:
        catalog: completes what the machine does not tell of itself.
        measure: read main memory for about a second to learn its bandwidth.

    Raises:
        ProbeError: nothing at all could be read.
    """
    from qwen_advisor.probes.assemble import interpret  # noqa: PLC0415  as above

    return interpret(look(measure=measure), catalog)
