"""A host that speaks the interfaces of the Hub and of ModelScope, and can be told to misbehave."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from qwen_advisor import api
from qwen_advisor.cli import main
from qwen_advisor.hub import transfer
from tests.hub.pulling import FILE, REPO, WEIGHTS

COMMIT = "c0ffee0000000000000000000000000000000001"


@dataclass
class Repo:
    """A repository: files by path, and what is odd about it."""

    files: dict[str, bytes]
    commit: str = COMMIT
    now: str | None = None  # the name that it goes by today
    status: int = 200
    code: str = ""  # X-Error-Code
    says: dict[str, Any] = field(default_factory=dict)  # further or other fields of its description
    announced: dict[str, bytes] = field(default_factory=dict)  # what is announced, where it differs from what is sent
    paths: dict[str, str] = field(default_factory=dict)  # path as it is listed, where it differs
    gone: set[str] = field(default_factory=set)  # listed, but not there
    instead: Any = ...  # what is said in place of its description


@dataclass
class Hub:
    """The host, what it holds, and what it was asked."""

    url: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    cut: dict[str, list[int]] = field(default_factory=dict)  # path -> bytes after which each answer breaks off
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)  # method, path, headers
    page: int = 1000  # repositories in one page of a list
    list_status: int = 200
    describe_status: int = 200
    ignores_ranges: bool = False
    moved_to: str = ""  # host that large files are sent on to
    before: dict[str, Callable[[], None]] = field(default_factory=dict)  # path -> what happens before its body
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, files: dict[str, bytes], **more: Any) -> Repo:
        self.repos[name] = Repo(files=files, **more)
        return self.repos[name]

    def fetched(self, path: str) -> list[str]:
        """The ranges in which a file's body was asked for; an empty text for the whole."""
        return [h.get("range", "") for method, asked, h in self.asked if method == "GET" and asked.endswith(f"/{path}")]


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def is_large(path: str) -> bool:
    return path.endswith((".gguf", ".safetensors", ".bin", ".onnx"))


class Talk(BaseHTTPRequestHandler):
    """One request."""

    server: ThreadingHTTPServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    @property
    def hub(self) -> Hub:
        return self.server.hub  # type: ignore[attr-defined,no-any-return]

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        split = urlsplit(self.path)
        path, query = unquote(split.path).strip("/"), parse_qs(split.query)
        with self.hub.lock:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.hub.asked.append((self.command, unquote(self.path), headers))
        with contextlib.suppress(OSError):  # who asked has gone, as some are meant to
            parts = path.split("/")
            if path == "api/models":
                self._list(query)
            elif parts[:2] == ["api", "models"]:
                self._describe("/".join(parts[2:4]))
            elif parts[:3] == ["api", "v1", "models"]:
                self._modelscope("/".join(parts[3:5]), parts[5:], query)
            elif len(parts) > 4 and parts[2] == "resolve":
                self._resolve("/".join(parts[:2]), "/".join(parts[4:]))
            elif parts[0] == "cdn":
                self._body("/".join(parts[3:]), self.hub.repos["/".join(parts[1:3])].files["/".join(parts[3:])])
            else:
                self._say(404, {"error": "not found"})

    def _say(self, status: int, document: Any, **headers: str) -> None:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    def _refused(self, name: str) -> Repo | None:
        repo = self.hub.repos.get(name)
        if repo is None:
            self._say(401, {"error": "Repository not found"}, X_Error_Code="RepoNotFound")
        elif repo.status != 200:
            self._say(repo.status, {"error": "no"}, X_Error_Code=repo.code, Retry_After="0")
        else:
            return repo
        return None

    def _list(self, query: dict[str, list[str]]) -> None:
        author = query.get("author", [""])[0]
        found = [
            self._description(name)
            for name, repo in self.hub.repos.items()
            if name.startswith(f"{author}/") and repo.status == 200 and not repo.now
        ]
        at = int(query.get("cursor", ["0"])[0])
        more = {}
        end = at + self.hub.page
        if end < len(found):
            more["Link"] = f'<{self.hub.url}/api/models?author={author}&cursor={end}>; rel="next"'
        self._say(self.hub.list_status, found[at:end], **more)

    def _describe(self, name: str) -> None:
        if self.hub.describe_status != 200:
            self._say(self.hub.describe_status, {"error": "no"})
            return
        repo = self._refused(name)
        if repo is None:
            return
        if repo.now and repo.now != name:
            self._say(307, {}, Location=f"/api/models/{repo.now}?blobs=true")
            return
        self._say(200, self._description(name) if repo.instead is ... else repo.instead)

    def _description(self, name: str) -> dict[str, Any]:
        repo = self.hub.repos[name]
        siblings = []
        for path, sent in repo.files.items():
            data = repo.announced.get(path, sent)
            entry: dict[str, Any] = {
                "rfilename": repo.paths.get(path, path),
                "size": len(data),
                "blobId": git_hash(data),
            }
            if is_large(path):
                entry["lfs"] = {"sha256": sha256_of(data), "size": len(data), "pointerSize": 130}
            siblings.append(entry)
        return {
            "_id": "0",
            "id": name,
            "modelId": name,
            "sha": repo.commit,
            "private": False,
            "disabled": False,
            "gated": False,
            "createdAt": "2026-11-20T08:00:00.000Z",
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "siblings": siblings,
        } | repo.says

    def _resolve(self, name: str, path: str) -> None:
        repo = self._refused(name)
        if repo is None:
            return
        if path not in repo.files or path in repo.gone:
            self._say(404, {"error": "Entry not found"}, X_Error_Code="EntryNotFound", X_Repo_Commit=repo.commit)
            return
        data = repo.announced.get(path, repo.files[path])
        headers = {"X-Repo-Commit": repo.commit, "ETag": f'"{git_hash(data)}"'}
        if is_large(path):
            host = self.hub.moved_to
            headers |= {"X-Linked-Etag": f'"{sha256_of(data)}"', "X-Linked-Size": str(len(data))}
            self.send_response(302)
            self.send_header("Location", f"{host}/cdn/{name}/{path}")
            self.send_header("Content-Length", "0")
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(repo.files[path])))
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET" and not is_large(path):
            self.wfile.write(repo.files[path])

    def _body(self, path: str, data: bytes) -> None:
        first, last = 0, len(data) - 1
        wanted = self.headers.get("Range", "")
        ranged = wanted.startswith("bytes=") and not self.hub.ignores_ranges
        if ranged:
            begin, _, end = wanted.removeprefix("bytes=").partition("-")
            first, last = int(begin), min(int(end or last), last)
            if first > last:
                self._say(416, {})
                return
        self.send_response(206 if ranged else 200)
        if ranged:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.hub.before.get(path, lambda: None)()
        part = data[first : last + 1]
        cuts = self.hub.cut.get(path)
        if cuts:
            part = part[: cuts.pop(0)]
            self.close_connection = True
        self.wfile.write(part)

    def _modelscope(self, name: str, rest: list[str], query: dict[str, list[str]]) -> None:
        repo = self.hub.repos.get(name)
        if repo is None:
            self._say(404, {"Code": 10010205001, "Message": "not found"})
        elif rest == ["repo", "files"] and repo.instead is not ...:
            self._say(200, repo.instead)
        elif rest == ["repo", "files"]:
            files = [
                {
                    "Type": "blob",
                    "Name": path.rpartition("/")[2],
                    "Path": repo.paths.get(path, path),
                    "Size": len(data),
                    "Sha256": sha256_of(repo.announced.get(path, data)),
                }
                for path, data in repo.files.items()
            ]
            folder = {"Type": "tree", "Name": "images", "Path": "images", "Size": 0, "Sha256": ""}
            self._say(200, {"Code": 200, "Success": True, "Data": {"Files": [folder, *files]}} | repo.says)
        else:
            path = query["FilePath"][0]
            self._body(path, repo.files[path])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """A reader that goes away in the middle is part of the plan."""


@contextlib.contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    server = _Server(("127.0.0.1", 0), Talk)
    server.hub = hub  # type: ignore[attr-defined]
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    hub.moved_to = f"http://localhost:{server.server_address[1]}"  # as the Hub sends on to hosts of another name
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A user's home with nothing in it."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in (
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_CACHE_HOME",
        "HOME",
        "APPDATA",
        "LOCALAPPDATA",
        "USERPROFILE",
    ):
        monkeypatch.setenv(name, str(folder))
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HF_HUB_OFFLINE", "OLLAMA_MODELS", "LLAMA_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(folder / "huggingface"))
    api._cached.cache_clear()  # a user's own entries belong to the home that they were found in
    yield folder
    api._cached.cache_clear()


@pytest.fixture
def hub(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:  # noqa: ARG001  nothing of the real user is read
    """The host, standing in for the Hub and for ModelScope."""
    monkeypatch.setattr(transfer, "PAUSE", 0.001)
    with serving(Hub()) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("MODELSCOPE_DOMAIN", running.url)
        yield running


@pytest.fixture
def gguf(hub: Hub) -> Hub:
    """A repository of GGUF files of Qwen3-8B, one of them of three million bytes."""
    hub.add(REPO, {FILE: WEIGHTS, "Qwen3-8B-Q8_0.gguf": b"other weights", "README.md": b"# card"})
    return hub


@dataclass(frozen=True)
class Said:
    """What one call said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Run the command line in this process."""
    monkeypatch.setenv("QWEN_ADVISOR_DEBUG", "")
    monkeypatch.setenv("COLUMNS", "110")

    def run(*words: str) -> Said:
        code = main(words)
        caught = capsys.readouterr()
        return Said(code, caught.out, caught.err)

    return run
