"""Writes docs/reference/ranking.md: the method, how well it predicts what it has not seen, and the boards it makes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import yaml

from benchmarks.ability.checkpoints import SCALES, Checkpoint
from benchmarks.ability.placing import Placed
from benchmarks.ability.validation import FEWEST, Board
from qwen_advisor.catalog import load_catalog
from qwen_advisor.quality import expected_score, quantization_loss

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "ranking.md"
_TOP = 15
_BAR_MEAN, _BAR_LEAST = 0.85, 0.7
_LARGE = 10
_SHOWN = ("BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ4_XS", "Q3_K_M", "Q2_K", "FP8", "AWQ", "GPTQ-Int4", "MLX-4bit")
_SIZES = ("qwen3.5-0.8b", "qwen3.5-4b", "qwen3.5-9b", "qwen3.5-27b", "qwen3.5-35b-a3b")


def write_page(
    placed: Sequence[Placed], boards: Sequence[Board], checkpoints: Mapping[str, Checkpoint], left_out: Counter[str]
) -> None:
    """Write the page."""
    lines = [
        *_METHOD,
        *_validation(boards),
        *_boards(boards),
        *_leaders(placed, checkpoints),
        *_losses(),
        *_left(left_out),
    ]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


_METHOD = [
    "# How able the models are",
    "",
    "<!-- Written by `python -m benchmarks.ability validate`; do not edit. -->",
    "",
    "Every official checkpoint has a place on one scale per task, fitted from the published scores in",
    "`benchmarks/data/scores_*.csv`. The fit is one Gaussian model in closed form (`benchmarks/ability/`):",
    "",
    "- A score is a logit of the share solved, its chance level taken off; a rating or a mean rank is taken as it is.",
    "- Each benchmark has a difficulty and a slope of its own, and loads on one scale or several",
    "  (`benchmarks/data/benchmarks.yaml`). Versions of a benchmark are benchmarks of their own.",
    "- Thinking on, thinking off and few-shot use of a base model are settings of their own.",
    "- What the makers report themselves has a bias term and a noise of its own; so has each evaluator.",
    "- Abilities share a general factor, and models that share a pretraining, a size and a line are alike before any",
    "  score of them is read; that is what places a model without scores, with a wide error.",
    "- Noise has heavy tails, so that one broken run does not drag a model.",
    "",
    "**The unit.** An ability is the logit of the share that a model solves of its scale's average benchmark: one unit",
    "multiplies the odds of solving an item by e. The standard error says how far the next evaluator's board may",
    "depart from it.",
    "",
]


def _validation(boards: Sequence[Board]) -> list[str]:
    topics: dict[str, list[Board]] = defaultdict(list)
    for board in boards:
        topics[board.topic].append(board)
    rows = [_row(topic, found) for topic, found in sorted(topics.items())]
    inside = sum(b.inside for b in boards) / sum(b.judged for b in boards)
    return [
        "## Predicting what was hidden",
        "",
        (
            f"Each independent evaluator with a board of at least {FEWEST} checkpoints is hidden whole, the model is"
            " fitted without it, and the order on its boards is predicted. Means over the boards of a topic; the last"
            " columns are the rank correlations (Spearman) of simple baselines."
        ),
        "",
        "| topic | boards | Kendall | Spearman | in 95 % intervals | by size | by release | by mean of other scores |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *rows,
        _row("**all**", boards),
        "",
        f"Wanted: a mean rank correlation of {_BAR_MEAN}, none below {_BAR_LEAST}; 95 % of what was hidden inside the",
        f"intervals. Found: {_found(boards)}; {inside:.0%} inside.",
        f"On the boards of {_LARGE} models or more: {_found([b for b in boards if b.checkpoints >= _LARGE])}.",
        "Smaller boards hold models that are near to each other, whose order the board itself barely knows.",
        "",
    ]


def _found(boards: Sequence[Board]) -> str:
    """Mean and least rank correlation, and how many boards are below the bar."""
    values = [b.spearman for b in boards]
    worst = min(boards, key=lambda b: b.spearman)
    below = sum(value < _BAR_LEAST for value in values)
    least = f"the least {worst.spearman:.2f} ({worst.benchmark})"
    return f"{mean(values):.2f} over {len(boards)} boards, {below} of them below {_BAR_LEAST}, {least}"


def _row(name: str, boards: Sequence[Board]) -> str:
    cells = [mean(getattr(b, field) for b in boards) for field in ("kendall", "spearman")]
    others = [mean(getattr(b, field) for b in boards) for field in ("by_size", "by_release", "by_mean")]
    inside = sum(b.inside for b in boards) / sum(b.judged for b in boards)
    numbers = " | ".join(f"{value:.2f}" for value in cells)
    return f"| {name} | {len(boards)} | {numbers} | {inside:.0%} | " + " | ".join(f"{v:.2f}" for v in others) + " |"


def _boards(boards: Sequence[Board]) -> list[str]:
    rows = [
        f"| {b.evaluator} | {b.benchmark} | {b.topic} | {b.checkpoints} | {b.kendall:.2f} | {b.spearman:.2f} |"
        for b in sorted(boards, key=lambda b: (b.evaluator, b.benchmark))
    ]
    head = ["| evaluator | board | topic | models | Kendall | Spearman |", "|---|---|---|---:|---:|---:|"]
    return ["### Board by board", "", *head, *rows, ""]


def _leaders(placed: Sequence[Placed], checkpoints: Mapping[str, Checkpoint]) -> list[str]:
    lines = ["## The boards that result", ""]
    for scale in SCALES:
        own = [p for p in placed if p.scale == scale and checkpoints[p.checkpoint].kind != "base"]
        best = sorted(own, key=lambda p: (-p.value, p.checkpoint, p.setting))[:_TOP]
        lines += [
            f"### {scale}",
            "",
            "| model | thinking | ability | expected score | own scores |",
            "|---|---|---:|---:|---|",
        ]
        lines += [
            f"| {p.checkpoint} | {p.setting} | {p.value:.2f} ± {p.error:.2f} | {expected_score(p.value):.0f} |"
            f" {'yes' if p.published else 'no published score'} |"
            for p in best
        ]
        lines.append("")
    return lines


def _losses() -> list[str]:
    catalog = load_catalog()
    parameters: Mapping[str, Any] = yaml.safe_load(
        (Path(__file__).parents[2] / "catalog" / "quantization_loss.yaml").read_text(encoding="utf-8")
    )
    lines = [
        "## What quantization takes",
        "",
        "Loss in logits at code, with its standard error, from the measured divergences and scores in",
        "`benchmarks/data/quantization_loss.csv`: the divergence falls with bits per weight and with size, and a power",
        "law turns it into lost logits.",
        "",
        "| format | " + " | ".join(_SIZES) + " |",
        "|---|" + "---:|" * len(_SIZES),
    ]
    for name in _SHOWN:
        cells = []
        for architecture in _SIZES:
            shape, footprint = catalog.architectures[architecture], catalog.footprints[architecture].get(name)
            if footprint is None:
                cells.append("–")
                continue
            loss, error = quantization_loss(
                parameters,
                fmt=catalog.formats[name],
                bits_per_weight=8 * footprint.tensor_bytes / footprint.parameters,
                total_parameters=footprint.parameters,
                moe=shape.text is not None and shape.text.moe is not None,
                scale="code",
            )
            cells.append(f"{loss:.3f} ± {error:.3f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _left(left_out: Counter[str]) -> list[str]:
    rows = [f"| {reason} | {count} |" for reason, count in sorted(left_out.items(), key=lambda i: (-i[1], i[0]))]
    return ["## Scores that are not used, and why", "", "| reason | rows |", "|---|---:|", *rows]
