"""A data set on disk: its rows one after the other, and the model's own tokenizer where it is on this disk too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from qwen_advisor.errors import DataError, UsageError
from qwen_advisor.hub.tools import huggingface_cache
from qwen_advisor.training.examples import DataReport, Row, check, estimated_tokens

_LONGEST_LINE = 16 << 20  # bytes; no example is longer, and nothing hostile fills the memory
_BATCH = 256  # rows of a Parquet file that are read at a time


def checked(path: Path, *, model: str, tokenizer: Path | None, seq_len: int) -> DataReport:
    """Check every row of a data set.

    Args:
        path: JSON lines, or Parquet.
        model: repository of the model, whose tokenizer is looked for in the Hugging Face cache.
        tokenizer: a ``tokenizer.json``, or a directory that holds one.
        seq_len: tokens of a sequence.

    Raises:
        UsageError: the file or the tokenizer cannot be read.
        DataError: rows are bad; it names them.
    """
    count, counted_by = counter(model, tokenizer)
    report = check(rows(path), seq_len=seq_len, count=count, counted_by=counted_by)
    if not report.rows:
        raise UsageError(f"{path} holds no row", hint="give one JSON object a line")
    if report.bad:
        unit = "row" if path.suffix == ".parquet" else "line"
        faults = [f"{unit} {fault.row}: {fault.message}" for fault in report.faults]
        if report.bad > len(faults):
            faults.append(f"and {report.bad - len(faults):,} more")
        raise DataError(
            f"{report.bad:,} of {report.rows:,} rows of {path} cannot be learned from",
            faults=faults,
            hint='a row is {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}',
        )
    return report


def rows(path: Path) -> Iterator[Row]:
    """The rows of a file with their numbers, read as they are needed.

    Raises:
        UsageError: the file cannot be read, or is of a kind that is not known.
    """
    if path.suffix in (".json", ".csv", ".txt", ".zst", ".gz"):
        raise UsageError(
            f"{path.name} is neither JSON lines nor Parquet", hint="write one JSON object a line, as .jsonl"
        )
    if path.suffix == ".parquet":
        yield from _parquet(path)
        return
    try:
        with path.open("rb") as stream:
            number = 0
            while line := stream.readline(_LONGEST_LINE + 1):
                number += 1
                if len(line) > _LONGEST_LINE:
                    raise UsageError(
                        f"line {number} of {path} is longer than {_LONGEST_LINE >> 20} MiB",
                        hint="the file is no JSON lines: one object a line",
                    )
                yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error


def _parquet(path: Path) -> Iterator[Row]:
    try:
        import pyarrow.parquet  # noqa: PLC0415  an extra
    except ImportError:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed", hint="pip install 'qwen-advisor[parquet]'"
        ) from None
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches(batch_size=_BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield number, {key: value for key, value in row.items() if value is not None}
    except (OSError, ValueError) as error:  # pyarrow's own errors are ValueErrors
        raise UsageError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error


def counter(model: str, given: Path | None) -> tuple[Callable[[str], int], str]:
    """What counts tokens: the model's own tokenizer, or an estimate by letters where it is not to be had.

    Raises:
        UsageError: the tokenizer that was named cannot be read.
    """
    place = _named(given) if given is not None else _cached(model)
    if place is None:
        return estimated_tokens, "an estimate by letters: the model's tokenizer is not on this disk"
    try:
        from tokenizers import Tokenizer  # noqa: PLC0415  an extra
    except ImportError:
        if given is not None:
            raise UsageError(
                "counting by a tokenizer needs the package tokenizers", hint="pip install 'qwen-advisor[tokenizer]'"
            ) from None
        return estimated_tokens, "an estimate by letters: the package tokenizers is not installed"
    try:
        tokenizer = Tokenizer.from_file(str(place))
    except Exception as error:  # noqa: BLE001  the library raises no other
        raise UsageError(f"{place} is no tokenizer: {str(error)[:100]}") from None
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids), f"the tokenizer {place}"


def _named(given: Path) -> Path:
    place = given / "tokenizer.json" if given.is_dir() else given
    if not place.is_file():
        raise UsageError(f"there is no tokenizer at {given}", hint="name a tokenizer.json, or a directory with one")
    return place


def _cached(model: str) -> Path | None:
    snapshots = huggingface_cache() / f"models--{model.replace('/', '--')}" / "snapshots"
    found = sorted(snapshots.glob("*/tokenizer.json")) if snapshots.is_dir() else []
    return found[-1] if found else None
