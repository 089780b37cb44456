"""Connections that break, content that is wrong, processes that are killed: only the whole counts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qwen_advisor.hub import transfer
from tests.hub.pulling import FILE, PULL, REPO, WEIGHTS, cached, files_in

Call = Callable[..., Any]


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
        while time.monotonic() < deadline and sum(f.stat().st_size for f in files_in(blobs)) < 2_000_000:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        halt.set()
        assert [path.suffix for path in files_in(blobs)] == [".incomplete"]
        assert list((cached(home) / "snapshots").rglob("*")) == []
        gguf.before.clear()
        gguf.asked.clear()
        said = call(*PULL, "--json")
        assert Path(said.json["path"]).read_bytes() == WEIGHTS
        assert set(gguf.fetched(FILE)) == {"bytes=2000000-"}

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
    def test_interrupted_it_ends_quietly_and_keeps_what_has_arrived(self, gguf: Any, home: Path) -> None:
        halt, waiting = threading.Event(), threading.Event()
        gguf.cut[FILE] = [1_000_000]

        def stall() -> None:
            if not gguf.cut[FILE]:
                waiting.set()
                halt.wait(60)

        gguf.before[FILE] = stall
        words = [sys.executable, "-m", "qwen_advisor", *PULL]
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits none
        try:
            process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        finally:
            signal.signal(signal.SIGINT, before)
        assert waiting.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        halt.set()
        assert process.returncode == 130
        assert out == ""
        assert "Traceback" not in err
        assert [path.stat().st_size for path in files_in(cached(home) / "blobs")] == [1_000_000]

    def test_two_at_once_fetch_it_once(self, gguf: Any, home: Path) -> None:
        gguf.before[FILE] = lambda: time.sleep(0.3)
        words = [sys.executable, "-m", "qwen_advisor", *PULL, "--json"]
        both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(2)]
        answers = [json.loads(each.communicate(timeout=30)[0]) for each in both]
        assert sorted(each["files"][0]["state"] for each in answers) == ["fetched", "present"]
        assert len(gguf.fetched(FILE)) == 2  # once, sent on once
        assert (cached(home) / "snapshots" / answers[0]["revision"] / FILE).read_bytes() == WEIGHTS
