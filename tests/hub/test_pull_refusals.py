"""What ``pull`` refuses, and in which words."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

from qwen_advisor.hub import pull as pulling
from tests.hub.pulling import FILE, PULL, REPO, cached

Call = Callable[..., Any]


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
