"""The package's speed model once more, over all rows of one kind at once, so that fitting takes seconds.

`check` holds it against the package row by row: the two must agree, or the fit is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.speed_fit.parameters import ACCUMULATION, CHUNKS, Parameters
from benchmarks.speed_fit.rows import Row
from qwen_advisor.speed.hardware import central, device, instruction_set
from qwen_advisor.speed.kinds import REPACKED, shares
from qwen_advisor.speed.prefill import Prompt, lends
from qwen_advisor.speed.stages import Stage, stages
from qwen_advisor.speed.work import KV_BYTES, Work, head_bytes, work

Array = NDArray[np.float64]
_MICRO = 1e-6


@dataclass(slots=True)
class Side:
    """One side of a placement (the devices together, or the host) as arrays over rows."""

    bandwidth: Array
    rate: Array  # operations per second before the engine's share; the instruction set is a parameter
    attention: Array
    experts: Array
    head: Array
    width: Array
    fabric: Array
    link: Array
    count: Array  # devices that hold consecutive layers
    index: dict[str, Any] = field(default_factory=dict)


class Batch:
    """Rows of one engine's document as arrays, with the place of each row's parameters."""

    def __init__(self, rows: Sequence[Row], parameters: Parameters, hardware: Mapping[str, Any]) -> None:
        """Count the work of every row and register the parameters it depends on."""
        self.rows = rows
        self.parameters = parameters
        self.counts: list[Work] = []
        self._placed: list[tuple[Stage | None, int, float, float, float, Stage | None]] = []
        for row in rows:
            assert row.architecture.text is not None  # noqa: S101  rows are of language models
            self.counts.append(work(row.architecture.text))
            self._placed.append(_sides(row, hardware))
        self.device = self._side(host=False)
        self.host = self._side(host=True)
        self._numbers()
        for side, host in ((self.device, False), (self.host, True)):
            self._register(side, host=host)

    def _per_row(self, pick: Callable[[int], float]) -> Array:
        return np.array([pick(i) for i in range(len(self.rows))], dtype=np.float64)

    def _side(self, *, host: bool) -> Side:
        def of(i: int) -> Stage | None:
            return self._placed[i][5] if host else self._placed[i][0]

        def pick(value: Callable[[Stage], float], missing: float) -> Array:
            def one(i: int) -> float:
                stage = of(i)
                return missing if stage is None else value(stage)

            return self._per_row(one)

        def share(i: int, position: int) -> float:
            stage = of(i)
            if host:
                return 0.0 if stage is None else (stage.attention, stage.experts, stage.head)[position]
            return self._placed[i][2 + position]

        return Side(
            bandwidth=pick(lambda s: s.processor.bandwidth * s.width, 1.0),
            rate=pick(lambda s: s.processor.vector * s.width, 1.0),
            attention=self._per_row(lambda i: share(i, 0)),
            experts=self._per_row(lambda i: share(i, 1)),
            head=self._per_row(lambda i: share(i, 2)),
            width=pick(lambda s: float(s.width), 1.0),
            fabric=pick(lambda s: s.processor.fabric or 1.0, 1.0),
            link=pick(lambda s: s.processor.link or 1.0, 1.0),
            count=self._per_row(lambda i: 1.0 if host else float(self._placed[i][1])),
        )

    def _numbers(self) -> None:
        rows, counts, many = self.rows, self.counts, self._per_row
        self.depth = many(lambda i: float(rows[i].depth))
        self.prompt = many(lambda i: float(max(1, rows[i].prompt)))
        self.output = many(lambda i: float(rows[i].output))
        self.chunk = many(lambda i: float(CHUNKS[rows[i].document] or rows[i].settings.ubatch))
        self.layers = many(lambda i: float(counts[i].layers))
        self.hidden = many(lambda i: float(counts[i].hidden))
        self.softmax = many(lambda i: float(counts[i].attention_layers))
        self.linear = many(lambda i: float(counts[i].linear_layers))
        self.moe = many(lambda i: float(counts[i].moe_layers))
        self.dense = many(lambda i: counts[i].dense_weights)
        self.routed = many(lambda i: counts[i].expert_weights)
        self.head = many(lambda i: counts[i].head_weights)
        self.flops = many(lambda i: counts[i].attention_flops)
        self.delta = many(lambda i: counts[i].delta_flops)
        self.values = many(lambda i: counts[i].kv_values * KV_BYTES[rows[i].settings.kv_type])
        self.state = many(lambda i: counts[i].state_bytes)
        self.fraction = many(lambda i: counts[i].experts_used / counts[i].experts)
        self.dense_bytes = many(lambda i: float(rows[i].footprint.layers_dense))
        self.expert_bytes = many(lambda i: float(rows[i].footprint.layers_experts))
        self.head_bytes = many(lambda i: float(head_bytes(rows[i].footprint)))
        self.observed = many(lambda i: np.log(1.0 / rows[i].tokens_per_second))
        self.measure = np.array([row.measure for row in rows])

    def _register(self, side: Side, *, host: bool) -> None:
        """The parameters of each row on one side; a row without that side points at any of them."""
        rows, parameters = self.rows, self.parameters
        families: list[str] = []
        sets: list[str] = []
        for i, row in enumerate(rows):
            stage = self._placed[i][5] if host else self._placed[i][0]
            families.append(stage.processor.family if stage else row.family)
            sets.append(instruction_set(row.machine.cpu) if stage and stage.processor.family == "cpu" else "")
        portions = [shares(row.footprint, self.counts[i], row.format.kind) for i, row in enumerate(rows)]
        for name in parameters.plain:
            side.index[name] = np.array([parameters.place(name, family) for family in families])
        for name in parameters.by_kind:
            kinds = sorted({kind for portion in portions for kind, _ in portion})
            places = [[parameters.place(name, family, kind) for kind in kinds] for family in families]
            mixed = [[dict(portion).get(kind, 0.0) for kind in kinds] for portion in portions]
            side.index[name] = (np.array(places), np.array(mixed))
            side.index["repacked"] = np.array([kind in REPACKED for kind in kinds])
        for name in parameters.by_set:
            side.index[name] = np.array([parameters.place(name, "cpu", s) if s else -1 for s in sets])
        for name in parameters.by_device:
            side.index[name] = np.array([parameters.place(name, "", own_key(row, host=host)) for row in rows])

    def decode_seconds(self, values: Array, depth: Array) -> Array:
        """Time of one token at ``depth``."""
        total = np.zeros(len(self.rows))
        for side in (self.device, self.host):
            get = _getter(side, values)
            read = self.dense_bytes * side.attention + self.expert_bytes * side.experts * self.fraction
            read = read + self.head_bytes * side.head
            weights = self.dense * side.attention + self.routed * side.experts + self.head * side.head
            vector = side.rate * _factor(side, values, "set_decode")
            reading = read / (side.bandwidth * _reach(side, values, "bandwidth"))
            unpacking = weights * _mean(side, values, "unpack") / vector
            keeping = self.values * depth * side.attention / (side.bandwidth * get("cache"))
            busy = get("decode_attention")
            arithmetic = np.where(busy > 0, self.flops * depth * side.attention / vector / np.maximum(busy, 1e-30), 0.0)
            own = get("decode_delta")
            states = self.state * side.attention / (side.bandwidth * get("state"))
            updates = np.where(own > 0, self.delta * side.attention / vector / np.maximum(own, 1e-30), 0.0)
            fixed = (self.softmax * get("attention_layer") + self.linear * get("linear_layer")) * side.attention
            fixed = fixed + self.layers * _mean(side, values, "kind_layer") * side.attention
            fixed = fixed + self.moe * get("expert_layer") * side.experts + get("token") * side.head
            wide = side.width > 1
            moving = np.where(wide, 2.0 * self.layers * get("collective") * _MICRO, 0.0)
            moving += np.where(
                wide, 2.0 * self.layers * self.hidden * 4 * (side.width - 1) / side.width / side.fabric, 0.0
            )
            part = np.hypot(reading, unpacking) + np.hypot(keeping, arithmetic) + np.hypot(states, updates)
            whole = (part + fixed * _MICRO + moving) / get("own_decode")
            total += np.where(side.attention + side.experts > 0, whole, 0.0)
        return total + self._crossings(values)

    def _crossings(self, values: Array) -> Array:
        device, host = self.device, self.host
        split = (host.attention + host.experts > 0) & (device.attention + device.experts > 0)
        moved = (host.experts - host.attention) * self.moe
        hops = np.where(split, 2.0 * moved + np.where(host.attention > 0, 2.0, 0.0), 0.0) + device.count - 1
        return hops * (values[self.parameters.place("crossing", "")] * _MICRO + 4.0 * self.hidden / device.link)

    def prompt_seconds(self, values: Array, depth: Array) -> Array:
        """Time of the whole prompt after ``depth`` cached tokens."""
        tokens = self.prompt
        chunks = np.ceil(tokens / self.chunk)
        each = tokens / chunks
        lent = np.array([lends(Prompt(tokens=int(t), chunk=1)) for t in tokens]) & (self.device.attention > 0)
        total = np.zeros(len(self.rows))
        for side, host in ((self.device, False), (self.host, True)):
            own = self._prompt(side, side, values, depth, chunks, each, lent=False)
            if host:
                borrowed = self._prompt(side, self.device, values, depth, chunks, each, lent=True)
                own = np.where(lent, borrowed, own)
            else:
                alone = self.host.attention + self.host.experts == 0
                own = np.where(alone & (side.count > 1), own / chunks + own / side.count * (chunks - 1) / chunks, own)
            total += np.where(side.attention + side.experts > 0, own, 0.0)
        return total

    def _prompt(
        self, side: Side, at: Side, values: Array, depth: Array, chunks: Array, each: Array, *, lent: bool
    ) -> Array:
        get = _getter(at, values)
        matrix = at.rate * _factor(at, values, "set_prefill")
        plain = _factor(at, values, "set_plain") / _factor(at, values, "set_prefill")
        dense = 2.0 * each * self.dense * side.attention
        routed = 2.0 * each * self.routed * side.experts * (1.0 + get("expert_rows") / (each * self.fraction))
        products = (dense + routed / get("experts")) / (matrix * _reach(at, values, "matrix", plain))
        share = np.where(self.fraction < 1, 1.0 - np.power(1.0 - np.minimum(self.fraction, 1 - 1e-12), each), 1.0)
        read = (
            self.dense_bytes * side.attention + self.expert_bytes * side.experts * share + self.head_bytes * side.head
        )
        reading = read / (at.bandwidth * _reach(at, values, "bandwidth"))
        moving = chunks * read / (at.link * get("link")) if lent else np.zeros(len(self.rows))
        fixed = (self.layers * side.attention + self.moe * side.experts) * get("layer") * _MICRO
        pairs = self.prompt * (depth + depth + self.prompt) / 2.0
        rest = self.flops * pairs * side.attention / (matrix * get("prompt_attention"))
        rest += self.delta * self.prompt * side.attention / (matrix * get("prompt_delta"))
        sums = 4.0 * self.layers * self.prompt * self.hidden * 2 * (at.width - 1) / at.width
        moving = moving + np.where(at.width > 1, sums / (at.fabric * get("fabric")), 0.0)
        result: Array = (chunks * (np.hypot(products, reading) + fixed) + rest + moving) / get("own_prefill")
        return result

    def predicted(self, logarithms: Array) -> Array:
        """Logarithm of seconds per counted token, each row by what its source measured."""
        values = np.exp(logarithms)
        values[self.parameters.zero] = 0.0
        whole = (self.measure == "inclusive") | (self.measure == "total")
        start = np.where(whole, self.prompt, self.depth)
        token = self.decode_seconds(values, start + self.output / 2)
        prompt = self.prompt_seconds(values, np.where(whole, 0.0, self.depth))
        both = prompt + self.output * token
        seconds = np.where(self.measure == "decode", token, prompt / self.prompt)
        seconds = np.where(self.measure == "inclusive", both / self.output, seconds)
        seconds = np.where(self.measure == "total", both / (self.output + self.prompt), seconds)
        result: Array = np.log(seconds)
        return result


def own_key(row: Row, *, host: bool = False) -> str:
    """What a device's own pace is kept under: the accelerator's id, or the processor's name."""
    if row.placement.mode == "cpu":
        return "phone" if row.machine.fanless else row.machine.cpu.name
    if row.placement.mode == "hybrid" and host:
        return "host"
    card = row.machine.accelerators[0]
    return card.spec or card.name


def _sides(row: Row, hardware: Mapping[str, Any]) -> tuple[Stage | None, int, float, float, float, Stage | None]:
    """First device stage, how many there are, their shares together, and the host's stage."""
    plain = {**hardware, "instruction_sets": _PLAIN_SETS}
    cards = tuple(
        device(item, row.machine.cpu, plain, accumulation=ACCUMULATION[row.document])
        for item in row.machine.accelerators
    )
    found = stages(row.placement, cards, central(row.machine.cpu, plain))
    on = [stage for stage in found if stage.processor.family != "cpu"]
    host = next((stage for stage in found if stage.processor.family == "cpu"), None)
    return (
        on[0] if on else None,
        max(1, len(on)),
        sum(stage.attention for stage in on),
        sum(stage.experts for stage in on),
        sum(stage.head for stage in on),
        host,
    )


_PLAIN_SETS = {
    name: {"decode": 1.0, "prefill": 1.0, "plain": 1.0}
    for name in ("amx", "avx512", "avx2", "i8mm", "dotprod", "neon", "sse")
}


def _getter(side: Side, values: Array) -> Callable[[str], Array]:
    def get(name: str) -> Array:
        found: Array = values[side.index[name]]
        return found

    return get


def _reach(side: Side, values: Array, name: str, plain: Array | None = None) -> Array:
    places, mixed = side.index[name]
    each = mixed / values[places]
    if plain is not None:
        each = np.where(side.index["repacked"], each, each / plain[:, None])
    result: Array = 1.0 / each.sum(axis=1)
    return result


def _mean(side: Side, values: Array, name: str) -> Array:
    places, mixed = side.index[name]
    result: Array = (mixed * values[places]).sum(axis=1)
    return result


def _factor(side: Side, values: Array, name: str) -> Array:
    places = side.index[name]
    return np.where(places >= 0, values[places], 1.0)
