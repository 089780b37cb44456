"""Units of the house: named integers and floats, and the two functions that read and write them.

Sums of these types come back as plain numbers and are labelled again where a function returns.
"""

from __future__ import annotations

import re
from typing import NewType

from qwen_advisor.errors import UsageError

Bytes = NewType("Bytes", int)
Tokens = NewType("Tokens", int)
BytesPerSecond = NewType("BytesPerSecond", float)
FlopsPerSecond = NewType("FlopsPerSecond", float)
TokensPerSecond = NewType("TokensPerSecond", float)
Seconds = NewType("Seconds", float)

KIB = 1024
MIB = 1024**2
GIB = 1024**3
TIB = 1024**4

# No space at either end: two places for the same spaces take the time of their square. Texts are stripped instead.
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([mgt])(?:b(?:/s|ps)?)?)?", re.IGNORECASE)
_RATE_SCALE = {"": 1e9, "m": 1e6, "g": 1e9, "t": 1e12}
_SCALE = {"": GIB, "B": 1, "K": KIB, "M": MIB, "G": GIB, "T": TIB}
_SIZE = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*(?:([KMGT])(?:i?B)?|(B))?", re.IGNORECASE)
_TOKENS = re.compile(r"(\d+(?:\.\d+)?)\s*([KM]?)", re.IGNORECASE)
_NOTHING = re.compile(r"0+(?:\.0*)?\s*[kmgt]?i?b?", re.IGNORECASE)
_LARGEST_SIZE = 1 << 60
_LONGEST_SHOWN = 80  # characters of a text that is none


def parse_size(text: str) -> Bytes:
    """Read a memory size as people write it: ``16``, ``16G``, ``16GB``, ``16GiB``, ``512M``, ``1.5T``.

    A number without a unit is GiB; ``G``, ``GB`` and ``GiB`` all mean 2**30 bytes, the way RAM and VRAM are sold.

    Raises:
        UsageError: the text is not a positive size below 2**60 bytes.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            f"{text[:_LONGEST_SHOWN]!r} is not a size", hint="write it like 16G, 512M or 1.5T (no unit means GiB)"
        )
    number, prefix, plain = match.groups()
    size = float(number) * _SCALE[(prefix or plain or "").upper()]
    if not 1 <= size < _LARGEST_SIZE:
        raise UsageError(f"{text[:_LONGEST_SHOWN]!r} is out of range", hint="a size lies between 1 byte and 1 EiB")
    return Bytes(round(size))


def parse_reserve(text: str) -> int:
    """Bytes to leave free: a size, or ``0`` for nothing.

    Raises:
        UsageError: the text is no size.
    """
    return 0 if _NOTHING.fullmatch(text.strip()) else parse_size(text)


def parse_bandwidth(text: str) -> float:
    """Bytes per second of ``1008``, ``1008 GB/s``, ``1.8TB/s`` or ``512 MB/s``; without a unit it is GB/s.

    Raises:
        UsageError: the text is no such rate.
    """
    match = _RATE.fullmatch(text.strip())
    value = float(match[1]) * _RATE_SCALE[(match[2] or "").lower()] if match else 0.0
    if not 0 < value < 1e15:
        raise UsageError(
            f"{text[:_LONGEST_SHOWN]!r} is not a bandwidth", hint="write it in GB/s, such as 1008 or 1.8 TB/s"
        )
    return value


def show_size(size: int) -> str:
    """Write a size so that `parse_size` reads the same number of bytes back."""
    for scale, unit in ((TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size and size % scale == 0:
            return f"{size // scale} {unit}"
    return f"{size} B"


def gib(size: int) -> str:
    """A size in GiB for people: three significant figures, never fewer than one decimal below 100."""
    value = size / GIB
    if value >= 99.95:
        return f"{value:.0f} GiB"
    return f"{value:.1f} GiB" if value >= 9.95 else f"{value:.2f} GiB"


def parse_tokens(text: str) -> Tokens:
    """Read a number of tokens: ``8192``, ``32k`` (32 x 1024), ``1m`` (1024 x 1024).

    Raises:
        UsageError: the text is not a whole number of tokens between 1 and 2**31 - 1.
    """
    match = _TOKENS.fullmatch(text.strip())
    scale = {"": 1, "K": 1024, "M": 1024**2}[match[2].upper()] if match else 1
    value = float(match[1]) * scale if match else 0.0
    if match is None or not 1 <= value < 2**31 or value != int(value):
        raise UsageError(f"{text[:_LONGEST_SHOWN]!r} is not a number of tokens", hint="write it like 8192 or 32k")
    return Tokens(int(value))
