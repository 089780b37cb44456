"""The page that shows how far predicted speeds are from measured ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from statistics import median

from benchmarks.speed_fit.judging import Bar, Judged, Verdict, quantile

MARK = "<!-- Written by `python -m benchmarks.speed_accuracy --write`; do not edit. -->"
_FEWEST = 5  # rows below which a group gets no line of its own


def page(verdict: Verdict, left_out: Counter[str]) -> str:
    """The whole page as Markdown."""
    own = [item for item in verdict.judged if item.row.own]
    new = [item for item in verdict.new_models if item.row.own]
    devices = len({item.row.device for item in own})
    return "\n".join(
        [
            "# Accuracy of speed",
            "",
            MARK,
            "",
            f"{len(own):,} measurements of Qwen models on {devices} devices, each predicted twice by efficiencies that",
            "have not seen it:",
            "",
            "- **new model**: fitted without any row of that model on that device, as when a new checkpoint comes out;",
            "- **new device**: fitted without a single row of the device, as when somebody asks about hardware that",
            "  nobody has measured. One device has half of the rows, and hiding it hides its whole class.",
            "",
            "Rows of other families only help to know the hardware; they are not counted here.",
            "",
            "## The bars",
            "",
            "| bar | wanted | new model | met | new device | met |",
            "|---|---:|---:|---|---:|---|",
            *map(_bar, verdict.new_models_bars, verdict.bars),
            "",
            *_table("New models, by age of the build", new, lambda item: "2026" if item.row.current else "before 2026"),
            "Older builds were slower, at prefill above all; the prediction is for today's.",
            "The tables below are for new devices, the harder case.",
            "",
            *_table("By engine", own, lambda item: item.row.settings.engine),
            *_table("By vendor", own, lambda item: item.row.vendor),
            *_table("By kind of model", own, lambda item: item.row.kind),
            *_table("By device", own, lambda item: item.row.device),
            *_worst(own),
            *_reasons(left_out),
        ]
    )


def _bar(first: Bar, second: Bar) -> str:
    found = " | ".join(f"{bar.found:.2f} | {'yes' if bar.passes else '**no**'}" for bar in (first, second))
    return f"| {first.name} | {'≥' if first.at_least else '≤'} {first.bound:.2f} | {found} |"


def _table(title: str, items: Sequence[Judged], key: Callable[[Judged], str]) -> list[str]:
    groups: defaultdict[tuple[str, str], list[Judged]] = defaultdict(list)
    for item in items:
        groups[(key(item), item.row.measure)].append(item)
    shown = sorted((name, found) for name, found in groups.items() if len(found) >= _FEWEST)
    rows = [
        f"| {name} | {measure} | {len(found)} | {median(abs(item.error) for item in found):.0%} |"
        f" {median(item.error for item in found):+.0%} | {quantile((item.factor for item in found), 0.9):.2f} |"
        f" {sum(item.inside for item in found) / len(found):.0%} |"
        for (name, measure), found in shown
    ]
    head = [
        "| | measure | rows | median error | bias | nine in ten within | inside the range |",
        "|---|---|" + "---:|" * 5,
    ]
    return [f"## {title}", "", *head, *rows, ""]


def _worst(items: Sequence[Judged]) -> list[str]:
    worst = sorted(items, key=lambda item: -item.factor)[:10]
    rows = [
        f"| {item.row.model} {item.row.format.name} | {item.row.settings.engine} | {item.row.device} |"
        f" {item.row.measure} | {item.row.tokens_per_second:.1f} | {item.predicted:.1f} | {item.row.source} |"
        for item in worst
    ]
    return [
        "## The ten worst",
        "",
        "| model | engine | device | measure | measured | predicted | source |",
        "|---|---|---|---|---:|---:|---|",
        *rows,
        "",
    ]


def _reasons(left_out: Counter[str]) -> list[str]:
    rows = [
        f"| {reason} | {count} |" for reason, count in sorted(left_out.items(), key=lambda item: (-item[1], item[0]))
    ]
    return ["## Left out, and why", "", "| reason | rows |", "|---|---:|", *rows, ""]
