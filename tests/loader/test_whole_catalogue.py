"""The shipped catalogue itself."""

from __future__ import annotations

from pathlib import Path

from qwen_advisor.catalog import compile_catalog, load_catalog, validate
from qwen_advisor.catalog.layout import SECTIONS
from qwen_advisor.catalog.loading import open_compiled

ROOT = Path(__file__).resolve().parents[2] / "catalog"


def test_it_has_no_fault() -> None:
    assert [str(fault) for fault in validate(ROOT)] == []


def test_what_is_loaded_is_what_is_written() -> None:
    compiled, loaded = open_compiled(compile_catalog(ROOT)), load_catalog()
    assert compiled.version == loaded.version
    for section in SECTIONS:
        assert dict(getattr(loaded, section.name)), section.name
        assert dict(getattr(compiled, section.name)) == dict(getattr(loaded, section.name))


def test_every_architecture_is_counted_in_the_formats_that_can_hold_it() -> None:
    catalog = load_catalog()
    assert set(catalog.footprints) == set(catalog.architectures)
    for name, footprints in catalog.footprints.items():
        assert "BF16" in footprints, name
        for key, footprint in footprints.items():
            assert footprint.format == key
            assert footprint.file_bytes > 0


def test_every_format_of_every_repository_is_counted() -> None:
    """What can be downloaded has a computed size; only a publisher's own mix may be unknown for a new kind of model."""
    catalog = load_catalog()
    uncounted = {
        name
        for model in catalog.models.values()
        for repo in model.quantized
        for name in (repo.files if repo.format == "GGUF" else [repo.format])
        if name not in catalog.footprints[model.architecture]
    }
    assert all(catalog.formats[name].publisher_mix for name in uncounted), uncounted
