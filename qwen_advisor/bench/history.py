"""What was measured before: one line of JSON for each level, only ever appended."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from qwen_advisor.bench.records import Level, Measurement
from qwen_advisor.catalog import data_directory
from qwen_advisor.errors import UsageError
from qwen_advisor.values import dataclass

_SCHEMA = "qwen-advisor/bench-entry/1"
_LONGEST_LINE = 1 << 16
_LONGEST_NAME = 300
_LARGEST = 1 << 60  # of any number; above are only broken ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One level of one measurement: means, in tokens per second, seconds and bytes."""

    at: str
    url: str
    model: str  # the catalogue's name where it has one, else the server's
    quantization: str | None
    engine: str | None
    engine_version: str | None
    concurrency: int
    prompt_tokens: int  # asked for
    output_tokens: int
    requests: int
    time_to_first_token_seconds: float
    inter_token_seconds: float | None
    decode_tokens_per_second: float | None
    prefill_tokens_per_second: float | None
    throughput_tokens_per_second: float
    resident_bytes: int | None = None
    gpu_bytes: int | None = None

    def like(self, other: Entry) -> bool:
        """Whether both measured the same thing, wherever it was served."""
        return all(getattr(self, name) == getattr(other, name) for name in _ALIKE)


_ALIKE = ("model", "quantization", "engine", "concurrency", "prompt_tokens", "output_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Average:
    """Means over several measurements of the same thing."""

    measurements: int
    time_to_first_token_seconds: float
    inter_token_seconds: float | None
    decode_tokens_per_second: float | None
    prefill_tokens_per_second: float | None
    throughput_tokens_per_second: float


def history_file() -> Path:
    """Where the history stands; it need not exist."""
    return data_directory() / "bench.jsonl"


def entries(measurement: Measurement, *, model: str | None, quantization: str | None) -> tuple[Entry, ...]:
    """The lines of a measurement, under the catalogue's names where it has some."""
    server, memory = measurement.server, measurement.memory
    return tuple(
        Entry(
            at=measurement.at,
            url=server.url,
            model=(model or server.model)[:_LONGEST_NAME],
            quantization=quantization or server.quantization,
            engine=server.engine,
            engine_version=server.version,
            concurrency=item.concurrency,
            prompt_tokens=measurement.prompt_tokens,
            output_tokens=measurement.output_tokens,
            requests=item.requests,
            time_to_first_token_seconds=item.time_to_first_token.mean,
            inter_token_seconds=item.inter_token.mean if item.inter_token else None,
            decode_tokens_per_second=item.decode.mean if item.decode else None,
            prefill_tokens_per_second=_prefill(item),
            throughput_tokens_per_second=item.throughput,
            resident_bytes=memory.resident if memory else None,
            gpu_bytes=memory.gpu if memory else None,
        )
        for item in measurement.levels
    )


def _prefill(item: Level) -> float | None:
    return item.server_prefill or (item.prefill.mean if item.prefill else None)


def append(path: Path, lines: Iterable[Entry]) -> None:
    """Add lines at the end, in one write that has reached the disk when this returns.

    A line that a crash tore before is left as it is and ended, so that the next one stands by itself.

    Raises:
        OSError: the file cannot be written.
    """
    data = b"".join(json.dumps({"schema": _SCHEMA, **asdict(line)}, allow_nan=False).encode() + b"\n" for line in lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags, 0o600)
    try:
        if _torn(handle):
            data = b"\n" + data
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _torn(handle: int) -> bool:
    size = os.fstat(handle).st_size
    if not size:
        return False
    os.lseek(handle, size - 1, os.SEEK_SET)
    return os.read(handle, 1) != b"\n"


def last(path: Path, count: int, like: Entry | None = None) -> tuple[Entry, ...]:
    """The last entries, the oldest first; only those of the same thing as ``like`` if it is given.

    Lines that are torn or of another schema are passed over.

    Raises:
        UsageError: the file is there and cannot be read.
    """
    kept: deque[Entry] = deque(maxlen=count)
    try:
        with path.open("rb") as stream:
            kept.extend(entry for entry in _read(stream) if like is None or entry.like(like))
    except OSError as error:
        if not os.path.exists(path):  # noqa: PTH110  nor in a home that is somebody else's
            return ()
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    return tuple(kept)


def _read(stream: Any) -> Iterator[Entry]:
    while line := stream.readline(_LONGEST_LINE):
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            continue
        entry = _entry(document)
        if entry is not None:
            yield entry


def _entry(document: Any) -> Entry | None:
    """An entry out of a document; None where a field is missing or of the wrong kind."""
    if not isinstance(document, dict) or document.get("schema") != _SCHEMA:
        return None
    values: dict[str, Any] = {}
    for item in fields(Entry):
        value = document.get(item.name)
        kind = str(item.type)
        if value is None:
            if "None" not in kind:
                return None
        elif isinstance(value, bool) or not isinstance(value, _KINDS[kind.partition(" ")[0]]) or _beyond(value):
            return None
        values[item.name] = value
    return Entry(**values)


def _beyond(value: Any) -> bool:
    """Whether it is a number that nothing measures; NaN and Infinity too."""
    return not isinstance(value, str) and not 0 <= value < _LARGEST


_KINDS: dict[str, Any] = {"str": str, "int": int, "float": (int, float)}


def average(lines: Sequence[Entry]) -> Average | None:
    """Means over entries of the same thing; None of nothing."""
    if not lines:
        return None
    return Average(
        measurements=len(lines),
        time_to_first_token_seconds=_mean(lines, "time_to_first_token_seconds") or 0.0,
        inter_token_seconds=_mean(lines, "inter_token_seconds"),
        decode_tokens_per_second=_mean(lines, "decode_tokens_per_second"),
        prefill_tokens_per_second=_mean(lines, "prefill_tokens_per_second"),
        throughput_tokens_per_second=_mean(lines, "throughput_tokens_per_second") or 0.0,
    )


def _mean(lines: Sequence[Entry], name: str) -> float | None:
    known = [value for line in lines if (value := getattr(line, name)) is not None]
    return sum(known) / len(known) if known else None


def groups(lines: Sequence[Entry]) -> list[tuple[Entry, ...]]:
    """Entries of the same thing together, in the order in which each thing was first measured."""
    found: dict[tuple[Any, ...], list[Entry]] = {}
    for line in lines:
        found.setdefault(tuple(getattr(line, name) for name in _ALIKE), []).append(line)
    return [tuple(group) for group in found.values()]
