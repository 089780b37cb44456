"""A measurement held against a prediction: ratios, and factors that would have made the prediction right."""

from __future__ import annotations

from qwen_advisor.bench.records import Level
from qwen_advisor.plan import Rate, Speed, SpeedBasis
from qwen_advisor.values import dataclass

# Beyond this, in either direction, the prediction is of something else: other weights, another device.
_FARTHEST = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One rate, or one time in seconds, measured and predicted."""

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
    throughput: Held  # output tokens of all requests over the whole time, prompts included
    first_token: Held | None  # seconds
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


def hold(level: Level, speed: Speed, *, at_once: int = 1) -> Comparison:
    """The level beside the prediction of the same load.

    Prefill and the first token are held for single requests only: of several, some are read while others are
    answered, and no clock tells which time went where. Throughput holds all of it together.

    Args:
        level: what was measured.
        speed: what was predicted for ``at_once`` requests with these lengths.
        at_once: how many requests the server works on at the same time.
    """
    alone = level.concurrency == 1
    decode, prefill = measured_decode(level), measured_prefill(level) if alone else None
    first = _first_token(speed)
    return Comparison(
        concurrency=level.concurrency,
        decode=Held(measured=decode, predicted=speed.decode) if decode is not None else None,
        prefill=Held(measured=prefill, predicted=speed.prefill) if prefill is not None else None,
        throughput=Held(measured=level.throughput, predicted=_throughput(speed, at_once * level.output_tokens)),
        first_token=Held(measured=level.time_to_first_token.mean, predicted=first) if alone else None,
        first_token_predicted=speed.time_to_first_token,
        basis=speed.basis,
    )


def _first_token(speed: Speed) -> Rate:
    """Seconds to the first token, which are the shorter the higher both rates are."""
    reading = speed.time_to_first_token - 1 / speed.decode.expected
    low, expected, high = (
        reading * speed.prefill.expected / prefill + 1 / decode
        for prefill, decode in zip(_steps(speed.prefill), _steps(speed.decode), strict=True)
    )
    return Rate(low=low, expected=expected, high=high)


def _throughput(speed: Speed, tokens: float) -> Rate:
    """Tokens that are written from when all requests are sent until the last is answered, over that time."""
    first = _first_token(speed)
    writing = speed.time_to_answer - speed.time_to_first_token
    high, expected, low = (
        tokens / (seconds + writing * speed.decode.expected / decode)
        for seconds, decode in zip((first.low, first.expected, first.high), _steps(speed.decode), strict=True)
    )
    return Rate(low=low, expected=expected, high=high)


def _steps(rate: Rate) -> tuple[float, float, float]:
    """From the best to the worst."""
    return rate.high, rate.expected, rate.low


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
