"""The answer as one page of HTML that needs nothing else: no network, no script and no style from elsewhere."""

from __future__ import annotations

from qwen_advisor import __version__
from qwen_advisor.advice import Advice
from qwen_advisor.render import recommend, words
from qwen_advisor.render.markup import Markup, element, joined
from qwen_advisor.render.page.asked import machine, requirements
from qwen_advisor.render.page.frame import document, section
from qwen_advisor.render.page.frontier import frontier
from qwen_advisor.render.page.others import others, out, score, upgrades
from qwen_advisor.render.page.pick import commands, evidence, memory, speed, why

__all__ = ["page"]


def page(advice: Advice) -> str:
    """The whole page. The same advice gives the same bytes."""
    headline = recommend.headline(advice)
    return document(
        title=f"{headline} – qwen-advisor",
        header=element(
            "header",
            element("p", f"{advice.requirements.task} on {words.machine(advice.machine)}", class_="for"),
            element("h1", headline),
        ),
        main=joined(*_sections(advice)),
        footer=element(
            "footer",
            element(
                "p",
                f"Made by qwen-advisor {__version__} with catalogue {advice.catalog_version} of "
                f"{advice.catalog_models} models. Predictions come as ranges; measured values are said to be.",
            ),
        ),
    )


def _sections(advice: Advice) -> tuple[Markup, ...]:
    notes = section("notes", "Notes", element("ul", *(element("li", note) for note in advice.notes)))
    asked = (
        section("asked", "What was asked", requirements(advice)),
        section("machine", "The machine", machine(advice)),
    )
    made = (*asked, notes) if advice.notes else asked
    if not advice.recommendations:
        return (
            section("upgrades", "What would lift it", upgrades(advice)),
            section("out", "Ruled out, and why", out(advice.rejected)),
            *made,
        )
    pick = advice.recommendations[0]
    return (
        section("pick", "The pick", why(pick)),
        section("run", "Run it", commands(pick, advice)),
        section("frontier", "Ability against speed and memory", frontier(advice)),
        section("memory", "Memory by part", memory(pick, advice)),
        section("speed", "Speed", speed(advice)),
        section("evidence", "What the ability rests on", evidence(pick)),
        section("others", "The other recommendations", others(advice)),
        section("score", "How the score comes about", score(advice)),
        section("upgrades", "What would unlock more", upgrades(advice)),
        section("out", "Ruled out, and why", out(advice.rejected)),
        *made,
    )
