"""How work grows: machines of a fleet, checkpoints of a catalogue, memory of one answer.

    python -m benchmarks.scale [--machines 10000] [--checkpoints 10000]

Times are processor time of this process, so that others at work on the same computer change them little; ratios are
what counts. Bars: 200 machines a second and core, 12 times the time for 10,000 checkpoints, 80 MiB for one
recommendation, and memory that does not grow with the fleet.
"""

from __future__ import annotations

import argparse
import csv
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.machines import COLUMNS, machines
from qwen_advisor import load_catalog
from qwen_advisor.advise import advise
from qwen_advisor.describe import Description, describe
from qwen_advisor.evidence import Ability
from qwen_advisor.facts import Catalog
from qwen_advisor.fleet import Row, read_inventory
from qwen_advisor.fleet.picks import Desk
from qwen_advisor.model import Checkpoint
from qwen_advisor.requirements import resolve
from qwen_advisor.units import GIB
from qwen_advisor.values import replace

TASKS = ("chat", "code", "agent")
CURVE = (100, 1_000, 10_000)
_PEAK = "import resource, sys; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.__stderr__)"


def seconds(work: Callable[[], object]) -> float:
    """Processor time of a piece of work."""
    began = time.process_time()
    work()
    return time.process_time() - began


def inventory(folder: Path, count: int) -> Path:
    """An inventory of so many machines."""
    path = folder / f"fleet-{count}.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(machines(count))
    return path


def fleet(path: Path, task: str, count: int) -> float:
    """Machines a second on one core, each different."""
    catalog = load_catalog()
    rows = [row for row in read_inventory(path).rows if isinstance(row, Row)][:count]
    desk = Desk(catalog, resolve(catalog, task=task, top=1))
    desk.answer(rows[0].words)
    return len(rows) / seconds(lambda: [desk.answer(row.words) for row in rows])


def grown(catalog: Catalog, count: int) -> Catalog:
    """The catalogue with further checkpoints: each like one of today's, and up to three logits less able."""
    rng = random.Random(1)  # noqa: S311  nothing secret
    models: dict[str, Checkpoint] = dict(catalog.models)
    abilities: dict[str, dict[str, tuple[Ability, ...]]] = {s: dict(by) for s, by in catalog.abilities.items()}
    today = list(models.values())
    while len(models) < count:
        like = rng.choice(today)
        name, less = f"{like.id}-{len(models)}", rng.uniform(0.0, 3.0)
        models[name] = replace(like, id=name)
        for by in abilities.values():
            if like.id in by:
                by[name] = tuple(replace(a, checkpoint=name, value=a.value - less) for a in by[like.id])
    return replace(catalog, models=models, abilities=abilities)


def answer_seconds(catalog: Catalog) -> Mapping[str, float]:
    """Time of one recommendation on a few machines, all facts decoded."""
    found = {}
    for name, said in {
        "16 GiB of RAM": Description(ram=16 * GIB),
        "RTX 4090, 64 GiB": Description(ram=64 * GIB, gpus=("RTX 4090",)),
    }.items():
        machine, asked = describe(catalog, said), resolve(catalog, task="code")
        advise(catalog, machine, asked)
        found[name] = min(seconds(lambda m=machine, a=asked: advise(catalog, m, a)) for _ in range(3))
    return found


def peak(*words: str) -> float:
    """Most memory of one call in a process of its own, MiB."""
    code = f"from qwen_advisor.cli import main\nmain({list(words)!r})\n{_PEAK}"
    done = subprocess.run(  # noqa: S603  this very interpreter
        [sys.executable, "-c", code], capture_output=True, check=True, encoding="utf-8"
    )
    return int(done.stderr.split()[-1]) / (1024 if sys.platform == "linux" else 1 << 20)


def main() -> None:
    """Print the curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, default=10_000)
    parser.add_argument("--checkpoints", type=int, default=10_000)
    wanted = parser.parse_args()
    print(
        f"one recommendation: {peak('recommend', '--task', 'code', '--ram', '16G', '--json'):.0f} MiB at most (bar 80)"
    )
    catalog = load_catalog()
    before = answer_seconds(catalog)
    for count in (1_000, wanted.checkpoints):
        after = answer_seconds(grown(catalog, count))
        for name in before:
            ratio = after[name] / before[name]
            print(f"{count:,} checkpoints, {name}: {ratio:.1f} times the time of {len(catalog.models)} (bar 12)")
    with tempfile.TemporaryDirectory() as folder:
        path = inventory(Path(folder), wanted.machines)
        for task in TASKS:
            for count in (c for c in CURVE if c <= wanted.machines):
                rate = fleet(path, task, count)
                print(f"{task}: {count:,} different machines at {rate:.0f} a second and core (bar 200)")
        for count in (c for c in CURVE if c <= wanted.machines):
            some = inventory(Path(folder), count)
            size = peak("fleet", str(some), "--jobs", "1", "--format", "csv", "-q")
            print(f"fleet of {count:,}: {size:.0f} MiB at most")


if __name__ == "__main__":
    main()
