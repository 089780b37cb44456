"""HTML and SVG as values: text is escaped unless it was made here, so that no name or note becomes markup."""

from __future__ import annotations

import html
from collections.abc import Iterable

_EMPTY = frozenset({"meta", "link", "input", "br"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Child = str | Iterable[str] | None
Attribute = str | int | float | bool | None


def text(value: str) -> Markup:
    """Text as the content of an element. What no document may hold (control characters) is shown as its code."""
    return Markup(html.escape("".join(char if _allowed(char) else ascii(char)[1:-1] for char in value)))


def element(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """An element with its children in order. Underscores in attributes are hyphens, one at the end is dropped.

    An attribute that is True stands alone; False and None leave it out.
    """
    given = "".join(map(_attribute, attributes.items()))
    if name in _EMPTY:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{joined(*children)}</{name}>")


def joined(*children: Child) -> Markup:
    """Children one after the other."""
    return Markup("".join(_flat(children)))


def _flat(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if isinstance(child, Markup):
            yield str(child)
        elif isinstance(child, str):
            yield str(text(child))
        elif child is not None:
            yield from _flat(child)


def _attribute(pair: tuple[str, Attribute]) -> str:
    name, value = pair
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    return f' {name}="{text(_number(value))}"'


def _number(value: str | float) -> str:
    """Two decimals are a hundredth of a pixel."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _allowed(char: str) -> bool:
    """Whether XML 1.0 lets a document hold it; surrogates and most control characters it does not."""
    return char in "\t\n" or char.isprintable() or (char.isspace() and char not in "\x1c\x1d\x1e\x1f\x0b\x0c\x85")
