"""Profiles written by hand: a few words, which mean what the options of the same names mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from qwen_advisor.describe import Description
from qwen_advisor.errors import UsageError
from qwen_advisor.machine import Interconnect
from qwen_advisor.units import parse_bandwidth, parse_reserve, parse_size

_KINDS = {
    "ram": "size",
    "vram": "size",
    "reserve": "reserve",
    "gpu": "texts",
    "device": "text",
    "cpu_cores": "count",
    "nodes": "count",
    "interconnect": "interconnect",
    "gpu_bandwidth": "rate",
    "ram_bandwidth": "rate",
}


def description_of(document: Mapping[str, Any], where: str) -> Description:
    """What a few words describe.

    Raises:
        UsageError: a word is not known, or its value is not understood; ``where`` names the file.
    """
    said: dict[str, Any] = {}
    for key, value in document.items():
        name = str(key).replace("-", "_")
        if name not in _KINDS:
            known = ", ".join(_KINDS)
            raise UsageError(f"{where}: {key!r} is not known", hint=f"a profile written by hand holds: {known}")
        said["gpus" if name == "gpu" else name] = _read(f"{where}: {key}", _KINDS[name], value)
    return Description(**said)


def _read(where: str, kind: str, value: Any) -> Any:
    texts = value if isinstance(value, list) and kind == "texts" else [value]
    if not all(isinstance(text, (str, int, float)) and not isinstance(text, bool) for text in texts):
        raise UsageError(f"{where} must be text or a number, not {value!r}")
    if kind == "texts":
        return tuple(str(text) for text in texts)
    text = str(value).strip()
    try:
        match kind:
            case "size":
                return parse_size(text)
            case "reserve":
                return parse_reserve(text)
            case "count":
                return int(text)
            case "rate":
                return parse_bandwidth(text)
            case "interconnect":
                return _one_of(text, get_args(Interconnect))
            case _:
                return text
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", hint=error.hint) from error
    except ValueError as error:
        raise UsageError(f"{where} must be a whole number, not {text!r}") from error


def _one_of(text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise UsageError(f"{text!r} is not known", hint=f"write one of {', '.join(known)}")
    return text
