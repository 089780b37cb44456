"""``pull``: the right files, once, whole."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import jsonschema
import pytest

from qwen_advisor.cli import main
from qwen_advisor.hub import pull as pulling
from qwen_advisor.hub import transfer
from qwen_advisor.render.schema import json_schema

Call = Callable[..., Any]
REPO = "Qwen/Qwen3-8B-GGUF"
FILE = "Qwen3-8B-Q4_K_M.gguf"
PULL = ("pull", "qwen3:8b", "--quant", "Q4_K_M", "--engine", "llama.cpp")
WEIGHTS = random.Random(1).randbytes(3_000_000)  # noqa: S311  no secret


@pytest.fixture
def gguf(hub: Any) -> Any:
    """The repository of Qwen3-8B's GGUF files, each of some kilobytes."""
    files = {FILE: WEIGHTS, "Qwen3-8B-Q8_0.gguf": b"other weights", "README.md": b"# card"}
    hub.add(REPO, files)
    return hub


def cached(home: Path, repo: str = REPO) -> Path:
    return home / "huggingface" / "hub" / f"models--{repo.replace('/', '--')}"


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


class TestOffline:
    def test_what_lies_here_whole_is_an_answer(self, gguf: Any, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        path = call(*PULL, "--json").json["path"]
        assert gguf.url
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        monkeypatch.setattr(time, "sleep", lambda _: None)
        said = call(*PULL, "--json")
        assert said.code == 0
        assert (said.json["path"], said.json["files"][0]["state"]) == (path, "present")
        assert "this is what lies here" in said.err
        assert call("pull", "qwen3:8b", "--quant", "Q8_0", "--json").code == 6

    def test_a_repository_with_a_part_missing_is_none(
        self, hub: Any, call: Call, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
        hub.add("Qwen/Qwen3-8B", {"config.json": b"{}"} | {name: name.encode() for name in names})
        words = ("pull", "Qwen3-8B", "--quant", "BF16", "--engine", "vllm")
        assert call(*words).code == 0
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        monkeypatch.setattr(time, "sleep", lambda _: None)
        assert call(*words).code == 0
        next(cached(home, "Qwen/Qwen3-8B").rglob(names[1])).unlink()
        assert call(*words).code == 6

    def test_offline_by_its_variable(self, home: Path) -> None:
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(home)}
        words = [sys.executable, "-m", "qwen_advisor", *PULL]
        done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 6
        assert "HF_HUB_OFFLINE forbids asking the Hub" in done.stderr


class TestOllama:
    OLLAMA = ("pull", "qwen3:8b", "--quant", "Q4_K_M", "--engine", "ollama")

    @pytest.fixture
    def program(self, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A program of that name, which notes how it was called; it fails where a file called ``fail`` is."""
        folder = tmp_path / "bin"
        folder.mkdir()
        script = folder / "ollama"
        script.write_text(
            f'#!/bin/sh\necho "$@" >>{tmp_path}/called\necho pulling manifest\ntest ! -e {tmp_path}/fail\n'
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        assert home.exists()
        return tmp_path

    @pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the program")
    def test_by_its_own_program(self, program: Path, capfd: pytest.CaptureFixture[str]) -> None:
        assert main([*self.OLLAMA, "--json"]) == 0
        caught = capfd.readouterr()
        answer = json.loads(caught.out)
        assert (program / "called").read_text() == "pull qwen3:8b\n"
        assert (answer["source"], answer["ollama"], answer["path"]) == ("ollama", "qwen3:8b", "qwen3:8b")
        assert "pulling manifest" in caught.err
        jsonschema.validate(answer, json_schema("pull-1"))

    @pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the program")
    def test_a_repository_that_ollama_fetches(self, program: Path, call: Call) -> None:
        said = call("pull", "qwen3:8b", "--quant", "Q5_0", "--engine", "ollama", "--json")
        assert said.json["ollama"] == "hf.co/Qwen/Qwen3-8B-GGUF:Q5_0"
        assert (program / "called").read_text() == "pull hf.co/Qwen/Qwen3-8B-GGUF:Q5_0\n"

    @pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the program")
    def test_its_failure_is_said(self, program: Path, call: Call) -> None:
        (program / "fail").touch()
        said = call(*self.OLLAMA)
        assert said.code == 6
        assert "hint: is its server running? start it with: ollama serve" in said.err

    def test_dry_run_asks_nobody(self, program: Path, call: Call) -> None:
        said = call(*self.OLLAMA, "--dry-run", "--json")
        assert said.json["path"] is None
        assert said.json["missing_bytes"] == 5_027_783_488  # of Qwen/Qwen3-8B-GGUF, which stands for the tag's size
        assert not (program / "called").exists()

    def test_not_there(self, home: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(home))
        said = call(*self.OLLAMA)
        assert said.code == 2
        assert "the program ollama is not on this machine" in said.err

    @pytest.mark.parametrize("words", [("--to", "x"), ("--source", "modelscope")])
    def test_what_says_nothing_to_it(self, words: tuple[str, str], call: Call, home: Path) -> None:
        assert home.exists()
        assert call(*self.OLLAMA, *words).code == 2


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


class TestBrokenConnections:
    def test_goes_on_where_it_broke_off(self, gguf: Any, call: Call) -> None:
        gguf.cut[FILE] = [1_000_000, 500_000]
        said = call(*PULL, "--json")
        assert said.code == 0
        assert Path(said.json["path"]).read_bytes() == WEIGHTS
        assert [r for r in gguf.fetched(FILE) if r] == [
            "bytes=1000000-",
            "bytes=1000000-",
            "bytes=1500000-",
            "bytes=1500000-",
        ]

    def test_goes_on_in_the_next_call(self, gguf: Any, call: Call, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(transfer, "ATTEMPTS", 1)
        gguf.cut[FILE] = [1_000_000] + [0] * 9
        said = call(*PULL)
        assert said.code == 6
        assert said.err.count("error:") == 1
        assert list((cached(home) / "snapshots").rglob("*.gguf")) == []
        partial = call(*PULL, "--dry-run", "--json").json["files"][0]
        assert (partial["state"], partial["bytes_present"]) == ("partial", 1_000_000)
        gguf.cut.clear()
        gguf.asked.clear()
        assert call(*PULL).code == 0
        assert set(gguf.fetched(FILE)) == {"bytes=1000000-"}

    def test_a_host_that_knows_no_ranges_starts_anew(self, gguf: Any, call: Call) -> None:
        gguf.ignores_ranges = True
        gguf.cut[FILE] = [1_000_000]
        said = call(*PULL, "--json")
        assert Path(said.json["path"]).read_bytes() == WEIGHTS

    def test_a_wrong_checksum_is_kept_nowhere(self, gguf: Any, call: Call, home: Path) -> None:
        gguf.repos[REPO].announced[FILE] = WEIGHTS[:-1] + b"?"
        said = call(*PULL, "--json")
        assert said.code == 6
        assert "another checksum than announced, twice" in said.json["error"]["message"]
        assert len([r for r in gguf.fetched(FILE) if not r]) == 4  # each of two tries is sent on once
        assert [path for path in cached(home).rglob("*") if path.is_file()] == []

    def test_a_body_longer_than_announced_is_cut(self, gguf: Any, call: Call, home: Path) -> None:
        gguf.repos[REPO].announced[FILE] = WEIGHTS[:1000]
        assert call(*PULL).code == 6
        assert all(path.stat().st_size <= 1000 for path in cached(home).rglob("*") if path.is_file())

    def test_content_that_was_damaged_on_the_disk_is_fetched_again(self, gguf: Any, call: Call, home: Path) -> None:
        path = Path(call(*PULL, "--json").json["path"])
        with path.open("r+b") as stream:
            stream.write(b"damaged")
        os.utime(path, ns=(1, 1))
        said = call(*PULL, "--json")
        assert said.json["files"][0]["state"] == "fetched"
        assert path.read_bytes() == WEIGHTS
        assert len(list((cached(home) / "blobs").iterdir())) == 1
        assert gguf.url

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
    def test_killed_in_mid_download_no_half_file_passes_for_whole(self, gguf: Any, call: Call, home: Path) -> None:
        halt, begun = threading.Event(), threading.Event()
        gguf.cut[FILE] = [2_000_000]

        def stall() -> None:
            if begun.is_set():
                halt.wait(90)
            begun.set()

        gguf.before[FILE] = stall
        environment = {**os.environ, "QWEN_ADVISOR_DEBUG": ""}
        process = subprocess.Popen(
            [sys.executable, "-m", "qwen_advisor", *PULL],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        blobs = cached(home) / "blobs"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and sum(f.stat().st_size for f in _files(blobs)) < 2_000_000:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        halt.set()
        assert [path.suffix for path in _files(blobs)] == [".incomplete"]
        assert list((cached(home) / "snapshots").rglob("*")) == []
        gguf.before.clear()
        gguf.asked.clear()
        said = call(*PULL, "--json")
        assert Path(said.json["path"]).read_bytes() == WEIGHTS
        assert set(gguf.fetched(FILE)) == {"bytes=2000000-"}

    def test_two_at_once_fetch_it_once(self, gguf: Any, home: Path) -> None:
        gguf.before[FILE] = lambda: time.sleep(0.3)
        words = [sys.executable, "-m", "qwen_advisor", *PULL, "--json"]
        both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(2)]
        answers = [json.loads(each.communicate(timeout=30)[0]) for each in both]
        assert sorted(each["files"][0]["state"] for each in answers) == ["fetched", "present"]
        assert len(gguf.fetched(FILE)) == 2  # once, sent on once
        assert (cached(home) / "snapshots" / answers[0]["revision"] / FILE).read_bytes() == WEIGHTS


def _files(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return [path for path in folder.iterdir() if path.is_file()]
    return []


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "code", "expected", "sentence"),
        [
            (401, "GatedRepo", 2, "does not give out"),
            (403, "GatedRepo", 2, "does not give out"),
            (404, "RepoNotFound", 2, "has no Qwen/Qwen3-8B-GGUF (404)"),
            (429, "", 6, "takes no more requests for now (429)"),
            (500, "", 6, "failed at Qwen/Qwen3-8B-GGUF (500)"),
        ],
    )
    def test_a_status_is_a_sentence(
        self,
        status: int,
        code: str,
        expected: int,
        sentence: str,
        gguf: Any,
        call: Call,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(time, "sleep", lambda _: None)
        gguf.repos[REPO].status = status
        gguf.repos[REPO].code = code
        said = call(*PULL, "--json")
        assert said.code == expected
        assert sentence in said.json["error"]["message"]
        assert said.json["error"]["hint"]

    def test_a_repository_that_is_not_there(self, hub: Any, call: Call) -> None:
        said = call(*PULL)
        assert said.code == 2
        assert "has no Qwen/Qwen3-8B-GGUF (404)" in said.err
        assert "catalog refresh" in said.err
        assert hub.asked

    def test_a_file_that_is_not_there_any_more(self, gguf: Any, call: Call) -> None:
        del gguf.repos[REPO].files[FILE]
        said = call(*PULL)
        assert said.code == 2
        assert f"does not hold {FILE} any more; did you mean Qwen3-8B-Q8_0.gguf?" in said.err

    def test_a_file_that_is_listed_but_gone(self, gguf: Any, call: Call) -> None:
        gguf.repos[REPO].gone.add(FILE)
        assert call(*PULL).code == 2

    def test_nobody_there(self, call: Call, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert home.exists()
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        monkeypatch.setattr(time, "sleep", lambda _: None)
        said = call(*PULL, "--json")
        assert said.code == 6
        assert said.json["error"]["code"] == "network"

    def test_unknown_names(self, call: Call, hub: Any) -> None:
        assert call("pull", "Qwen3-9000B").code == 2
        assert call("pull", "Qwen3-8B", "--quant", "Q9_K").code == 2
        said = call("pull", "Qwen3-8B", "--quant", "NVFP4")
        assert said.code == 2
        assert "it can be had in" in said.err
        assert hub.asked == []

    def test_no_room_is_said_before_the_first_byte(
        self, gguf: Any, call: Call, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pulling, "free_bytes", lambda _: 1000)
        said = call(*PULL)
        assert said.code == 3
        assert "the disk of" in said.err
        assert gguf.fetched(FILE) == []
        assert call(*PULL, "--dry-run").code == 0

    def test_a_disk_that_fills_up_keeps_what_has_arrived(
        self, gguf: Any, call: Call, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = Path.open

        def full(self: Path, mode: str = "r", *args: Any, **more: Any) -> Any:
            stream = real(self, mode, *args, **more)
            return _Full(stream) if self.suffix == ".incomplete" and "b" in mode and mode != "rb" else stream

        monkeypatch.setattr(Path, "open", full)
        said = call(*PULL)
        assert said.code == 3
        assert "is full; what has arrived is kept" in said.err
        monkeypatch.undo()
        assert sum(path.stat().st_size for path in (cached(home) / "blobs").iterdir()) > 0
        assert gguf.url

    @pytest.mark.parametrize(
        "path",
        [
            "../x.gguf",
            "/etc/x.gguf",
            "a/../../x.gguf",
            "C:\\x.gguf",
            "a\\..\\x.gguf",
            "x\x1b[2J.gguf",
            "con",
            "",
            "a//b",
        ],
    )
    def test_a_path_that_leads_out_is_refused_whole(self, path: str, gguf: Any, call: Call, tmp_path: Path) -> None:
        gguf.repos[REPO].paths["README.md"] = path
        for words in (PULL, (*PULL, "--source", "modelscope")):
            said = call(*words, "--to", str(tmp_path / "in"))
            assert said.code == 6
            assert "could land outside its folder" in said.err
            assert "\x1b" not in said.err
        assert not (tmp_path / "in").exists()

    @pytest.mark.parametrize("size", [-1, 1 << 60, "big", None, 1.5, True])
    def test_a_size_that_is_none(self, size: Any, gguf: Any, call: Call) -> None:
        gguf.repos[REPO].says["siblings"] = [{"rfilename": FILE, "size": size, "blobId": "0" * 40}]
        assert call(*PULL).code == 6

    @pytest.mark.parametrize(
        "answer",
        [[], "text", 1, None, {}, {"id": 1}, {"siblings": 1}, {"siblings": [1]}, {"siblings": [{}]}, {"sha": None}],
    )
    def test_an_answer_that_describes_no_repository(self, answer: Any, gguf: Any, call: Call) -> None:
        gguf.repos[REPO].instead = answer
        said = call(*PULL, "--json")
        assert said.code == 6
        assert said.json["error"]["code"] == "network"

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b"\xff\xfe"])
    def test_an_answer_that_is_no_json(self, body: bytes, gguf: Any, call: Call, tmp_path: Path) -> None:
        gguf.repos[REPO].instead = body
        assert call(*PULL, "--json").code == 6
        assert call(*PULL, "--source", "modelscope", "--to", str(tmp_path), "--json").code == 6

    def test_a_folder_that_cannot_be_made(self, gguf: Any, call: Call, tmp_path: Path) -> None:
        assert gguf.url
        (tmp_path / "file").touch()
        said = call(*PULL, "--to", str(tmp_path / "file" / "folder"))
        assert said.code == 2
        assert "cannot be written" in said.err

    def test_a_link_that_leads_out_of_the_folder(self, hub: Any, call: Call, tmp_path: Path) -> None:
        hub.add("Qwen/Qwen3-8B", {"config.json": b"{}", "model.safetensors": b"w", "sub/x.json": b"{}"})
        (tmp_path / "in").mkdir()
        (tmp_path / "out").mkdir()
        (tmp_path / "in" / "sub").symlink_to(tmp_path / "out")
        said = call("pull", "Qwen3-8B", "--quant", "BF16", "--engine", "vllm", "--to", str(tmp_path / "in"))
        assert said.code == 2
        assert "leads out of" in said.err
        assert list((tmp_path / "out").iterdir()) == []

    def test_a_token_stays_with_its_host(self, gguf: Any, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        said = call(*PULL, "--json")
        assert said.code == 0
        sent = {
            path.split("/")[1]: headers.get("authorization") for method, path, headers in gguf.asked if method == "GET"
        }
        assert sent == {"api": "Bearer hf_secret", "Qwen": "Bearer hf_secret", "cdn": None}
        assert "hf_secret" not in said.out + said.err

    def test_a_name_that_moved_is_followed_and_said(self, gguf: Any, call: Call) -> None:
        gguf.repos["Qwen/New-GGUF"] = gguf.repos[REPO]
        gguf.repos[REPO] = type(gguf.repos[REPO])(files={}, now="Qwen/New-GGUF")
        said = call(*PULL, "--json")
        assert said.json["repo"] == "Qwen/New-GGUF"
        assert said.json["notes"] == ["Qwen/Qwen3-8B-GGUF is called Qwen/New-GGUF now"]

    def test_options_that_change_nothing_are_named(self, gguf: Any, call: Call) -> None:
        assert gguf.url
        said = call(*PULL, "--ram", "8G", "--dry-run")
        assert "warning: --ram: --quant names the files already" in said.err


class _Full:
    """A file on a disk that takes one piece more."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._pieces = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def write(self, data: bytes) -> int:
        self._pieces += 1
        if self._pieces > 1:
            raise OSError(28, "No space left on device")
        return int(self._stream.write(data))
