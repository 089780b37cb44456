"""The page: its structure, that it loads nothing, that no text becomes markup, that its bytes do not vary."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as ET

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import itertools

from pages import Page

from qwen_advisor.advice import Advice, Rejection, Upgrade
from qwen_advisor.evidence import Evidence
from qwen_advisor.render.chart import drawing
from qwen_advisor.render.page import page

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&</title></style>\x1b[31m\u202e"


@pytest.fixture(scope="module")
def made(hand: ModuleType) -> Page:
    return Page(page(hand.ADVICE))


def hostile(hand: ModuleType) -> Advice:
    """The advice with markup in every text that comes from a catalogue, a profile or a server."""
    first = hand.ADVICE.recommendations[0]
    checkpoint = replace(first.plan.checkpoint, id=f"Evil/{HOSTILE}", license=HOSTILE)
    plan = replace(
        first.plan,
        checkpoint=checkpoint,
        artifact=replace(first.plan.artifact, repo=HOSTILE, files=(HOSTILE,), ollama=HOSTILE),
        speed=replace(first.plan.speed, notes=(HOSTILE,)),
    )
    scores = (
        Evidence(benchmark=HOSTILE, score=1.0, source=f"https://example.org/{HOSTILE}", weight=0.5),
        Evidence(benchmark="b", score=1.0, source="javascript:alert(3)", weight=0.5),
    )
    evil = replace(
        first, plan=plan, ability=replace(first.ability, evidence=scores), reasons=(HOSTILE,), warnings=(HOSTILE,)
    )
    machine = replace(
        hand.ADVICE.machine, notes=(HOSTILE,), cpu=replace(hand.ADVICE.machine.cpu, name=HOSTILE, features=(HOSTILE,))
    )
    return replace(
        hand.ADVICE,
        machine=machine,
        requirements=replace(hand.ADVICE.requirements, family=HOSTILE, language=HOSTILE),
        recommendations=(evil, *hand.ADVICE.recommendations[1:]),
        weighed=(replace(hand.ADVICE.weighed[0], plan=plan, dominated_by=HOSTILE), *hand.ADVICE.weighed[1:]),
        rejected=(
            Rejection(model=HOSTILE, rule="M101", message=HOSTILE),
            Rejection(model=HOSTILE, rule="T109", message=HOSTILE),
        ),
        upgrades=(Upgrade(change=HOSTILE, unlocks=HOSTILE),),
        rivals=(replace(hand.ADVICE.rivals[0], model=HOSTILE),),
        notes=(HOSTILE,),
        catalog_version=HOSTILE,
    )


def test_it_has_the_landmarks_of_a_page(made: Page) -> None:
    for name in ("header", "main", "footer", "h1", "title"):
        wanted = [item for item in made.all(name) if "svg" not in item.inside]
        assert len(wanted) == 1, name
    assert made.all("html", lang="en")
    assert made.all("a", class_="skip")[0].attributes["href"] == "#main"
    assert made.all("main")[0].attributes["id"] == "main"
    assert made.all("meta", name="viewport")


def test_every_section_is_named_by_its_heading(made: Page) -> None:
    headings = {item.attributes["id"]: item.text for item in made.all("h2")}
    sections = made.all("section")
    assert [headings[item.attributes["aria-labelledby"]] for item in sections] == [
        "The pick",
        "Run it",
        "Ability against speed and memory",
        "Memory by part",
        "Speed",
        "What the ability rests on",
        "The other recommendations",
        "How the score comes about",
        "What would unlock more",
        "Ruled out, and why",
        "What was asked",
        "The machine",
        "Notes",
    ]


def test_headings_skip_no_level(made: Page) -> None:
    levels = [int(item.name[1]) for item in made.elements if re.fullmatch(r"h[1-6]", item.name)]
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in itertools.pairwise(levels))


def test_ids_are_unique_and_every_reference_finds_its_own(made: Page) -> None:
    ids = [item.attributes["id"] for item in made.elements if "id" in item.attributes]
    assert len(ids) == len(set(ids))
    for item in made.elements:
        if item.attributes.get("href", "").startswith("#"):
            assert item.attributes["href"][1:] in ids
        for name in ("aria-labelledby", "for"):
            assert set(item.attributes.get(name, "").split()) <= set(ids)


def test_tables_have_captions_and_cells_know_their_columns(made: Page) -> None:
    for item in made.all("table"):
        assert item.children[0] == "caption"
    for item in made.all("td"):
        assert "data-label" in item.attributes
    assert all(item.attributes.get("scope") in ("row", "col") for item in made.all("th"))


def test_it_shows_every_part_of_the_memory_and_every_weighed_model(made: Page, hand: ModuleType) -> None:
    parts = [item.text for item in made.all("th", scope="row")]
    assert {"weights", "kv cache", "total"} <= set(parts)
    rows = [item for item in made.all("tr") if "data-model" in item.attributes]
    marks = [item for item in made.all("a") if "data-model" in item.attributes]
    assert [row.attributes["data-model"] for row in rows] == ["1", "2", "3"]
    assert len(marks) == 2 * len(hand.ADVICE.weighed)  # one in each panel
    assert all(mark.attributes["aria-label"] for mark in marks)
    assert [row.attributes.get("class") for row in rows] == ["frontier", "frontier", None]


def test_evidence_links_to_where_it_stands(made: Page) -> None:
    links = {item.attributes["href"] for item in made.all("a")}
    assert {"https://example.org/card", "https://example.org/board"} <= links


def test_the_command_stands_there_whole(made: Page) -> None:
    first = made.all("code")[0].text
    assert first.startswith("llama-server -hf someone/Qwen3-Coder-30B-A3B-Instruct-GGUF:Q4_K_M -c 8192")


def test_it_loads_nothing(hand: ModuleType) -> None:
    source = page(hand.ADVICE)
    made = Page(source)
    for item in made.elements:
        assert item.name not in ("link", "img", "iframe", "object", "embed", "base", "form", "audio", "video", "use")
        assert not {"src", "srcset", "style", "action", "data", "xlink:href"} & item.attributes.keys(), item
        assert not [name for name in item.attributes if name.startswith("on")], item
    style = made.all("style")[0].text
    assert "url(" not in style
    assert "@import" not in style
    for word in ("fetch(", "XMLHttpRequest", "import(", "WebSocket", "eval(", "innerHTML"):
        assert word not in made.all("script")[0].text


def test_the_policy_allows_this_style_and_this_script_alone(made: Page) -> None:
    policy = made.all("meta", **{"http-equiv": "Content-Security-Policy"})[0].attributes["content"]
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for name in ("style", "script"):
        (item,) = made.all(name)
        digest = base64.b64encode(hashlib.sha256(item.text.encode()).digest()).decode()
        assert rules[f"{name}-src"] == f"'sha256-{digest}'"


def test_no_text_becomes_markup(hand: ModuleType) -> None:
    plain, evil = Page(page(hand.ADVICE)), Page(page(hostile(hand)))
    assert len(evil.all("script")) == len(plain.all("script")) == 1
    assert len(evil.all("style")) == len(plain.all("style")) == 1
    assert not evil.all("img")
    assert evil.all("script")[0].text == plain.all("script")[0].text
    for item in evil.elements:
        assert not [name for name in item.attributes if name.startswith("on")], item
        href = item.attributes.get("href", "#")
        assert href.startswith(("#", "https://", "http://")), href
        assert not re.search(r"[\s<>\"']", href), href
    shown = evil.all("body")[0].text
    assert "<script>alert(1)</script><img src=x onerror=alert(2)>" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_the_picture_holds_hostile_names_as_text(hand: ModuleType) -> None:
    root = ET.fromstring(drawing(hostile(hand), HOSTILE))  # noqa: S314  made here
    names = {item.tag.rpartition("}")[2] for item in root.iter()}
    assert names <= {"svg", "style", "title", "desc", "rect", "g", "text", "line", "polyline", "circle"}
    texts = [item.text or "" for item in root.iter()]
    assert any("<script>alert(1)</script>" in text for text in texts)


def test_the_picture_says_what_it_shows(hand: ModuleType) -> None:
    root = ET.fromstring(drawing(hand.ADVICE, "code here"))  # noqa: S314  made here
    space = "{http://www.w3.org/2000/svg}"
    assert root.attrib["role"] == "img"
    assert [item.text for item in root if item.tag == f"{space}title"] == ["code here"]
    text = " ".join(item.text or "" for item in root.iter(f"{space}text"))
    for words in ("Ability against speed", "Ability against memory", "1. Qwen3-Coder-30B-A3B-Instruct", "2. Qwen3-8B"):
        assert words in text
    assert len(list(root.iter(f"{space}circle"))) == 2 * 3


def test_nothing_fits_is_a_page_and_a_picture_too(hand: ModuleType) -> None:
    made = Page(page(hand.NOTHING))
    assert made.all("h1")[0].text == "Nothing fits: 3 models were ruled out"
    assert not made.all("svg")
    ET.fromstring(drawing(hand.NOTHING, "nothing"))  # noqa: S314  made here


SCRIPT = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("hand", sys.argv[1])
hand = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hand)
from qwen_advisor.render.page import page
from qwen_advisor.render.chart import drawing
sys.stdout.buffer.write((page(hand.ADVICE) + drawing(hand.ADVICE, "here")).encode())
"""


def test_the_same_advice_gives_the_same_bytes() -> None:
    root = Path(__file__).resolve().parents[2]
    words = [sys.executable, "-c", SCRIPT, str(root / "tests" / "golden" / "hand.py")]
    made = [
        subprocess.run(
            words, capture_output=True, check=True, cwd=root, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("0", "1", "4711")
    ]
    assert len(made[0]) > 10_000
    assert made[0] == made[1] == made[2]
