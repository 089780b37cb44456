"""Runs probes side by side. One that fails or hangs costs its time limit and one note, never more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from qwen_advisor.values import dataclass, field

# Drivers of machines with many GPUs take seconds to answer for the first time; files answer at once.
QUICK, PATIENT = 2.0, 8.0  # seconds


@dataclass(slots=True)
class Gathered:
    """What one probe brings home."""

    files: dict[str, str] = field(default_factory=dict)
    commands: dict[str, str] = field(default_factory=dict)
    readings: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, other: Gathered) -> None:
        """Take in what another probe brought."""
        self.files |= other.files
        self.commands |= other.commands
        self.readings |= other.readings
        self.failures |= other.failures


@dataclass(frozen=True, slots=True)
class Probe:
    """A question to the machine, and how long an answer may take (seconds)."""

    ask: Callable[[], Gathered]
    limit: float = QUICK


def run(probes: Mapping[str, Probe]) -> Gathered:
    """Ask all at once. Threads that hang are left behind; neither the answer nor the process waits for them."""
    answers: dict[str, Gathered] = {}
    threads: dict[str, tuple[threading.Thread, float]] = {}
    start = time.monotonic()

    def ask(name: str, probe: Probe) -> None:
        try:
            answers[name] = probe.ask()
        except Exception as error:  # noqa: BLE001  whatever a driver throws, it is one note
            answers[name] = Gathered(failures={name: f"{type(error).__name__}: {error}"[:300]})

    for name, probe in probes.items():
        thread = threading.Thread(target=ask, args=(name, probe), name=f"probe {name}", daemon=True)
        thread.start()
        threads[name] = (thread, start + probe.limit)
    gathered = Gathered()
    for name, (thread, deadline) in threads.items():
        thread.join(max(0.0, deadline - time.monotonic()))
        answer = answers.get(name)
        if answer is None:
            answer = Gathered(failures={name: f"no answer within {probes[name].limit:g} s"})
        gathered.add(answer)
    return gathered
