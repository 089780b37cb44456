"""``pull``: the right files, once, whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from qwen_advisor.hub import pull as pulling
from qwen_advisor.render.schema import json_schema
from tests.hub.pulling import FILE, PULL, REPO, WEIGHTS, cached

Call = Callable[..., Any]


class TestFiles:
    def test_the_one_file_into_the_cache_that_engines_read(self, gguf: Any, call: Call, home: Path) -> None:
        said = call(*PULL, "--json")
        assert said.code == 0
        answer = said.json
        jsonschema.validate(answer, json_schema("pull-1"))
        assert [(each["file"], each["state"], each["bytes"]) for each in answer["files"]] == [
            (FILE, "fetched", len(WEIGHTS))
        ]
        assert Path(answer["path"]).read_bytes() == WEIGHTS
        assert Path(answer["path"]) == cached(home) / "snapshots" / answer["revision"] / FILE
        assert (cached(home) / "refs" / "main").read_text() == answer["revision"]
        assert gguf.fetched("Qwen3-8B-Q8_0.gguf") == []
        assert not list(cached(home).rglob("*.incomplete"))

    def test_huggingface_hub_finds_it_without_a_network(self, gguf: Any, call: Call, home: Path) -> None:
        from huggingface_hub import hf_hub_download  # noqa: PLC0415

        assert gguf.url
        call(*PULL)
        path = hf_hub_download(REPO, FILE, cache_dir=home / "huggingface" / "hub", local_files_only=True)
        assert Path(path).read_bytes() == WEIGHTS

    def test_what_is_here_is_not_fetched_again(self, gguf: Any, call: Call) -> None:
        call(*PULL)
        gguf.asked.clear()
        said = call(*PULL, "--json")
        assert [each["state"] for each in said.json["files"]] == ["present"]
        assert [path.partition("?")[0] for _, path, _ in gguf.asked] == [f"/api/models/{REPO}"]

    def test_what_huggingface_hub_has_fetched_is_taken(self, gguf: Any, call: Call, home: Path) -> None:
        from huggingface_hub import hf_hub_download  # noqa: PLC0415

        hf_hub_download(REPO, FILE, cache_dir=home / "huggingface" / "hub", endpoint=gguf.url)
        gguf.asked.clear()
        assert call(*PULL, "--json").json["files"][0]["state"] == "present"
        assert gguf.fetched(FILE) == []

    def test_every_part_of_a_split_file(self, hub: Any, call: Call) -> None:
        # Qwen2.5-7B-Instruct-GGUF holds Q4_K_M in two parts.
        names = [f"qwen2.5-7b-instruct-q4_k_m-0000{number}-of-00002.gguf" for number in (1, 2)]
        hub.add("Qwen/Qwen2.5-7B-Instruct-GGUF", {name: name.encode() for name in names})
        said = call("pull", "Qwen2.5-7B-Instruct", "--quant", "Q4_K_M", "--json")
        assert [each["file"] for each in said.json["files"]] == names
        assert said.json["path"].endswith(names[0])

    def test_projector_where_the_task_shows_something(self, hub: Any, call: Call) -> None:
        repo = "Qwen/Qwen3-VL-4B-Instruct-GGUF"
        weights, eyes = "Qwen3VL-4B-Instruct-Q4_K_M.gguf", "mmproj-Qwen3VL-4B-Instruct-F16.gguf"
        hub.add(repo, {weights: b"w", eyes: b"e"})
        words = ("pull", "Qwen3-VL-4B-Instruct", "--quant", "Q4_K_M", "--json", "--dry-run")
        for task, expected in (
            (("--task", "vision"), [weights, eyes]),
            (("--task", "chat"), [weights]),
            ((), [weights, eyes]),
        ):
            assert [each["file"] for each in call(*words, *task).json["files"]] == expected

    def test_a_repository_without_second_copies_of_its_weights(self, hub: Any, call: Call) -> None:
        wanted = {
            "config.json": b"{}",
            "tokenizer.json": b"{}",
            "model-00001-of-00002.safetensors": b"1",
            "model-00002-of-00002.safetensors": b"2",
            "model.safetensors.index.json": b"{}",
            "LICENSE": b"Apache",
        }
        copies = {
            "pytorch_model-00001-of-00001.bin": b"again",
            "pytorch_model.bin.index.json": b"{}",
            "onnx/model.onnx": b"again",
            "flax_model.msgpack": b"again",
            "tf_model.h5": b"again",
            "Qwen3-8B-Q8_0.gguf": b"again",
            "figure.png": b"for people",
            ".gitattributes": b"for git",
        }
        hub.add("Qwen/Qwen3-8B", wanted | copies)
        said = call("pull", "Qwen3-8B", "--quant", "BF16", "--engine", "vllm", "--json")
        assert sorted(each["file"] for each in said.json["files"]) == sorted(wanted)
        assert sorted(path.name for path in Path(said.json["path"]).rglob("*")) == sorted(wanted)

    def test_into_a_folder(self, gguf: Any, call: Call, tmp_path: Path) -> None:
        assert gguf.url
        folder = tmp_path / "models" / "here"
        said = call(*PULL, "--to", str(folder), "--json")
        assert said.json["path"] == str(folder / FILE)
        assert [path.name for path in folder.iterdir()] == [FILE]
        assert (folder / FILE).read_bytes() == WEIGHTS
        assert call(*PULL, "--to", str(folder), "--json").json["files"][0]["state"] == "present"

    def test_an_other_file_of_that_name_is_replaced_only_by_the_whole(
        self, gguf: Any, call: Call, tmp_path: Path
    ) -> None:
        (tmp_path / FILE).write_bytes(bytes(len(WEIGHTS)))
        gguf.cut[FILE] = [0] * 99
        assert call(*PULL, "--to", str(tmp_path)).code == 6
        assert (tmp_path / FILE).read_bytes() == bytes(len(WEIGHTS))
        gguf.cut.clear()
        assert call(*PULL, "--to", str(tmp_path), "--json").json["files"][0]["state"] == "fetched"
        assert (tmp_path / FILE).read_bytes() == WEIGHTS

    @pytest.mark.parametrize("folder", [(), ("--to", "here")])
    def test_what_is_too_large_for_http_is_left_to_huggingface_hub(
        self, folder: tuple[str, ...], gguf: Any, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(pulling, "LARGEST_BY_HTTP", 1_000_000)
        said = call(*PULL, *folder, "--json")
        assert said.code == 0
        assert said.json["files"][0]["state"] == "fetched"
        assert Path(said.json["path"]).read_bytes() == WEIGHTS
        gguf.asked.clear()
        assert call(*PULL, *folder, "--json").json["files"][0]["state"] == "present"
        assert gguf.fetched(FILE) == []

    def test_what_is_too_large_for_http_is_checked_too(
        self, gguf: Any, call: Call, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pulling, "LARGEST_BY_HTTP", 1_000_000)
        gguf.repos[REPO].announced[FILE] = WEIGHTS[:-1] + b"?"
        said = call(*PULL)
        assert said.code == 6
        assert "has another checksum than announced" in said.err
        assert [path for path in (cached(home) / "blobs").iterdir() if path.is_file()] == []

    def test_from_modelscope(self, gguf: Any, call: Call, tmp_path: Path) -> None:
        said = call(*PULL, "--source", "modelscope", "--to", str(tmp_path), "--json")
        assert said.code == 0
        assert (said.json["source"], said.json["revision"]) == ("modelscope", "master")
        assert (tmp_path / FILE).read_bytes() == WEIGHTS
        assert all(path.startswith("/api/v1/") for _, path, _ in gguf.asked)

    def test_modelscope_needs_a_folder(self, gguf: Any, call: Call) -> None:
        assert gguf.url
        said = call(*PULL, "--source", "modelscope")
        assert said.code == 2
        assert "hint: name a folder for them: --to DIR" in said.err

    def test_the_quantization_that_the_machine_runs_best(self, hub: Any, call: Call) -> None:
        from qwen_advisor import recommend  # noqa: PLC0415

        best = recommend(task="chat", ram="8G", family="Qwen3", engines=["llama.cpp"]).recommendations
        plan = next(item.plan for item in best if item.plan.checkpoint.id == "Qwen/Qwen3-8B")
        hub.add(plan.artifact.repo, dict.fromkeys(plan.artifact.files, b"weights"))
        said = call("pull", "qwen3:8b", "--ram", "8G", "--engine", "llama.cpp", "--json")
        assert said.json["quantization"] == plan.format
        assert [each["file"] for each in said.json["files"]] == list(plan.artifact.files)


class TestDryRun:
    def test_nothing_is_fetched_or_written(self, gguf: Any, call: Call, home: Path) -> None:
        said = call(*PULL, "--dry-run", "--json")
        assert said.json["files"][0]["state"] == "missing"
        assert said.json["missing_bytes"] == len(WEIGHTS)
        assert said.json["path"] is None
        assert gguf.fetched(FILE) == []
        assert not cached(home).exists()

    @pytest.mark.parametrize("form", ["table", "json", "yaml", "csv", "markdown", "id", "env"])
    def test_every_format(self, form: str, gguf: Any, call: Call) -> None:
        assert gguf.url
        said = call(*PULL, "--dry-run", "--format", form)
        assert said.code == 0
        assert REPO in said.out
        if form == "csv":
            assert next(iter(csv.DictReader(io.StringIO(said.out))))["file"] == FILE

    def test_table_says_what_is_to_come(self, gguf: Any, call: Call) -> None:
        assert gguf.url
        assert call(*PULL, "--dry-run").out.startswith("Qwen/Qwen3-8B in Q4_K_M: 0.00 GB to fetch\n")
        call(*PULL)
        assert call(*PULL, "--dry-run").out.startswith("Qwen/Qwen3-8B in Q4_K_M: everything is here\n")
