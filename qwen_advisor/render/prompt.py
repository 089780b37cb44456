"""The answer of ``prompt``: as a report, as a document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from qwen_advisor.prompting import Prompt
from qwen_advisor.render.prompt_shapes import PromptDocument
from qwen_advisor.render.report import Facts, Lines, Report

_SAMPLING = ("temperature", "top_p", "top_k", "min_p", "presence_penalty", "repetition_penalty", "repeat_penalty")
_LONG = 120  # characters
_STATES = {"on": "on", "off": "off", "none": "this model does not think"}


def prompt_document(prompt: Prompt) -> PromptDocument:
    """The request with what has to be known of it."""
    return {
        "schema": "qwen-advisor/prompt/1",
        "task": prompt.task,
        "model": prompt.model,
        "served_as": prompt.served_as,
        "engine": prompt.engine,
        "thinking": prompt.thinking,
        "request": {"method": "POST", "url": prompt.url + prompt.path, "body": prompt.body},
        "beyond_openai": list(prompt.extra),
        "notes": list(prompt.notes),
        "sources": list(prompt.sources),
    }


def report(prompt: Prompt) -> Report:
    """What is asked how, message by message."""
    return Report(
        headline=f"A {prompt.task} request to {prompt.model} on {prompt.engine}",
        good=True,
        blocks=(
            Facts(pairs=tuple(_facts(prompt))),
            Facts(
                pairs=tuple(
                    (message["role"], _shown(message["content"])) for message in prompt.body.get("messages", ())
                )
            ),
            Lines(title="Notes", lines=prompt.notes),
            Lines(title="Sources", lines=prompt.sources),
            Lines(title="", lines=("print it with --format body, curl or python",)),
        ),
    )


def _facts(prompt: Prompt) -> Iterator[tuple[str, str]]:
    body = prompt.body
    yield "address", prompt.url + prompt.path
    yield "model", prompt.served_as
    yield "thinking", _STATES[prompt.thinking]
    options = body.get("options", {})
    values = {name: {**body, **options}.get(name) for name in _SAMPLING}
    said = ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)
    if said:
        yield "sampling", said
    if "max_tokens" in body or "num_predict" in options:
        yield "room", f"{body.get('max_tokens', options.get('num_predict')):,} tokens for the answer"
    switches = body.get("chat_template_kwargs") or ({"think": body["think"]} if "think" in body else {})
    if switches:
        yield "template", json.dumps(switches)
    for tool in body.get("tools", ()):
        yield "tool", str(tool.get("function", {}).get("name", "?"))
    for name in ("input", "text_1", "text_2"):
        for text in [body[name]] if isinstance(body.get(name), str) else body.get(name, ()):
            yield name, repr(text)


def _shown(content: Any) -> str:
    """A message's content as text; a long address is cut, which the body is not."""
    if not isinstance(content, list):
        return str(content)
    lines = []
    for part in content:
        kind = str(part["type"])
        if kind == "text":
            lines.append(str(part["text"]))
        else:
            address = str(part[kind]["url"])
            lines.append(f"[{kind.removesuffix('_url')}: {address if len(address) < _LONG else address[:40] + '...'}]")
    return "\n".join(lines)
