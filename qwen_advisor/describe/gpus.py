"""Accelerators made from catalogue entries: what their drivers would report, and what stays usable."""

from __future__ import annotations

from qwen_advisor.describe.lookup import near
from qwen_advisor.describe.reserves import DISPLAY_RESERVE, driver_reserve, metal_limit
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import AcceleratorSpec, Catalog
from qwen_advisor.machine import Accelerator, AcceleratorKind, Vendor
from qwen_advisor.units import gib

_VENDORS: dict[str, Vendor] = {"nvidia": "nvidia", "amd": "amd", "intel": "intel", "apple": "apple"}
# Lanes carry 0.985, 1.969 and 3.938 GB/s one way in PCIe 3.0, 4.0 and 5.0 (128b/130b coding); cards have sixteen.
PCIE_LANE = {1: 0.25e9, 2: 0.5e9, 3: 0.985e9, 4: 1.969e9, 5: 3.938e9, 6: 7.563e9}
_LANES = 16
# AMD assigns up to 96 of 128 GB to the GPU (Variable Graphics Memory); on Linux ttm.pages_limit allows as much.
_STRIX_HALO_SHARE = 0.75
# Without settings the GPU may take half of main memory: amdgpu's GTT on Linux, shared GPU memory on Windows.
_SHARED_SHARE = 0.5


def vendor_of(spec: AcceleratorSpec) -> Vendor:
    """The vendor as machines name it."""
    return "qualcomm" if spec.vendor == "qualcomm" else _VENDORS.get(spec.vendor, "other")


def computes(spec: AcceleratorSpec) -> bool:
    """Whether the entry is an accelerator that engines use; boards and phones stand among them for their memory."""
    return spec.vendor != "other"


def pcie_generation(spec: AcceleratorSpec) -> int:
    """The PCIe generation of a card: 3.0 up to Turing and RDNA 1, 4.0 up to Ada and RDNA 3, 5.0 from Hopper on.

    Source: the architecture white papers of NVIDIA and AMD; Intel's Arc A and B series have 4.0.
    """
    capability = spec.compute_capability or ""
    if spec.vendor == "nvidia":
        value = float(capability or 0)
        return 5 if value >= 9 else 4 if value >= 8 else 3
    if spec.vendor == "amd":
        recent = capability.startswith(("gfx12", "gfx94", "gfx95"))
        return 5 if recent else 4 if capability.startswith(("gfx103", "gfx11", "gfx908", "gfx90a")) else 3
    return 4


def discrete(
    spec: AcceleratorSpec, *, memory: int | None = None, bandwidth: float | None = None, display: bool = False
) -> Accelerator:
    """A card with memory of its own. ``memory`` overrides its size, ``display`` says that a desktop is drawn by it."""
    nominal = spec.memory or 0
    total = memory if memory is not None and not near(nominal, memory) else spec.reported_memory or nominal
    kept = driver_reserve(spec, total)
    reserve = min(DISPLAY_RESERVE, (total - kept) // 4) if display else 0
    why = f"the driver keeps {gib(kept)}" if kept else ""
    if reserve:
        why += f"{', ' if why else ''}a desktop on it uses {gib(reserve)}"
    return Accelerator(
        name=spec.name,
        vendor=vendor_of(spec),
        kind="discrete",
        memory=total,
        free=total - kept,
        reserve=reserve,
        reserve_why=why,
        memory_bandwidth=bandwidth or spec.memory_bandwidth,
        fp16_flops=spec.fp16_flops,
        compute_capability=spec.compute_capability,
        spec=spec.id,
        cores=spec.cores,
        pcie_bandwidth=PCIE_LANE[pcie_generation(spec)] * _LANES,
    )


def shared_limit(spec: AcceleratorSpec, total: int) -> tuple[int, str]:
    """Bytes of main memory that this accelerator may use of ``total``, and why."""
    if spec.vendor == "apple":
        limit = metal_limit(total)
        return limit, f"Metal allows {gib(limit)} of {gib(total)} by default"
    if spec.vendor == "nvidia" or "Instinct" in spec.name:
        return total, "the GPU reaches all of main memory"
    if spec.kind == "unified" and spec.vendor == "amd":
        limit = round(total * _STRIX_HALO_SHARE)
        return limit, (
            f"{gib(limit)} where it is set up for it: Variable Graphics Memory in the BIOS, or ttm.pages_limit on Linux"
            " (half of main memory otherwise)"
        )
    limit = round(total * _SHARED_SHARE)
    return limit, f"drivers let the GPU use half of main memory, {gib(limit)}"


def sharing(
    spec: AcceleratorSpec, total: int, *, limit: int | None = None, bandwidth: float | None = None
) -> Accelerator:
    """An accelerator that works in main memory of ``total`` bytes, of which it may use ``limit``."""
    usual, why = shared_limit(spec, total)
    most = usual if limit is None else min(limit, total)
    kind: AcceleratorKind = "unified" if spec.kind == "unified" else "integrated"
    return Accelerator(
        name=spec.name,
        vendor=vendor_of(spec),
        kind=kind,
        memory=most,
        free=most,
        reserve_why=why if limit is None else f"limited to {gib(most)} as described",
        memory_bandwidth=bandwidth or spec.memory_bandwidth,
        fp16_flops=spec.fp16_flops,
        compute_capability=spec.compute_capability,
        spec=spec.id,
        cores=spec.cores,
        shared=most,
    )


def shares_memory(spec: AcceleratorSpec) -> bool:
    """Whether the accelerator works in main memory."""
    return spec.kind in ("unified", "integrated")


def typical_card(catalog: Catalog, memory: int) -> AcceleratorSpec:
    """A card to stand for one of which only the memory is known: the slowest common one, so as to promise too little.

    The slowest GeForce card of 2020 or later with this much memory; else the slowest NVIDIA card with it.

    Raises:
        UsageError: no card has this much memory.
    """
    cards = [
        spec
        for spec in catalog.accelerators.values()
        if spec.vendor == "nvidia" and not shares_memory(spec) and spec.memory_bandwidth and near(spec.memory, memory)
        if "Laptop" not in spec.name and "(modded)" not in spec.name and (spec.released or 0) >= 2020
    ]
    common = [spec for spec in cards if "GeForce" in spec.name] or cards
    if not common:
        raise UsageError(
            f"no single accelerator with {gib(memory)} is known", hint="name it: --gpu, with --gpu-bandwidth if needed"
        )
    return min(common, key=lambda spec: (spec.memory_bandwidth or 0, spec.id))
