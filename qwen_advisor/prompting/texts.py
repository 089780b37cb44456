"""The words of a request, by task: what is asked, in what form the answer is wanted, and where the material stands."""

from __future__ import annotations

from typing import Any, Literal

from qwen_advisor.prompting.wish import Wish
from qwen_advisor.values import dataclass

# The words that Qwen's cards give for mathematics (Qwen2.5-Math, QwQ, Qwen3 and later).
_BOXED = "Please reason step by step, and put your final answer within \\boxed{}."

_BLANKS = {
    "chat": "{your question}",
    "code": "{what the program is to do}",
    "math": "{the problem}",
    "reasoning": "{the problem}",
    "agent": "{what is to be done}",
    "multilingual": "{your question}",
    "long-context": "{your question about the documents}",
    "writing": "{what to write, for whom, in what tone and how long}",
    "vision": "{your question about the image}",
    "documents": "Extract the text of this document as Markdown. Keep headings, lists, tables and reading order.",
    "video": "{your question about the video}",
    "audio": "{your question about the recording}",
    "omni": "{your question about what is seen and heard}",
    "moderation": "{the message to judge}",
}

EXAMPLE_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "search",
        "description": "Search the documents of the company and return the best passages.",
        "parameters": {
            "type": "object",
            "properties": {"query": {"type": "string", "description": "What to look for."}},
            "required": ["query"],
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """System message, if any, and the text of the user."""

    system: str | None
    user: str


def words_of(wish: Wish, thinking: Literal["on", "off", "none"]) -> Words:
    """The words of a request that is a conversation."""
    text = wish.text or _BLANKS.get(wish.task, "{your question}")
    system: list[str] = [wish.system] if wish.system else []
    rules = list(wish.constraints)
    match wish.task:
        case "code":
            written_in = f" in {wish.programming_language}" if wish.programming_language else ""
            text = f"Write code{written_in} for this task.\n\n{text}"
            rules += [
                "Give the whole program in one code block, ready to run.",
                "Say in one sentence each what you assume and which edge cases you treat.",
            ]
        case "math":
            text = f"{text}\n\n{_BOXED}"
        case "reasoning" if thinking == "on":
            text = f"{text}\n\nEnd with a line that begins with 'Answer:'."
        case "reasoning":
            text = (
                f"{text}\n\nReason step by step: say what is known, what follows from it and why, and check the result."
                " End with a line that begins with 'Answer:'."
            )
        case "agent":
            system.append(
                "Use the tools where they help. Call one as soon as you need it, and answer when you know enough."
                " Say so where a tool gave nothing."
            )
        case "long-context":
            passages = wish.documents or ("{the first document}", "{the next}")
            listed = "\n\n".join(
                f'<document index="{number}">\n{passage}\n</document>' for number, passage in enumerate(passages, 1)
            )
            text = (
                f"{listed}\n\nAnswer from these documents only, and quote the sentences that the answer rests on"
                f" with the index of their document. Say so if they do not tell.\n\n{text}"
            )
        case "writing":
            rules.append("Write the text itself, without a word before or after it.")
    if rules and wish.task not in ("moderation", "speech-to-text"):
        text += "\n\nKeep to this:\n" + "".join(f"- {rule}\n" for rule in rules).rstrip("\n")
    if wish.language:
        system.append(f"Answer in {wish.language}, whatever language the question is in.")
    elif wish.task == "multilingual":
        system.append("Answer in the language of the question.")
    return Words(system=" ".join(system) or None, user=text)


def content(wish: Wish, text: str) -> str | list[dict[str, Any]]:
    """The content of the user's message: text alone, or parts, pictures and sound before the text."""
    parts: list[dict[str, Any]] = []
    for kind, addresses in (("image", _images(wish)), ("video", _videos(wish)), ("audio", _audios(wish))):
        parts += [{"type": f"{kind}_url", f"{kind}_url": {"url": address}} for address in addresses]
    if not parts:
        return text
    return [*parts, {"type": "text", "text": text}] if text else parts


def _images(wish: Wish) -> tuple[str, ...]:
    return wish.images or (("https://example.com/picture.png",) if wish.task in ("vision", "documents", "omni") else ())


def _videos(wish: Wish) -> tuple[str, ...]:
    return wish.videos or (("https://example.com/film.mp4",) if wish.task == "video" else ())


def _audios(wish: Wish) -> tuple[str, ...]:
    heard = ("audio", "speech-to-text", "omni")
    return wish.audios or (("https://example.com/recording.wav",) if wish.task in heard else ())
