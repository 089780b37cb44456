"""The shapes of the JSON answers of ``bench`` and ``health``; see `shapes`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from qwen_advisor.bench.health import CheckName, Verdict


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


BENCH_DOCUMENTS: dict[str, Any] = {
    "health-1": HealthDocument,
}
