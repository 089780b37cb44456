"""The shape of the JSON answer of ``prompt``; see `shapes`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from qwen_advisor.engine import EngineId
from qwen_advisor.task import TaskId


class HttpRequestShape(TypedDict):
    """What is sent."""

    method: Literal["POST"]
    url: str
    body: Annotated[dict[str, Any], "As the engine takes it"]


class PromptDocument(TypedDict):
    """What `qwen-advisor prompt TASK --json` prints."""

    schema: Literal["qwen-advisor/prompt/1"]
    task: TaskId
    model: str
    served_as: Annotated[str, "The name that the engine's server knows it by"]
    engine: EngineId
    thinking: Literal["on", "off", "none"]
    request: HttpRequestShape
    beyond_openai: Annotated[list[str], "Fields of the body that are no part of OpenAI's protocol"]
    notes: list[str]
    sources: Annotated[list[str], "Of sampling values, switches and formats"]


PROMPT_DOCUMENTS: dict[str, Any] = {"prompt-1": PromptDocument}
