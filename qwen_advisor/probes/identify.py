"""From a GPU that was found to the catalogue's entry: by PCI id, then by name, told apart by memory and clock."""

from __future__ import annotations

from qwen_advisor.describe.lookup import accelerator_index, of_size, summary
from qwen_advisor.describe.matching import unique
from qwen_advisor.describe.names import words
from qwen_advisor.facts import AcceleratorSpec, Catalog
from qwen_advisor.probes.found import FoundGpu
from qwen_advisor.values import dataclass

# Bus width times clock agrees to 0.1 % with data sheets on most cards and to 2.5 % on the H200.
_BANDWIDTH_TOLERANCE = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """The entry of a GPU, None where none is certain; ``notes`` say what was not."""

    spec: AcceleratorSpec | None = None
    how: str = ""
    notes: tuple[str, ...] = ()


def identify(catalog: Catalog, gpu: FoundGpu) -> Identified:
    """The catalogue's entry for this GPU.

    The PCI id decides where it is known, with the revision for AMD; among entries that share it the name, then the
    memory that is reported, then the bandwidth that the memory clock gives. A name decides alone only where all its
    words match. Where several entries remain, the slowest stands for them and a note says so.
    """
    vendor = [spec for spec in catalog.accelerators.values() if spec.vendor == gpu.vendor]
    by_id = _by_pci(vendor, gpu)
    named = _by_name(catalog, gpu)
    both = [spec for spec in by_id if spec in named]
    candidates = both or by_id or named
    how = "PCI id" if by_id else "name"
    if not candidates:
        what = gpu.name or gpu.pci_id or "a GPU"
        return Identified(notes=(f"{what} is not in the catalogue: its bandwidth and throughput are not known",))
    candidates = _by_memory(candidates, gpu)
    candidates = _by_clock(candidates, gpu)
    if len({(spec.memory_bandwidth, spec.fp16_flops, spec.memory) for spec in candidates}) == 1:
        return Identified(spec=candidates[0], how=how)
    slowest = min(candidates, key=lambda s: (s.memory_bandwidth or 0, s.fp16_flops or 0, s.memory or 0, s.id))
    others = "; ".join(summary(spec) for spec in candidates if spec is not slowest)
    note = f"{gpu.name or gpu.pci_id} is counted as {summary(slowest)}; it cannot be told from {others}"
    return Identified(spec=slowest, how=how, notes=(note,))


def _by_pci(specs: list[AcceleratorSpec], gpu: FoundGpu) -> list[AcceleratorSpec]:
    if not gpu.pci_id:
        return []
    exact = f"{gpu.pci_id}/rev{gpu.revision}"
    if gpu.revision:
        found = [spec for spec in specs if exact in spec.pci_ids or gpu.pci_id in spec.pci_ids]
        if found:
            return found
    family = [spec for spec in specs if any(known.partition("/")[0] == gpu.pci_id for known in spec.pci_ids)]
    # With a revision that no entry has, this is another product on the same chip.
    return [] if gpu.revision and gpu.vendor == "amd" and _by_revision(family) else family


def _by_revision(specs: list[AcceleratorSpec]) -> bool:
    return any("/rev" in known for spec in specs for known in spec.pci_ids)


def _by_name(catalog: Catalog, gpu: FoundGpu) -> list[AcceleratorSpec]:
    name = words(gpu.name)
    # The table of nvidia-smi cuts names off, and Jetson's driver names no module: neither tells the card.
    if not name.words or gpu.name.endswith("...") or "nvgpu" in gpu.name:
        return []
    found = [one for one in accelerator_index(catalog).exact(name) if one.entry.vendor == gpu.vendor]
    verbatim = [one for one in found if one.entry.name == gpu.name]
    unsized = [one for one in found if one.name.memory in (None, name.memory)]
    return [one.entry for one in unique(verbatim or (unsized if gpu.total is None else found))]


def _by_memory(specs: list[AcceleratorSpec], gpu: FoundGpu) -> list[AcceleratorSpec]:
    """Entries of the size that the driver reports; a name may state a size that is not the GPU's (GH200 480GB)."""
    if gpu.total is None or gpu.integrated:
        return specs
    return [spec for spec in specs if of_size(spec, gpu.total)] or specs


def _by_clock(specs: list[AcceleratorSpec], gpu: FoundGpu) -> list[AcceleratorSpec]:
    """Entries whose bandwidth is that of the memory clock: the GDDR5 and the GDDR6 version of one name."""
    if len(specs) < 2:
        return specs

    def agrees(spec: AcceleratorSpec) -> bool:
        measured = gpu.bandwidth
        if measured is None and gpu.memory_clock and spec.bus_bits:
            measured = clock_bandwidth(gpu.memory_clock, spec.bus_bits)
        if measured is None or spec.memory_bandwidth is None:
            return False
        return abs(spec.memory_bandwidth - measured) <= _BANDWIDTH_TOLERANCE * measured

    return [spec for spec in specs if agrees(spec)] or specs


def clock_bandwidth(megahertz: float, bits: int) -> float:
    """Bytes per second of a memory bus: two transfers a clock, as NVIDIA's drivers count clocks."""
    return megahertz * 1e6 * 2 * bits / 8
