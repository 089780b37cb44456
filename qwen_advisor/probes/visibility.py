"""Which of several GPUs a program may see: the variables of CUDA and ROCm."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from qwen_advisor.probes.found import FoundGpu
from qwen_advisor.values import replace


def listed(text: str | None) -> list[str] | None:
    """The devices of a list, None where nothing is said. An empty list, ``-1`` or ``none`` hides all."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    return [] if parts in ([""], ["-1"], ["none"], ["NoDevFiles"], ["void"]) else parts


def _chosen(gpus: Sequence[FoundGpu], wanted: Sequence[str]) -> list[FoundGpu]:
    """GPUs by index or UUID; the first entry that names none ends the list, as CUDA and ROCm have it."""
    chosen: list[FoundGpu] = []
    for entry in wanted:
        if re.fullmatch(r"\d{1,4}", entry):
            found = gpus[int(entry)] if int(entry) < len(gpus) else None
        else:
            matching = [gpu for gpu in gpus if gpu.uuid and gpu.uuid.lower().startswith(entry.lower())]
            found = matching[0] if len(matching) == 1 else _slice_of(gpus, entry)
        if found is None or found in chosen:
            break
        chosen.append(found)
    return chosen


def _slice_of(gpus: Sequence[FoundGpu], entry: str) -> FoundGpu | None:
    """The parent of one MIG instance, cut down to that instance."""
    for gpu in gpus:
        for one in gpu.slices:
            if one.uuid and one.uuid.lower().startswith(entry.lower()):
                return replace(gpu, slices=(one,))
    return None


def visible(gpus: Sequence[FoundGpu], environment: Mapping[str, str]) -> tuple[list[FoundGpu], list[str]]:
    """The GPUs that engines will see, and what hides the others.

    CUDA's own order puts the fastest first, NVML's follows the bus: with unlike cards and without
    ``CUDA_DEVICE_ORDER=PCI_BUS_ID`` an index may mean another card, which a note says.
    """
    nvidia = [gpu for gpu in gpus if gpu.vendor == "nvidia"]
    amd = [gpu for gpu in gpus if gpu.vendor == "amd"]
    others = [gpu for gpu in gpus if gpu.vendor not in ("nvidia", "amd")]
    notes: list[str] = []
    seen_nvidia = _narrow(nvidia, environment, ("CUDA_VISIBLE_DEVICES",), "NVIDIA", notes)
    by_index = any(re.fullmatch(r"\d+", entry) for entry in listed(environment.get("CUDA_VISIBLE_DEVICES")) or ())
    unlike = len({gpu.name for gpu in nvidia}) > 1
    if by_index and unlike and environment.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID":
        notes.append(
            "CUDA_VISIBLE_DEVICES counts unlike cards from the fastest unless CUDA_DEVICE_ORDER=PCI_BUS_ID is set;"
            " here they are counted by bus"
        )
    variables = ["ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL"]
    if "HIP_VISIBLE_DEVICES" not in environment and not nvidia:
        variables.append("CUDA_VISIBLE_DEVICES")
    seen_amd = _narrow(amd, environment, variables, "AMD", notes)
    return [*seen_nvidia, *seen_amd, *others], notes


def _narrow(
    gpus: list[FoundGpu], environment: Mapping[str, str], variables: Sequence[str], maker: str, notes: list[str]
) -> list[FoundGpu]:
    """Apply variables one after the other: each counts what those before have left."""
    left = gpus
    for variable in variables:
        wanted = listed(environment.get(variable))
        if wanted is None or not gpus:
            continue
        left = _chosen(left, wanted)
        notes.append(
            f"{variable}={environment[variable]} leaves {len(left)} of {len(gpus)} {maker} GPU{'s' * (len(gpus) != 1)}"
            " visible; unset it to use all"
        )
    return left
