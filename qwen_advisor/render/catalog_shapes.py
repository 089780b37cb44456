"""The shapes of the JSON answers of ``catalog``; see `shapes`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from qwen_advisor.render.shapes import CatalogStamp, ModelShape


class ListedShape(TypedDict):
    """A checkpoint in a list."""

    model: ModelShape
    line: Annotated[str, "general, coder, math, vision, ..."]
    kind: Annotated[str, "base, instruct, thinking, hybrid, embedding, ..."]
    context_extended_tokens: Annotated[int | None, "Context with rope scaling or another extension"]
    modalities_in: list[str]
    modalities_out: list[str]
    thinking: Annotated[str | None, "none, always or hybrid; null where no source says"]
    tool_calling: bool | None
    superseded_by: Annotated[str | None, "The newer checkpoint that takes its place"]


class CatalogListDocument(TypedDict):
    """What `qwen-advisor catalog list --json` and `catalog search TEXT --json` print, with exit code 0 or 3."""

    schema: Literal["qwen-advisor/catalog-list/1"]
    catalog: CatalogStamp
    models: Annotated[list[ListedShape], "The newest first; empty where nothing matches"]


class DownloadShape(TypedDict):
    """A repository that has the weights ready."""

    repo: str
    official: Annotated[bool, "Whether it belongs to the model's makers"]
    files: list[str]
    bytes: Annotated[int | None, "Exact size of the files, where a source gives it"]
    computed_bytes: Annotated[int | None, "The same, derived, for the way that this repository was made"]


class QuantizationShape(TypedDict):
    """The weights in one format."""

    name: str
    container: str
    file_bytes: Annotated[int, "Derived: what is downloaded, without a separate projector"]
    tensor_bytes: Annotated[int, "Derived: weight tensors in the main file or repository"]
    projector_bytes: Annotated[int, "Derived: the separate vision or audio projector of GGUF"]
    basis: Annotated[str, "How the derived figures are known"]
    downloads: list[DownloadShape]


class EngineSupportShape(TypedDict):
    """An engine that runs the model."""

    name: str
    min_version: Annotated[str | None, "null where no source says since when"]
    note: str


class AbilityShape(TypedDict):
    """Ability on one scale, in logits."""

    scale: str
    thinking: Literal["on", "off"]
    ability: float
    standard_error: float
    published: Annotated[bool, "False where no published score of this checkpoint carries it"]


class CatalogShowDocument(TypedDict):
    """What `qwen-advisor catalog show MODEL --json` prints: everything that is known about one checkpoint."""

    schema: Literal["qwen-advisor/catalog-show/1"]
    catalog: CatalogStamp
    model: ModelShape
    entry: Annotated[dict[str, Any], "The catalogue entry, defaults included; schemas/catalog-models.json describes it"]
    architecture: Annotated[dict[str, Any], "As config.json has it; schemas/catalog-architectures.json describes it"]
    license: Annotated[dict[str, Any] | None, "schemas/catalog-licenses.json describes it"]
    engines: list[EngineSupportShape]
    quantizations: list[QuantizationShape]
    abilities: list[AbilityShape]


class CatalogFaultShape(TypedDict):
    """One fault of a catalogue file."""

    file: str
    line: Annotated[int, "Counts from 1; 0 stands for the file as a whole"]
    column: Annotated[int, "Counts from 1; 0 where it is not known"]
    path: Annotated[str, "Where in the document, such as context.native"]
    message: str


class CatalogValidateDocument(TypedDict):
    """What `qwen-advisor catalog validate --json` prints, with exit code 0 or 4."""

    schema: Literal["qwen-advisor/catalog-validate/1"]
    path: Annotated[str, "The directory that was read"]
    valid: bool
    faults: Annotated[list[CatalogFaultShape], "By file and line"]


CATALOG_DOCUMENTS: dict[str, Any] = {
    "catalog-list-1": CatalogListDocument,
    "catalog-show-1": CatalogShowDocument,
    "catalog-validate-1": CatalogValidateDocument,
}
