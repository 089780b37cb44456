"""The fuzzing of ``tests/unbreakable`` with new seeds, for as long as it may run.

    python -m benchmarks.fuzz --minutes 60 [--only NAME]

Every finding is printed once, by where it was raised, with its smallest input. Ends with 1 where there is any.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import resource
import sys
import time
import traceback
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from benchmarks.fuzz_targets import Target, findings, targets

_ROUND = 150  # examples of one target before the next one has its turn
_SLOW = 10.0  # seconds for one input; none may take that long


class _Hang(Exception):
    """An input took too long."""


def fuzz(target: Target, number: int) -> tuple[int, Exception | None, str]:
    """One round of a target: how many inputs it saw, and what it found, with the input."""
    seen = 0
    last = ""

    @seed(number)
    @settings(
        max_examples=_ROUND,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(target.inputs)
    def one(value: Any) -> None:
        nonlocal seen, last
        seen += 1
        began = time.monotonic()
        last = repr(value)
        findings(target, value)
        if time.monotonic() - began > _SLOW:
            raise _Hang(f"{time.monotonic() - began:.1f} s")

    try:
        one()
    except Exception as error:  # noqa: BLE001  all of them are findings
        return seen, error, last
    return seen, None, ""


def place(error: Exception) -> str:
    """Where in the program a finding was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "qwen_advisor/" in frame.filename.replace("\\", "/")] or list(frames)
    return f"{ours[-1].filename}:{ours[-1].lineno} {type(error).__name__}"


def main() -> int:
    """Fuzz until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--only", help="one target")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9)
    given_ = parser.parse_args()
    chosen = {name: each for name, each in targets().items() if given_.only in (None, name)}
    if not chosen:
        parser.error(f"targets are {', '.join(targets())}")
    began, seen, found = time.monotonic(), collections.Counter[str](), dict[str, str]()
    print(f"seed {given_.seed}, {len(chosen)} targets", flush=True)
    for number in itertools.count(given_.seed):
        for name, target in chosen.items():
            if time.monotonic() - began > given_.minutes * 60:
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
                total = f"{sum(seen.values()):,} inputs in {(time.monotonic() - began) / 60:.1f} minutes"
                print(f"{total}, peak {peak} MiB, {len(found)} findings")
                print(", ".join(f"{each} {count:,}" for each, count in seen.items()))
                return 1 if found else 0
            inputs, error, value = fuzz(target, number)
            seen[name] += inputs
            if error is not None and place(error) not in found:
                found[place(error)] = name
                print(f"--- {name}: {place(error)}\n{error!s:.300}\n{value:.1000}", flush=True)
                traceback.print_exception(error, limit=-4, chain=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
