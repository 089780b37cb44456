"""A measurement held against a prediction: ratios, and factors that would have made the prediction right."""

from __future__ import annotations

from qwen_advisor.bench.records import Level
from qwen_advisor.plan import Rate, Speed, SpeedBasis
from qwen_advisor.values import dataclass

# Beyond this, in either direction, the prediction is of something else: other weights, another device.
_FARTHEST = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One rate, measured and predicted."""

    measured: float
    predicted: Rate

    @property
    def ratio(self) -> float:
        """Measured over expected."""
        return self.measured / self.predicted.expected

    @property
    def within(self) -> bool:
        """Whether it lies in the predicted range."""
        return self.predicted.low <= self.measured <= self.predicted.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One level beside its prediction."""

    concurrency: int
    decode: Held | None
    prefill: Held | None
    first_token_measured: float
    first_token_predicted: float
    basis: SpeedBasis


def measured_decode(level: Level) -> float | None:
    """The mean decode rate of a request, as its client saw it."""
    return level.decode.mean if level.decode else None


def measured_prefill(level: Level) -> float | None:
    """The mean prefill rate: by the server's clock where it gives one, which leaves the way to it out."""
    if level.server_prefill is not None:
        return level.server_prefill
    return level.prefill.mean if level.prefill else None


def hold(level: Level, speed: Speed) -> Comparison:
    """The level beside the prediction of the same load.

    Prefill is held for single requests only: of several, some are read while others are answered, and no clock tells
    which time went where.
    """
    decode = measured_decode(level)
    prefill = measured_prefill(level) if level.concurrency == 1 else None
    return Comparison(
        concurrency=level.concurrency,
        decode=Held(measured=decode, predicted=speed.decode) if decode is not None else None,
        prefill=Held(measured=prefill, predicted=speed.prefill) if prefill is not None else None,
        first_token_measured=level.time_to_first_token.mean,
        first_token_predicted=speed.time_to_first_token,
        basis=speed.basis,
    )


def factors(level: Level, uncalibrated: Speed) -> dict[str, float]:
    """Measured over predicted for ``decode`` and ``prefill``, as `qwen_advisor.speed.speed` takes them.

    Args:
        level: requests one at a time.
        uncalibrated: the prediction without any factor of this machine.
    """
    compared = hold(level, uncalibrated)
    pairs = (("decode", compared.decode), ("prefill", compared.prefill))
    return {name: held.ratio for name, held in pairs if held is not None}


def believable(factors: dict[str, float]) -> bool:
    """Whether the factors can be those of the machine, rather than of a mistake about what was measured."""
    return bool(factors) and all(1 / _FARTHEST <= factor <= _FARTHEST for factor in factors.values())
