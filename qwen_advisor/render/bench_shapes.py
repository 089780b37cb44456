"""The shapes of the JSON answers of ``bench`` and ``health``; see `shapes`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from qwen_advisor.bench.health import CheckName, Verdict
from qwen_advisor.plan import Mode, SpeedBasis
from qwen_advisor.render.shapes import FaultShape, RateShape


class ProcessMemoryShape(TypedDict):
    """Memory of the server's processes on this machine."""

    process: str
    resident_bytes: int
    private_bytes: Annotated[int, "Without pages of files and shared memory, where the system tells them apart"]
    gpu_bytes: Annotated[int | None, "On NVIDIA GPUs, null where no driver tells"]


class ThresholdsShape(TypedDict):
    """Beyond which values an endpoint is not well."""

    response_seconds: Annotated[float, "Most for the trivial answer"]
    generation_tokens_per_second: Annotated[float, "Least"]
    memory_growth_bytes: Annotated[int, "Most"]


class HealthMeasuresShape(TypedDict):
    """What was measured; null where it could not be."""

    time_to_first_token_seconds: float | None
    response_seconds: Annotated[float | None, "Until the trivial answer was complete"]
    generation_tokens_per_second: float | None
    memory_growth_bytes: Annotated[int | None, "Since the first check of a watch, else over one story"]


class CheckShape(TypedDict):
    """One thing that was looked at."""

    name: CheckName
    passed: Annotated[bool | None, "null where it could not be told"]
    message: str
    recommendation: Annotated[str | None, "What to do, where it did not pass"]


class HealthDocument(TypedDict):
    """What `qwen-advisor health --json` prints, with exit code 0, 8 or 9; with --watch one on every line."""

    schema: Literal["qwen-advisor/health/1"]
    at: Annotated[str, "UTC, ISO 8601"]
    url: str
    model: Annotated[str | None, "As the server names it, null where it never told"]
    engine: Annotated[str | None, "null where it cannot be recognised"]
    verdict: Verdict
    exit_code: int
    measured: HealthMeasuresShape
    thresholds: ThresholdsShape
    checks: list[CheckShape]
    memory: Annotated[ProcessMemoryShape | None, "null where the server is elsewhere or hides"]
    recommendations: list[str]


class ServerShape(TypedDict):
    """What answered, as far as it tells."""

    url: str
    model: Annotated[str, "As the server names it"]
    engine: Annotated[str | None, "null where it cannot be recognised"]
    version: str | None
    quantization: Annotated[str | None, "In the server's own words"]
    context_tokens: Annotated[int | None, "That one request may reach"]
    slots: Annotated[int | None, "Requests that it takes at once"]
    local: Annotated[bool, "Whether it runs on this machine"]


class LoadShape(TypedDict):
    """What was asked for."""

    prompt_tokens: int
    output_tokens: int
    runs: Annotated[int, "How often each client asked"]


class SpreadShape(TypedDict):
    """Several measurements of one thing."""

    count: int
    mean: float
    minimum: float
    p50: float
    p90: float
    p99: float
    maximum: float


class HeldRateShape(TypedDict):
    """One rate beside its prediction."""

    measured: Annotated[float, "Prefill by the server's own clock, where it gives one"]
    predicted: RateShape
    ratio: Annotated[float, "Measured over expected"]
    within: Annotated[bool, "Whether it lies in the predicted range"]


class HeldShape(TypedDict):
    """One level beside its prediction, tokens per second; null where a rate was not measured."""

    decode: HeldRateShape | None
    prefill: Annotated[HeldRateShape | None, "null for several requests at once too"]
    throughput: Annotated[HeldRateShape, "Of all requests together, prompts included"]
    time_to_first_token_seconds: Annotated[float, "As predicted"]
    basis: SpeedBasis


class LevelShape(TypedDict):
    """What was measured with so many requests at once; null where it could not be."""

    concurrency: int
    requests: int
    seconds: Annotated[float, "From the first request to the last token"]
    prompt_tokens: Annotated[float | None, "Mean, as the server counts"]
    output_tokens: Annotated[float, "Mean"]
    time_to_first_token_seconds: SpreadShape
    inter_token_seconds: Annotated[SpreadShape | None, "Between pieces of text"]
    decode_tokens_per_second: Annotated[SpreadShape | None, "Of each request, after its first token"]
    prefill_tokens_per_second: Annotated[SpreadShape | None, "Of each request, until its first token"]
    throughput_tokens_per_second: Annotated[float, "Output tokens of all requests over the whole time"]
    server_decode_tokens_per_second: Annotated[float | None, "By the server's own clock"]
    server_prefill_tokens_per_second: Annotated[float | None, "By the server's own clock"]
    speculated_tokens_accepted: Annotated[float | None, "Share, null where nothing is speculated"]
    prediction: HeldShape | None


class AverageShape(TypedDict):
    """Means over the last measurements of the same thing."""

    concurrency: int
    measurements: int
    time_to_first_token_seconds: float
    inter_token_seconds: float | None
    decode_tokens_per_second: float | None
    prefill_tokens_per_second: float | None
    throughput_tokens_per_second: float


class HistoryShape(TypedDict):
    """Where measurements are kept, and what the last of them come to."""

    file: str
    averages: list[AverageShape]


class PredictedShape(TypedDict):
    """What was predicted."""

    model: Annotated[str, "Hugging Face repository"]
    quantization: str
    engine: str
    mode: Annotated[Mode, "Where the layers lie"]
    hardware: Annotated[str, "In one line"]


class BenchDocument(TypedDict):
    """What `qwen-advisor bench --json` prints; with exit code 6 the levels that were measured until then."""

    schema: Literal["qwen-advisor/bench/1"]
    at: Annotated[str, "UTC, ISO 8601"]
    server: ServerShape
    load: LoadShape
    levels: list[LevelShape]
    memory: Annotated[ProcessMemoryShape | None, "null where the server is elsewhere or hides"]
    prediction: Annotated[PredictedShape | None, "null where the notes say why there is none"]
    history: Annotated[HistoryShape | None, "null where nothing was kept"]
    calibration: Annotated[dict[str, float], "Factors stored by this call: measured over predicted, by phase"]
    notes: list[str]
    error: Annotated[FaultShape | None, "What ended the measurement before its last level"]


class PastShape(TypedDict):
    """Measurements of the same thing."""

    model: str
    quantization: str | None
    engine: str | None
    prompt_tokens: int
    output_tokens: int
    first_at: str
    last_at: str
    average: AverageShape


class BenchHistoryDocument(TypedDict):
    """What `qwen-advisor bench --history --json` prints."""

    schema: Literal["qwen-advisor/bench-history/1"]
    file: str
    last: Annotated[int, "How many measurements of each thing are averaged, at most"]
    measured: list[PastShape]


BENCH_DOCUMENTS: dict[str, Any] = {
    "bench-1": BenchDocument,
    "bench-history-1": BenchHistoryDocument,
    "health-1": HealthDocument,
}
