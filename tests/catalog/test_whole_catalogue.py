"""What must hold for all checkpoints together: none is missing, none too many, and what they say of each other."""

from __future__ import annotations

from collections import Counter

import pytest

from qwen_advisor.facts import License
from qwen_advisor.model import Checkpoint
from qwen_advisor.parameters import count

# Open-weight repositories by family, counted on the makers' pages of the Hub in November 2026.
FAMILIES = {
    "Qwen": 8,
    "Qwen-VL": 2,
    "Qwen-Audio": 2,
    "Qwen1.5": 18,
    "CodeQwen1.5": 2,
    "gte-Qwen": 3,
    "Qwen2": 10,
    "Qwen2-Math": 7,
    "Qwen2-Audio": 2,
    "Qwen2-VL": 6,
    "gme-Qwen2-VL": 2,
    "Qwen2.5": 14,
    "Qwen2.5-1M": 2,
    "Qwen2.5-Coder": 12,
    "Qwen2.5-Math": 10,
    "Qwen2.5-VL": 4,
    "Qwen2.5-Omni": 2,
    "QwQ": 2,
    "QVQ": 1,
    "WorldPM": 4,
    "Qwen3": 15,
    "Qwen3-2507": 6,
    "Qwen3-Coder": 2,
    "Qwen3-Next": 2,
    "Qwen3-Coder-Next": 2,
    "Qwen3-VL": 12,
    "Qwen3-Omni": 3,
    "Qwen3-ASR": 3,
    "Qwen3-TTS": 6,
    "Qwen3-Embedding": 3,
    "Qwen3-Reranker": 3,
    "Qwen3-VL-Embedding": 2,
    "Qwen3-VL-Reranker": 2,
    "Qwen3Guard": 6,
    "Qwen-Image": 11,
    "Qwen3.5": 13,
    "Qwen3.6": 2,
    "Qwen3.8": 3,
    "UEmbed": 3,
    "WebWorld": 3,
    "Qwen-AgentWorld": 1,
    "Qwen-Drive": 1,
}

# Hosted, announced or withdrawn: there are no weights to run.
NOT_OPEN = (
    "Qwen3.5-Omni",
    "Qwen-Image-2.0",
    "Qwen-VLA",
    "Qwen-RobotNav",
    "Qwen-RobotManip",
    "Qwen3-TTS-25Hz",
    "Qwen-VL-Plus",
    "Qwen-VL-Max",
    "Qwen-VLo",
    "Qwen-TTS",
    "QVQ-Max",
    "Qwen3-ASR-Flash",
    "Qwen3-TTS-Flash",
    "SAE-Res",
    "Qwen3.8-2.4T-A95B-Deprecated",
)


def test_no_file_is_at_fault(facts):
    mine = ("models/", "architectures/", "licenses.yaml", "families.yaml")
    assert [str(fault) for fault in facts.faults if any(part in fault.file for part in mine)] == []


def test_none_is_missing_and_none_too_many(models):
    assert Counter(model.family for model in models.values()) == FAMILIES
    assert len(models) == 217


@pytest.mark.parametrize("name", NOT_OPEN)
def test_what_is_not_open_is_not_here(models, name):
    assert [model for model in models if model.split("/")[1].startswith(name)] == []


def test_every_architecture_is_in_use(models, architectures):
    assert {model.architecture for model in models.values()} == set(architectures)


def test_a_tag_belongs_to_one_checkpoint(models):
    owners = Counter(tag.tag for model in models.values() for tag in model.ollama)
    assert [tag for tag, owned in owners.items() if owned > 1] == []


def test_a_repository_belongs_to_one_checkpoint(models):
    owners = Counter(ready.repo for model in models.values() for ready in model.quantized)
    assert [repo for repo, owned in owners.items() if owned > 1] == []


# Short tags and what they download: https://ollama.com/library as listed on 21 August 2026 (digests compared in
# https://github.com/auditomatic/ollama-models-registry).
TAGS = [
    ("qwen3:4b", "Qwen/Qwen3-4B-Thinking-2507", "Q4_K_M"),
    ("qwen3:30b", "Qwen/Qwen3-30B-A3B-Thinking-2507", "Q4_K_M"),
    ("qwen3:235b", "Qwen/Qwen3-235B-A22B-Thinking-2507", "Q4_K_M"),
    ("qwen3:4b-q4_K_M", "Qwen/Qwen3-4B", "Q4_K_M"),
    ("qwen3:8b", "Qwen/Qwen3-8B", "Q4_K_M"),
    ("qwen3:latest", "Qwen/Qwen3-8B", "Q4_K_M"),
    ("qwen3-vl:8b", "Qwen/Qwen3-VL-8B-Thinking", "Q4_K_M"),
    ("qwen3-vl:8b-instruct", "Qwen/Qwen3-VL-8B-Instruct", "Q4_K_M"),
    ("qwen3-next:80b", "Qwen/Qwen3-Next-80B-A3B-Thinking", "Q4_K_M"),
    ("qwen:72b-text", "Qwen/Qwen1.5-110B", "Q4_0"),
    ("qwen:7b", "Qwen/Qwen1.5-7B-Chat", "Q4_0"),
    ("qwen:7b-chat-q4_K_M", "Qwen/Qwen-7B-Chat", "Q4_K_M"),
    ("qwen2.5:7b", "Qwen/Qwen2.5-7B-Instruct", "Q4_K_M"),
    ("qwen2.5-coder:32b", "Qwen/Qwen2.5-Coder-32B-Instruct", "Q4_K_M"),
    ("qwen2.5-coder:0.5b-base", "Qwen/Qwen2.5-Coder-0.5B", "Q8_0"),
    ("qwen3.5:0.8b", "Qwen/Qwen3.5-0.8B", "Q8_0"),
    ("qwen3.5:2b", "Qwen/Qwen3.5-2B", "Q8_0"),
    ("qwen3.5:9b", "Qwen/Qwen3.5-9B", "Q4_K_M"),
    ("qwen3.8:27b", "Qwen/Qwen3.8-27B", "Q4_K_M"),
    ("qwq:32b", "Qwen/QwQ-32B", "Q4_K_M"),
    ("qwen3-embedding:0.6b", "Qwen/Qwen3-Embedding-0.6B", "Q8_0"),
]


@pytest.mark.parametrize(("tag", "model", "quantization"), TAGS, ids=[row[0] for row in TAGS])
def test_tags_are_what_they_download(models, tag, model, quantization):
    found = {t.tag: (m.id, t.quantization) for m in models.values() for t in m.ollama}
    assert found[tag] == (model, quantization)


def test_misleading_tags_carry_a_note_and_come_last(models):
    for model in models.values():
        traps = [tag.note.startswith("trap") for tag in model.ollama]
        assert traps == sorted(traps)
    notes = {tag.tag: tag.note for model in models.values() for tag in model.ollama}
    for tag in ("qwen3:4b", "qwen3:30b", "qwen3:235b-a22b", "qwen3-vl:2b", "qwen3-vl:235b", "qwen:72b-text"):
        assert notes[tag].startswith("trap")
    assert "MTP" in notes["qwen3.8:27b"]


# Not Apache-2.0, by the makers' own pages.
RESTRICTED = {
    "Qwen/Qwen-7B-Chat": "tongyi-qianwen",
    "Qwen/Qwen1.5-0.5B-Chat": "tongyi-qianwen-research",
    "Qwen/CodeQwen1.5-7B-Chat": "tongyi-qianwen",
    "Qwen/Qwen2-72B-Instruct": "tongyi-qianwen",
    "Qwen/Qwen2-Math-72B-Instruct": "tongyi-qianwen",
    "Qwen/Qwen2.5-3B-Instruct": "qwen-research",
    "Qwen/Qwen2.5-Coder-3B-Instruct": "qwen-research",
    "Qwen/Qwen2.5-VL-3B-Instruct": "qwen-research",
    "Qwen/Qwen2.5-72B-Instruct": "qwen",
    "Qwen/Qwen2.5-Math-72B-Instruct": "qwen",
    "Qwen/Qwen3.8-2.4T-A95B": "qwen3.8-max",
    "Qwen/Qwen3.8-Flash-Next": "qwen-community-1.0",
    "Qwen/Qwen-Image-2.1": "qwen-research",
}


@pytest.mark.parametrize(("model", "license_id"), RESTRICTED.items(), ids=list(RESTRICTED))
def test_restricted_licenses(models, licenses, model, license_id):
    assert models[model].license == license_id
    assert not licenses[license_id].permissive


def test_license_classes(licenses: dict[str, License]):
    assert {entry.id for entry in licenses.values() if entry.permissive} == {"apache-2.0", "cc-by-4.0"}
    for entry in licenses.values():
        assert entry.url.startswith("https://")
        assert entry.summary.count(".") >= 1


def successors(models: dict[str, Checkpoint]) -> list[tuple[Checkpoint, Checkpoint]]:
    return [(model, models[model.superseded_by]) for model in models.values() if model.superseded_by]


def test_what_supersedes_is_newer(models):
    for old, new in successors(models):
        if old.released and new.released:
            assert new.released > old.released, (old.id, new.id)


def test_what_supersedes_can_do_as_much(models):
    for old, new in successors(models):
        assert set(old.modalities_in) <= set(new.modalities_in), (old.id, new.id)
        assert set(old.modalities_out) <= set(new.modalities_out), (old.id, new.id)
        assert (old.kind == "base") == (new.kind == "base"), (old.id, new.id)
        assert new.tool_calling or not old.tool_calling, (old.id, new.id)
        assert new.special_purpose is None, (old.id, new.id)


def test_what_supersedes_is_of_the_same_size_class(models, architectures):
    for old, new in successors(models):
        before, after = (count(architectures[model.architecture]).language_model for model in (old, new))
        assert after <= 1.5 * before, (old.id, new.id)


def test_a_permissive_model_is_never_superseded_by_a_restricted_one(models, licenses):
    for old, new in successors(models):
        if old.license and licenses[old.license].permissive:
            assert new.license, (old.id, new.id)
            assert licenses[new.license].permissive, (old.id, new.id)


def test_succession_ends(models):
    for model in models.values():
        seen = [model.id]
        while (after := models[seen[-1]].superseded_by) is not None:
            assert after not in seen
            seen.append(after)


# The newest of each size class: nothing supersedes them.
CURRENT = [
    "Qwen/Qwen3.8-27B",
    "Qwen/Qwen3.6-35B-A3B",
    "Qwen/Qwen3.5-9B",
    "Qwen/Qwen3.5-4B",
    "Qwen/Qwen3.5-2B",
    "Qwen/Qwen3.5-0.8B",
    "Qwen/Qwen3.5-122B-A10B",
    "Qwen/Qwen3.5-397B-A17B",
    "Qwen/Qwen3-Coder-Next",
    "Qwen/Qwen3-Embedding-8B",
    "Qwen/Qwen3-Omni-30B-A3B-Instruct",
]
CHAINS = [
    ("Qwen/Qwen-7B-Chat", "Qwen/Qwen3.5-9B"),
    ("Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen3.5-9B"),
    ("Qwen/Qwen2.5-72B-Instruct", "Qwen/Qwen3.8-27B"),
    ("Qwen/Qwen3-30B-A3B", "Qwen/Qwen3.6-35B-A3B"),
    ("Qwen/Qwen3-30B-A3B-Instruct-2507", "Qwen/Qwen3.6-35B-A3B"),
    ("Qwen/Qwen2-VL-7B-Instruct", "Qwen/Qwen3.5-9B"),
    ("Qwen/QVQ-72B-Preview", "Qwen/Qwen3.8-27B"),
    ("Qwen/QwQ-32B-Preview", "Qwen/Qwen3.8-27B"),
    ("Alibaba-NLP/gte-Qwen1.5-7B-instruct", "Qwen/Qwen3-Embedding-8B"),
]


@pytest.mark.parametrize("model", CURRENT)
def test_current_models_are_not_superseded(models, model):
    assert models[model].superseded_by is None


@pytest.mark.parametrize(("first", "last"), CHAINS, ids=[row[0] for row in CHAINS])
def test_succession_leads_to_the_newest(models, first, last):
    model = models[first]
    while model.superseded_by:
        model = models[model.superseded_by]
    assert model.id == last


def test_families_follow_each_other(models, facts):
    families = facts.values("families")
    for name, family in families.items():
        assert set(family) == {"title", "generation", "line", "purpose", "released", "successor"}, name
        dates = [model.released for model in models.values() if model.family == name and model.released]
        assert family["released"] == (min(dates) if dates else None), name
        lines = {model.line for model in models.values() if model.family == name}
        assert family["line"] in lines, name
        if family["successor"] is not None:
            assert families[family["successor"]]["generation"] > family["generation"], name
    order = [(family["generation"], family["released"] or "9") for family in families.values()]
    assert order == sorted(order)
