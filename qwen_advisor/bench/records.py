"""What a measurement is made of. Times are seconds, memory is bytes, rates are tokens per second."""

from __future__ import annotations

from qwen_advisor.errors import AdvisorError
from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What answers at an address, as far as it tells."""

    url: str
    model: str  # as requests have to name it
    engine: str | None = None  # by the catalogue's names
    version: str | None = None
    names: tuple[str, ...] = ()  # what the served weights are called besides: files, repositories
    quantization: str | None = None  # in the server's own words
    context: int | None = None  # tokens that one request may reach
    slots: int | None = None  # requests that it takes at once
    local: bool = False  # whether it runs on this machine


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTimings:
    """How long a server says that it worked on one request."""

    prompt_tokens: int
    prompt_seconds: float
    output_tokens: int
    output_seconds: float
    drafted: int = 0
    accepted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One streamed answer. Times count from when its request was sent."""

    began: float  # on a clock that all answers of a process share
    arrivals: tuple[float, ...]  # of each piece of text
    finished: float  # the arrival of the last token
    output_tokens: int
    counted: bool  # whether the server counted them; otherwise pieces of text were
    prompt_tokens: int | None = None
    cached_tokens: int = 0
    timings: ServerTimings | None = None
    text: str = ""
    thoughts: str = ""
    stopped: str = ""  # why the server stopped, in its words: "stop", "length"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Several measurements of one thing."""

    count: int
    mean: float
    minimum: float
    p50: float
    p90: float
    p99: float
    maximum: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What was measured with so many requests at once. What a server does not tell is None."""

    concurrency: int
    requests: int
    seconds: float
    prompt_tokens: float | None  # mean
    output_tokens: float  # mean
    time_to_first_token: Spread
    inter_token: Spread | None  # between pieces of text
    decode: Spread | None  # of each request
    prefill: Spread | None  # of each request, as its client sees it
    throughput: float  # output tokens of all requests together, over the whole time
    server_decode: float | None = None
    server_prefill: float | None = None
    accepted_share: float | None = None  # of speculated tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUse:
    """Memory of a server's processes."""

    process: str
    resident: int
    private: int  # without pages of files and shared memory
    gpu: int | None = None  # None where no driver tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One call of ``bench``."""

    at: str  # UTC, ISO 8601
    server: Server
    prompt_tokens: int  # asked for
    output_tokens: int
    runs: int
    levels: tuple[Level, ...]
    memory: MemoryUse | None = None
    notes: tuple[str, ...] = ()
    fault: AdvisorError | None = None  # what ended it before its last level
    interrupted: bool = False  # by the user; the last level then holds fewer answers than were asked for
