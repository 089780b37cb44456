"""Which server answers, which model it serves and how: asked of the routes that each engine has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from qwen_advisor.bench.endpoint import refusal
from qwen_advisor.bench.memory import tunnelled
from qwen_advisor.bench.records import Server
from qwen_advisor.bench.wire import Reply, Wire, page
from qwen_advisor.errors import AdvisorError, NetworkError, UsageError
from qwen_advisor.names import closest

_MOST_NAMED = 5
_SIDE_SECONDS = 10.0  # for what is only good to know
# ``owned_by`` of /v1/models -> engine
_OWNERS = {
    "llamacpp": "llama.cpp",
    "vllm": "vllm",
    "sglang": "sglang",
    "library": "ollama",
    "organization_owner": "lmstudio",
}


def look_up(wire: Wire, model: str | None) -> Server:
    """What answers at the address.

    Args:
        wire: where.
        model: the name of the model to ask for; the only one that is served if None.

    Raises:
        NetworkError: nothing answers, or nothing that makes sense.
        UsageError: the key is refused, there is no such API, no such model, or a choice of several.
    """
    local = wire.local() and not tunnelled(wire.address)
    reply = wire.get("/v1/models")
    listed = _listed(wire, reply, model)
    chosen = _chosen(wire, [str(item["id"]) for item in listed], model)
    entry = next((item for item in listed if item["id"] == chosen), {})
    engine = _engine(reply, entry)
    said = dict(_details(wire, engine, chosen, entry))
    names = said.pop("names", ())
    return Server(url=wire.address.url, model=chosen, engine=engine, local=local, names=tuple(names), **said)


def _listed(wire: Wire, reply: Reply, model: str | None) -> list[Mapping[str, Any]]:
    if reply.status == 404 and model is not None and not page(reply, reply.body):
        return []  # a server may well answer without a list
    if reply.status != 200:
        raise refusal(wire, reply)
    if page(reply, reply.body):
        raise NetworkError(
            f"{wire.address.url} answers with a web page where the list of its models would be",
            hint="is --url the server's own address?",
        )
    document = reply.document
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, list):
        raise NetworkError(
            f"{wire.address.url} answers with something that is no list of models", hint="is it an OpenAI server?"
        )
    return [item for item in data if isinstance(item, dict) and isinstance(item.get("id"), str) and item["id"]]


def _chosen(wire: Wire, served: list[str], model: str | None) -> str:
    url = wire.address.url
    shown = [wire.clean(name) for name in served[:_MOST_NAMED]]
    some = ", ".join(shown) + (f" and {len(served) - _MOST_NAMED} more" if len(served) > _MOST_NAMED else "")
    if model is None:
        if not served:
            raise UsageError(f"{url} serves no model", hint="load one, or name it with --model")
        if len(served) > 1:
            raise UsageError(
                f"{url} serves {len(served)} models: {some}", hint="name one with --model", suggestions=shown
            )
        return served[0]
    wanted = model.casefold()
    for name in served:
        if name.casefold() in (wanted, f"{wanted}:latest"):
            return name
    if served:
        near = closest(model, served)
        raise UsageError(f"{url} serves {some}, not {model!r}", hint="name one of them with --model", suggestions=near)
    return model


def _engine(reply: Reply, entry: Mapping[str, Any]) -> str | None:
    server = reply.headers.get("server", "").lower()
    if server.startswith("llama.cpp"):
        return "llama.cpp"
    return _OWNERS.get(str(entry.get("owned_by")))


def _details(wire: Wire, engine: str | None, model: str, entry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Fields of `Server` that this engine's own routes tell."""
    match engine:
        case "llama.cpp":
            yield from _llama_cpp(_side(wire, "/props"))
        case "ollama":
            yield from _ollama(wire, model)
        case "vllm":
            yield "version", _word(_side(wire, "/version").get("version"))
            yield "context", _whole(entry.get("max_model_len"))
            yield "names", _names(entry.get("root"))
        case "sglang":
            info = _side(wire, "/get_server_info")
            yield "version", _word(info.get("version"))
            yield "context", _whole(entry.get("max_model_len")) or _whole(info.get("context_length"))
            yield "names", _names(entry.get("root"), info.get("model_path"))
            yield "quantization", _word(info.get("quantization"))
        case "lmstudio":
            for item in _side(wire, "/api/v0/models").get("data") or ():
                if isinstance(item, dict) and item.get("id") == model:
                    yield "quantization", _word(item.get("quantization"))
                    yield "context", _whole(item.get("loaded_context_length"))
        case _:
            yield "context", _whole(entry.get("max_model_len"))


def _llama_cpp(props: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    generation = props.get("default_generation_settings")
    per_slot = _whole(generation.get("n_ctx")) if isinstance(generation, dict) else None
    yield "names", _names(props.get("model_path"), props.get("model_alias"))
    yield "quantization", _word(props.get("model_ftype"))
    yield "slots", _whole(props.get("total_slots"))
    yield "context", per_slot
    build = re.match(r"b?(\d+)", str(props.get("build_info", "")))
    yield "version", f"b{build[1]}" if build and int(build[1]) else None  # 0 where a binding did not say


def _ollama(wire: Wire, model: str) -> Iterator[tuple[str, Any]]:
    yield "version", _word(_side(wire, "/api/version").get("version"))
    shown = _side(wire, "/api/show", {"model": model})
    details = shown.get("details")
    if isinstance(details, dict):
        yield "quantization", _word(details.get("quantization_level"))
        yield "names", _names(details.get("parent_model"))
    for item in _side(wire, "/api/ps").get("models") or ():
        if isinstance(item, dict) and model in (item.get("name"), item.get("model")):
            yield "context", _whole(item.get("context_length"))


def _side(wire: Wire, path: str, document: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """A document that is good to know; nothing where a server has none."""
    try:
        reply = (
            wire.get(path, timeout=_SIDE_SECONDS)
            if document is None
            else wire.post(path, document, timeout=_SIDE_SECONDS)
        )
    except AdvisorError:
        return {}
    found = reply.document if reply.status == 200 else None
    return found if isinstance(found, dict) else {}


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value.isprintable() and 0 < len(value) <= 100 else None


def _names(*values: Any) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str) and value.isprintable() and 0 < len(value) <= 4096)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 31 else None
