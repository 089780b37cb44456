"""How fast a candidate could be at best on a machine: as if its weights lay where they are computed fastest.

`Ceilings` says what no placement can beat, in a few microseconds where laying it out takes milliseconds. It takes the
very functions that `speed` does, with nothing in the way: no transfer between processors, no cache that fills a pool.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qwen_advisor.candidates import Candidate, usable_accelerators
from qwen_advisor.machine import Accelerator, Machine
from qwen_advisor.plan import Settings
from qwen_advisor.speed.decode import Step, step_seconds
from qwen_advisor.speed.efficiency import Efficiency, efficiency_of
from qwen_advisor.speed.hardware import Processor, central, device
from qwen_advisor.speed.kinds import Shares, shares
from qwen_advisor.speed.prefill import Prompt, prompt_seconds
from qwen_advisor.speed.stages import Stage
from qwen_advisor.speed.work import KV_BYTES, Work, work
from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds at the least: of one token, and of a whole prompt. ``split`` marks layers beside an accelerator."""

    token: float
    prompt: float
    split: bool = False


class Counts:
    """What differs by no machine: work, kinds of weights and efficiencies of candidates, counted once."""

    def __init__(self, efficiency: Any) -> None:
        """Take the catalogue's efficiencies."""
        self._efficiency = efficiency
        self._work: dict[str, Work] = {}
        self._shares: dict[tuple[int, str], Shares] = {}
        self._found: dict[tuple[str, str], Efficiency] = {}

    def of(self, candidate: Candidate) -> tuple[Work, Shares, Efficiency]:
        """Work, shares and efficiency of a candidate whose architecture has a text decoder."""
        text = candidate.architecture.text
        if text is None:
            raise ValueError(f"{candidate.architecture.id} generates no text")
        name, kind = candidate.architecture.id, candidate.format.kind
        if name not in self._work:
            self._work[name] = work(text)
        key = (id(candidate), kind)
        if key not in self._shares:
            self._shares[key] = shares(candidate.footprint, self._work[name], kind)
        pair = (candidate.engine.id, kind)
        if pair not in self._found:
            self._found[pair] = efficiency_of(self._efficiency, *pair)
        return self._work[name], self._shares[key], self._found[pair]


class Ceilings:
    """The least seconds that candidates take on one machine."""

    def __init__(self, machine: Machine, counts: Counts) -> None:
        """Take the machine and the shared counts."""
        self._machine = machine
        self._counts = counts
        self._usable = usable_accelerators(machine)
        self._processors: dict[str, tuple[tuple[Processor, ...], Processor]] = {}
        devices = 0 if machine.memory.unified else sum(a.budget for a in machine.accelerators)
        self.room = (machine.memory.budget + devices) * machine.nodes  # bytes of all pools together

    def paces(self, candidate: Candidate, settings: Settings) -> Iterator[Pace]:
        """What each way of laying the candidate out takes at the least."""
        count, portions, found = self._counts.of(candidate)
        accumulation = found.accumulation
        if accumulation not in self._processors:
            cards = tuple(
                device(a, self._machine.cpu, found.hardware, accumulation=accumulation) for a in self._usable
            )
            cpu = central(self._machine.cpu, found.hardware, fanless=self._machine.fanless)
            self._processors[accumulation] = (cards, cpu)
        cards, cpu = self._processors[accumulation]
        reckon = _Reckoning(candidate, settings, count, portions, found)
        vendors = {v for s in candidate.engine.supports for v in s.vendors}
        mine = [(a, card) for a, card in zip(self._usable, cards, strict=True) if a.vendor in vendors]
        alone = None
        if "cpu" in vendors:
            alone = Pace(token=reckon.token(Stage(processor=cpu, attention=1.0, experts=1.0, head=1.0)), prompt=0.0)
            yield alone
        if not mine:
            return
        fastest = {(card.family, card.bandwidth, card.matrix, card.spec): card for _, card in mine}.values()
        widths = _widths(len(mine)) if candidate.engine.tensor_parallel else (1,)
        whole = [
            Stage(processor=card, attention=1.0, experts=1.0, head=1.0, width=width)
            for card in fastest
            for width in widths
        ]
        token = min(map(reckon.token, whole))
        prompt = min(map(reckon.prompt, whole)) / (len(mine) * self._machine.nodes)
        excess = self._excess(candidate, [a for a, _ in mine])
        if excess <= 0:
            yield Pace(token=token, prompt=prompt)
        elif alone is not None and candidate.engine.cpu_offload == "layers-and-experts":
            yield from _hybrids(candidate, reckon, excess, token, prompt, alone, cpu, fastest)

    def _excess(self, candidate: Candidate, cards: list[Accelerator]) -> int:
        """Bytes of weights that no accelerator has room for."""
        if self._machine.memory.unified or any(a.kind == "unified" for a in cards):
            return 0
        body = candidate.footprint.tensor_bytes - candidate.footprint.token_embedding
        body -= candidate.footprint.mtp + candidate.footprint.vision + candidate.footprint.audio
        return body - sum(a.budget for a in cards) * self._machine.nodes


def _hybrids(
    candidate: Candidate,
    reckon: _Reckoning,
    excess: int,
    token: float,
    prompt: float,
    alone: Pace,
    cpu: Processor,
    cards: Any,
) -> Iterator[Pace]:
    """What does not fit is read by the CPU: of experts only those that are used, of layers all."""
    footprint = candidate.footprint
    body = footprint.layers_dense + footprint.layers_experts
    if footprint.layers_experts:
        away = min(1.0, excess / footprint.layers_experts)
        host = reckon.token(Stage(processor=cpu, attention=0.0, experts=away, head=0.0))
        rest = min(
            reckon.token(Stage(processor=card, attention=1.0, experts=1.0 - away, head=1.0)) for card in cards
        )
        yield Pace(token=host + rest, prompt=prompt)
    share = min(1.0, excess / body)
    yield Pace(token=share * alone.token + (1.0 - share) * token, prompt=prompt, split=True)


class _Reckoning:
    """Seconds of one candidate at one setting on single stages."""

    def __init__(
        self, candidate: Candidate, settings: Settings, count: Work, portions: Shares, found: Efficiency
    ) -> None:
        self._parts = (count, candidate.footprint, portions)
        self._found = found
        self._step = Step(
            depth=settings.prompt_tokens + max(1, settings.output_tokens) / 2,
            batch=settings.parallel,
            kv_bytes=min(KV_BYTES[settings.kv_type], 1.0),
        )
        chunk = min(settings.ubatch, settings.batch) if found.chunk is None else found.chunk
        self._prompt = Prompt(tokens=max(1, settings.prompt_tokens), chunk=chunk, batch=settings.parallel)

    def token(self, stage: Stage) -> float:
        rates = self._found.rates(stage.processor.family)
        return step_seconds(stage, *self._parts, rates, self._step).total / _own(stage, rates, "decode")

    def prompt(self, stage: Stage) -> float:
        rates = self._found.rates(stage.processor.family)
        return prompt_seconds(stage, *self._parts, rates, self._prompt).total / _own(stage, rates, "prefill")


def _own(stage: Stage, rates: Any, phase: str) -> float:
    own = rates["devices"].get(stage.processor.spec)
    return float(own[phase]) if own else 1.0


def _widths(cards: int) -> tuple[int, ...]:
    return tuple(n for n in (1, 2, 4, 8, 16) if n <= cards)
