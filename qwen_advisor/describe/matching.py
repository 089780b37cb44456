"""Finding the entries that a name means: the longest exact match of words, never a substring."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Generic, TypeVar

from qwen_advisor.describe.names import Name, words
from qwen_advisor.values import dataclass

T = TypeVar("T")
_FILLER = re.compile(r"[a-z]+|\d+core|20[12]\d")  # a model number is never one


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """One entry that a name may mean, and the alias that matched."""

    entry: T
    alias: str
    name: Name


class NameIndex(Generic[T]):
    """All names of a kind of entry."""

    def __init__(self, names: Iterable[tuple[str, T]]) -> None:
        self._names = [Found(entry, alias, words(alias)) for alias, entry in names]
        sets = {found.name.words for found in self._names}
        self._known = frozenset().union(*sets)
        # Words that make another product of a name: Ti, SUPER, Laptop, Ada. They are never left out.
        self._variants = frozenset(word for name in sets for word in name if name - {word} in sets)

    def find(self, name: Name) -> list[Found[T]]:
        """Entries with an alias of exactly these words; else those whose alias has fewest words beside them.

        Where there is none, entries with the longest alias that lies within the words, if what is left over says
        nothing of the product (``ASUS``, ``2023``). The memory size written in the name is not looked at.
        """
        if not any(len(word) > 1 for word in name.words):
            return []  # a lone letter names nothing
        around = [found for found in self._names if name.words <= found.name.words]
        if around:
            least = min(len(found.name.words) for found in around)
            return [found for found in around if len(found.name.words) == least]
        within = [found for found in self._names if found.name.words and found.name.words < name.words]
        most = max((len(found.name.words) for found in within), default=0)
        longest = [found for found in within if len(found.name.words) == most]
        return longest if all(self._says_nothing(name.words - found.name.words) for found in longest) else []

    def _says_nothing(self, rest: frozenset[str]) -> bool:
        return all(_FILLER.fullmatch(word) and word not in self._variants for word in rest)

    def exact(self, name: Name) -> list[Found[T]]:
        """Entries with an alias of exactly these words."""
        return [found for found in self._names if found.name.words == name.words]

    def siblings(self, name: Name, variants: Iterable[str]) -> list[T]:
        """Entries whose name differs by one of these words alone."""
        wanted = [name.words | {variant} for variant in variants if variant not in name.words]
        return [found.entry for words_ in wanted for found in self._names if found.name.words == words_]

    def spelled(self, text: str) -> list[Found[T]]:
        """Entries with an alias that is the text when spaces and signs are left out: ``rtxpro6000``."""
        squashed = squash(text)
        return [found for found in self._names if squashed and squash(found.alias) == squashed]

    def suggestions(self, text: str) -> tuple[str, ...]:
        """The names that look most like the text."""
        import difflib  # noqa: PLC0415  only a faulty name pays for it

        by_spelling = {found.alias.lower(): found.alias for found in self._names}
        near = difflib.get_close_matches(text.lower(), by_spelling, n=4, cutoff=0.5)
        return tuple(by_spelling[key] for key in near)


def squash(text: str) -> str:
    """Letters and digits alone: a name is the same one with hyphens, blanks or nothing between its words."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def unique(found: Iterable[Found[T]]) -> list[Found[T]]:
    """One for each entry, in order."""
    seen: dict[int, Found[T]] = {}
    for one in found:
        seen.setdefault(id(one.entry), one)
    return list(seen.values())
