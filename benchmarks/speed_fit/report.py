"""The page that shows how far predicted speeds are from measured ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from statistics import median

from benchmarks.speed_fit.judging import Judged, Verdict, quantile

MARK = "<!-- Written by `python -m benchmarks.speed_accuracy --write`; do not edit. -->"
_FEWEST = 5  # rows below which a group gets no line of its own


def page(verdict: Verdict, left_out: Counter[str]) -> str:
    """The whole page as Markdown."""
    own = [item for item in verdict.judged if item.row.own]
    devices = len({item.row.device for item in own})
    return "\n".join(
        [
            "# Accuracy of speed",
            "",
            MARK,
            "",
            (
                f"{len(own):,} measurements of Qwen models on {devices} devices, each predicted by efficiencies that"
                " were fitted without a single row of its device."
            ),
            "Rows of other families only help to know the hardware; they are not counted here.",
            (
                "A device that nobody else resembles, such as the one phone or the one Strix Halo, is therefore judged"
                " as if it had never been seen; the shipped efficiencies have seen it."
            ),
            "",
            "## The bars",
            "",
            "| bar | wanted | found | met |",
            "|---|---:|---:|---|",
            *(
                f"| {bar.name} | {'≥' if bar.at_least else '≤'} {bar.bound:.2f} | {bar.found:.2f} |"
                f" {'yes' if bar.passes else '**no**'} |"
                for bar in verdict.bars
            ),
            "",
            *_table("By engine", own, lambda item: item.row.settings.engine),
            *_table("By vendor", own, lambda item: item.row.vendor),
            *_table("By kind of model", own, lambda item: item.row.kind),
            *_table("By device", own, lambda item: item.row.device),
            *_worst(own),
            *_reasons(left_out),
        ]
    )


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
