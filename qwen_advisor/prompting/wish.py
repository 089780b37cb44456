"""What a request is to be: a task, what is asked, and how."""

from __future__ import annotations

from typing import Any, Literal

from qwen_advisor.engine import EngineId
from qwen_advisor.task import TaskId, ThinkingChoice
from qwen_advisor.values import dataclass

Effort = Literal["low", "medium", "xhigh"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One request, before a model's words are found for it. Texts that are not given become places to fill in.

    Attributes:
        text: the question, the passage or the query.
        language: title of the language to answer in.
        programming_language: of code.
        constraints: what the answer has to keep to.
        images, videos, audios: addresses, or data URIs.
        documents: passages to rank or to read.
        instruction: what an embedding or a ranking is for.
        tools: definitions of functions, as the protocol has them.
        effort: how long to think, where a template has degrees of it.
        max_tokens: room for the answer; what the card asks for if None.
    """

    task: TaskId = "chat"
    text: str | None = None
    system: str | None = None
    thinking: ThinkingChoice = "auto"
    effort: Effort | None = None
    language: str | None = None
    programming_language: str | None = None
    constraints: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    audios: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    instruction: str | None = None
    tools: tuple[dict[str, Any], ...] = ()
    max_tokens: int | None = None
    engine: EngineId = "vllm"
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A request that is ready to be sent.

    Attributes:
        method_path: the path below the server's address.
        body: the JSON body.
        extra: names of fields of the body that are no part of OpenAI's protocol.
        thinking: the state that the request asks for; ``none`` for models that do not think.
        sources: where sampling values, switches and formats come from.
    """

    model: str
    served_as: str
    task: TaskId
    engine: EngineId
    url: str
    path: str
    body: dict[str, Any]
    extra: tuple[str, ...]
    thinking: Literal["on", "off", "none"]
    notes: tuple[str, ...]
    sources: tuple[str, ...]
