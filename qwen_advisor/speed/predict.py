"""The speed of one candidate on one machine: rates with their range, times, and what bounds them."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, sqrt
from typing import Any

from qwen_advisor.errors import UsageError
from qwen_advisor.footprint import Footprint
from qwen_advisor.machine import Machine
from qwen_advisor.model import Architecture, TextDecoder
from qwen_advisor.plan import Bound, Placement, Rate, Settings, Speed, SpeedBasis
from qwen_advisor.speed.decode import Seconds, Step, step_seconds
from qwen_advisor.speed.efficiency import Efficiency, efficiency_of
from qwen_advisor.speed.hardware import central, device
from qwen_advisor.speed.kinds import shares
from qwen_advisor.speed.prefill import Prompt, lends, prompt_seconds
from qwen_advisor.speed.speculation import Speculation, speculation
from qwen_advisor.speed.stages import Stage, stages
from qwen_advisor.speed.work import KV_BYTES, Work, work

_EIGHTY_PERCENT = 1.2816  # standard deviations on either side that hold four cases in five of a normal spread
_LINK_RATES = {"hybrid"}


def speed(
    architecture: Architecture,
    footprint: Footprint,
    settings: Settings,
    placement: Placement,
    machine: Machine,
    efficiency: Mapping[str, Any],
    *,
    format_kind: str,
    reasoning_tokens: int = 0,
    calibration: Mapping[str, float] | None = None,
) -> Speed:
    """Predict the rates of one request among ``settings.parallel`` like it.

    A roofline for each phase: bytes over bandwidth and operations over throughput, each times the share that the
    engine was measured to reach on such hardware with such weights, plus launches and transfers.

    Args:
        architecture: shapes; those without a text decoder have no tokens to time.
        footprint: bytes of the weights in their format.
        settings: engine, tokens of the prompt and the output, requests at once, cache type.
        placement: what lies where.
        machine: bandwidths in bytes per second, operations per second.
        efficiency: the catalogue's section of that name.
        format_kind: `Format.kind`.
        reasoning_tokens: tokens thought before the answer; they count towards the time to the answer only.
        calibration: measured over predicted on this very machine, for ``decode`` and ``prefill``.

    Raises:
        UsageError: the engine is unknown, the architecture has no text decoder, or the placement does not suit the
            machine.
        CatalogError: the format holds a kind of weights whose speed is not known.
    """
    text = architecture.text
    if text is None:
        raise UsageError(f"{architecture.id} generates no text, so it has no speed in tokens per second")
    found = efficiency_of(efficiency, settings.engine, format_kind)
    prediction = Prediction(text, footprint, settings, placement, machine, found, format_kind)
    return prediction.speed(reasoning_tokens, calibration or {})


class Prediction:
    """One call of `speed`, with what its two phases share."""

    __slots__ = (
        "_count",
        "_draft",
        "_footprint",
        "_found",
        "_guessed",
        "_network",
        "_portions",
        "_rates",
        "_settings",
        "_split",
        "_stages",
    )

    def __init__(
        self,
        text: TextDecoder,
        footprint: Footprint,
        settings: Settings,
        placement: Placement,
        machine: Machine,
        found: Efficiency,
        format_kind: str,
    ) -> None:
        self._count: Work = work(text)
        self._footprint = footprint
        self._settings = settings
        self._found = found
        devices = tuple(
            device(item, machine.cpu, found.hardware, accumulation=found.accumulation) for item in machine.accelerators
        )
        self._stages: tuple[Stage, ...] = stages(
            placement, devices, central(machine.cpu, found.hardware, fanless=machine.fanless)
        )
        self._rates = [found.rates(stage.processor.family) for stage in self._stages]
        self._portions = shares(footprint, self._count, format_kind)
        self._split = placement.pipeline_parallel
        self._guessed = self._split > 1 and machine.interconnect is None
        hardware = found.hardware
        self._network = hardware["interconnects"][machine.interconnect or hardware["assumed"]["interconnect"]]
        drafts = text.mtp_num_hidden_layers if settings.mtp else 0
        self._draft: Speculation | None = speculation(found.engine, footprint, self._count) if drafts else None

    def decode(self, depth: float) -> Seconds:
        """Seconds of one token of one sequence at ``depth``, with all sequences of the batch on their way."""
        draft = self._draft
        kv_bytes = KV_BYTES[self._settings.kv_type]
        if self._settings.kv_type_v is not None:
            kv_bytes = (kv_bytes + KV_BYTES[self._settings.kv_type_v]) / 2
        step = Step(
            depth=depth,
            batch=self._settings.parallel,
            tokens=draft.tokens if draft else 1.0,
            kv_bytes=kv_bytes,
        )
        total = reading = computing = moving = 0.0
        for stage, rates in zip(self._stages, self._rates, strict=True):
            part = step_seconds(stage, self._count, self._footprint, self._portions, rates, step)
            pace = _pace(stage, rates, "decode")
            total += part.total / pace
            reading += part.reading / pace
            computing += part.computing / pace
            moving += part.moving / pace
        crossings = self._crossings()
        total, moving = total + crossings, moving + crossings
        if draft:
            factor = (1.0 + draft.overhead) / draft.accepted
            return Seconds(total * factor, reading * factor, computing * factor, moving * factor)
        return Seconds(total, reading, computing, moving)

    def _crossings(self) -> float:
        """Seconds that activations take between processors: to the host and back for every layer with moved experts."""
        host = self._stages[-1]
        if host.processor.family != "cpu" or len(self._stages) == 1:
            hops = float(len(self._stages) - 1)
        else:
            moved = (host.experts - host.attention) * self._count.moe_layers
            hops = 2.0 * moved + (2.0 if host.attention else 0.0) + max(0, len(self._stages) - 2)
        between = 0.0
        if self._split > 1:
            # What goes to the next machine is one vector of 16-bit values for each request.
            sent = 2.0 * self._count.hidden * self._settings.parallel
            launched = self._found.hardware["crossing_seconds"] + self._network["latency_seconds"]
            between = (self._split - 1) * (launched + sent / self._network["bandwidth"])
        if not hops:
            return between
        vector = 4.0 * self._count.hidden * self._settings.parallel
        each: float = self._found.hardware["crossing_seconds"] + vector / self._stages[0].processor.link
        return between + hops * each

    def prefill(self, depth: int, tokens: int) -> Seconds:
        """Seconds for ``tokens`` tokens of prompt after ``depth`` cached ones, for the whole batch."""
        settings = self._settings
        chunk = min(settings.ubatch, settings.batch) if self._found.chunk is None else self._found.chunk
        prompt = Prompt(tokens=tokens, chunk=chunk, depth=depth, batch=settings.parallel)
        first = self._stages[0]
        parts: list[tuple[Seconds, float]] = []
        for stage, rates in zip(self._stages, self._rates, strict=True):
            lent = stage.processor.family == "cpu" and first is not stage and lends(prompt)
            used = self._rates[0] if lent else rates
            lender = first if lent else None
            part = prompt_seconds(stage, self._count, self._footprint, self._portions, used, prompt, lender)
            parts.append((part, _pace(lender or stage, used, "prefill")))
        total = sum(part.total / pace for part, pace in parts)
        slowest = max(part.total / pace for part, pace in parts)
        chunks = -(-tokens * settings.parallel // chunk)
        if chunks > 1 and len(parts) > 1 and self._stages[-1].processor.family != "cpu":
            # Cards that hold consecutive layers work on consecutive chunks at once.
            total = total / chunks + slowest * (chunks - 1) / chunks
        sent = 2.0 * self._count.hidden * tokens * settings.parallel
        between = (self._split - 1) * (sent / self._network["bandwidth"] + chunks * self._network["latency_seconds"])
        return Seconds(
            total + between,
            sum(part.reading / pace for part, pace in parts),
            sum(part.computing / pace for part, pace in parts),
            sum(part.moving / pace for part, pace in parts) + between,
        )

    def speed(self, reasoning_tokens: int, calibration: Mapping[str, float]) -> Speed:
        """Both phases, with their ranges."""
        settings = self._settings
        faster = calibration.get("decode", 1.0)
        sooner = calibration.get("prefill", 1.0)
        output = max(1, settings.output_tokens)
        token = self.decode(settings.prompt_tokens + output / 2)
        prompt_tokens = max(1, settings.prompt_tokens)
        prompt = self.prefill(0, prompt_tokens)
        decode = faster / token.total
        prefill = sooner * prompt_tokens / prompt.total
        first = prompt_tokens / prefill + 1.0 / decode
        written = output + reasoning_tokens
        later = self.decode(settings.prompt_tokens + written / 2) if reasoning_tokens else token
        basis, spread_decode, spread_prefill, notes = self._certainty(calibration)
        return Speed(
            decode=_rate(decode, spread_decode),
            prefill=_rate(prefill, spread_prefill),
            bound=_bound(token),
            basis=basis,
            throughput=decode * settings.parallel,
            time_to_first_token=first,
            time_to_answer=first + (written - 1) * later.total / faster,
            notes=notes,
        )

    def _certainty(self, calibration: Mapping[str, float]) -> tuple[SpeedBasis, float, float, tuple[str, ...]]:
        """Basis, relative spread of both rates, and what the reader should know."""
        notes: list[str] = []
        decode = prefill = 0.0
        measured = True
        for stage, rates in zip(self._stages, self._rates, strict=True):
            decode = max(decode, rates["decode"]["spread"])
            prefill = max(prefill, rates["prefill"]["spread"])
            measured = measured and bool(rates["measured"])
            if stage.processor.assumed:
                measured = False
                notes.append("a bandwidth or throughput of the hardware is assumed, not known")
        if self._guessed:
            notes.append("the network between the machines is taken for 10 Gbit/s Ethernet: name it by --interconnect")
        unknown = self._found.hardware["spread"]
        if not measured:
            notes.append("predicted from specifications: this engine was not measured on such hardware")
            decode, prefill = max(decode, unknown["roofline"]), max(prefill, unknown["roofline"])
        if self._draft:
            decode = sqrt(decode**2 + self._draft.spread**2)
            notes.append(f"speculative decoding: {self._draft.accepted:.1f} tokens a step expected")
        elif self._settings.mtp:
            notes.append("the model has no block for multi-token prediction, so nothing is speculated")
        if calibration:
            own = unknown["calibrated"]
            return "calibrated", min(decode, own), min(prefill, own), tuple(dict.fromkeys(notes))
        return "roofline", decode, prefill, tuple(dict.fromkeys(notes))


def _pace(stage: Stage, rates: Mapping[str, Any], phase: str) -> float:
    """How much faster this very device is than its class, where it was measured often enough to tell."""
    own = rates["devices"].get(stage.processor.spec)
    return own[phase] if own else 1.0


def _rate(expected: float, spread: float) -> Rate:
    """A rate with its 80 % interval, from the standard deviation of the logarithm of measured over predicted."""
    factor = exp(_EIGHTY_PERCENT * spread)
    return Rate(low=expected / factor, expected=expected, high=expected * factor)


def _bound(token: Seconds) -> Bound:
    """What most of a decoding step is spent on."""
    if token.moving > max(token.reading, token.computing):
        return "interconnect"
    return "bandwidth" if token.reading >= token.computing else "compute"
