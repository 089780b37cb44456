"""The search for the best placement of one candidate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import dropwhile, islice

from qwen_advisor.candidates import Candidate, variant_key
from qwen_advisor.facts import Catalog
from qwen_advisor.fit.layout import Laid, Layout
from qwen_advisor.fit.pools import FULL, Room, room
from qwen_advisor.fit.settings import SHARED_CONTEXT, smaller_kv
from qwen_advisor.footprint import LayerWeights
from qwen_advisor.machine import Machine
from qwen_advisor.memory import memory
from qwen_advisor.plan import Memory, Mode, Placement, Settings, Speed
from qwen_advisor.speed import speed
from qwen_advisor.values import dataclass, replace
from qwen_advisor.weights import layers

_LARGEST_CONTEXT = 1 << 22

# (engine, `Format.kind`, where the layers lie) -> factors as `speed` takes them
Calibration = Mapping[tuple[str, str, Mode], Mapping[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A placement that fits, with what it takes and how fast it is."""

    settings: Settings
    placement: Placement
    memory: Memory
    room: Room
    speed: Speed


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """The placement that came nearest, and the pool in which it lacks room (bytes)."""

    needed: int
    available: int
    pool: str


class Fitter:
    """Fits candidates on one machine. Holds nothing but the facts and a memo of layer sizes."""

    def __init__(
        self,
        catalog: Catalog,
        machine: Machine,
        *,
        comfortable: float = 20.0,
        calibration: Calibration | None = None,
        beside: Fitter | None = None,
    ) -> None:
        """Take the facts.

        Args:
            catalog: the facts.
            machine: where to place things.
            comfortable: decode rate (tokens/s) beyond which no further accelerators are added.
            calibration: factors measured on this machine for `speed`, by what they are good for.
            beside: another one with the same facts, whose memo is shared: sizes of layers differ by no machine.
        """
        self.catalog = catalog
        self.machine = machine
        self.comfortable = comfortable
        self.calibration = calibration or {}
        self._layers: dict[tuple[str, str], tuple[LayerWeights, ...]] = beside._layers if beside else {}  # noqa: SLF001  its own kind

    def fit(self, candidate: Candidate, settings: Settings, *, reasoning_tokens: int = 0) -> Fitted | Shortfall:
        """Lay the candidate on the machine, or say what is lacking.

        A 16-bit KV cache is tried first, then one of half its size, then weights that are read instead of mapped.
        """
        if candidate.footprint.tensor_bytes > self._everything:
            return self._hopeless(candidate, settings)
        nearest: Shortfall | None = None
        for variant in self._variants(settings):
            best: Fitted | None = None
            for laid in self._layout(candidate, variant).placements():
                space = room(laid.memory, self.machine)
                if not space.fits:
                    nearest = _nearer(nearest, space)
                    continue
                fitted = self._fitted(candidate, variant, laid, space, reasoning_tokens)
                if best is None or fitted.speed.time_to_answer < best.speed.time_to_answer:
                    best = fitted
                if best.speed.decode.expected >= self.comfortable:
                    break
            if best is not None:
                return best
        if nearest is None:
            raise ValueError(f"{candidate.engine.id} has no placement on this machine")
        return nearest

    def options(self, candidate: Candidate, settings: Settings) -> tuple[Fitted, ...] | Shortfall:
        """Every way to lay the candidate that somebody might want, or what is lacking.

        Beside what `fit` finds: no accelerator at all where that splits the model, and the smaller KV cache and
        weights that are read instead of mapped where that fills a pool. Which is best is for the ranking to say.
        """
        first = self.fit(candidate, settings)
        if isinstance(first, Shortfall):
            return first
        found = [first]
        if first.placement.mode == "hybrid":
            if not first.placement.cpu_expert_layers:
                plain = (other for variant in self._variants(settings) for other in self._laid_out(candidate, variant))
                found += islice((other for other in plain if other.placement.mode == "cpu"), 1)
        elif first.room.fill > FULL:
            later = dropwhile(lambda variant: variant != first.settings, self._variants(settings))
            for variant in islice(later, 1, None):
                fits = tuple(self._laid_out(candidate, variant))
                if fits:
                    found.append(min(fits, key=lambda fitted: fitted.speed.time_to_answer))
        return tuple(found)

    def _laid_out(self, candidate: Candidate, settings: Settings) -> Iterator[Fitted]:
        """Every placement that fits with exactly these settings."""
        for laid in self._layout(candidate, settings).placements():
            space = room(laid.memory, self.machine)
            if space.fits:
                yield self._fitted(candidate, settings, laid, space, 0)

    def nearest(self, candidate: Candidate, settings: Settings) -> Fitted:
        """The fastest placement that fits with exactly these settings, or the one that overflows least.

        Raises:
            ValueError: the engine has no placement on this machine at all.
        """
        fits: Fitted | None = None
        overflows: Fitted | None = None
        for laid in self._layout(candidate, settings).placements():
            fitted = self._fitted(candidate, settings, laid, room(laid.memory, self.machine), 0)
            if fitted.room.fits:
                if fits is None or fitted.speed.time_to_answer < fits.speed.time_to_answer:
                    fits = fitted
            elif overflows is None or fitted.room.fill < overflows.room.fill:
                overflows = fitted
        result = fits or overflows
        if result is None:
            raise ValueError(f"{candidate.engine.id} has no placement on this machine")
        return result

    def retimed(self, candidate: Candidate, fitted: Fitted, reasoning_tokens: int) -> Fitted:
        """The same placement, with the tokens that a thinking model spends before it answers."""
        laid = Laid(placement=fitted.placement, memory=fitted.memory)
        return self._fitted(candidate, fitted.settings, laid, fitted.room, reasoning_tokens)

    def at(self, candidate: Candidate, settings: Settings, placement: Placement) -> tuple[Memory, Room]:
        """Memory and room of one given placement."""
        taken = self._memory(candidate, settings, placement)
        return taken, room(taken, self.machine)

    def largest_context(self, candidate: Candidate, fitted: Fitted) -> int:
        """Tokens that one request may reach with the same placement, in steps of 256, capped by the model's reach."""
        context = candidate.checkpoint.context
        reach = max(context.native or 0, context.extended or 0) or _LARGEST_CONTEXT
        shared = fitted.settings.parallel if fitted.settings.engine in SHARED_CONTEXT else 1

        def fits(tokens: int) -> bool:
            trial = replace(fitted.settings, context=tokens * shared)
            return room(self._memory(candidate, trial, fitted.placement), self.machine).fits

        low, high = fitted.settings.context // shared, reach
        if high <= low or fits(high):
            return max(low, high)
        while high - low > 256:
            middle = (low + high) // 2
            low, high = (middle, high) if fits(middle) else (low, middle)
        return low // 256 * 256 if low >= 256 else low

    def _hopeless(self, candidate: Candidate, settings: Settings) -> Shortfall:
        """What lacks where the weights alone are more than all pools together hold."""
        taken = sum(part.bytes for part in next(self._layout(candidate, settings).placements()).memory.parts)
        return Shortfall(needed=taken, available=self._everything, pool="all memory")

    @property
    def _everything(self) -> int:
        """Budgets of all pools of all nodes together, in bytes."""
        machine = self.machine
        devices = 0 if machine.memory.unified else sum(a.budget for a in machine.accelerators)
        return (machine.memory.budget + devices) * machine.nodes

    def _variants(self, settings: Settings) -> Iterator[Settings]:
        yield settings
        smaller = smaller_kv(settings)
        if smaller is not None:
            yield smaller
        if settings.engine in SHARED_CONTEXT and settings.mmap:
            yield replace(settings, mmap=False)
            if smaller is not None:
                yield replace(smaller, mmap=False)

    def _layout(self, candidate: Candidate, settings: Settings) -> Layout:
        return Layout(
            candidate=candidate,
            settings=settings,
            machine=self.machine,
            memory_of=lambda placement: self._memory(candidate, settings, placement),
        )

    def _memory(self, candidate: Candidate, settings: Settings, placement: Placement) -> Memory:
        split = placement.cpu_expert_layers or len([n for n in placement.device_layers if n]) > 1
        partial = 0 < placement.gpu_layers < placement.layers
        return memory(
            candidate.architecture,
            candidate.footprint,
            settings,
            placement,
            self.machine,
            self.catalog.memory_models,
            layers=self._layers_of(candidate) if split or partial else None,
        )

    def _layers_of(self, candidate: Candidate) -> tuple[LayerWeights, ...]:
        key = (candidate.architecture.id, variant_key(candidate.format.name, candidate.variant))
        if key not in self._layers:
            self._layers[key] = layers(
                candidate.architecture, candidate.format, self.catalog.block_types, variant=candidate.variant
            )
        return self._layers[key]

    def _fitted(
        self, candidate: Candidate, settings: Settings, laid: Laid, space: Room, reasoning_tokens: int
    ) -> Fitted:
        rate = speed(
            candidate.architecture,
            candidate.footprint,
            settings,
            laid.placement,
            self.machine,
            self.catalog.efficiency,
            format_kind=candidate.format.kind,
            reasoning_tokens=reasoning_tokens,
            calibration=self.calibration.get(
                (settings.engine, candidate.format.kind, laid.placement.mode),
            ),
        )
        return Fitted(settings=settings, placement=laid.placement, memory=laid.memory, room=space, speed=rate)


def _nearer(nearest: Shortfall | None, space: Room) -> Shortfall:
    lack = space.needed - space.available
    if nearest is not None and nearest.needed - nearest.available <= lack:
        return nearest
    return Shortfall(needed=space.needed, available=space.available, pool=space.pool)
