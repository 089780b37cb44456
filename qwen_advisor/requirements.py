"""What was asked, resolved: defaults from the task, names as the catalogue spells them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import cast, get_args

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.names import closest
from qwen_advisor.task import Prefer, Requirements, TaskId, ThinkingChoice

_WORDS = re.compile(r"[A-Za-z0-9.+_ -]{1,64}")

_SAME_NUMBERS = {"BF16": ("BF16-GGUF", "MLX-bf16"), "FP16": ("F16",)}


def resolve(
    catalog: Catalog,
    *,
    task: str = "chat",
    context: int | None = None,
    prompt_tokens: int | None = None,
    output_tokens: int | None = None,
    concurrency: int = 1,
    min_speed: float | None = None,
    engines: Sequence[str] = (),
    quantizations: Sequence[str] = (),
    license: str = "any",  # noqa: A002  the contract's word
    language: str | None = None,
    thinking: str = "auto",
    tools: bool = False,
    max_download: int | None = None,
    family: str | None = None,
    released_after: str | None = None,
    prefer: str = "balanced",
    installed: bool = False,
    top: int = 5,
) -> Requirements:
    """Check every requirement and fill in what the task says of the rest.

    Tokens, bytes and tokens per second are plain numbers. A context that is not given grows to hold the prompt and
    the answer.

    Raises:
        UsageError: a name that the catalogue does not know (with the nearest that it does), or an impossible number.
    """
    task_id = cast("TaskId", _one("task", task, catalog.tasks))
    profile = catalog.tasks[task_id]
    for name, number in (
        ("context", context),
        ("prompt-tokens", prompt_tokens),
        ("output-tokens", output_tokens),
        ("concurrency", concurrency),
        ("max-download", max_download),
        ("top", top),
    ):
        if number is not None and number < 1:
            raise UsageError(f"--{name} must be at least 1, not {number}")
    if min_speed is not None and not (min_speed > 0 and math.isfinite(min_speed)):
        raise UsageError(f"--min-speed must be above 0 tokens/s, not {min_speed:g}")
    prompt = prompt_tokens if prompt_tokens is not None else profile.prompt_tokens
    output = output_tokens if output_tokens is not None else profile.output_tokens
    if context is not None and prompt_tokens is None and output_tokens is None:
        output = min(output, max(1, context // 2))
        prompt = min(prompt, context - output) or 1
    asked = context if context is not None else max(profile.context, prompt + output)
    if prompt + output > asked > 1:
        raise UsageError(
            f"a prompt of {prompt:,} and an output of {output:,} tokens do not go into a context of {asked:,}",
            hint=f"give --context {prompt + output} or shorter texts",
        )
    on = tuple(_one("engine", e, catalog.engines) for e in engines)
    return Requirements(
        task=task_id,
        context=asked,
        prompt_tokens=prompt,
        output_tokens=output,
        concurrency=concurrency,
        min_speed=min_speed,
        engines=on,
        quantizations=tuple(dict.fromkeys(name for q in quantizations for name in formats_meant(catalog, q, on))),
        license=_license(catalog, license),
        language=_language(catalog, language),
        thinking=cast("ThinkingChoice", _one("thinking", thinking, get_args(ThinkingChoice))),
        tools=tools,
        max_download=max_download,
        family=None if family is None else _one("family", family, {m.family for m in catalog.models.values()}),
        released_after=_date(released_after),
        prefer=cast("Prefer", _one("prefer", prefer, get_args(Prefer))),
        installed=installed,
        top=top,
    )


def quantization(catalog: Catalog, text: str) -> str:
    """The catalogue's spelling of a quantization, by name or alias, without case.

    Raises:
        UsageError: there is none of that name.
    """
    aliases = {alias.lower(): f.name for f in catalog.formats.values() for alias in f.aliases}
    if text.lower() in aliases:
        return aliases[text.lower()]
    return _one("quantization", text, catalog.formats)


def formats_meant(catalog: Catalog, text: str, engines: Sequence[str] = ()) -> tuple[str, ...]:
    """The formats that a quantization's name means to these engines, or to any.

    16 bits have one name in the field, and in the catalogue one for each container: BF16 is a GGUF file to llama.cpp.

    Raises:
        UsageError: there is none of that name.
    """
    name = quantization(catalog, text)
    names = (name, *_SAME_NUMBERS.get(name, ()))
    if len(names) == 1:
        return names
    supports = [entry for each in engines or catalog.engines for entry in catalog.engines[each].supports]
    read = {item for entry in supports for item in entry.formats}
    return tuple(n for n in names if n in read or catalog.formats[n].container in read) or (name,)


def engine(catalog: Catalog, text: str) -> str:
    """The catalogue's spelling of an engine, without case.

    Raises:
        UsageError: there is none of that name.
    """
    return _one("engine", text, catalog.engines)


def _one(what: str, text: str, names: Iterable[str]) -> str:
    known = {name.lower(): name for name in sorted(names)}
    if text.lower() in known:
        return known[text.lower()]
    near = closest(text, known.values())
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(sorted(known.values()))}"
    raise UsageError(f"there is no {what} {_shown(text)}", hint=hint, suggestions=near)


def _license(catalog: Catalog, text: str) -> str:
    if text.lower() in ("permissive", "any"):
        return text.lower()
    known = {entry.id for entry in catalog.licenses.values()} | {e.spdx for e in catalog.licenses.values() if e.spdx}
    return _one("license", text, known | {"permissive", "any"})


def _language(catalog: Catalog, text: str | None) -> str | None:
    if text is None:
        return None
    code = text.lower().replace("_", "-").split("-")[0]
    if code in catalog.languages:
        return code
    titles = {entry["title"].lower(): key for key, entry in catalog.languages.items()}
    if text.lower() in titles:
        return titles[text.lower()]
    near = closest(text.lower(), (*catalog.languages, *titles))
    raise UsageError(
        f"no Qwen generation names the language {_shown(text)}",
        hint="give an ISO 639 code such as de, ja or sw" + (f"; did you mean {' or '.join(near)}?" if near else ""),
        suggestions=near,
    )


def _date(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError(f"{_shown(text)} is not a date", hint="write it like 2025-07-31") from None


def _shown(text: str) -> str:
    """The user's own word, made harmless for a terminal."""
    return repr(text) if _WORDS.fullmatch(text) else ascii(text[:64])
