"""Whether an endpoint is well: it answers, rightly, in time, fast enough, and does not grow."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Literal

from qwen_advisor.bench.chat import Api, Question
from qwen_advisor.bench.endpoint import Endpoint
from qwen_advisor.bench.memory import memory_of
from qwen_advisor.bench.records import Answer, MemoryUse, Server
from qwen_advisor.bench.serving import look_up
from qwen_advisor.bench.summary import decode_rate
from qwen_advisor.bench.wire import Wire
from qwen_advisor.errors import AdvisorError, NetworkError
from qwen_advisor.units import MIB
from qwen_advisor.values import dataclass

Verdict = Literal["healthy", "degraded", "unhealthy"]
CheckName = Literal["answer", "correctness", "response_time", "generation_rate", "memory_growth"]
EXIT_CODES: dict[Verdict, int] = {"healthy": 0, "degraded": 8, "unhealthy": 9}

# Small models get this right, broken ones do not.
_SUM = Question(text="What is 12 + 30? Answer with the number alone.", most_tokens=256, think=False)
_RIGHT = re.compile(r"(?<![\d.])42(?!\.?\d)")
_STORY = Question(text="Tell a long story about a river.", most_tokens=64, to_the_end=True, think=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is still well: seconds for the trivial answer, tokens per second, bytes of growth."""

    response_seconds: float = 10.0
    tokens_per_second: float = 5.0
    growth: int = 1000 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at. ``passed`` is None where it could not be told."""

    name: CheckName
    passed: bool | None
    value: float | None
    limit: float | None
    message: str
    recommendation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One look at an endpoint."""

    at: str  # UTC, ISO 8601
    url: str
    model: str | None
    engine: str | None
    verdict: Verdict
    checks: tuple[Check, ...]
    memory: MemoryUse | None = None

    @property
    def timestamp(self) -> float:
        """When it was looked at, in seconds of Unix time."""
        return datetime.fromisoformat(self.at).timestamp()

    def value(self, name: CheckName) -> float | None:
        """What a check measured, in seconds, tokens per second or bytes; None where it measured nothing."""
        return next((check.value for check in self.checks if check.name == name), None)

    @property
    def recommendations(self) -> tuple[str, ...]:
        """What to do about what is not well."""
        return tuple(check.recommendation for check in self.checks if check.passed is False and check.recommendation)


def judge(checks: tuple[Check, ...]) -> Verdict:
    """Unhealthy without a right answer, degraded beyond any other limit. What could not be told counts for nothing."""
    failed = {check.name for check in checks if check.passed is False}
    if failed & {"answer", "correctness"}:
        return "unhealthy"
    return "degraded" if failed else "healthy"


def look_at(wire: Wire, model: str | None, api: Api, limits: Limits, *, baseline: MemoryUse | None = None) -> Health:
    """Ask for a sum, then for a story, and look at the server's memory before and after the story.

    Args:
        wire: the way to the server.
        model: the model's name there; the only one that is served if None.
        api: which of its routes to ask.
        limits: what is still well.
        baseline: memory at an earlier check, to measure growth from; otherwise from before the story, because what the
            first answer takes is no growth.

    Raises:
        UsageError: the server refuses the key, the model or the request.
    """
    server: Server | None = None
    memory: MemoryUse | None = None
    checks: tuple[Check, ...]
    try:
        server = look_up(wire, model)
        endpoint = Endpoint(wire=wire, model=server.model, api=api)
        answer = endpoint.ask(_SUM)
        before = baseline or (memory_of(wire.address) if server.local else None)
        story = endpoint.ask(_STORY)
        memory = memory_of(wire.address) if server.local else None
        checks = (
            _answered(answer),
            _correct(answer),
            _in_time(answer, limits),
            _fast(story, limits),
            _steady(before, memory, limits),
        )
    except NetworkError as error:
        checks = (_silent(error),)
    return _health(wire, server.model if server else model, server, checks, memory)


def failed(wire: Wire, model: str | None, error: AdvisorError) -> Health:
    """The health of an endpoint that answered before, and now refuses what it took then."""
    return _health(wire, model, None, (_silent(error),), None)


def _health(
    wire: Wire, model: str | None, server: Server | None, checks: tuple[Check, ...], memory: MemoryUse | None
) -> Health:
    return Health(
        at=now(),
        url=wire.address.url,
        model=model,
        engine=server.engine if server else None,
        verdict=judge(checks),
        checks=checks,
        memory=memory,
    )


def now() -> str:
    """This second in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _silent(error: AdvisorError) -> Check:
    return Check(
        name="answer",
        passed=False,
        value=None,
        limit=None,
        message=error.message,
        recommendation=error.hint or "look into the server's log",
    )


def _answered(answer: Answer) -> Check:
    first = answer.arrivals[0]
    return Check(
        name="answer", passed=True, value=first, limit=None, message=f"it answers, first token after {first:.2f} s"
    )


def _correct(answer: Answer) -> Check:
    text = answer.text.strip()
    if not text and answer.thoughts:
        passed, message = None, "it was still thinking about 12 + 30 when its tokens ran out"
    elif _RIGHT.search(text):
        passed, message = True, "12 + 30 is 42"
    else:
        shown = "".join(char if char.isprintable() else " " for char in text)[:60]
        passed, message = False, f"12 + 30 is not {shown!r}"
    return Check(
        name="correctness",
        passed=passed,
        value=None if passed is None else float(passed),
        limit=None,
        message=message,
        recommendation="look at its chat template and its files: a wrong template or a broken quantization answers so",
    )


def _in_time(answer: Answer, limits: Limits) -> Check:
    return Check(
        name="response_time",
        passed=answer.finished <= limits.response_seconds,
        value=answer.finished,
        limit=limits.response_seconds,
        message=f"the whole answer took {answer.finished:.2f} s",
        recommendation="see whether other requests keep it busy, or whether it has to load the model for each",
    )


def _fast(answer: Answer, limits: Limits) -> Check:
    rate = decode_rate(answer)
    return Check(
        name="generation_rate",
        passed=None if rate is None else rate >= limits.tokens_per_second,
        value=rate,
        limit=limits.tokens_per_second,
        message="its tokens came in one piece" if rate is None else f"it generates {rate:.1f} tokens/s",
        recommendation="see what else uses the processor, the GPU or their memory; a smaller quantization is faster",
    )


def _steady(before: MemoryUse | None, after: MemoryUse | None, limits: Limits) -> Check:
    grown = growth(before, after)
    return Check(
        name="memory_growth",
        passed=None if grown is None else grown <= limits.growth,
        value=None if grown is None else float(grown),
        limit=float(limits.growth),
        message="its memory cannot be seen from here" if grown is None else f"its memory grew by {grown // MIB:,} MiB",
        recommendation="restart it before it runs out, and see whether a newer version still grows",
    )


def growth(before: MemoryUse | None, after: MemoryUse | None) -> int | None:
    """Bytes of its own that a server took between two looks, on GPUs too; never below 0. None where one is missing."""
    if before is None or after is None:
        return None
    gpu = after.gpu - before.gpu if after.gpu is not None and before.gpu is not None else 0
    return max(0, after.private - before.private + gpu)
