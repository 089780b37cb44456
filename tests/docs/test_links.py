"""Every link within the documentation leads somewhere: to a file, and to a heading of it.

Pages in ``docs/`` link to pages in ``docs/`` alone, because the site is made of these.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
AROUND = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "catalog" / "README.md"]
PAGES = [*AROUND, *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them: letters, digits and hyphens."""
    text = FENCE.sub("", page.read_text("utf-8"))
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(text))
    return {heading.strip().replace(" ", "-") for heading in kept}


def links(page: Path) -> list[str]:
    """The targets of a page's links within the repository; code is passed over."""
    text = CODE.sub("", FENCE.sub("", page.read_text("utf-8")))
    return [target for target in LINK.findall(text) if not re.match(r"[a-z]+:", target)]


@pytest.mark.parametrize("page", [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.is_file() or (target.is_dir() and page in AROUND), f"{link} leads nowhere"
        if anchor:
            assert anchor in anchors(target), f"{link} names no heading"
        if page.is_relative_to(DOCS):
            assert target.is_relative_to(DOCS), f"{link} leaves docs/, so the site cannot hold it"


def test_there_are_links_and_headings() -> None:
    assert sum(len(links(page)) for page in PAGES) > 60
    assert "add-a-model-in-ten-minutes" in anchors(ROOT / "CONTRIBUTING.md")


def test_the_site_lists_every_page() -> None:
    listed = set(re.findall(r'"([\w/-]+\.md)"', (ROOT / "zensical.toml").read_text("utf-8")))
    assert listed == {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
