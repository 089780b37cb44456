"""What is compiled is what was written, the same bytes every time, and cheap to read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from qwen_advisor.catalog import checkout, compile_catalog, compiling, load_catalog
from qwen_advisor.catalog.layout import SECTIONS
from qwen_advisor.catalog.loading import open_compiled
from qwen_advisor.catalog.rows import Entries
from qwen_advisor.catalog.sources import read_facts
from qwen_advisor.errors import CatalogError, UsageError
from qwen_advisor.facts import AcceleratorSpec, Catalog
from qwen_advisor.model import Checkpoint, Context, OllamaTag, QuantizedRepo, RepoFile


def test_every_section_is_a_field_of_the_catalogue() -> None:
    made = {"version", "footprints", "variants"}
    assert {section.name for section in SECTIONS} | made == {f.name for f in fields(Catalog)}


def test_compiled_facts_are_the_written_ones(small: Path) -> None:
    catalog = open_compiled(compile_catalog(small))
    facts = read_facts(small)
    for section in SECTIONS:
        read = {
            key: dict(value) if isinstance(value, Entries) else value
            for key, value in getattr(catalog, section.name).items()
        }
        assert read == facts.values(section.name), section.name
    counted, _ = compiling.count_footprints(facts.values("architectures")["tiny"], facts.values("formats").values(), {})
    assert dict(catalog.footprints["tiny"]) == counted
    assert set(counted) == {"BF16", "Q8_0"}


def test_one_entry_in_full(small: Path) -> None:
    catalog = open_compiled(compile_catalog(small))
    assert catalog.models["Acme/Tiny-1"] == Checkpoint(
        id="Acme/Tiny-1",
        architecture="tiny",
        family="Tiny",
        line="general",
        kind="hybrid",
        released="2025-04-29",
        license="apache-2.0",
        modalities_in=("text",),
        modalities_out=("text",),
        parameters_total=138112,
        context=Context(native=32768, extended=131072, extension="yarn factor 4"),
        thinking="hybrid",
        thinking_default="on",
        superseded_by="Acme/Tiny-2",
        engines=("llama.cpp",),
        quantized=(
            QuantizedRepo(
                repo="Acme/Tiny-1-GGUF",
                format="GGUF",
                files={"Q8_0": RepoFile(names=("tiny-1-q8_0.gguf",), bytes=150000)},
                source="https://example.org/tiny-1-gguf",
            ),
        ),
        ollama=(OllamaTag(tag="tiny:latest", quantization="Q8_0"), OllamaTag(tag="tiny:1")),
        sources=("https://example.org/tiny-1",),
    )
    assert catalog.accelerators["card-24gb"] == AcceleratorSpec(
        id="card-24gb",
        name="Card 24GB",
        vendor="nvidia",
        kind="discrete",
        memory=24 * 2**30,
        memory_bandwidth=1.008e12,
        fp16_flops=165.2e12,
        compute_capability="8.9",
        reported_memory=24564 * 2**20,
        aliases=("Card", "10de:2684"),
        source="https://example.org/card",
    )
    # 1000 rows of 64 for the tied embedding; 2 bytes a weight.
    assert catalog.footprints["tiny"]["BF16"].token_embedding == 1000 * 64 * 2
    assert catalog.languages["no"] == {"title": "Norwegian", "since": 1}


def test_the_compiled_form_is_one_json_document_in_ascii(small: Path) -> None:
    (small / "families.yaml").write_text(r"""Tiny: {title: "Ti\u00f1y \"q\"\t\n,\n"}""", "utf-8")
    data = compile_catalog(small)
    document = json.loads(data.decode("ascii"))
    sections = {section.name for section in SECTIONS} | {"footprints", "variants"}
    indices = {f"{name} index" for name in sections}
    assert set(document) == sections | indices | {"schema", "version", "types", "sections", "end"}
    assert document["families"]["Tiny"] == {"title": 'Ti\u00f1y "q"\t\n,\n'}
    assert open_compiled(data).families["Tiny"] == document["families"]["Tiny"]


def test_the_same_facts_are_the_same_bytes(small: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "a" / "b"
    shutil.copytree(small, elsewhere)
    for path in elsewhere.rglob("*.yaml"):
        os.utime(path, (0, 0))
    assert compile_catalog(small) == compile_catalog(elsewhere)
    before = open_compiled(compile_catalog(small)).version
    with (small / "ranking.yaml").open("a") as stream:
        stream.write("more: 1\n")
    after = open_compiled(compile_catalog(small)).version
    assert before != after
    assert before.startswith("2025.07.29+")


def test_entries_behave_as_a_mapping(small: Path) -> None:
    models = open_compiled(compile_catalog(small)).models
    assert list(models) == ["Acme/Tiny-1", "Acme/Tiny-2"]
    assert len(models) == 2
    assert "Acme/Tiny-1" in models
    assert "Acme/Tiny-3" not in models
    assert models.get("Acme/Tiny-3") is None
    with pytest.raises(KeyError):
        models["Acme/Tiny-3"]
    assert models["Acme/Tiny-1"] is models["Acme/Tiny-1"]
    assert dict(models) == {model.id: model for model in models.values()}


def test_a_replacement_stands_in_for_the_whole(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QWEN_ADVISOR_CATALOG", str(small))
    assert list(load_catalog().models) == ["Acme/Tiny-1", "Acme/Tiny-2"]
    assert load_catalog() is load_catalog()
    (small / "models/tiny-2.yaml").write_text("id: [", "utf-8")
    with pytest.raises(CatalogError) as caught:
        load_catalog()
    assert len(caught.value.faults) == 1
    monkeypatch.setenv("QWEN_ADVISOR_CATALOG", str(small / "nowhere"))
    with pytest.raises(UsageError, match=r"QWEN_ADVISOR_CATALOG names .*nowhere, which is not a directory"):
        load_catalog()


def test_a_checkout_compiles_once(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    first = checkout.Checkout(small, cache).compiled()
    compiled = list(cache.iterdir())
    assert len(compiled) == 1
    monkeypatch.setattr(compiling, "compile_catalog", None)
    assert checkout.Checkout(small, cache).compiled() == first
    monkeypatch.undo()
    with (small / "ranking.yaml").open("a") as stream:
        stream.write("more: 1\n")
    assert checkout.Checkout(small, cache).compiled() != first
    assert len(list(cache.iterdir())) == 2


def test_old_compiled_forms_are_cleared(small: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for i in range(checkout.KEPT + 4):
        (small / "ranking.yaml").write_text(f"risk_aversion: {i}\n", "utf-8")
        checkout.Checkout(small, cache).compiled()
    assert len(list(cache.iterdir())) == checkout.KEPT + 1


def test_a_cache_that_cannot_be_written_is_no_fault(small: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    data = checkout.Checkout(small, tmp_path / "file" / "cache").compiled()
    assert open_compiled(data).models["Acme/Tiny-1"].family == "Tiny"


LAZY = """
import sys
from pathlib import Path
from qwen_advisor.catalog import load_catalog
catalog = load_catalog()
assert catalog.models["Acme/Tiny-1"].family == "Tiny"
heavy = {"yaml", "pydantic", "rich", "typer", "psutil", "huggingface_hub", "difflib", "tempfile"} & set(sys.modules)
print(sorted(heavy))
"""


def test_loading_a_compiled_catalogue_imports_nothing_heavy(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QWEN_ADVISOR_CATALOG", str(small))
    load_catalog()
    ran = subprocess.run([sys.executable, "-c", LAZY], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
