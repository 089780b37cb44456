"""A user's own entries: they add, or replace whole; what is wrong with them is said with exit code 4."""

# ruff: noqa: E501  (entries as a user would write them)
from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from qwen_advisor import api
from qwen_advisor.catalog import config_directory, load_catalog
from qwen_advisor.errors import CatalogError, UsageError


@pytest.fixture(autouse=True)
def _small_is_the_catalogue(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QWEN_ADVISOR_CATALOG", str(small))


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return root


MINE = """\
id: Me/Mine-1
architecture: mine
family: Tiny
line: general
kind: instruct
released: 2026-01-01
license: apache-2.0
modalities_in: [text]
modalities_out: [text]
parameters_total: 74112
context: {native: 4096}
sources: [https://example.org/mine]
"""
SHAPE = """\
id: mine
model_type: qwen3
text: {num_hidden_layers: 1, hidden_size: 64, intermediate_size: 128, num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16, vocab_size: 500, tie_word_embeddings: false}
sources: [https://example.org/mine/config.json]
"""


def test_entries_are_added_and_their_weights_counted(tmp_path: Path) -> None:
    own = write(write(tmp_path / "own", "models/mine-1.yaml", MINE), "architectures/mine.yaml", SHAPE)
    base, catalog = load_catalog(), load_catalog(extra=[own])
    assert list(catalog.models) == ["Acme/Tiny-1", "Acme/Tiny-2", "Me/Mine-1"]
    assert catalog.models["Me/Mine-1"].context.native == 4096
    # 500 rows of 64, embedding and head apart, 2 bytes a weight
    assert catalog.footprints["mine"]["BF16"].token_embedding == 500 * 64 * 2
    assert catalog.footprints["mine"]["BF16"].output == 500 * 64 * 2
    assert catalog.footprints["tiny"] == base.footprints["tiny"]
    assert "Me/Mine-1" not in base.models
    assert catalog.version.startswith(base.version + ".")


def test_an_entry_replaces_a_whole_one(tmp_path: Path) -> None:
    own = write(
        tmp_path / "own",
        "accelerators/nvidia.yaml",
        "card-24gb: {name: Mine, kind: discrete, memory: 32 GiB, memory_bandwidth: null, fp16_flops: null,"
        " compute_capability: null, source: https://example.org/mine}\n",
    )
    card = load_catalog(extra=[own]).accelerators["card-24gb"]
    assert (card.name, card.memory, card.memory_bandwidth, card.aliases) == ("Mine", 32 * 2**30, None, ())


def test_abilities_are_added_to_a_scale(tmp_path: Path) -> None:
    own = write(
        tmp_path / "own",
        "abilities/chat.yaml",
        'Acme/Tiny-2: [{checkpoint: Acme/Tiny-2, scale: chat, thinking: "off", value: 1, standard_error: 1, published: false}]\n',
    )
    abilities = load_catalog(extra=[own]).abilities["chat"]
    assert [ability.value for ability in abilities["Acme/Tiny-2"]] == [1.0]
    assert [ability.value for ability in abilities["Acme/Tiny-1"]] == [0.25]


def test_a_new_format_is_counted_for_every_architecture(tmp_path: Path) -> None:
    own = write(
        tmp_path / "own",
        "quantizations.yaml",
        "formats: {FP16: {container: safetensors, bits: 16, kind: float, sources: [https://example.org/fp16]}}\n",
    )
    catalog = load_catalog(extra=[own])
    assert set(catalog.footprints["tiny"]) == {"BF16", "Q8_0", "FP16"}
    assert catalog.footprints["tiny"]["FP16"].file_bytes == catalog.footprints["tiny"]["BF16"].file_bytes


def test_later_directories_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ranking(name: str, value: float) -> Path:
        return write(tmp_path / name, "ranking.yaml", f"risk_aversion: {value}\n")

    assert load_catalog().ranking["risk_aversion"] == 0.25
    write(config_directory() / "catalog", "ranking.yaml", "risk_aversion: 1.5\n")
    assert load_catalog().ranking["risk_aversion"] == 1.5
    monkeypatch.setenv("QWEN_ADVISOR_CATALOG_EXTRA", f"{ranking('a', 2.5)}{os.pathsep}{ranking('b', 3.5)}")
    assert load_catalog().ranking["risk_aversion"] == 3.5
    assert load_catalog(extra=[ranking("c", 4.5), ranking("d", 5.5)]).ranking["risk_aversion"] == 5.5


@pytest.mark.skipif(sys.platform != "linux", reason="XDG directories")
def test_the_config_directory_follows_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/somewhere")
    assert config_directory() == Path("/somewhere/qwen-advisor")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert config_directory() == Path("/home/me/.config/qwen-advisor")


def test_all_faults_of_an_overlay_at_once(tmp_path: Path) -> None:
    own = write(tmp_path / "own", "models/mine-1.yaml", MINE.replace("4096", "none").replace("apache-2.0", "3"))
    write(own, "accelerators/nvidia.yaml", "x: {name: X, kind: discrete, memory: 8}\n")
    with pytest.raises(CatalogError) as caught:
        load_catalog(extra=[own])
    assert caught.value.exit_code == 4
    assert [fault.removeprefix(str(own)) for fault in caught.value.faults] == [
        "/accelerators/nvidia.yaml:1:1: x: lacks compute_capability, fp16_flops, memory_bandwidth",
        "/accelerators/nvidia.yaml:1:30: x.memory: a quantity with its unit (MiB, GiB, TiB) is expected here, not 8",
        "/models/mine-1.yaml:7:1: license: text is expected here, not 3: put it in quotes",
        "/models/mine-1.yaml:11:11: context.native: a whole number is expected here, not 'none'",
    ]


def test_an_entry_that_refers_to_nothing(tmp_path: Path) -> None:
    own = write(tmp_path / "own", "models/mine-1.yaml", MINE)
    with pytest.raises(CatalogError, match=r"mine-1\.yaml:2:1: architecture: 'mine' is not among the architectures"):
        load_catalog(extra=[own])


def test_an_entry_that_spoils_another(tmp_path: Path) -> None:
    """The chain of successors is followed through the base."""
    own = write(tmp_path / "own", "models/tiny-2.yaml", MINE.replace("Me/Mine-1", "Acme/Tiny-2").replace(
        "architecture: mine", "architecture: tiny\nsuperseded_by: Acme/Tiny-1"
    ).replace("2026-01-01", "2025-01-01"))  # fmt: skip
    with pytest.raises(CatalogError, match="superseded_by: comes back to Acme/Tiny-2"):
        load_catalog(extra=[own])


@pytest.mark.parametrize("document", ["a: &a [x]\nb: *a\n", "a: !!python/object/apply:os.system [id]\n", "[" * 9999])
def test_hostile_overlays_are_refused(tmp_path: Path, document: str) -> None:
    own = write(tmp_path / "own", "ranking.yaml", document)
    with pytest.raises(CatalogError):
        load_catalog(extra=[own])


def test_an_overlay_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"--catalog-extra names .*nowhere, which is not a directory"):
        load_catalog(extra=[tmp_path / "nowhere"])
    monkeypatch.setenv("QWEN_ADVISOR_CATALOG_EXTRA", str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match=r"QWEN_ADVISOR_CATALOG_EXTRA names .*nowhere, which is not a directory"):
        load_catalog()


def test_an_empty_overlay_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    assert dict(load_catalog(extra=[tmp_path / "own"]).models) == dict(load_catalog().models)


def test_a_long_lived_process_notices_changed_entries(tmp_path: Path) -> None:
    """As `mcp` has to after ``catalog refresh --write``: a file more, another text, a file less."""
    own = write(write(tmp_path / "own", "models/mine-1.yaml", MINE), "architectures/mine.yaml", SHAPE)
    first = api.load_catalog(own)
    assert api.load_catalog(own) is first
    write(own, "models/mine-2.yaml", MINE.replace("Me/Mine-1", "Me/Mine-2"))
    assert "Me/Mine-2" in api.load_catalog(own).models
    write(own, "models/mine-2.yaml", MINE.replace("Me/Mine-1", "Me/Mine-2").replace("4096", "16384"))
    assert api.load_catalog(own).models["Me/Mine-2"].context.native == 16384
    (own / "models" / "mine-2.yaml").unlink()
    assert dict(api.load_catalog(own).models) == dict(first.models)
