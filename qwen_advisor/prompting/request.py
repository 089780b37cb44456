"""The whole request: words, sampling values of the card and switches of the template, as one engine takes them."""

from __future__ import annotations

from typing import Any, Literal

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog, Sampling
from qwen_advisor.model import Checkpoint
from qwen_advisor.prompting.ability import require, thinking_of
from qwen_advisor.prompting.texts import EXAMPLE_TOOL, content, words_of
from qwen_advisor.prompting.vectors import embedding, ranking
from qwen_advisor.prompting.wish import Prompt, Wish

State = Literal["on", "off", "none"]

_PORTS = {"llama.cpp": 8080, "ollama": 11434, "vllm": 8000, "sglang": 30000, "mlx": 8080, "lmstudio": 1234}
_ELSEWHERE = 8000  # transformers serve, OpenVINO model server
_USES = {
    "code": "code",
    "agent": "code",
    "math": "reasoning",
    "reasoning": "reasoning",
    "vision": "vision",
    "documents": "vision",
    "video": "vision",
    "omni": "vision",
}
_FIELDS = ("temperature", "top_p", "top_k", "min_p", "presence_penalty", "repetition_penalty")
_PROTOCOL = frozenset({"model", "messages", "tools", "temperature", "top_p", "presence_penalty", "max_tokens", "input"})
_PENALTY = {"llama.cpp": "repeat_penalty", "ollama": "repeat_penalty", "lmstudio": "repeat_penalty"}
_TAKES_KWARGS = ("vllm", "sglang", "llama.cpp", "mlx")


def prompt(catalog: Catalog, checkpoint: Checkpoint, wish: Wish) -> Prompt:
    """The request of a wish to a model.

    Raises:
        UsageError: the model or the engine cannot do what is asked.
    """
    require(catalog, checkpoint, wish)
    served_as = _served_as(checkpoint, wish)
    url = wish.url or f"http://127.0.0.1:{_PORTS.get(wish.engine, _ELSEWHERE)}"
    if wish.task in ("embedding", "rerank"):
        return _vectors(checkpoint, wish, served_as, url)
    if wish.task == "text-to-speech":
        raise UsageError(
            f"{checkpoint.id} is not asked by chat: it takes a text and a voice, not messages",
            hint="serve it with vllm-omni and post {input, voice, language} to /v1/audio/speech",
        )
    state = thinking_of(catalog, checkpoint, wish)
    asked = catalog.sampling_of(checkpoint.id)
    notes: list[str] = []
    messages = _messages(checkpoint, wish, state)
    room = _room(catalog, checkpoint, wish, asked, state)
    sampling = _sampling(asked, wish, state, notes)
    if asked is not None and asked.template_system and messages[0]["role"] != "system":
        notes.append(f"without a system message the template adds its own: {asked.template_system!r}")
    if asked is not None and asked.note:
        notes.append(asked.note)
    notes += _language_notes(catalog, checkpoint, wish)
    tools = list(wish.tools) or ([EXAMPLE_TOOL] if wish.task == "agent" else [])
    if wish.task == "agent" and not wish.tools:
        notes.append("the tool is an example: put your own in its place with --tools FILE")
    make = _ollama if wish.engine == "ollama" else _openai
    path, body = make(checkpoint, wish, state, asked, messages, sampling, room, served_as, notes)
    if tools:
        body["tools"] = tools
    if messages[-1]["role"] == "assistant":
        if wish.engine not in ("vllm", "sglang"):
            raise UsageError(f"{wish.engine} does not go on with a begun answer", hint="leave --language out")
        body |= {"add_generation_prompt": False, "continue_final_message": True}
    if checkpoint.thinking in ("hybrid", "always"):
        notes.append("send earlier turns back without their thoughts")
    extra = tuple(name for name in body if name not in _PROTOCOL) if wish.engine != "ollama" else ()
    return Prompt(
        model=checkpoint.id,
        served_as=served_as,
        task=wish.task,
        engine=wish.engine,
        url=url,
        path=path,
        body=body,
        extra=extra,
        thinking=state,
        notes=tuple(notes),
        sources=asked.sources if asked else checkpoint.sources[:1],
    )


def _served_as(checkpoint: Checkpoint, wish: Wish) -> str:
    """The name that the engine's server knows the model by."""
    if wish.engine == "ollama":
        tags = [tag.tag for tag in checkpoint.ollama if tag.verified and not tag.note.startswith("trap")]
        if not tags:
            raise UsageError(
                f"Ollama's library has no tag that is known to be {checkpoint.id}", hint="choose another --engine"
            )
        return min(tags, key=len)
    return checkpoint.id.rpartition("/")[2] if wish.engine == "lmstudio" else checkpoint.id


def _messages(checkpoint: Checkpoint, wish: Wish, state: State) -> list[dict[str, Any]]:
    if wish.task == "speech-to-text" and checkpoint.kind == "speech-to-text":
        # The model writes "language X<asr_text>" before what it hears; begun for it, the language is settled.
        heard = [{"role": "user", "content": content(wish, "")}]
        system = [{"role": "system", "content": wish.system}] if wish.system else []
        begun = [{"role": "assistant", "content": f"language {wish.language}<asr_text>"}] if wish.language else []
        return [*system, *heard, *begun]
    if wish.task == "moderation":
        return [{"role": "user", "content": wish.text or "{the message to judge}"}]
    words = words_of(wish, state)
    text = words.user
    if wish.task == "speech-to-text":
        text = wish.text or "Write down what is said, word for word."
    system = [{"role": "system", "content": words.system}] if words.system else []
    return [*system, {"role": "user", "content": content(wish, text)}]


def _sampling(asked: Sampling | None, wish: Wish, state: State, notes: list[str]) -> dict[str, float]:
    """The values of the card; without any, the server's own, which is said."""
    mode = asked.mode("on" if state == "on" else "off", _USES.get(wish.task, "general")) if asked else None
    if mode is None:
        notes.append("no card gives sampling values for this: the server's own are used")
        return {}
    values = {name: getattr(mode, name) for name in _FIELDS}
    return {name: value for name, value in values.items() if value is not None}


def _room(catalog: Catalog, checkpoint: Checkpoint, wish: Wish, asked: Sampling | None, state: State) -> int:
    """Tokens for the answer: as asked, as the card has it, or what the task usually takes; never half the context."""
    if wish.max_tokens is not None:
        return wish.max_tokens
    profile = catalog.tasks[wish.task]
    usual = profile.output_tokens * 2 + (profile.reasoning_tokens if state == "on" else 0)
    room = asked.output_tokens if asked and asked.output_tokens and state == "on" else usual
    return min(room, (checkpoint.context.native or room * 2) // 2)


def _language_notes(catalog: Catalog, checkpoint: Checkpoint, wish: Wish) -> list[str]:
    if wish.language is None:
        return []
    entry = next((each for each in catalog.languages.values() if each["title"] == wish.language), None)
    family = catalog.families.get(checkpoint.family, {})
    if entry is not None and int(family.get("generation", 0)) < entry["since"]:
        return [f"{wish.language} is not among the languages that the makers of {checkpoint.family} name"]
    return []


def _openai(
    checkpoint: Checkpoint,
    wish: Wish,
    state: State,
    asked: Sampling | None,
    messages: list[dict[str, Any]],
    sampling: dict[str, float],
    room: int,
    served_as: str,
    notes: list[str],
) -> tuple[str, dict[str, Any]]:
    """A body of the protocol that most servers speak, with the fields that they take beside it."""
    penalty = _PENALTY.get(wish.engine, "repetition_penalty")
    values = {penalty if name == "repetition_penalty" else name: value for name, value in sampling.items()}
    body: dict[str, Any] = {"model": served_as, "messages": messages, **values, "max_tokens": room}
    options: dict[str, Any] = {}
    if checkpoint.thinking == "hybrid":
        options["enable_thinking"] = state == "on"
    if wish.effort is not None:
        options["reasoning_effort"] = wish.effort
    if not options:
        return "/v1/chat/completions", body
    if wish.engine not in _TAKES_KWARGS and wish.thinking == "auto" and wish.effort is None:
        return "/v1/chat/completions", body  # the model does by itself what is wanted
    if wish.engine in _TAKES_KWARGS:
        body["chat_template_kwargs"] = options
    elif asked is not None and "soft" in asked.switches and wish.effort is None:
        _soften(messages, state)
        notes.append(f"{wish.engine} passes nothing to the template, so thinking is switched by words in the message")
    else:
        raise UsageError(
            f"{wish.engine} passes nothing to the chat template, and {checkpoint.id} is switched by nothing else",
            hint=f"choose one of --engine {', '.join(_TAKES_KWARGS)}",
        )
    if wish.engine == "llama.cpp":
        notes.append("llama-server takes options of the template where it runs with --jinja")
    return "/v1/chat/completions", body


def _soften(messages: list[dict[str, Any]], state: State) -> None:
    """Qwen3's own switch in words, at the end of the user's message."""
    said = " /think" if state == "on" else " /no_think"
    last = messages[-1]
    if isinstance(last["content"], str):
        last["content"] += said
    else:
        last["content"][-1]["text"] += said


def _ollama(
    checkpoint: Checkpoint,
    wish: Wish,
    state: State,
    asked: Sampling | None,  # noqa: ARG001  the same signature as its sibling
    messages: list[dict[str, Any]],
    sampling: dict[str, float],
    room: int,
    served_as: str,
    notes: list[str],
) -> tuple[str, dict[str, Any]]:
    """A body of Ollama's own protocol, which alone takes all sampling values, ``think`` and the length of context."""
    if wish.effort is not None:
        raise UsageError("Ollama has no degrees of thinking for Qwen", hint="leave --effort out")
    options = {"repeat_penalty" if name == "repetition_penalty" else name: value for name, value in sampling.items()}
    plain = []
    for message in messages:
        parts = message["content"]
        if isinstance(parts, str):
            plain.append(message)
            continue
        urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
        if any(part["type"] in ("video_url", "audio_url") for part in parts):
            raise UsageError("Ollama takes neither sound nor film", hint="choose --engine vllm")
        text = "".join(part["text"] for part in parts if part["type"] == "text")
        images = [url.partition("base64,")[2] or "{the image in base64}" for url in urls]
        if "{the image in base64}" in images:
            notes.append("Ollama takes images in base64 and fetches none: give --image FILE")
        plain.append({"role": message["role"], "content": text, "images": images})
    body: dict[str, Any] = {"model": served_as, "messages": plain, "stream": False}
    if checkpoint.thinking == "hybrid":
        body["think"] = state == "on"
    notes.append("Ollama cuts what is longer than num_ctx without a word: it is set to hold prompt and answer")
    body["options"] = {**options, "num_predict": room, "num_ctx": _context(room)}
    return "/api/chat", body


def _context(room: int) -> int:
    """A context, in steps of 4,096 tokens, that holds the answer and as long a prompt again, up to 4,096."""
    step = 4096
    return -(-(room + min(room, step)) // step) * step


def _vectors(checkpoint: Checkpoint, wish: Wish, served_as: str, url: str) -> Prompt:
    if wish.thinking == "on":
        raise UsageError(f"{checkpoint.id} does not think", hint="leave --thinking out")
    if wish.engine not in ("vllm", "sglang", "llama.cpp", "ollama") or (
        wish.task == "rerank" and wish.engine != "vllm"
    ):
        raise UsageError(f"no form of {wish.task} requests is known for {wish.engine}", hint="choose --engine vllm")
    made = embedding(checkpoint, wish, served_as) if wish.task == "embedding" else ranking(wish, served_as)
    return Prompt(
        model=checkpoint.id,
        served_as=served_as,
        task=wish.task,
        engine=wish.engine,
        url=url,
        path=made.path,
        body=made.body,
        extra=(),
        thinking="none",
        notes=made.notes,
        sources=checkpoint.sources[:1],
    )
