"""Everything that ``bench`` answers: the measurement, what was predicted, and what was measured before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from qwen_advisor.advice import Estimate
from qwen_advisor.bench.history import Average
from qwen_advisor.bench.holding import Comparison, hold
from qwen_advisor.bench.records import Level, Measurement
from qwen_advisor.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One call of ``bench``. ``averages`` holds one for each level, with this measurement among them."""

    measurement: Measurement
    model: str | None = None  # the catalogue's names, where it knows what is served
    quantization: str | None = None
    estimates: tuple[Estimate, ...] = ()  # one for each level; none where nothing could be predicted
    averages: tuple[Average, ...] = ()
    history: Path | None = None
    stored: Mapping[str, float] = field(default_factory=dict)  # factors that this call has kept for this machine
    notes: tuple[str, ...] = ()

    @property
    def levels(self) -> tuple[tuple[Level, Comparison | None], ...]:
        """Each level beside its prediction."""
        levels = self.measurement.levels
        if not self.estimates:
            return tuple((level, None) for level in levels)
        return tuple(
            (level, hold(level, estimate.speed, at_once=estimate.settings.parallel))
            for level, estimate in zip(levels, self.estimates, strict=True)
        )
