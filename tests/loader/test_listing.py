"""Which models a list holds."""

from __future__ import annotations

import pytest

from qwen_advisor.catalog import load_catalog
from qwen_advisor.downloads import quantizations
from qwen_advisor.errors import UsageError
from qwen_advisor.listing import listed, parse_parameters, search
from qwen_advisor.requirements import resolve


@pytest.mark.parametrize(
    ("text", "number"),
    [("8B", 8 * 10**9), ("8", 8 * 10**9), ("0.6b", 600_000_000), ("500M", 500_000_000), ("2.4T", 2_400_000_000_000)],
)
def test_sizes_are_read_as_model_names_have_them(text: str, number: int) -> None:
    assert parse_parameters(text) == number


@pytest.mark.parametrize("text", ["", "B", "8G", "-8B", "0", "8 B B", "1e9", "eight"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(UsageError, match="is not a number of parameters"):
        parse_parameters(text)


def ids(**asked: object) -> list[str]:
    catalog = load_catalog()
    own = {name: asked.pop(name) for name in ("least", "most", "released_before") if name in asked}
    by_task = "task" in asked
    return [m.id for m in listed(catalog, resolve(catalog, **asked), by_task=by_task, **own)]  # type: ignore[arg-type]


def test_without_a_filter_everything_is_listed_newest_first() -> None:
    catalog = load_catalog()
    models = ids()
    assert sorted(models) == sorted(catalog.models)
    dates = [catalog.models[name].released or "" for name in models]
    assert dates == sorted(dates, reverse=True)


def test_filters_hold_for_every_answer_and_miss_none() -> None:
    catalog = load_catalog()
    billion = 10**9
    found = ids(
        family="qwen3", license="permissive", least=4 * billion, most=15 * billion, released_before="2025-05-01"
    )
    assert found == [f"Qwen/Qwen3-{size}" for size in ("14B", "14B-Base", "8B", "8B-Base", "4B", "4B-Base")]
    assert all(catalog.models[name].family == "Qwen3" for name in found)


@pytest.mark.parametrize(
    ("task", "has", "lacks"),
    [
        ("code", "Qwen/Qwen3-Coder-30B-A3B-Instruct", "Qwen/Qwen3-8B-Base"),
        ("embedding", "Qwen/Qwen3-Embedding-8B", "Qwen/Qwen3-8B"),
        ("rerank", "Qwen/Qwen3-Reranker-4B", "Qwen/Qwen3-Embedding-4B"),
        ("vision", "Qwen/Qwen3-VL-8B-Instruct", "Qwen/Qwen3-8B"),
        ("speech-to-text", "Qwen/Qwen3-ASR-1.7B", "Qwen/Qwen3-8B"),
    ],
)
def test_a_task_lists_those_that_answer_it(task: str, has: str, lacks: str) -> None:
    assert has in ids(task=task)
    assert lacks not in ids(task=task)


def test_licenses_are_classes_and_names() -> None:
    assert "Qwen/Qwen2.5-3B-Instruct" not in ids(license="permissive")  # Qwen Research License
    assert "Qwen/Qwen2.5-7B-Instruct" in ids(license="Apache-2.0")
    assert "Qwen/Qwen2.5-72B-Instruct" not in ids(license="apache-2.0")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("qwen3 coder 480b", "Qwen/Qwen3-Coder-480B-A35B-Instruct"),
        ("QwQ", "Qwen/QwQ-32B"),
        ("qwen2.5:14b", "Qwen/Qwen2.5-14B-Instruct"),
    ],
)
def test_words_find_names_and_tags(text: str, first: str) -> None:
    assert first in [model.id for model in search(load_catalog(), text)]


def test_words_must_all_be_said() -> None:
    found = {model.id for model in search(load_catalog(), "embedding VIDEO")}
    assert "Qwen/Qwen3-VL-Embedding-8B" in found
    assert "Qwen/Qwen3-Embedding-8B" not in found
    assert search(load_catalog(), "embedding nonesuch") == ()
    with pytest.raises(UsageError, match="nothing to search for"):
        search(load_catalog(), "  ")


def test_computed_and_known_sizes_stand_side_by_side() -> None:
    catalog = load_catalog()
    by_name = {each.footprint.format: each for each in quantizations(catalog, catalog.models["Qwen/Qwen3-8B"])}
    official = by_name["Q4_K_M"].downloads[0]
    # https://huggingface.co/Qwen/Qwen3-8B-GGUF/tree/main
    assert (official.repo, official.bytes) == ("Qwen/Qwen3-8B-GGUF", 5027783488)
    assert official.computed_bytes == pytest.approx(official.bytes, rel=1e-3)
    assert by_name["BF16"].downloads[0].repo == "Qwen/Qwen3-8B"
    sizes = [each.footprint.file_bytes for each in quantizations(catalog, catalog.models["Qwen/Qwen3-8B"])]
    assert sizes == sorted(sizes, reverse=True)
