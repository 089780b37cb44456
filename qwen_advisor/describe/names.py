"""What people and drivers call hardware, cut into words that can be compared exactly.

A name is matched word by word and never by substring: ``RTX A1000`` is no A100, a Tesla M40 is no M4.
"""

from __future__ import annotations

import re
from functools import lru_cache

from qwen_advisor.errors import UsageError
from qwen_advisor.units import GIB
from qwen_advisor.values import dataclass

# Words that every product of a maker carries, and that people leave out.
_MAKERS = {"nvidia", "geforce", "tesla", "quadro", "amd", "ati", "radeon", "instinct", "intel", "apple", "qualcomm"}
_FILLERS = {"graphics", "gpu", "gpus", "card", "processor", "series", "generation", "edition", "with", "w", "the"}
_NOISE = frozenset(_MAKERS | _FILLERS)
_REWRITES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\((?:r|tm)\)|[®™]", " "),
        (r"\+", " "),
        (r"\bmax-q\b", "maxq"),
        (r"\bwith maxq design\b", "maxq"),
        (r"\bpci-?e\b|\bpci express\b", "pcie"),
        (r"\bsxm\d\b", "sxm"),
        (r"\b(\d+)[- ]?cores?(?: (?:cpu|gpu))?\b", r"\g<1>core"),
        (r"\b(?:laptop gpu|laptop|mobile|notebook)\b", "laptop"),
        (r"\b(rtx|gtx|rx|arc)(?=a?\d|[ab]\d)", r"\1 "),
        (r"\bmbp\b", "macbook pro"),
        (r"\bmba\b", "macbook air"),
        (r"\b1[1-8][- .]?(?:\d[- ]?)?(?:inch|in\b|\")", " "),
        (r"\b(macbook (?:pro|air)) 1[3-6]\b", r"\1"),
        (r"\b(\d{3,4})(tisuper|ti|xtx|xt|gre|super)\b", r"\1 \2"),
        (r"\b(20[678]0|40[78]0)s\b", r"\1 super"),
        (r"\b([45]090)d\b", r"\1 d"),
        (r"\b(m\d)(pro|max|ultra)\b", r"\1 \2"),
        (r"\btisuper\b", "ti super"),
    )
)
_MEMORY = re.compile(r"\b(\d+(?:\.\d+)?)[ -]?(tb?|tib|gb?|gib|mi?b)\b")  # a lone m is a laptop's suffix: 780M
_SCALE = {"t": 1024 * GIB, "g": GIB, "m": GIB // 1024}
_WORD = re.compile(r"[a-z0-9]+(?:\.[a-z0-9]+)*")
_LEADING_COUNT = re.compile(r"\s*(\d{1,3})\s*[x×*]\s*(.+)", re.IGNORECASE | re.DOTALL)
_COUNTING_WORD = re.compile(r"\s*([1-9]|1\d)\s+(?![gt]i?b?\b)(?=[a-z])(.+)", re.IGNORECASE | re.DOTALL)  # 2 RTX 4090
_TRAILING_COUNT = re.compile(r"(.+?)(?<=[\s\d)\"'])\(?[x×*]\s*(\d{1,4})\s*\)?\s*", re.IGNORECASE | re.DOTALL)
_SEPARATOR = re.compile(r"\s*(?:[,;&]|\band\b|\s\+\s)\s*(?![^(]*\))", re.IGNORECASE)
MOST_ACCELERATORS = 1024
_LONGEST = 1000  # characters of a name, or of a list of them


@dataclass(frozen=True, slots=True)
class Name:
    """The words of a name, without its maker, and the memory size written in it (bytes).

    A word that stands twice counts twice: a MacBook Pro M3 Pro is no MacBook Pro M3.
    """

    words: frozenset[str]
    memory: int | None = None


def words(text: str) -> Name:
    """Cut a name into words: lower case, spellings unified, maker and filler words dropped."""
    return _words(_one_line(text)[:_LONGEST])


def _one_line(text: str) -> str:
    """Single spaces: patterns take the time of the square of how many there are."""
    return " ".join(text.split())


@lru_cache(maxsize=8192)
def _words(text: str) -> Name:
    rest = text.lower()
    for pattern, replacement in _REWRITES:
        rest = pattern.sub(replacement, rest)
    memory = None
    size = _MEMORY.search(rest)
    if size is not None:
        amount = float(size[1]) * _SCALE[size[2][0]]
        if GIB // 4 <= amount < 1 << 50:
            memory = round(amount)
            rest = f"{rest[: size.start()]} {rest[size.end() :]}"
    counted: dict[str, int] = {}
    for word in _WORD.findall(rest):
        counted[word] = counted.get(word, 0) + 1
    repeated = {f"{word}*{n}" for word, count in counted.items() for n in range(2, count + 1)}
    return Name(frozenset(word for word in counted if word not in _NOISE) | repeated, memory)


def split_counted(text: str) -> list[tuple[int, str]]:
    """Read a list of accelerators: ``2x3090``, ``RTX 3090 x2``, ``RTX 4090, RTX 3060 12GB``.

    Returns:
        How many of which, in the order written.

    Raises:
        UsageError: a part is empty, or counts none or more than 1024; or the list is longer than any that is meant.
    """
    text = _one_line(text)
    if len(text) > _LONGEST:
        raise UsageError(f"{text[:40]!r}... names no accelerator: it has {len(text):,} characters")
    parts = []
    for part in _SEPARATOR.split(text):
        match = _LEADING_COUNT.fullmatch(part) or _COUNTING_WORD.fullmatch(part)
        count, name = (match[1], match[2]) if match else ("1", part)
        if match is None and (match := _TRAILING_COUNT.fullmatch(part)) is not None:
            name, count = match[1], match[2]
        name = name.strip().strip("\"'").strip()
        if not name or not 1 <= int(count) <= MOST_ACCELERATORS:
            raise UsageError(f"{text!r} names no accelerator", hint='write it like "RTX 4090", 2x3090 or none')
        parts.append((int(count), name))
    return parts
