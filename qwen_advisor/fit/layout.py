"""Where weights can lie: one accelerator, several, experts or layers in main memory, or the CPU alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from qwen_advisor.candidates import Candidate, supports, usable_accelerators
from qwen_advisor.engine import FormatSupport
from qwen_advisor.fit.pools import room
from qwen_advisor.machine import Accelerator, Machine
from qwen_advisor.plan import Memory, Mode, Placement, Settings
from qwen_advisor.values import dataclass

_STEPS = 4  # steps of one before the strides grow


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """One placement and the memory it takes."""

    placement: Placement
    memory: Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Enumerates placements of one candidate, most promising first. The caller drops those that do not fit."""

    candidate: Candidate
    settings: Settings
    machine: Machine
    memory_of: Callable[[Placement], Memory]

    def placements(self) -> Iterator[Laid]:
        """Every sensible placement; llama.cpp's family may split, server engines shard, the others take one device."""
        entry = supports(self.candidate.engine, self.candidate.format, self.machine)
        devices = self._devices(entry)
        if self.settings.gpu_layers == 0:
            devices = ()
        if devices and self.candidate.engine.tensor_parallel:
            yield from self._sharded(devices)
        elif devices and self.candidate.engine.cpu_offload == "layers-and-experts":
            yield from self._split(devices)
        elif devices:
            yield from self._whole(devices)
        if entry is not None and self._runs_on_cpu() and self.settings.gpu_layers in (None, 0):
            yield self._laid("cpu", ())

    @property
    def count(self) -> int:
        """Decoder layers; an architecture without a decoder counts as one."""
        text = self.candidate.architecture.text
        return text.num_hidden_layers if text else 1

    def _devices(self, entry: FormatSupport | None) -> tuple[int, ...]:
        """Indices of the accelerators that the engine can use, roomiest first."""
        if entry is None:
            return ()
        usable = {id(a) for a in usable_accelerators(self.machine)}
        vendors = {v for s in self.candidate.engine.supports for v in s.vendors}
        indices = [i for i, a in enumerate(self.machine.accelerators) if id(a) in usable and a.vendor in vendors]
        return tuple(sorted(indices, key=lambda i: -self.machine.accelerators[i].budget))

    def _runs_on_cpu(self) -> bool:
        fmt = self.candidate.format
        return any(
            "cpu" in s.vendors
            and (fmt.name in s.formats or fmt.container in s.formats)
            and all(f in self.machine.cpu.features for f in s.cpu_features)
            for s in self.candidate.engine.supports
        )

    def _laid(self, mode: Mode, on: tuple[int, ...], **more: int) -> Laid:
        """Measure one placement; ``on`` counts layers by accelerator."""
        placement = Placement(
            mode=mode,
            layers=self.count,
            gpu_layers=sum(on),
            device_layers=on,
            kv_cache_type=self.settings.kv_type,
            **more,
        )
        return Laid(placement=placement, memory=self.memory_of(placement))

    def _mode(self, index: int) -> Mode:
        return "unified" if self.machine.memory.unified or self._accelerator(index).kind == "unified" else "gpu"

    def _accelerator(self, index: int) -> Accelerator:
        return self.machine.accelerators[index]

    def _spread(self, devices: tuple[int, ...], layers: int) -> tuple[int, ...]:
        """Layers by accelerator in proportion to budgets, the way llama.cpp splits."""
        total = sum(self._accelerator(i).budget for i in devices) or 1
        on = [0] * len(self.machine.accelerators)
        edge, given = 0.0, 0
        for i in devices:
            edge += layers * self._accelerator(i).budget / total
            on[i] = round(edge) - given
            given += on[i]
        return tuple(on)

    def _fits(self, laid: Laid) -> bool:
        return room(laid.memory, self.machine).fits

    def _whole(self, devices: tuple[int, ...]) -> Iterator[Laid]:
        """All weights on one device, or spread by layers where the engine can."""
        most = len(devices) if self.candidate.engine.multi_gpu == "layers" else 1
        for used in range(1, most + 1):
            laid = self._laid(self._mode(devices[0]), self._spread(devices[:used], self.count))
            yield laid
            if self._fits(laid):
                return

    def _split(self, devices: tuple[int, ...]) -> Iterator[Laid]:
        """Whole on as few devices as hold it; else experts in main memory; else as many layers as fit."""
        asked = self.settings.gpu_layers
        if asked is not None:
            layers = min(asked - 1, self.count)  # llama.cpp counts the output head as one layer, and takes it first
            if layers < 1:
                yield self._laid("cpu", ())
                return
            mode: Mode = self._mode(devices[0]) if layers == self.count else "hybrid"
            yield self._laid(mode, self._spread(devices, layers))
            return
        whole: Laid | None = None
        for whole in self._whole(devices):
            yield whole
            if self._fits(whole):
                return
        if whole is None or self._mode(devices[0]) == "unified":
            return
        text = self.candidate.architecture.text
        if text is not None and text.moe is not None:
            experts = self._experts_on_host(devices, whole)
            if experts is not None:
                yield experts
                return
        part = self._part_of_layers(devices, whole)
        if part is not None:
            yield part

    def _experts_on_host(self, devices: tuple[int, ...], whole: Laid) -> Laid | None:
        """The fewest layers whose experts have to stay in main memory (``--n-cpu-moe``)."""
        on = self._spread(devices, self.count)
        return self._least(whole, lambda n: self._laid("hybrid", on, cpu_expert_layers=n))

    def _part_of_layers(self, devices: tuple[int, ...], whole: Laid) -> Laid | None:
        """The most layers that the devices hold (``--n-gpu-layers``); at least one."""
        found = self._least(whole, lambda n: self._laid("hybrid", self._spread(devices, self.count - n)))
        return None if found is None or not found.placement.gpu_layers else found

    def _least(self, none: Laid, lay: Callable[[int], Laid]) -> Laid | None:
        """The first of ``lay(1)`` .. ``lay(layers)`` that the devices hold; they take less and less of them.

        What a device takes falls about evenly from step to step, so the search starts where a straight line through
        its ends says, and walks from there.
        """
        last = lay(self.count)
        if not self._devices_hold(last):
            return None
        over, under = self._excess(none), self._excess(last)
        guess = math.ceil(self.count * over / (over - under)) if over > under else self.count
        step = min(self.count, max(1, guess))
        found = last if step == self.count else lay(step)
        if self._devices_hold(found):
            while step > 1 and self._devices_hold(fewer := lay(step - 1)):
                step, found = step - 1, fewer
            return found
        return self._walked_up(step, last, lay)

    def _walked_up(self, step: int, last: Laid, lay: Callable[[int], Laid]) -> Laid:
        """The first after ``step`` that the devices hold: step by step at first, then in strides that are halved."""
        too_few, stride, tried = step, 1, 0
        found, enough = last, self.count
        while too_few + stride < self.count:
            trial = lay(too_few + stride)
            if self._devices_hold(trial):
                found, enough = trial, too_few + stride
                break
            too_few, tried = too_few + stride, tried + 1
            stride = 1 if tried < _STEPS else 2 * stride
        while enough - too_few > 1:
            middle = (too_few + enough) // 2
            trial = lay(middle)
            if self._devices_hold(trial):
                found, enough = trial, middle
            else:
                too_few = middle
        return found

    def _excess(self, laid: Laid) -> int:
        """Bytes by which the worst device is over its budget; negative where all have room."""
        return max(laid.memory.on_device(i) - a.budget for i, a in enumerate(self.machine.accelerators))

    def _devices_hold(self, laid: Laid) -> bool:
        """Whether every accelerator holds its part, whatever main memory says."""
        return self._excess(laid) <= 0

    def _sharded(self, devices: tuple[int, ...]) -> Iterator[Laid]:
        """Tensor parallel over like accelerators, in powers of two that divide the heads; pipeline over nodes."""
        first = self._accelerator(devices[0])
        alike = [i for i in devices if self._accelerator(i).name == first.name]
        text = self.candidate.architecture.text
        heads = text.num_attention_heads if text else 1
        sizes = [n for n in (1, 2, 4, 8, 16) if n <= len(alike) and heads % n == 0]
        for nodes in range(1, min(self.machine.nodes, self.count) + 1):  # a stage has a layer at least
            for size in sizes if nodes == 1 else sizes[-1:]:
                on = tuple(self.count if i in alike[:size] else 0 for i in range(len(self.machine.accelerators)))
                placement = Placement(
                    mode=self._mode(devices[0]),
                    layers=self.count,
                    gpu_layers=self.count,
                    device_layers=on,
                    tensor_parallel=size,
                    pipeline_parallel=nodes,
                    kv_cache_type=self.settings.kv_type,
                )
                yield Laid(placement=placement, memory=self.memory_of(placement))
