"""The sampling values that a model's card recommends, in each engine's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from qwen_advisor.facts import Catalog

Values = dict[str, float]

_FIELDS = ("temperature", "top_p", "top_k", "min_p", "presence_penalty", "repetition_penalty")
# What a value is when nobody sets it: written out it would change nothing.
_NEUTRAL = {"presence_penalty": 0.0, "repetition_penalty": 1.0}

_LLAMA_CPP = {
    "temperature": "--temp",
    "top_p": "--top-p",
    "top_k": "--top-k",
    "min_p": "--min-p",
    "presence_penalty": "--presence-penalty",
    "repetition_penalty": "--repeat-penalty",
}
_OLLAMA = {name: "repeat_penalty" if name == "repetition_penalty" else name for name in _FIELDS}
_MLX = {"temperature": "--temp", "top_p": "--top-p", "top_k": "--top-k", "min_p": "--min-p"}
_OPENAI = ("temperature", "top_p", "presence_penalty")  # fields of the protocol; servers take the others beside them

_USES: dict[str, str] = {
    "code": "code",
    "agent": "code",
    "math": "reasoning",
    "reasoning": "reasoning",
    "vision": "vision",
    "documents": "vision",
    "video": "vision",
}


def use_of(task: str) -> str:
    """The kind of use, as cards tell them apart, that a task is."""
    return _USES.get(task, "general")


def recommended(catalog: Catalog, model: str, thinking: Literal["on", "off", "none"], use: str) -> Values:
    """The values of the card for this state of thinking; none where no card gives any."""
    asked = catalog.sampling_of(model)
    mode = asked.mode("on" if thinking == "on" else "off", use) if asked else None
    if mode is None:
        return {}
    values = {name: getattr(mode, name) for name in _FIELDS}
    return {name: value for name, value in values.items() if value is not None and value != _NEUTRAL.get(name)}


def llama_cpp_options(values: Mapping[str, float]) -> tuple[str, ...]:
    """As options of ``llama-server`` and ``llama-cli``."""
    return _options(_LLAMA_CPP, values)


def mlx_options(values: Mapping[str, float]) -> tuple[str, ...]:
    """As options of ``mlx_lm.server``, which has no penalties."""
    return _options(_MLX, values)


def ollama_parameters(values: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """As parameters of a Modelfile."""
    return tuple((_OLLAMA[name], value) for name, value in values.items())


def request_fields(values: Mapping[str, float]) -> tuple[Values, Values]:
    """As fields of an OpenAI request: those of the protocol, and those that a client puts beside them."""
    own = {name: value for name, value in values.items() if name in _OPENAI}
    return own, {name: value for name, value in values.items() if name not in _OPENAI}


def plain(value: float) -> str:
    """A number as people write it: ``20``, ``0.95``."""
    return f"{value:g}"


def _options(names: Mapping[str, str], values: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(word for name, value in values.items() if name in names for word in (names[name], plain(value)))
