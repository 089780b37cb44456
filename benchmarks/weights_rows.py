"""Published sizes of files and repositories, as carried in ``benchmarks/data``, with their units and rounding."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "data"
_UNITS = {"B": 1, "GiB": 2**30, "MiB": 2**20, "GB": 10**9, "MB": 10**6}
_PART = 0.1  # each part of a split file was printed to a tenth


def _half_place(size: str, unit: str, parts: int) -> float:
    if unit == "B":
        return 0.0
    decimals = len(size.partition(".")[2])
    place = _PART if parts > 1 else 10.0**-decimals
    return 0.5 * place * parts * _UNITS[unit]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """One published GGUF file; split files are one row."""

    repository: str
    model: str
    architecture: str  # empty where it is none of the catalogue's
    quantization: str
    file: str
    bytes: float
    half_place: float  # half of the last printed place, over all parts
    counts: str  # "file", "tensors" (without header), "tag" (Ollama: a projector may be in it)
    source: str

    @property
    def publisher(self) -> str:
        """The account that published it."""
        return self.repository.split("/")[0]

    def error(self, predicted: float) -> float:
        """Relative error of a prediction, as far as rounding does not explain it."""
        return beyond_rounding(predicted, self.bytes, self.half_place)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryRow:
    """One published repository outside GGUF: all its weight files together."""

    repository: str
    architecture: str
    format: str
    bytes: float
    half_place: float
    source: str

    @property
    def publisher(self) -> str:
        """The account that published it."""
        return self.repository.split("/")[0]

    def error(self, predicted: float) -> float:
        """Relative error of a prediction, as far as rounding does not explain it."""
        return beyond_rounding(predicted, self.bytes, self.half_place)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeRow:
    """Tensor bytes that ``llama-quantize`` itself gave an architecture in a mix, in a dry run."""

    architecture: str
    mix: str
    tensors: int
    tensor_bytes: int


def beyond_rounding(predicted: float, published: float, half_place: float) -> float:
    """Signed relative error beyond what rounding of the published figure explains; 0 within it."""
    miss = predicted - published
    rest = max(0.0, abs(miss) - half_place)
    return (rest if miss > 0 else -rest) / published


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def file_rows() -> list[FileRow]:
    """All rows of ``gguf_sizes.csv``."""
    return [
        FileRow(
            repository=row["repository"],
            model=row["model"],
            architecture=row["architecture"],
            quantization=row["quantization"],
            file=row["file"],
            bytes=float(row["size"]) * _UNITS[row["unit"]],
            half_place=_half_place(row["size"], row["unit"], int(row["parts"])),
            counts=row["counts"],
            source=row["source"],
        )
        for row in _rows("gguf_sizes.csv")
    ]


def repository_rows() -> list[RepositoryRow]:
    """All rows of ``repository_sizes.csv``."""
    return [
        RepositoryRow(
            repository=row["repository"],
            architecture=row["architecture"],
            format=row["format"],
            bytes=float(row["size"]) * _UNITS[row["unit"]],
            half_place=_half_place(row["size"], row["unit"], int(row["files"])),
            source=row["source"],
        )
        for row in _rows("repository_sizes.csv")
    ]


def type_rows() -> list[TypeRow]:
    """All rows of ``gguf_types.csv``."""
    return [
        TypeRow(
            architecture=row["architecture"],
            mix=row["mix"],
            tensors=int(row["tensors"]),
            tensor_bytes=int(row["tensor_bytes"]),
        )
        for row in _rows("gguf_types.csv")
    ]
