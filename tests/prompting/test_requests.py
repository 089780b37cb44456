"""What a request says, by task, model and engine."""

from __future__ import annotations

import ast
import contextlib
import json
import shlex
from collections.abc import Callable
from typing import Any, get_args

import pytest

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.prompting import Prompt, curl, python
from qwen_advisor.task import TaskId

Ask = Callable[..., Prompt]


def user(made: Prompt) -> Any:
    return next(message["content"] for message in made.body["messages"] if message["role"] == "user")


def system(made: Prompt) -> str:
    return "".join(message["content"] for message in made.body["messages"] if message["role"] == "system")


def test_code_names_language_and_constraints(ask: Ask) -> None:
    made = ask(
        "Qwen3-Coder-30B-A3B-Instruct",
        task="code",
        text="parse",
        programming_language="Rust",
        constraints=("no unsafe",),
    )
    assert user(made).startswith("Write code in Rust for this task.\n\nparse")
    assert "- no unsafe" in user(made)
    assert made.body["temperature"] == 0.7
    assert made.body["repetition_penalty"] == 1.05


def test_math_uses_the_words_of_the_cards(ask: Ask) -> None:
    made = ask("Qwen3-8B", task="math", text="1+1")
    assert user(made) == "1+1\n\nPlease reason step by step, and put your final answer within \\boxed{}."


def test_steps_are_asked_of_models_that_do_not_think(ask: Ask) -> None:
    assert "Reason step by step" in user(ask("Qwen2.5-7B-Instruct", task="reasoning", text="x"))
    assert "step by step" not in user(ask("Qwen3-8B", task="reasoning", text="x", thinking="on"))


def test_languages(ask: Ask) -> None:
    assert "Answer in German" in system(ask("Qwen3-8B", task="multilingual", language="German"))
    assert "language of the question" in system(ask("Qwen3-8B", task="multilingual"))
    old = ask("Qwen-7B-Chat", task="chat", language="German")
    assert any("German is not among the languages" in note for note in old.notes)


def test_images_stand_before_the_text(ask: Ask) -> None:
    parts = user(ask("Qwen3-VL-8B-Instruct", task="vision", text="what?", images=("https://a/b.png",)))
    assert parts == [
        {"type": "image_url", "image_url": {"url": "https://a/b.png"}},
        {"type": "text", "text": "what?"},
    ]


def test_documents_are_told_apart_and_stand_before_the_question(ask: Ask) -> None:
    text = user(ask("Qwen3-8B", task="long-context", text="who?", documents=("first", "second")))
    assert text.index('<document index="1">\nfirst') < text.index('<document index="2">\nsecond') < text.index("who?")


def test_an_agent_has_a_tool(ask: Ask) -> None:
    made = ask("Qwen3-8B", task="agent")
    assert made.body["tools"][0]["function"]["name"] == "search"
    own = {"type": "function", "function": {"name": "clock"}}
    assert ask("Qwen3-8B", task="agent", tools=(own,)).body["tools"] == [own]


@pytest.mark.parametrize(
    ("model", "wish", "thinking", "template"),
    [
        ("Qwen3-8B", {"thinking": "off"}, "off", {"enable_thinking": False}),
        ("Qwen3-8B", {"thinking": "on"}, "on", {"enable_thinking": True}),
        ("Qwen3-8B", {}, "on", {"enable_thinking": True}),
        ("Qwen3.5-0.8B", {}, "off", {"enable_thinking": False}),
        ("Qwen3.8-27B", {"effort": "low"}, "on", {"enable_thinking": True, "reasoning_effort": "low"}),
        ("QwQ-32B", {"thinking": "on"}, "on", None),
        ("Qwen3-4B-Instruct-2507", {"thinking": "off"}, "none", None),
    ],
)
def test_thinking_by_the_template(ask: Ask, model: str, wish: dict[str, Any], thinking: str, template: Any) -> None:
    made = ask(model, **wish)
    assert made.thinking == thinking
    assert made.body.get("chat_template_kwargs") == template


def test_thinking_by_the_engines_own_switch(ask: Ask) -> None:
    ollama = ask("Qwen3-8B", thinking="off", engine="ollama", text="hi")
    assert ollama.path == "/api/chat"
    assert ollama.body["think"] is False
    assert ollama.body["options"]["temperature"] == 0.7
    soft = ask("Qwen3-8B", thinking="off", engine="lmstudio", text="hi")
    assert user(soft) == "hi /no_think"
    assert "chat_template_kwargs" not in soft.body
    with pytest.raises(UsageError, match="passes nothing to the chat template"):
        ask("Qwen3.5-9B", thinking="off", engine="lmstudio")
    assert "chat_template_kwargs" not in ask("Qwen3.5-9B", engine="lmstudio").body


def test_penalties_have_each_engines_name(ask: Ask) -> None:
    assert ask("Qwen2.5-7B-Instruct").body["repetition_penalty"] == 1.05
    assert ask("Qwen2.5-7B-Instruct", engine="llama.cpp").body["repeat_penalty"] == 1.05
    assert ask("Qwen2.5-7B-Instruct", engine="ollama").body["options"]["repeat_penalty"] == 1.05


def test_fields_beyond_the_protocol_are_named(ask: Ask) -> None:
    assert set(ask("Qwen3-8B").extra) == {"top_k", "min_p", "chat_template_kwargs"}


def test_what_the_template_adds_is_said(ask: Ask) -> None:
    assert any("You are Qwen, created by Alibaba Cloud" in note for note in ask("Qwen2.5-7B-Instruct").notes)
    assert not any("template adds" in note for note in ask("Qwen2.5-7B-Instruct", system="Be brief.").notes)


def test_embeddings_have_an_instruction_before_queries_only(ask: Ask) -> None:
    query = ask("Qwen3-Embedding-8B", task="embedding", text="cats", instruction="Find pets")
    assert query.body["input"] == ["Instruct: Find pets\nQuery:cats"]
    assert ask("Qwen3-Embedding-8B", task="embedding", documents=("a cat",)).body["input"] == ["a cat"]
    assert ask("gte-Qwen2-7B-instruct", task="embedding", text="cats").body["input"][0].endswith("\nQuery: cats")


def test_ranking_is_written_as_the_card_has_it(ask: Ask) -> None:
    made = ask("Qwen3-Reranker-0.6B", task="rerank", text="cats", documents=("a", "b"))
    assert made.path == "/v1/score"
    assert made.body["text_1"].endswith("<Query>: cats\n")
    assert made.body["text_2"][1] == "<Document>: b<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"


def test_a_language_of_speech_begins_the_answer(ask: Ask) -> None:
    made = ask("Qwen3-ASR-1.7B", task="speech-to-text", language="German", audios=("https://a/b.wav",))
    assert made.body["messages"][-1] == {"role": "assistant", "content": "language German<asr_text>"}
    assert made.body["continue_final_message"] is True
    assert "continue_final_message" not in ask("Qwen3-ASR-1.7B", task="speech-to-text").body


@pytest.mark.parametrize(
    ("model", "wish", "sentence", "hint"),
    [
        ("QwQ-32B", {"thinking": "off"}, "always thinks", "Qwen2.5-32B-Instruct"),
        ("Qwen3-4B-Thinking-2507", {"thinking": "off"}, "always thinks", "Qwen3-4B-Instruct-2507"),
        ("Qwen3-4B-Instruct-2507", {"thinking": "on"}, "does not think", "Qwen3-4B-Thinking-2507"),
        ("Qwen3-8B", {"task": "vision"}, "takes no image as input, but text", "ask Qwen/"),
        ("Qwen3-8B", {"images": ("https://a",)}, "takes no image", "ask Qwen/"),
        ("Qwen3-VL-8B-Instruct", {"task": "audio"}, "takes no audio", "ask Qwen/"),
        ("Qwen3-8B-Base", {}, "is a base model", "ask Qwen/"),
        ("Qwen3-Embedding-8B", {}, "is of the kind embedding", "catalog list --task chat"),
        ("Qwen3-8B", {"task": "embedding"}, "is of the kind hybrid", "catalog list --task embedding"),
        ("Qwen2.5-VL-7B-Instruct", {"task": "agent"}, "not known to call tools", "ask Qwen/"),
        ("Qwen3-8B", {"effort": "low"}, "has no degrees of thinking", "Qwen3.8"),
        ("Qwen3-TTS-12Hz-1.7B-CustomVoice", {"task": "text-to-speech"}, "is not asked by chat", "/v1/audio/speech"),
        ("Qwen3-4B-SafeRL", {"engine": "ollama"}, "no tag that is known", "another --engine"),
        ("Qwen3-Reranker-8B", {"task": "rerank", "engine": "llama.cpp"}, "no form of rerank requests", "vllm"),
    ],
)
def test_what_a_model_cannot_do_is_said(ask: Ask, model: str, wish: dict[str, Any], sentence: str, hint: str) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        ask(model, **wish)
    assert hint in (caught.value.hint or "")
    assert caught.value.exit_code == 2


def test_curl_holds_any_text(ask: Ask) -> None:
    text = "it's \"$(rm -rf /)\" `x` \\ \n'; --"
    words = shlex.split(curl(ask("Qwen3-8B", text=text)).replace("\\\n", ""))
    body = json.loads(words[words.index("-d") + 1])
    assert body["messages"][0]["content"] == text


def test_python_holds_any_text_and_is_python(ask: Ask) -> None:
    text = 'a\'b"c\\n\n""" + __import__(\'os\')'
    for made in (ask("Qwen3-8B", text=text), ask("Qwen3-8B", text=text, engine="ollama")):
        constants = [node.value for node in ast.walk(ast.parse(python(made))) if isinstance(node, ast.Constant)]
        assert text in constants


@pytest.mark.parametrize("task", get_args(TaskId))
def test_every_task_has_a_request_or_a_sentence(catalog: Catalog, ask: Ask, task: str) -> None:
    """For every checkpoint of the catalogue, on every engine: a request, or nothing else than a usage error."""
    answered = 0
    for name in catalog.models:
        for engine in ("vllm", "llama.cpp", "ollama", "lmstudio"):
            with contextlib.suppress(UsageError):
                made = ask(name, task=task, engine=engine)
                assert json.loads(json.dumps(made.body))["model"]
                answered += 1
    assert answered or task == "text-to-speech"
