"""``prompt`` on the command line."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from qwen_advisor.render.schema import json_schema

Say = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    "words",
    [
        ("chat", "--model", "Qwen3-8B"),
        ("vision", "--model", "Qwen3.5-9B", "--image", "https://a/b.png"),
        ("math", "--model", "qwen3:8b", "--engine", "ollama", "--thinking", "off"),
        ("embedding", "--model", "Qwen3-Embedding-0.6B", "--text", "cats"),
        ("rerank", "--model", "Qwen3-Reranker-4B", "--text", "cats", "--document", "a"),
        ("moderation", "--model", "Qwen3Guard-Gen-4B", "--text", "hi"),
    ],
)
def test_json_fits_its_schema(say: Say, words: tuple[str, ...]) -> None:
    code, out, _ = say("prompt", *words, "--json")
    assert code == 0
    jsonschema.validate(json.loads(out), json_schema("prompt-1"))


def test_the_body_is_the_request_of_the_document(say: Say) -> None:
    words = ("prompt", "code", "--model", "Qwen3-8B", "--text", "sort", "--programming-language", "Go")
    body = json.loads(say(*words, "--format", "body")[1])
    assert body == json.loads(say(*words, "--json")[1])["request"]["body"]


def test_without_a_model_the_recommended_one_is_asked_on_its_engine(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    from qwen_advisor import api  # noqa: PLC0415  the command line looks it up at each call
    from qwen_advisor.describe import Description, describe  # noqa: PLC0415

    machine = describe(api.load_catalog(), Description(ram=16 << 30))
    monkeypatch.setattr(api, "machine_for", lambda *_, **__: machine)
    advised = json.loads(say("recommend", "--task", "code", "--ram", "16G", "--json")[1])["recommendations"][0]
    code, out, err = say("prompt", "code", "--json")
    assert code == 0
    asked = json.loads(out)
    assert (asked["model"], asked["engine"]) == (advised["model"]["id"], advised["engine"])
    assert "is what recommend names" in err


@pytest.mark.parametrize("form", ["table", "yaml", "markdown", "id", "curl", "python"])
def test_every_format(say: Say, form: str) -> None:
    code, out, _ = say("prompt", "chat", "--model", "Qwen3-8B", "--text", "hi", "--format", form)
    assert code == 0
    assert "Qwen/Qwen3-8B" in out


def test_notes_go_to_stderr_beside_a_body_unless_it_is_to_be_quiet(say: Say) -> None:
    assert say("prompt", "chat", "--model", "Qwen3-8B", "--format", "body", "-q")[2] == ""
    _, out, err = say("prompt", "chat", "--model", "Qwen3-8B", "--format", "body")
    assert json.loads(out)
    assert "hint: send earlier turns back without their thoughts" in err


def test_files_are_put_into_the_request(say: Say, tmp_path: Path) -> None:
    image = tmp_path / "a.png"
    image.write_bytes(b"\x89PNG")
    _, out, _ = say("prompt", "vision", "--model", "Qwen3.5-9B", "--image", str(image), "--format", "body")
    url = json.loads(out)["messages"][0]["content"][0]["image_url"]["url"]
    assert url == "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()
    _, out, _ = say(
        "prompt", "vision", "--model", "qwen3-vl:8b", "--engine", "ollama", "--image", str(image), "--format", "body"
    )
    assert json.loads(out)["messages"][0]["images"] == [base64.b64encode(b"\x89PNG").decode()]


def test_a_passage_from_a_file_and_tools_from_a_file(say: Say, tmp_path: Path) -> None:
    passage, tools = tmp_path / "a.txt", tmp_path / "tools.json"
    passage.write_text("the passage", "utf-8")
    tools.write_text('[{"type": "function", "function": {"name": "clock"}}]', "utf-8")
    _, out, _ = say("prompt", "long-context", "--model", "Qwen3-8B", "--document", f"@{passage}", "--format", "body")
    assert "the passage" in out
    _, out, _ = say("prompt", "chat", "--model", "Qwen3-8B", "--tools", str(tools), "--format", "body")
    assert json.loads(out)["tools"][0]["function"]["name"] == "clock"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("poetry", "--model", "Qwen3-8B"), "there is no task"),
        (("chat", "--model", "Qwen9"), "no model is called"),
        (("chat", "--model", "QwQ-32B", "--thinking", "off"), "always thinks"),
        (("chat", "--model", "Qwen3-8B", "--programming-language", "Go"), "says nothing in chat requests"),
        (("embedding", "--model", "Qwen3-Embedding-8B", "--system", "x"), "--system says nothing in embedding"),
        (("vision", "--model", "Qwen3.5-9B", "--image", "none.png"), "cannot be read"),
        (("vision", "--model", "Qwen3.5-9B", "--image", "none.txt"), "is no image"),
        (("chat", "--model", "Qwen3-8B", "--url", "ftp://x"), "is no address"),
        (("chat", "--model", "Qwen3-8B", "--format", "curl", "--json"), "contradict each other"),
        (("chat", "--model", "Qwen3-8B", "--engine", "vlm"), "there is no engine"),
        (("chat", "--model", "Qwen3-8B", "--language", "xx"), "language"),
        (("chat", "--model", "Qwen3-8B", "--tools", "none.json"), "cannot be read"),
    ],
)
def test_calls_that_are_off(say: Say, words: tuple[str, ...], sentence: str) -> None:
    code, _, err = say("prompt", *words)
    assert code == 2
    assert sentence in err


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', "[1]", '[{"function": {}}]', "[" * 100_000])
def test_tools_that_are_none(say: Say, tmp_path: Path, text: str) -> None:
    path = tmp_path / "tools.json"
    path.write_text(text, "utf-8")
    code, _, err = say("prompt", "chat", "--model", "Qwen3-8B", "--tools", str(path))
    assert code == 2
    assert "is no JSON" in err or "no list of functions" in err


def test_an_error_is_an_object_under_json(say: Say) -> None:
    code, out, _ = say("prompt", "chat", "--model", "QwQ-32B", "--thinking", "off", "--json")
    assert code == 2
    jsonschema.validate(json.loads(out), json_schema("error-1"))
