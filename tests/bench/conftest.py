"""A server whose every route can be told to misbehave."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from qwen_advisor import api
from qwen_advisor.cli import main
from qwen_advisor.machine import Cpu, HostMemory, Machine
from qwen_advisor.render.schema import json_schema
from qwen_advisor.units import GIB

MODEL = "Qwen3-0.6B-Q4_K_M.gguf"
Route = Callable[["Talk", dict[str, Any]], None]


class Talk(BaseHTTPRequestHandler):
    """One request, and the ways to answer it."""

    server: ThreadingHTTPServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, document: dict[str, Any]) -> None:
        fake: Fake = self.server.fake  # type: ignore[attr-defined]
        self.close_connection = True
        with fake.lock:
            fake.asked.append((self.path, document, dict(self.headers)))
        route = fake.routes.get(self.path, missing)
        with contextlib.suppress(OSError):  # who asked has gone, as some are meant to
            route(self, document)

    def version_string(self) -> str:
        return self.server.fake.name  # type: ignore[attr-defined]

    def send(self, status: int, body: bytes | str | dict[str, Any], kind: str = "application/json") -> None:
        """A whole answer."""
        data = json.dumps(body).encode() if isinstance(body, dict) else body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def begin(self) -> None:
        """The head of a stream that ends with the connection."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()

    def event(self, document: dict[str, Any] | str) -> None:
        """One event of it."""
        data = document if isinstance(document, str) else json.dumps(document)
        self.wfile.write(f"data: {data}\n\n".encode())

    def token(self, text: str) -> None:
        """One token of a chat or a completion."""
        chat = "chat" in self.path
        self.event({"choices": [{"delta": {"content": text}} if chat else {"text": text}]})

    def end(self, prompt_tokens: int, output_tokens: int, **more: Any) -> None:
        """Why it stopped, what it counted, and the end of the stream."""
        self.event({"choices": [{"delta": {}, "finish_reason": "length"}]})
        usage = {"prompt_tokens": prompt_tokens, "completion_tokens": output_tokens}
        self.event({"choices": [], "usage": usage, **more})
        self.event("[DONE]")


def missing(talk: Talk, _: dict[str, Any]) -> None:
    talk.send(404, {"error": {"message": "File Not Found", "code": 404}})


def models(talk: Talk, _: dict[str, Any]) -> None:
    talk.send(200, {"object": "list", "data": [{"id": MODEL, "owned_by": "llamacpp"}]})


def text_of(document: dict[str, Any]) -> str:
    return document["messages"][0]["content"] if "messages" in document else document["prompt"]


@dataclass
class Good:
    """A route that answers as a server should: a token for each word of the prompt, and one every ``gap`` seconds."""

    gap: float = 0.0005
    first: float = 0.0
    answer: str = "42"
    timings: bool = True

    def __call__(self, talk: Talk, document: dict[str, Any]) -> None:
        talk.begin()
        began = time.perf_counter()
        time.sleep(self.first)
        sums = "12 + 30" in text_of(document)
        count = 1 if sums else document["max_tokens"]
        read = time.perf_counter()
        for index in range(count):
            if index:
                time.sleep(self.gap)
            talk.token(self.answer if sums else " word")
        done = time.perf_counter()
        prompt = len(text_of(document).split())
        timings = {
            "prompt_n": prompt,
            "prompt_ms": max(0.001, 1000 * (read - began)),
            "predicted_n": count,
            "predicted_ms": max(0.001, 1000 * (done - read)),
        }
        talk.end(prompt, count, **({"timings": timings} if self.timings else {}))


@dataclass
class Fake:
    """The server, its routes, and what it was asked."""

    url: str
    port: int
    routes: dict[str, Route]
    name: str = "llama.cpp"
    asked: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answers(self, route: Route) -> None:
        """Both routes of answers behave so."""
        self.routes["/v1/chat/completions"] = self.routes["/v1/completions"] = route

    def made(self, **how: Any) -> Good:
        """A route that answers as it should, and so."""
        return Good(**how)

    def questions(self) -> list[dict[str, Any]]:
        return [document for path, document, _ in self.asked if path.endswith("completions")]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """A reader that goes away in the middle is part of the plan."""


@pytest.fixture
def fake() -> Iterator[Fake]:
    server = _Server(("127.0.0.1", 0), Talk)
    port = server.server_address[1]
    made = Fake(url=f"http://127.0.0.1:{port}", port=port, routes={"/v1/models": models})
    made.answers(Good())
    server.fake = made  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def nobody() -> str:
    """An address of this machine where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """What detection finds."""
    from qwen_advisor.cli import machine_options  # noqa: PLC0415

    machine = Machine(
        os="linux",
        cpu=Cpu(name="A CPU", physical_cores=8, logical_cores=16, usable_cores=8, memory_bandwidth=60e9),
        memory=HostMemory(total=32 * GIB, available=2 * GIB),
    )
    monkeypatch.setattr(api, "detect", lambda *_, **__: machine)
    monkeypatch.setattr(machine_options, "detect", lambda *_, **__: machine)
    return machine


@pytest.fixture
def closed() -> Callable[[str], dict[str, Any]]:
    """Schemas that allow no field that they do not name."""

    def close(name: str) -> dict[str, Any]:
        schema = json_schema(name)
        for part in (schema, *schema["$defs"].values()):
            part["additionalProperties"] = False
        return schema

    return close


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
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Said]:
    """Run the command line in this process, with a home of its own."""
    monkeypatch.delenv("QWEN_ADVISOR_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "110")
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "HOME", "APPDATA", "LOCALAPPDATA", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))

    def run(*words: str) -> Said:
        code = main(words)
        caught = capsys.readouterr()
        return Said(code, caught.out, caught.err)

    return run
