"""The answers of ``catalog`` as JSON documents, in the shapes that are published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from qwen_advisor.catalog import Fault
from qwen_advisor.downloads import Quantization
from qwen_advisor.facts import Catalog
from qwen_advisor.model import Checkpoint
from qwen_advisor.render.catalog import engines
from qwen_advisor.render.catalog_shapes import (
    CatalogListDocument,
    CatalogShowDocument,
    CatalogValidateDocument,
    ListedShape,
)
from qwen_advisor.render.documents import model_json


def list_document(catalog: Catalog, models: Sequence[Checkpoint]) -> CatalogListDocument:
    """The answer of ``catalog list`` and ``catalog search``."""
    return {
        "schema": "qwen-advisor/catalog-list/1",
        "catalog": {"version": catalog.version, "models": len(catalog.models)},
        "models": [_listed(model) for model in models],
    }


def _listed(model: Checkpoint) -> ListedShape:
    return {
        "model": model_json(model),
        "line": model.line,
        "kind": model.kind,
        "context_extended_tokens": model.context.extended,
        "modalities_in": list(model.modalities_in),
        "modalities_out": list(model.modalities_out),
        "thinking": model.thinking,
        "tool_calling": model.tool_calling,
        "superseded_by": model.superseded_by,
    }


def show_document(catalog: Catalog, model: Checkpoint, quantizations: Sequence[Quantization]) -> CatalogShowDocument:
    """The answer of ``catalog show``: everything that is known."""
    architecture = catalog.architectures[model.architecture]
    license_ = catalog.licenses.get(model.license or "")
    return {
        "schema": "qwen-advisor/catalog-show/1",
        "catalog": {"version": catalog.version, "models": len(catalog.models)},
        "model": model_json(model),
        "entry": asdict(model),
        "architecture": asdict(architecture),
        "license": asdict(license_) if license_ else None,
        "engines": [
            {"name": name, "min_version": version, "note": note} for name, version, note in engines(catalog, model)
        ],
        "quantizations": [
            {
                "name": each.footprint.format,
                "container": catalog.formats[each.footprint.format].container,
                "file_bytes": each.footprint.file_bytes,
                "tensor_bytes": each.footprint.tensor_bytes,
                "projector_bytes": each.footprint.projector_bytes,
                "basis": each.footprint.basis,
                "downloads": [
                    {
                        "repo": download.repo,
                        "official": download.official,
                        "files": list(download.files),
                        "bytes": download.bytes,
                        "computed_bytes": download.computed_bytes,
                    }
                    for download in each.downloads
                ],
            }
            for each in quantizations
        ],
        "abilities": [
            {
                "scale": scale,
                "thinking": ability.thinking,
                "ability": ability.value,
                "standard_error": ability.standard_error,
                "published": ability.published,
            }
            for scale, of in catalog.abilities.items()
            for ability in of.get(model.id, ())
        ],
    }


def validate_document(path: str, faults: Sequence[Fault]) -> CatalogValidateDocument:
    """The answer of ``catalog validate``."""
    return {
        "schema": "qwen-advisor/catalog-validate/1",
        "path": path,
        "valid": not faults,
        "faults": [
            {
                "file": fault.file,
                "line": fault.line,
                "column": fault.column,
                "path": fault.path,
                "message": fault.message,
            }
            for fault in faults
        ],
    }
