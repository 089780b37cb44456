"""What is asked: a task, as the catalogue profiles it, and the requirements of one call."""

from __future__ import annotations

from typing import Literal

from qwen_advisor.values import dataclass

TaskId = Literal[
    "chat",
    "code",
    "math",
    "reasoning",
    "agent",
    "multilingual",
    "long-context",
    "writing",
    "vision",
    "documents",
    "video",
    "audio",
    "speech-to-text",
    "text-to-speech",
    "omni",
    "embedding",
    "rerank",
    "moderation",
]
Prefer = Literal["quality", "balanced", "speed", "memory"]
ThinkingChoice = Literal["auto", "on", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskProfile:
    """One task of the catalogue: who may answer it, what one request looks like, how speed matters to it."""

    id: TaskId
    title: str
    ability: str  # which ability scale ranks it
    ability_spread: float  # logits by which the models that may answer differ on it; the unit of the ranking
    kinds: tuple[str, ...]  # checkpoint kinds that may answer
    lines: tuple[str, ...] = ()  # lines that may answer; empty means every line
    modalities_in: tuple[str, ...] = ("text",)
    modalities_out: tuple[str, ...] = ("text",)
    context: int  # tokens
    prompt_tokens: int
    output_tokens: int
    reasoning_tokens: int  # spent by a thinking model before the answer
    comfortable_speed: float  # decode tokens per second beyond which more hardly helps
    floor_speed: float  # below it the answer is no use
    patience: float  # seconds to a finished answer that this task's user bears gladly
    thinking: ThinkingChoice = "auto"
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """Every requirement of one call, resolved. Tokens, bytes, tokens per second; ``None`` means not asked for."""

    task: TaskId = "chat"
    context: int = 8192
    prompt_tokens: int = 512
    output_tokens: int = 512
    concurrency: int = 1
    min_speed: float | None = None
    engines: tuple[str, ...] = ()
    quantizations: tuple[str, ...] = ()
    license: str = "any"  # "permissive", "any" or an SPDX id
    language: str | None = None
    thinking: ThinkingChoice = "auto"
    tools: bool = False
    max_download: int | None = None
    family: str | None = None
    released_after: str | None = None
    prefer: Prefer = "balanced"
    installed: bool = False  # only what lies on the machine's disk already
    top: int = 5
