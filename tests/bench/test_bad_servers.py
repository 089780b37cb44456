"""Servers that misbehave in every way we know: each gets its sentence and its exit code, and nothing hangs."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest

from qwen_advisor.render.schema import json_schema

Call = Callable[..., Any]
MOST_SECONDS = 4.0


def bench(call: Call, url: str, *words: str) -> Any:
    began = time.monotonic()
    load = ("--runs", "1", "--prompt-tokens", "16", "--output-tokens", "8")
    said = call("bench", "--url", url, "--timeout", "0.6", *load, *words)
    assert time.monotonic() - began < MOST_SECONDS
    return said


def piece(text: str = " word") -> dict[str, Any]:
    return {"choices": [{"delta": {"content": text}}]}


def hang(_talk: Any, _: Any) -> None:
    time.sleep(0.9)


def drip(talk: Any, _: Any) -> None:
    """A byte now and then, so that no single wait is long."""
    talk.begin()
    for _ in range(40):
        talk.wfile.write(b":")
        time.sleep(0.05)


def half(talk: Any, _: Any) -> None:
    talk.begin()
    talk.event(piece())
    talk.wfile.write(b'data: {"choices": [{"del')


def short_body(talk: Any, _: Any) -> None:
    talk.send_response(200)
    talk.send_header("Content-Type", "text/event-stream")
    talk.send_header("Content-Length", "100000")
    talk.end_headers()
    talk.event(piece())


def dies(talk: Any, _: Any) -> None:
    """The connection is reset, as by a process that was killed."""
    talk.begin()
    talk.event(piece())
    talk.wfile.flush()
    talk.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    talk.connection.close()
    raise ConnectionResetError


def endless(talk: Any, _: Any) -> None:
    talk.begin()
    while True:
        talk.event(piece())


def endless_line(talk: Any, _: Any) -> None:
    talk.begin()
    talk.wfile.write(b"data: ")
    while True:
        talk.wfile.write(b"x" * 65536)


def endless_nothing(talk: Any, _: Any) -> None:
    talk.begin()
    while True:
        talk.event({"choices": [{"delta": {}}]})


def absurd_length(talk: Any, _: Any) -> None:
    talk.send_response(200)
    talk.send_header("Content-Type", "text/event-stream")
    talk.send_header("Content-Length", "999999999999999999999999")
    talk.end_headers()
    talk.event(piece())


def negative_length(talk: Any, _: Any) -> None:
    talk.send_response(500)
    talk.send_header("Content-Length", "-5")
    talk.end_headers()
    talk.wfile.write(b"oops")


def long_header(talk: Any, _: Any) -> None:
    talk.wfile.write(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n")


def many_headers(talk: Any, _: Any) -> None:
    talk.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n")


def not_http(talk: Any, _: Any) -> None:
    talk.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")


def bad_chunks(talk: Any, _: Any) -> None:
    talk.wfile.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello"
    )


def stream(*events: Any) -> Callable[[Any, Any], None]:
    def route(talk: Any, _: Any) -> None:
        talk.begin()
        for event in events:
            if isinstance(event, bytes):
                talk.wfile.write(event)
            else:
                talk.event(event)

    return route


def status(code: int, body: Any = b"", kind: str = "application/json") -> Callable[[Any, Any], None]:
    return lambda talk, _: talk.send(code, body, kind)


def redirect(talk: Any, _: Any) -> None:
    talk.send_response(302)
    talk.send_header("Location", "http://192.0.2.1/")
    talk.send_header("Content-Length", "0")
    talk.end_headers()


HTML = "<!doctype html><html><body>Sign in</body></html>"
STOP = {"choices": [{"delta": {}, "finish_reason": "length"}]}

ANSWERS: dict[str, tuple[Any, int, str]] = {
    "hangs": (hang, 6, "did not answer within 0.6 s"),
    "drips": (drip, 6, "did not answer within 0.6 s"),
    "half an event": (half, 6, "that is no JSON"),
    "no end": (stream(piece()), 6, "broke off in the middle of an answer, after 1 pieces"),
    "shorter than said": (short_body, 6, "broke"),
    "dies": (dies, 6, "broke the connection off"),
    "endless tokens": (endless, 6, "does not stop"),
    "endless line": (endless_line, 6, "sends more than"),
    "endless events": (endless_nothing, 6, "does not stop"),
    "absurd length": (absurd_length, 6, "broke"),
    "negative length": (negative_length, 6, "HTTP 500"),
    "a long header": (long_header, 6, "does not speak HTTP"),
    "many headers": (many_headers, 6, "does not speak HTTP"),
    "another protocol": (not_http, 6, "does not speak HTTP"),
    "bad chunks": (bad_chunks, 6, ""),
    "closes at once": (lambda _talk, _: None, 6, "broke the connection off"),
    "no text": (stream(STOP, "[DONE]"), 6, "answers without any text"),
    "nothing": (stream(), 6, "answers with no events"),
    "invalid UTF-8": (stream(b'data: {"choices": [{"delta": {"content": "\xff\xfe"}}]}\n\n'), 6, "no UTF-8"),
    "no JSON": (stream("hello"), 6, "that is no JSON"),
    "a list": (stream("[1, 2]"), 6, "that is no JSON"),
    "nested": (stream("[" * 100_000), 6, "that is no JSON"),
    "an error in the stream": (stream(piece(), {"error": {"message": "out of memory"}}), 6, "out of memory"),
    "an older error": (stream(piece(), b'error: {"message": "slot is gone"}\n\n'), 6, "slot is gone"),
    "an error with 200": (status(200, {"error": "no GPU"}), 6, "answers with an error: no GPU"),
    "no stream": (status(200, {"choices": [{"message": {"content": "hi"}}]}), 6, "does not stream"),
    "HTML": (status(200, HTML, "text/html"), 6, "answers with a web page"),
    "plain text": (status(200, "hello", "application/json"), 6, "something that is no JSON"),
    "redirect": (redirect, 6, "sends its callers elsewhere (HTTP 302)"),
    "400": (status(400, {"error": {"message": "prompt too long"}}), 2, "refuses the request (HTTP 400): prompt too"),
    "401": (status(401, {"error": {"message": "bad key"}}), 2, "wants a key (HTTP 401)"),
    "403": (status(403), 2, "wants a key (HTTP 403)"),
    "404 of the model": (status(404, {"error": {"message": "model not found"}}), 2, "has no model"),
    "404 of the route": (status(404, HTML, "text/html"), 2, "has a web page where an OpenAI-compatible API would be"),
    "405": (status(405), 2, "has nothing where an OpenAI-compatible API would be"),
    "413": (status(413), 2, "refuses the request (HTTP 413)"),
    "429": (
        status(429, {"error": {"message": "slow down"}}),
        6,
        "takes no more requests for now (HTTP 429): slow down",
    ),
    "500": (status(500, {"error": {"message": "CUDA error"}}), 6, "failed (HTTP 500): CUDA error"),
    "502 as HTML": (status(502, HTML, "text/html"), 6, "failed (HTTP 502)"),
    "503": (status(503, {"error": {"message": "Loading model"}}), 6, "is not ready (HTTP 503): Loading model"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_none(name: str, fake: Any, call: Call) -> None:
    route, code, sentence = ANSWERS[name]
    fake.answers(route)
    said = bench(call, fake.url)
    assert (said.code, said.out) == (code, ""), said
    assert "error: " in said.err
    assert sentence in said.err
    assert "Traceback" not in said.err


LISTS: dict[str, tuple[Any, tuple[str, ...], int, str]] = {
    "hangs": (hang, (), 6, "did not answer within 0.6 s"),
    "401": (status(401), (), 2, "wants a key (HTTP 401)"),
    "404": (status(404), (), 2, "has nothing where an OpenAI-compatible API would be"),
    "HTML": (status(200, HTML, "text/html"), (), 6, "a web page where the list of its models would be"),
    "HTML named JSON": (status(200, HTML), (), 6, "a web page where the list of its models would be"),
    "500": (status(500), (), 6, "failed (HTTP 500)"),
    "no list": (status(200, {"models": 3}), (), 6, "something that is no list of models"),
    "nested": (status(200, "[" * 100_000), (), 6, "something that is no list of models"),
    "empty": (status(200, {"data": []}), (), 2, "serves no model"),
    "rubbish in it": (status(200, {"data": [None, {"id": 7}, {"id": ""}, {}]}), (), 2, "serves no model"),
    "several": (status(200, {"data": [{"id": "a"}, {"id": "b"}]}), (), 2, "serves 2 models: a, b"),
    "another": (status(200, {"data": [{"id": "qwen3:8b"}]}), ("--model", "qwen3:4b"), 2, "serves qwen3:8b, not"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_models_that_is_none(name: str, fake: Any, call: Call) -> None:
    route, words, code, sentence = LISTS[name]
    fake.routes["/v1/models"] = route
    said = bench(call, fake.url, *words)
    assert (said.code, said.out) == (code, ""), said
    assert sentence in said.err
    assert not fake.questions()


def test_a_wrong_model_suggests_the_one_that_is_served(fake: Any, call: Call) -> None:
    fake.routes["/v1/models"] = status(200, {"data": [{"id": "qwen3:8b"}, {"id": "llama3:8b"}]})
    said = bench(call, fake.url, "--model", "qwen3:8", "--json")
    assert said.code == 2
    jsonschema.validate(said.json, json_schema("error-1"))
    assert said.json["error"]["suggestions"] == ["qwen3:8b"]


def test_nobody_listens(nobody: str, call: Call) -> None:
    said = bench(call, nobody)
    assert said.code == 6
    assert f"error: nothing listens at {nobody}\nhint: is the server running" in said.err
    said = bench(call, nobody, "--json")
    assert said.json["error"]["code"] == "network"
    jsonschema.validate(said.json, json_schema("error-1"))


def test_an_unknown_host(call: Call) -> None:
    said = bench(call, "http://no-such-host.invalid")
    assert said.code == 6
    assert "no-such-host.invalid" in said.err


def test_tls_where_none_is_spoken(fake: Any, call: Call) -> None:
    said = bench(call, fake.url.replace("http", "https"))
    assert said.code == 6
    assert "https://127.0.0.1" in said.err


@pytest.fixture
def mute() -> Iterator[str]:
    """A port that takes connections and never reads."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_port_that_never_answers(mute: str, call: Call) -> None:
    said = bench(call, mute)
    assert said.code == 6
    assert "did not answer within 0.6 s" in said.err


def test_what_a_server_says_cannot_steer_the_terminal_nor_repeat_the_key(
    fake: Any, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    message = "\x1b[31mno sk-very-secret\x07 here " + "x" * 5000
    fake.answers(status(500, {"error": {"message": message}}))
    said = bench(call, fake.url, "--api-key-env", "MY_KEY")
    assert said.code == 6
    assert "\x1b" not in said.err
    assert "\x07" not in said.err
    assert "sk-very-secret" not in said.err
    assert len(said.err) < 1000
    assert all(headers.get("Authorization") == "Bearer sk-very-secret" for _, _, headers in fake.asked)


def test_a_key_that_is_refused_is_not_repeated(fake: Any, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    fake.routes["/v1/models"] = status(401, {"error": {"message": "Incorrect API key: sk-very*****"}})
    said = bench(call, fake.url, "--api-key-env", "MY_KEY")
    assert said.code == 2
    assert "refuses the key (HTTP 401)" in said.err
    assert "sk-" not in said.err


class TestCountsThatCannotBe:
    def route(self, usage: Any, timings: Any = None) -> Callable[[Any, Any], None]:
        def answer(talk: Any, document: dict[str, Any]) -> None:
            talk.begin()
            for _ in range(document["max_tokens"]):
                talk.token(" word")
                time.sleep(0.001)
            talk.event({**STOP, "usage": usage, "timings": timings})
            talk.event("[DONE]")

        return answer

    @pytest.mark.parametrize("count", [10**12, -3, "8", 8.5, True, None, 10**400, [8]])
    def test_pieces_are_counted_instead(self, count: Any, fake: Any, call: Call) -> None:
        fake.answers(self.route({"prompt_tokens": count, "completion_tokens": count}))
        said = bench(call, fake.url, "--json")
        assert said.code == 0, said
        assert said.json["levels"][0]["output_tokens"] == 8
        assert any("pieces of text were counted instead" in note for note in said.json["notes"])

    @pytest.mark.parametrize("value", [-1, 0, "1", 1e400, float("nan"), 10**300, None])
    def test_times_that_cannot_be_are_not_told(self, value: Any, fake: Any, call: Call) -> None:
        timings = {"prompt_n": 16, "prompt_ms": value, "predicted_n": 8, "predicted_ms": value}
        fake.answers(self.route({"prompt_tokens": 16, "completion_tokens": 8}, timings))
        said = bench(call, fake.url, "--json")
        assert said.code == 0, said
        assert said.json["levels"][0]["server_decode_tokens_per_second"] is None


def test_a_server_that_dies_between_levels_leaves_what_was_measured(fake: Any, call: Call) -> None:
    good = fake.routes["/v1/chat/completions"]
    lock, asked = threading.Lock(), []

    def route(talk: Any, document: dict[str, Any]) -> None:
        with lock:
            asked.append(1)
            dead = len(asked) > 4 + 1
        (status(500, {"error": "gone"}) if dead else good)(talk, document)

    fake.answers(route)
    said = bench(call, fake.url, "--concurrency", "1,2,4", "--json")
    assert said.code == 6
    jsonschema.validate(said.json, json_schema("bench-1"))
    measured = [level["concurrency"] for level in said.json["levels"]]
    assert measured in ([1], [1, 2])
    assert said.json["error"]["message"].endswith("failed (HTTP 500): gone")
    assert "error: " in said.err


def test_a_client_that_fails_ends_all_of_its_level(fake: Any, call: Call) -> None:
    good = fake.routes["/v1/chat/completions"]

    def route(talk: Any, document: dict[str, Any]) -> None:
        with fake.lock:
            count = len(fake.questions())
        (status(429) if count > 12 else good)(talk, document)

    fake.answers(route)
    said = bench(call, fake.url, "--concurrency", "8", "--runs", "50")
    assert said.code == 6
    assert "HTTP 429" in said.err
    assert len(fake.questions()) < 60


PLAIN = {"model", "max_tokens", "temperature", "stream", "messages"}


@pytest.mark.parametrize(("known", "counts"), [(PLAIN, False), (PLAIN | {"stream_options"}, True)])
def test_fields_that_a_server_refuses_are_left_out_for_good(
    known: set[str], counts: bool, fake: Any, call: Call
) -> None:
    def route(talk: Any, document: dict[str, Any]) -> None:
        strange = set(document) - known
        if strange:
            talk.send(400, {"error": {"message": f"unknown {sorted(strange)}"}})
            return
        talk.begin()
        for _ in range(document["max_tokens"]):
            talk.token(" word")
            time.sleep(0.001)
        if "stream_options" in document:
            talk.end(16, document["max_tokens"])
        else:
            talk.event(STOP)
            talk.event("[DONE]")

    fake.answers(route)
    said = bench(call, fake.url, "--json")
    assert said.code == 0, said
    assert sum("ignore_eos" in document for document in fake.questions()) == 1
    assert all("stream_options" in document for document in fake.questions()) is counts
    assert (said.json["levels"][0]["prompt_tokens"] is not None) is counts


def test_a_request_that_is_refused_in_every_form_is_told_once(fake: Any, call: Call) -> None:
    fake.answers(status(422, {"detail": "no such thing"}))
    said = bench(call, fake.url)
    assert said.code == 2
    assert "refuses the request (HTTP 422): no such thing" in said.err
    assert len(fake.questions()) == 3
