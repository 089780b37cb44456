"""How well memory is told: ``python -m benchmarks.memory_accuracy [--write]``.

Prints median, 90th percentile and worst error by part, engine and family, the five worst rows of each part, and the
errors of other tools' published formulas on the same servers. ``--write`` renews ``docs/reference/memory-accuracy.md``.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.memory_rows import Result, Skipped, buffers, laboratory, published, read
from qwen_advisor.catalog import load_catalog
from qwen_advisor.facts import Catalog
from qwen_advisor.model import Architecture
from qwen_advisor.parameters import count
from qwen_advisor.units import MIB

_PAGE = Path(__file__).parents[1] / "docs" / "reference" / "memory-accuracy.md"
_WORST = 5


def _percentile(errors: list[float], share: float) -> float:
    return errors[min(len(errors) - 1, int(share * len(errors)))]


def _row(label: str, results: Iterable[Result]) -> str:
    errors = sorted(abs(result.error) for result in results)
    exact = sum(error == 0 for error in errors)
    middle, tail, worst = _percentile(errors, 0.5), _percentile(errors, 0.9), errors[-1]
    return f"| {label} | {len(errors)} | {exact} | {middle:.2%} | {tail:.2%} | {worst:.2%} |"


def _table(title: str, results: list[Result], key: Callable[[Result], str]) -> list[str]:
    groups: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        groups[key(result)].append(result)
    head = [f"| {title} | rows | to the byte | median error | 90th percentile | worst |", "|---|---|---|---|---|---|"]
    return [*head, *(_row(label, found) for label, found in groups.items()), ""]


def _worst(results: list[Result]) -> list[str]:
    lines = ["| part | row | measured MiB | predicted MiB | error | explanation |", "|---|---|---|---|---|---|"]
    groups: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        groups[result.part].append(result)
    for part, found in groups.items():
        for result in sorted(found, key=lambda one: -abs(one.error))[:_WORST]:
            if not result.error:
                continue
            why = result.why or _EXPLAINED.get(part, "")
            lines.append(
                f"| {part} | {result.what} | {result.measured / MIB:.1f} | {result.predicted / MIB:.1f} "
                f"| {result.error:+.2%} | {why} |"
            )
    return [*lines, ""]


_EXPLAINED = {
    "compute buffer, 2 devices": "a later device begins inside a layer, whose first tensors are not told apart",
    "compute buffer, layers on host": "where copies of K and V fragment the buffer, the order of small inputs decides",
    "compute buffer, experts on host": "copies of two small norm vectors are left out",
    "compute buffer in logs of builds before the output limit": "those builds kept the mask in float32 too",
    "GPU memory of the makers' tables, before Transformers 4.45": "code of the model's repository, other than today's",
    "pre-allocated memory": "the engine had not filled its share when this was read",
}


def _llmfit(parameters: float, text_kv: int, context: int, _shape: Architecture) -> float:
    """Weights at 0.58 bytes in decimal GB, exact KV, half a GB."""
    return parameters * 0.58 + text_kv * context + 0.5e9


def _whichllm(parameters: float, _kv: int, context: int, _shape: Architecture) -> float:
    """Weights at 0.5625 bytes, KV by parameters, activations and framework."""
    kv = 3.5 * MIB * parameters / 1e9 * context / 1024
    return parameters * 0.5625 + kv + 400e6 + 0.08 * parameters + 150e6 * context / 4096 + 500e6


def _hf_mem(parameters: float, _kv: int, context: int, shape: Architecture) -> float:
    """File and KV of every layer with heads of ``hidden / heads``."""
    text = shape.text
    if text is None:
        return parameters
    head = text.hidden_size / text.num_attention_heads
    return parameters * 0.6 + 4 * text.num_hidden_layers * text.num_key_value_heads * head * context


_PEERS = {"llmfit": _llmfit, "whichllm": _whichllm, "hf-mem": _hf_mem}


def _peers(catalog: Catalog, servers: list[Result]) -> list[str]:
    from qwen_advisor.memory import kv_bytes_per_token  # noqa: PLC0415

    rows = [row for row in read("memory_lab.csv") if row["mode"] == "server"]
    lines = ["| tool | rows | median error | worst |", "|---|---|---|---|"]
    own = sorted(abs(result.error) for result in servers)
    lines.append(f"| qwen-advisor | {len(own)} | {_percentile(own, 0.5):.1%} | {own[-1]:.1%} |")
    for name, formula in _PEERS.items():
        errors = []
        for row in rows:
            shape = catalog.architectures[row["architecture"]]
            if shape.text is None:
                continue
            parameters = count(shape).total
            told = formula(parameters, kv_bytes_per_token(shape.text, "f16"), int(row["context"]), shape)
            errors.append(told / int(row["resident_bytes"]) - 1)
        errors.sort(key=abs)
        lines.append(f"| {name} | {len(errors)} | {_percentile(errors, 0.5):+.1%} | {errors[-1]:+.1%} |")
    return [*lines, ""]


def report(catalog: Catalog) -> str:
    """The whole page."""
    found = [*buffers(catalog), *laboratory(catalog), *published(catalog)]
    results = [one for one in found if isinstance(one, Result)]
    skipped = [one for one in found if isinstance(one, Skipped)]
    servers = [one for one in results if one.part == "resident memory, server"]
    lines = [
        "# Accuracy of memory",
        "",
        "<!-- Written by `python -m benchmarks.memory_accuracy --write`; do not edit. -->",
        "",
        "Every row of `benchmarks/data/memory_*.csv` against the project's prediction. Errors are relative.",
        "Tables of PyTorch's allocated memory are compared without the CUDA context, which they do not contain.",
        "",
        "## By part",
        "",
        *_table("part", results, lambda one: f"{one.part} ({one.engine})"),
        "## By family",
        "",
        *_table("family", results, lambda one: f"{one.family} ({one.engine})"),
        "## Five worst rows of each part",
        "",
        *_worst(results),
        "## Other tools on the same servers",
        "",
        "Published formulas, applied to the llama-server rows (Q4_K_M, resident memory on a CPU).",
        "",
        *_peers(catalog, servers),
    ]
    if skipped:
        reasons = sorted({one.why for one in skipped})
        lines += ["## Rows without a prediction", "", f"{len(skipped)} rows: {'; '.join(reasons)}.", ""]
    return "\n".join(lines)


def main() -> None:
    """Print the page, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="renew docs/reference/memory-accuracy.md")
    arguments = parser.parse_args()
    page = report(load_catalog())
    print(page)
    if arguments.write:
        _PAGE.parent.mkdir(parents=True, exist_ok=True)
        _PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
