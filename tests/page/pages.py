"""What tests of the page ask of a document: its elements, in order, with their attributes and their text."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

EMPTY = {"meta", "link", "input", "br"}


@dataclass
class Element:
    """One element of a page."""

    name: str
    attributes: dict[str, str]
    inside: tuple[str, ...]  # names of the elements around it
    text: str = ""
    children: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """A page that is parsed strictly: what is opened must be closed, in order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(source)
        self.close()
        assert not self._open, f"never closed: {[item.name for item in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice: {names}"
        item = Element(tag, {name: value or "" for name, value in attrs}, tuple(around.name for around in self._open))
        self.elements.append(item)
        if self._open:
            self._open[-1].children.append(tag)
        if tag not in EMPTY:
            self._open.append(item)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1].name == tag, f"</{tag}> closes <{self._open[-1].name}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for item in self._open:
            item.text += data

    def all(self, name: str, /, **wanted: str) -> list[Element]:
        """Every element of that name with these attributes."""
        return [
            item
            for item in self.elements
            if item.name == name and all(item.attributes.get(key.rstrip("_")) == value for key, value in wanted.items())
        ]
