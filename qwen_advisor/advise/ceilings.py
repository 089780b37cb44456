"""How fast a candidate could be at best on a machine: as if its weights lay where they are computed fastest.

`Ceilings` says what no placement can beat, in a few microseconds where laying it out takes milliseconds. It takes the
very functions that `speed` does, with nothing in the way: no transfer between processors, no cache that fills a pool.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qwen_advisor.candidates import Candidate, usable_accelerators, variant_key
from qwen_advisor.machine import Machine
from qwen_advisor.plan import SHARED_CONTEXT, Settings
from qwen_advisor.speed.decode import Step, step_seconds
from qwen_advisor.speed.efficiency import Efficiency, efficiency_of
from qwen_advisor.speed.hardware import Processor, central, device
from qwen_advisor.speed.kinds import Shares, shares
from qwen_advisor.speed.prefill import Prompt, lends, prompt_seconds
from qwen_advisor.speed.stages import Stage
from qwen_advisor.speed.work import Work, distinct_experts, work
from qwen_advisor.values import dataclass

_LEAST_KV_BYTES = 1.0  # of one cached value, in the smallest cache that is tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """At the least: seconds of one token and of a whole prompt, and the share of the fullest pool.

    ``split`` marks whole layers beside an accelerator.
    """

    token: float
    prompt: float
    fill: float
    split: bool = False


_UNTIMED = Pace(token=1e-12, prompt=0.0, fill=0.0)  # of what generates no text: nothing is ruled out


class Counts:
    """What differs by no machine: work, kinds of weights and efficiencies of candidates, counted once."""

    def __init__(self, efficiency: Any) -> None:
        """Take the catalogue's efficiencies."""
        self._efficiency = efficiency
        self._work: dict[str, Work] = {}
        self._shares: dict[tuple[str, str], Shares] = {}
        self._found: dict[tuple[str, str], Efficiency] = {}

    def of(self, candidate: Candidate) -> tuple[Work, Shares, Efficiency]:
        """Work, shares and efficiency of a candidate whose architecture has a text decoder."""
        text = candidate.architecture.text
        assert text is not None  # noqa: S101  nobody asks for another
        name, kind = candidate.architecture.id, candidate.format.kind
        if name not in self._work:
            self._work[name] = work(text)
        key = (name, variant_key(candidate.format.name, candidate.variant))
        if key not in self._shares:
            self._shares[key] = shares(candidate.footprint, self._work[name], kind)
        pair = (candidate.engine.id, kind)
        if pair not in self._found:
            self._found[pair] = efficiency_of(self._efficiency, *pair)
        return self._work[name], self._shares[key], self._found[pair]


class Ceilings:
    """The least seconds that candidates take on one machine."""

    def __init__(self, machine: Machine, counts: Counts, context: int) -> None:
        """Take the machine, the shared counts, and the bytes of a CUDA context."""
        self._context = context
        self._machine = machine
        self._counts = counts
        self._usable = usable_accelerators(machine)
        self._processors: dict[str, tuple[tuple[Processor, ...], Processor]] = {}
        self._bandwidths: dict[str, float] = {}
        devices = 0 if machine.memory.unified else sum(a.budget for a in machine.accelerators)
        self.room = (machine.memory.budget + devices) * machine.nodes  # bytes of all pools together

    def holds(self, candidate: Candidate, settings: Settings) -> bool:
        """Whether weights and the smallest cache find room, on the CPU or spread over all pools.

        Every card in use also keeps its driver's context. An engine that reserves by itself is not looked at.
        """
        if settings.engine not in SHARED_CONTEXT or candidate.architecture.text is None:
            return True
        count = self._counts.of(candidate)[0]
        needed = candidate.footprint.layers_dense + candidate.footprint.layers_experts + candidate.footprint.output
        needed += int(count.kv_values * settings.context * _LEAST_KV_BYTES)
        contexts = self._context * sum(a.vendor == "nvidia" for a in self._usable)
        return needed <= max(self._machine.memory.budget, self.room - contexts * self._machine.nodes)

    def rough(self, candidate: Candidate) -> tuple[Pace]:
        """As `paces`, from the bytes of one token alone, over the best bandwidth that the engine reaches anywhere."""
        if candidate.architecture.text is None:
            return (_UNTIMED,)
        count, _, found = self._counts.of(candidate)
        engine = candidate.engine
        if engine.id not in self._bandwidths:
            cards, cpu = self._seen(found)
            vendors = {v for s in engine.supports for v in s.vendors}
            mine = [card for a, card in zip(self._usable, cards, strict=True) if a.vendor in vendors]
            width = _widths(len(mine))[-1] if engine.tensor_parallel and mine else 1
            fast = [_reached(card, found) * width for card in mine]
            self._bandwidths[engine.id] = max([*fast, _reached(cpu, found)] if "cpu" in vendors else fast, default=1.0)
        footprint = candidate.footprint
        read = footprint.layers_dense + footprint.layers_experts * distinct_experts(count, 1.0) + footprint.output
        return (Pace(token=read / self._bandwidths[engine.id], prompt=0.0, fill=0.0),)

    def paces(self, candidate: Candidate, settings: Settings) -> Iterator[Pace]:
        """What each way of laying the candidate out takes at the least."""
        if candidate.architecture.text is None:
            yield _UNTIMED
            return
        count, portions, found = self._counts.of(candidate)
        cards, cpu = self._seen(found)
        reckon = _Reckoning(candidate, settings, count, portions, found)
        vendors = {v for s in candidate.engine.supports for v in s.vendors}
        mine = [(a, card) for a, card in zip(self._usable, cards, strict=True) if a.vendor in vendors]
        memory = self._machine.memory
        size = reckon.bytes
        if "cpu" in vendors:
            alone = Stage(processor=cpu, attention=1.0, experts=1.0, head=1.0)
            yield Pace(token=reckon.token(alone), prompt=reckon.prompt(alone), fill=_share(size, memory.budget))
        if not mine:
            return
        shared = memory.unified or any(a.kind == "unified" for a, _ in mine)
        there = memory.budget if shared else sum(a.budget for a, _ in mine) * self._machine.nodes
        fastest = {(card.family, card.bandwidth, card.matrix, card.spec): card for _, card in mine}.values()
        excess = 0 if shared else reckon.on_devices - there
        if excess <= 0:
            widths = _widths(len(mine)) if candidate.engine.tensor_parallel else (1,)
            whole = [
                Stage(processor=card, attention=1.0, experts=1.0, head=1.0, width=width)
                for card in fastest
                for width in widths
            ]
            prompt = min(map(reckon.prompt, whole)) / (len(mine) * self._machine.nodes)
            yield Pace(token=min(map(reckon.token, whole)), prompt=prompt, fill=_share(reckon.on_devices, there))
        elif candidate.engine.cpu_offload == "layers-and-experts":
            fill = _share(size, there + memory.budget * self._machine.nodes)
            ways = [pace for card in fastest for pace in reckon.hybrids(card, cpu, excess, fill)]
            for split in (False, True):
                alike = [pace for pace in ways if pace.split is split]
                if alike:
                    yield Pace(
                        token=min(pace.token for pace in alike),
                        prompt=min(pace.prompt for pace in alike) / len(mine),
                        fill=fill,
                        split=split,
                    )

    def _seen(self, found: Efficiency) -> tuple[tuple[Processor, ...], Processor]:
        """The usable accelerators and the CPU as an engine sees them."""
        if found.accumulation not in self._processors:
            cards = tuple(
                device(a, self._machine.cpu, found.hardware, accumulation=found.accumulation) for a in self._usable
            )
            cpu = central(self._machine.cpu, found.hardware, fanless=self._machine.fanless)
            self._processors[found.accumulation] = (cards, cpu)
        return self._processors[found.accumulation]


class _Reckoning:
    """Seconds of one candidate at one setting on stages that are given."""

    def __init__(
        self, candidate: Candidate, settings: Settings, count: Work, portions: Shares, found: Efficiency
    ) -> None:
        footprint = candidate.footprint
        self._count = count
        self._parts = (count, footprint, portions)
        self._found = found
        self._batch = settings.parallel
        self._step = Step(
            depth=settings.prompt_tokens + max(1, settings.output_tokens) / 2,
            batch=settings.parallel,
            kv_bytes=_LEAST_KV_BYTES,
        )
        chunk = min(settings.ubatch, settings.batch) if found.chunk is None else found.chunk
        self._prompt = Prompt(tokens=max(1, settings.prompt_tokens), chunk=chunk, batch=settings.parallel)
        weights = footprint.layers_dense + footprint.layers_experts + footprint.output
        self.bytes = weights + footprint.token_embedding
        self.on_devices = weights + int(count.kv_values * settings.context_per_request * _LEAST_KV_BYTES)

    def token(self, stage: Stage) -> float:
        """Seconds of one token."""
        rates = self._found.rates(stage.processor.family)
        return step_seconds(stage, *self._parts, rates, self._step).total / _own(stage.processor, rates, "decode")

    def prompt(self, stage: Stage, lender: Stage | None = None) -> float:
        """Seconds of the prompt; of a host stage on the accelerator that lends itself, if that is sooner."""
        rates = self._found.rates(stage.processor.family)
        seconds = prompt_seconds(stage, *self._parts, rates, self._prompt).total / _own(
            stage.processor, rates, "prefill"
        )
        if lender is None or not lends(self._prompt):
            return seconds
        rates = self._found.rates(lender.processor.family)
        lent = prompt_seconds(stage, *self._parts, rates, self._prompt, lender).total
        return lent / _own(lender.processor, rates, "prefill")

    def hybrids(self, card: Processor, cpu: Processor, excess: int, fill: float) -> Iterator[Pace]:
        """What does not fit is read by the CPU: of experts those that are used, of layers all."""
        dense, experts = self._parts[1].layers_dense, self._parts[1].layers_experts
        vector = 4.0 * self._count.hidden * self._batch
        hop: float = self._found.hardware["crossing_seconds"] + vector / card.link
        if experts >= excess:
            away = excess / experts
            host = Stage(processor=cpu, attention=0.0, experts=away, head=0.0)
            front = Stage(processor=card, attention=1.0, experts=1.0 - away, head=1.0)
            hops = 2.0 * away * self._count.moe_layers * hop
            yield Pace(
                token=self.token(front) + self.token(host) + hops,
                prompt=self.prompt(front) + self.prompt(host, front),
                fill=fill,
            )
        away = min(1.0, excess / (dense + experts))
        host = Stage(processor=cpu, attention=away, experts=away, head=0.0)
        front = Stage(processor=card, attention=1.0 - away, experts=1.0 - away, head=0.0)
        yield Pace(
            token=self.token(front) + self.token(host) + 2.0 * hop,
            prompt=self.prompt(front) + self.prompt(host, front),
            fill=fill,
            split=True,
        )


def _share(part: int, whole: int) -> float:
    return part / whole if whole > 0 else 1.0


def _own(processor: Processor, rates: Any, phase: str) -> float:
    own = rates["devices"].get(processor.spec)
    return float(own[phase]) if own else 1.0


def _reached(processor: Processor, found: Efficiency) -> float:
    """Bytes per second at the most, of the kind of weights that is read fastest."""
    rates = found.rates(processor.family)
    share = max(rates["decode"]["bandwidth"].values())
    return float(processor.bandwidth * share * _own(processor, rates, "decode"))


def _widths(cards: int) -> tuple[int, ...]:
    return tuple(n for n in (1, 2, 4, 8, 16) if n <= cards)
