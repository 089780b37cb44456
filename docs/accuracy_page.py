"""The page on how good the numbers are: what the pages that the benchmarks write have found, in one place."""

from __future__ import annotations

import re
from pathlib import Path

_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)


def accuracy(reference: Path) -> str:
    """The page, from the pages in the folder ``reference``.

    Raises:
        ValueError: a page no longer has a section that is shown here.
    """
    memory, speed, ranking, training = (
        (reference / f"{name}.md").read_text("utf-8")
        for name in ("memory-accuracy", "speed-accuracy", "ranking", "finetune-accuracy")
    )
    parts = [
        _HEAD,
        _MEMORY,
        section(memory, "By part"),
        "### Other tools",
        section(memory, "Other tools on the same servers"),
        _SPEED,
        introduction(speed),
        *(f"### {title}\n\n{section(speed, title)}" for title in _SPEED_TABLES),
        _ORDER,
        section(ranking, "Predicting what was hidden"),
        _TRAINING,
        section(training, "Memory"),
        "### Speed of training",
        section(training, "Speed"),
        _YOURS,
    ]
    return "\n\n".join(parts) + "\n"


_SPEED_TABLES = ("The bars", "By engine", "By vendor", "By kind of model")

_HEAD = """# How good are the numbers

Every figure that `qwen-advisor` prints is either counted, predicted, or published by somebody.
This page says how far the predicted ones are from what was measured. Bars that are not met stand here too.
The tables are made by the benchmarks from the rows in `benchmarks/data/`, each with its source;
`python docs/generate.py --write` gathers them here."""

_MEMORY = """## Memory

Sizes of weights, KV cache and recurrent state are counted from shapes, not estimated, so they should agree to the byte.
Compute buffers follow the engine's own allocator; what a process needs besides is modelled from measurements.
The worst rows with their explanations: [accuracy of memory](memory-accuracy.md)."""

_SPEED = """## Speed

The method: [how speed is predicted](../explanation/speed.md).
By device, the worst rows and what was left out: [accuracy of speed](speed-accuracy.md).

`decode` and `prefill` are the rates of the two phases; `inclusive` is output tokens over the time of prompt and answer
together, `total` prompt and output tokens over the same time: what some sources publish instead.
A bias below zero means predicted too slow; "nine in ten within" is a factor, "inside the range" how often a measurement
lay in the range that the tool prints."""

_ORDER = """## The order of models

The method: [how the order comes about](../explanation/ranking.md).
Board by board, and the boards that result: [how able the models are](ranking.md)."""

_TRAINING = """## Fine-tuning

Memory of training runs, predicted as a sum of parts. Some sources do not state how long their sequences really were,
and are judged apart.
By source and method, and the worst rows: [accuracy of fine-tuning memory](finetune-accuracy.md)."""

_YOURS = """## On your own machine

No table is about your machine. [Measure it](../howto/measure-an-endpoint.md): `qwen-advisor bench` holds a live server
against the prediction, and with `--calibrate` later predictions use what was found."""


def introduction(page: str) -> str:
    """What stands between a page's title and its first section, without the mark of its maker."""
    first, second = list(_HEADING.finditer(page))[:2]
    return re.sub(r"<!--.*?-->\s*", "", page[first.end() : second.start()], flags=re.DOTALL).strip()


def section(page: str, title: str) -> str:
    """What stands under a heading, up to the next heading of any level.

    Raises:
        ValueError: the page has no such heading.
    """
    headings = list(_HEADING.finditer(page))
    for here, following in zip(headings, [*headings[1:], None], strict=True):
        if here[2] == title:
            return page[here.end() : following.start() if following else None].strip()
    raise ValueError(f"there is no heading {title!r}")
