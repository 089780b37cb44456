"""Profiles written by hand: a few words, which mean what the options of the same names mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from qwen_advisor.describe import Description
from qwen_advisor.errors import UsageError
from qwen_advisor.units import parse_size

_KINDS = {
    "ram": "size",
    "vram": "size",
    "reserve": "reserve",
    "gpu": "texts",
    "device": "text",
    "cpu_cores": "count",
    "nodes": "count",
    "gpu_bandwidth": "rate",
    "ram_bandwidth": "rate",
}
_RATE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:([mgt])(?:b(?:/s|ps)?)?)?\s*", re.IGNORECASE)
_SCALE = {"": 1e9, "m": 1e6, "g": 1e9, "t": 1e12}


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
            case _:
                return text
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", hint=error.hint) from error
    except ValueError as error:
        raise UsageError(f"{where} must be a whole number, not {text!r}") from error


def parse_reserve(text: str) -> int:
    """Bytes to leave free: a size, or ``0`` for nothing.

    Raises:
        UsageError: the text is no size.
    """
    return 0 if re.fullmatch(r"\s*0+(?:\.0*)?\s*[kmgt]?i?b?\s*", text, re.IGNORECASE) else parse_size(text)


def parse_bandwidth(text: str) -> float:
    """Bytes per second of ``1008``, ``1008 GB/s``, ``1.8TB/s`` or ``512 MB/s``; without a unit it is GB/s.

    Raises:
        UsageError: the text is no such rate.
    """
    match = _RATE.fullmatch(text)
    value = float(match[1]) * _SCALE[(match[2] or "").lower()] if match else 0.0
    if not 0 < value < 1e15:
        raise UsageError(f"{text!r} is not a bandwidth", hint="write it in GB/s, such as 1008 or 1.8 TB/s")
    return value
