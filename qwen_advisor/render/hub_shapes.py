"""The shapes of the JSON answers of ``pull`` and ``catalog refresh``; see `shapes`."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict


class PulledFileShape(TypedDict):
    """One file."""

    file: Annotated[str, "Its path in the repository"]
    bytes: int
    sha256: Annotated[str | None, "Checksum of its content; null where the host names none"]
    state: Annotated[
        Literal["present", "partial", "missing", "fetched"],
        "present: it lay there already; partial: a part of it did; fetched: it was fetched now",
    ]
    bytes_present: Annotated[int, "Bytes that need not be fetched"]
    path: Annotated[str | None, "Where it lies on this disk"]


class PullDocument(TypedDict):
    """What `qwen-advisor pull MODEL --json` prints."""

    schema: Literal["qwen-advisor/pull/1"]
    model: str
    quantization: str
    engine: Annotated[str, "The engine whose files these are"]
    source: Literal["huggingface", "modelscope", "ollama"]
    repo: Annotated[str | None, "The repository as its host calls it now; null for a tag of Ollama's library"]
    revision: Annotated[str | None, "The commit that the files are of; a branch at ModelScope"]
    ollama: Annotated[str | None, "The tag that Ollama fetched or would fetch"]
    dry_run: bool
    destination: Annotated[str, "The folder below which the files are put"]
    path: Annotated[str | None, "What to give to the engine: a file, or a folder; null until it is there"]
    files: list[PulledFileShape]
    bytes: Annotated[int, "Of all files"]
    missing_bytes: Annotated[int, "Still to be fetched"]
    free_bytes: Annotated[int, "On the disk of the destination"]
    notes: list[str]


HUB_DOCUMENTS: dict[str, type] = {"pull-1": PullDocument}
