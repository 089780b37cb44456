"""The frame of the page: head, policy, style and script, and the shape of a section."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence

from qwen_advisor.render.markup import Child, Markup, element, joined
from qwen_advisor.render.page.script import SCRIPT
from qwen_advisor.render.page.style import STYLE

_LINK = re.compile(r"https?://[^\s<>\"']+")


def document(*, title: str, header: Markup, main: Markup, footer: Markup) -> str:
    """The page around its content.

    The policy allows this very style and this very script, by their hashes, and nothing else: should markup slip
    through all the same, it can neither run nor load anything.
    """
    policy = (
        f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}; base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    body = element(
        "body",
        element("a", "Skip to the answer", href="#main", class_="skip"),
        header,
        element("main", main, id="main"),
        footer,
        element("script", Markup(SCRIPT)),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _hash(source: str) -> str:
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def section(name: str, title: str, *content: Child) -> Markup:
    """A landmark with a heading."""
    heading = element("h2", title, id=f"{name}-title")
    return element("section", heading, *content, id=name, aria_labelledby=f"{name}-title")


def facts(pairs: Iterable[tuple[str, Child]]) -> Markup:
    """Labels and what is said under them."""
    return element("dl", *(element("div", element("dt", label), element("dd", value)) for label, value in pairs))


def bullets(lines: Iterable[Child]) -> Markup | None:
    """A list; None where it is empty."""
    items = [element("li", line) for line in lines]
    return element("ul", *items) if items else None


def table(caption: str, headings: Sequence[str], rows: Iterable[Markup]) -> Markup:
    """A table whose rows are ready; on a narrow screen each row becomes a card."""
    head = element("thead", element("tr", *(element("th", heading, scope="col") for heading in headings)))
    return element("table", element("caption", caption), head, element("tbody", *rows))


def row(headings: Sequence[str], cells: Sequence[Child], **attributes: str | float | bool | None) -> Markup:
    """A row; the first cell heads it, and each cell knows its column's heading, for cards."""
    made = [element("th", cells[0], scope="row", data_label=headings[0])]
    made += [element("td", cell, data_label=name) for name, cell in zip(headings[1:], cells[1:], strict=True)]
    return element("tr", *made, **attributes)


def linked(source: str) -> Markup:
    """Text with its web addresses as links. Nothing else becomes one: no script and no file of the reader's."""
    parts: list[Child] = []
    end = 0
    for match in _LINK.finditer(source):
        address = match.group().rstrip(".,;:)")
        parts += [source[end : match.start()], element("a", address, href=address, rel="noopener noreferrer")]
        end = match.start() + len(address)
    return joined(*parts, source[end:])


def bar(start: float, end: float, *, mark: float | None = None, kind: str = "bar") -> Markup:
    """A bar from ``start`` to ``end`` (shares of the whole), with a mark at the expected value if there is one."""
    first, last = (100 * min(1.0, max(0.0, share)) for share in (start, end))
    drawn: list[Markup] = [element("rect", x=first, y=1, width=max(last - first, 0.4), height=8, rx=1)]
    if mark is not None:
        place = 100 * min(1.0, max(0.0, mark))
        drawn.append(element("rect", x=max(0.0, place - 0.5), y=0, width=1, height=10, class_="expected"))
    return element(
        "svg",
        *drawn,
        viewBox="0 0 100 10",
        preserveAspectRatio="none",
        aria_hidden="true",
        class_=kind,
        focusable="false",
    )
