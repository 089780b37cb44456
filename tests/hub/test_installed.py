"""What lies on this disk: found where each program keeps it, whole or not at all, and never on a described machine."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from qwen_advisor.advice import Artifact
from qwen_advisor.hub.installed import shelf
from qwen_advisor.machine import Shelf, Stored
from qwen_advisor.render.schema import json_schema
from qwen_advisor.shelf import stored

Call = Callable[..., Any]
GGUF = "Qwen/Qwen3-8B-GGUF"
FILE = "Qwen3-8B-Q4_K_M.gguf"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def put(path: Path, data: bytes = b"weights") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def snapshot(home: Path, repo: str, *files: str) -> Path:
    """A repository in the Hugging Face cache, as huggingface_hub lays it out."""
    root = home / "huggingface" / "hub" / f"models--{repo.replace('/', '--')}"
    for number, name in enumerate(files):
        blob = put(root / "blobs" / f"{number:064x}")
        link = root / "snapshots" / COMMIT / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blob)
    return root


def tag(home: Path, host: str, name: str, data: bytes = b"weights") -> Path:
    """A tag in Ollama's store."""
    store = home / ".ollama" / "models"
    blob = put(store / "blobs" / "sha256-00ff", data)
    layers = [
        {"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:none", "size": 1},
        {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:00ff", "size": 7},
    ]
    put(store / "manifests" / host / name, json.dumps({"schemaVersion": 2, "layers": layers}).encode())
    return blob


class TestFinding:
    def test_nothing_where_nothing_is(self, home: Path) -> None:
        found = shelf()
        assert (found.files, found.repositories, found.tags) == ({}, {}, {})
        assert list(home.iterdir()) == []

    def test_the_hugging_face_cache(self, home: Path) -> None:
        root = snapshot(home, GGUF, FILE, "README.md")
        snapshot(home, "Qwen/Qwen3-0.6B", "config.json", "model.safetensors")
        found = shelf()
        assert found.files == {
            (GGUF.lower(), FILE): Stored(holder="huggingface", place=str(root / "snapshots" / COMMIT / FILE))
        }
        assert list(found.repositories) == ["qwen/qwen3-0.6b"]

    def test_a_file_without_its_content_is_not_there(self, home: Path) -> None:
        root = snapshot(home, GGUF, FILE)
        next((root / "blobs").iterdir()).rename(root / "blobs" / "begun.incomplete")
        assert shelf().files == {}

    @pytest.mark.parametrize(
        ("files", "whole"),
        [
            (["config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"], True),
            (["config.json", "model-00001-of-00002.safetensors"], False),
            (["config.json", "model.safetensors.index.json"], False),
            (["model.safetensors"], False),
            (["model_index.json", "unet/model.safetensors"], True),
            (["config.json", "pytorch_model.bin"], True),
        ],
    )
    def test_a_repository_counts_when_all_parts_are_there(self, files: list[str], whole: bool, home: Path) -> None:
        snapshot(home, "Qwen/Qwen3-8B", *files)
        assert ("qwen/qwen3-8b" in shelf().repositories) is whole

    def test_what_llama_cpp_has_fetched_itself(self, home: Path) -> None:
        path = put(home / "llama.cpp" / f"Qwen_Qwen3-8B-GGUF_{FILE}")
        assert shelf().files == {(GGUF.lower(), FILE): Stored(holder="llama.cpp", place=str(path))}

    @pytest.mark.parametrize("where", [".lmstudio/models", ".cache/lm-studio/models"])
    def test_lm_studio(self, where: str, home: Path) -> None:
        path = put(home / where / "lmstudio-community" / "Qwen3-8B-GGUF" / FILE)
        put(path.with_name("other.gguf.part"))
        assert shelf().files == {("lmstudio-community/qwen3-8b-gguf", FILE): Stored(holder="lmstudio", place=str(path))}

    def test_lm_studio_where_its_settings_say(self, home: Path) -> None:
        put(home / ".lmstudio" / "settings.json", json.dumps({"downloadsFolder": str(home / "else")}).encode())
        put(home / "else" / "Qwen" / "Qwen3-8B-GGUF" / FILE)
        assert list(shelf().files) == [(GGUF.lower(), FILE)]

    @pytest.mark.parametrize(
        ("host", "name", "expected"),
        [
            ("registry.ollama.ai", "library/qwen3/8b", "qwen3:8b"),
            ("registry.ollama.ai", "someone/qwen3/8b", "someone/qwen3:8b"),
            ("hf.co", "Qwen/Qwen3-8B-GGUF/Q4_K_M", "hf.co/qwen/qwen3-8b-gguf:q4_k_m"),
        ],
    )
    def test_ollama(self, host: str, name: str, expected: str, home: Path) -> None:
        tag(home, host, name)
        assert list(shelf().tags) == [expected]

    def test_an_ollama_tag_whose_weights_are_unfinished(self, home: Path) -> None:
        tag(home, "registry.ollama.ai", "library/qwen3/8b", b"half")
        assert shelf().tags == {}

    @pytest.mark.parametrize(
        "manifest",
        [
            b"",
            b"[]",
            b"{}",
            b'{"layers": 1}',
            b'{"layers": [1, {}]}',
            b"[" * 100_000,
            b"\xff",
            b'{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "../../x", "size": 7}]}',
        ],
    )
    def test_an_odd_manifest_is_none(self, manifest: bytes, home: Path) -> None:
        put(home / ".ollama" / "models" / "manifests" / "registry.ollama.ai" / "library" / "qwen3" / "8b", manifest)
        assert shelf().tags == {}

    def test_thousands_of_repositories_take_no_second(self, home: Path) -> None:
        for number in range(1000):
            (home / "huggingface" / "hub" / f"models--o--m{number}" / "snapshots" / COMMIT).mkdir(parents=True)
        began = time.perf_counter()
        shelf()
        assert time.perf_counter() - began < 2


class TestWhoFindsIt:
    @pytest.fixture
    def everywhere(self, home: Path) -> Shelf:
        snapshot(home, GGUF, FILE)
        tag(home, "registry.ollama.ai", "library/qwen3/8b")
        return shelf()

    @pytest.mark.parametrize(
        ("engine", "holder"),
        [("llama.cpp", "huggingface"), ("vllm", "huggingface"), ("ollama", "ollama"), ("lmstudio", None)],
    )
    def test_each_engine_in_its_own_place(self, engine: str, holder: str | None, everywhere: Shelf) -> None:
        artifact = Artifact(repo=GGUF, files=(FILE,), bytes=7, ollama="qwen3:8b")
        where = stored(everywhere, artifact, "Q4_K_M", engine)
        assert (where and where.holder) == holder

    def test_a_part_is_not_the_whole(self, everywhere: Shelf) -> None:
        artifact = Artifact(repo=GGUF, files=(FILE, "another.gguf"), bytes=7)
        assert stored(everywhere, artifact, "Q4_K_M", "llama.cpp") is None

    def test_nobody_looked(self) -> None:
        assert stored(None, Artifact(repo=GGUF, files=(FILE,), bytes=7), "Q4_K_M", "llama.cpp") is None


class TestRecommending:
    RAM = ("--ram", "16G", "--engine", "llama.cpp")

    def test_only_what_is_here(self, call: Call, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        root = snapshot(home, GGUF, FILE)
        said = call("recommend", *self.RAM, "--installed", "--json")
        assert said.code == 0
        jsonschema.validate(said.json, json_schema("recommend-1"))
        found = said.json["recommendations"]
        assert [(each["model"]["id"], each["quantization"], each["artifact"]["repo"]) for each in found] == [
            ("Qwen/Qwen3-8B", "Q4_K_M", GGUF)
        ]
        place = str(root / "snapshots" / COMMIT / FILE)
        assert found[0]["installed"] == {"holder": "huggingface", "place": place}
        assert said.json["requirements"]["installed"] is True
        monkeypatch.delenv("COLUMNS")
        assert re.search(rf"on this disk +{re.escape(place)}\n", call("recommend", *self.RAM, "--installed").out)

    def test_a_format_that_nobody_would_fetch_counts_when_it_is_here(self, call: Call, home: Path) -> None:
        snapshot(home, "unsloth/Qwen3-8B-GGUF", "Qwen3-8B-UD-IQ2_M.gguf")
        found = call("recommend", *self.RAM, "--installed", "--json").json["recommendations"]
        assert [(each["quantization"], each["artifact"]["repo"]) for each in found] == [
            ("UD-IQ2_M", "unsloth/Qwen3-8B-GGUF")
        ]

    def test_the_tag_that_ollama_has(self, call: Call, home: Path) -> None:
        tag(home, "registry.ollama.ai", "library/qwen3/8b")
        found = call("recommend", "--ram", "16G", "--engine", "ollama", "--installed", "--json").json["recommendations"]
        assert [(each["model"]["id"], each["installed"]["place"]) for each in found] == [("Qwen/Qwen3-8B", "qwen3:8b")]

    def test_nothing_here_is_an_answer(self, call: Call, home: Path) -> None:
        assert home.exists()
        said = call("recommend", *self.RAM, "--installed", "--json")
        assert said.code == 3
        assert {each["rule"] for each in said.json["rejected"] if "not on this disk" in each["message"]} == {"D103"}

    def test_a_described_machine_does_not_look(self, call: Call, home: Path) -> None:
        snapshot(home, GGUF, FILE)
        found = call("recommend", *self.RAM, "--json").json
        assert {each["installed"] is None for each in found["recommendations"]} == {True}
        del found["requirements"]
        for path in sorted(home.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        again = call("recommend", *self.RAM, "--json").json
        del again["requirements"]
        assert found == again

    def test_this_machine_is_marked(self, call: Call, home: Path) -> None:
        words = ("recommend", "--engine", "llama.cpp", "--json")
        before = call(*words).json["recommendations"]
        pick = next(each for each in before if each["artifact"]["files"])
        assert pick["installed"] is None
        root = snapshot(home, pick["artifact"]["repo"], *pick["artifact"]["files"])
        marked = {each["model"]["id"]: each["installed"] for each in call(*words).json["recommendations"]}
        place = str(root / "snapshots" / COMMIT / pick["artifact"]["files"][0])
        assert marked[pick["model"]["id"]] == {"holder": "huggingface", "place": place}
        assert [name for name, where in marked.items() if where] == [pick["model"]["id"]]

    def test_what_is_here_needs_no_room_on_the_disk(self, home: Path) -> None:
        from qwen_advisor import api  # noqa: PLC0415
        from qwen_advisor.machine import Disk  # noqa: PLC0415
        from qwen_advisor.values import replace  # noqa: PLC0415

        snapshot(home, GGUF, FILE)
        machine = replace(api.inspect_hardware(), disk=Disk(path=str(home), free=1))
        looked = api.with_downloads(machine)
        wanted = {"family": "Qwen3", "engines": ["llama.cpp"], "quantizations": ["Q4_K_M"]}
        assert api.recommend(machine=machine, **wanted).recommendations == ()
        found = api.recommend(machine=looked, **wanted).recommendations
        assert [each.plan.checkpoint.id for each in found] == ["Qwen/Qwen3-8B"]

    def test_a_pull_elsewhere_is_remembered(self, hub: Any, call: Call, tmp_path: Path) -> None:
        hub.add(GGUF, {FILE: b"weights"})
        call("pull", "Qwen3-8B", "--quant", "Q4_K_M", "--engine", "llama.cpp", "--to", str(tmp_path / "here"))
        found = call("recommend", *self.RAM, "--installed", "--json").json["recommendations"]
        assert found[0]["installed"] == {"holder": "folder", "place": str(tmp_path / "here" / FILE)}
        (tmp_path / "here" / FILE).write_bytes(b"cut")
        assert call("recommend", *self.RAM, "--installed").code == 3

    def test_looking_loads_nothing_heavy(self, home: Path) -> None:
        import subprocess  # noqa: PLC0415

        snapshot(home, GGUF, FILE)
        code = "import sys; from qwen_advisor.hub.installed import shelf; shelf(); print(*sys.modules)"
        loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        assert not {"huggingface_hub", "urllib.request", "http.client", "yaml", "subprocess"} & set(loaded)


NOTE = {"source": "s", "repo": "r", "file": "f.gguf", "path": "/nowhere", "size": 1, "changed": 1, "checksum": ""}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"files": 1}',
        '{"files": [1, {}, {"source": 1}]}',
        "[" * 100_000,
        json.dumps({"files": [NOTE | {"size": True}]}),
        json.dumps({"files": [NOTE]}),
    ],
)
def test_a_record_that_is_none_records_nothing(text: str, home: Path) -> None:
    put(home / "qwen-advisor" / "pulled.json", text.encode())
    assert shelf().files == {}
