"""The shapes of the JSON answers of ``pull`` and ``catalog refresh``; see `shapes`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from qwen_advisor.render.shapes import CatalogStamp


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


class ChangeShape(TypedDict):
    """One difference between the catalogue and the Hub."""

    what: Annotated[
        Literal["new", "changed", "gone", "moved", "closed", "unread"],
        "closed: it asks for a login; unread: what is there is not understood",
    ]
    repo: str
    field: Annotated[str, "What differs; empty for the whole"]
    catalog: Annotated[str, "What the catalogue says; empty for nothing"]
    hub: Annotated[str, "What the Hub says, or why it could not be read"]


class ProposalShape(TypedDict):
    """Entries that would be added, as the catalogue's files hold them."""

    model: Annotated[dict[str, Any], "The checkpoint, as schemas/catalog-models.json describes it"]
    architecture: Annotated[
        dict[str, Any] | None,
        "Its architecture, as schemas/catalog-architectures.json describes it; null where the catalogue has it",
    ]
    checks: Annotated[list[str], "What its headers were held against"]


class CatalogRefreshDocument(TypedDict):
    """What `qwen-advisor catalog refresh --json` prints."""

    schema: Literal["qwen-advisor/catalog-refresh/1"]
    catalog: CatalogStamp
    source: Annotated[str, "Address of the Hub that was asked"]
    listed: Annotated[int, "Repositories that it lists; 0 where single models were asked for"]
    changes: list[ChangeShape]
    proposals: list[ProposalShape]
    written: Annotated[list[str], "Files that --write has written"]
    notes: list[str]


HUB_DOCUMENTS: dict[str, type] = {"pull-1": PullDocument, "catalog-refresh-1": CatalogRefreshDocument}
