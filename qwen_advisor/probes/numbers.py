"""Numbers as tools print them, and the many words they have for not knowing one."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
_SCALE = {"": 1, "b": 1, "kib": 1024, "kb": 1024, "k": 1024, "mib": 1024**2, "mb": 1024**2, "m": 1024**2}
_SCALE |= {"gib": 1024**3, "gb": 1024**3, "g": 1024**3, "tib": 1024**4, "tb": 1024**4, "t": 1024**4}
_SIZE = re.compile(r"\s*(\d{1,18}(?:\.\d{1,6})?)\s*([kmgt]?i?b?)\s*", re.IGNORECASE)
_LARGEST = 1 << 60  # more is a way of saying that there is no limit


def whole(text: str | None) -> int | None:
    """A non-negative whole number, decimal or ``0x``-hexadecimal; None for anything else."""
    if text is None:
        return None
    text = text.strip()
    try:
        value = int(text, 16) if text[:2].lower() == "0x" else int(text)
    except ValueError:
        return None
    return value if 0 <= value < 1 << 64 else None


def number(text: str | None) -> float | None:
    """The first number in a text, ``7001 MHz`` or ``16x``; None where there is none (``[N/A]``, ``Not Supported``)."""
    match = _NUMBER.search(text[:64]) if text else None
    return float(match[0]) if match else None


def size(text: str | None, *, unit: str = "") -> int | None:
    """Bytes written as ``24564 MiB``, ``16 GB`` or, in ``unit``, as a bare number; None for every other text.

    Raises:
        KeyError: ``unit`` is not one.
    """
    match = _SIZE.fullmatch(text) if text else None
    if match is None:
        return None
    value = float(match[1]) * _SCALE[(match[2] or unit).lower()] if (match[2] or unit).lower() in _SCALE else None
    return round(value) if value is not None and value < _LARGEST else None


def cpu_list(text: str | None) -> set[int]:
    """Logical CPUs of a list such as ``0-3,8``; what cannot be read in it is left out."""
    cpus: set[int] = set()
    for part in (text or "").strip().split(","):
        first, _, last = part.partition("-")
        low, high = whole(first), whole(last or first)
        if low is not None and high is not None and low <= high < 1 << 16:
            cpus.update(range(low, high + 1))
    return cpus
