"""How long whole calls take, against ``python -c pass`` in the same run: ``python -m benchmarks.startup``.

Each command is a new process. Its time is the least processor time (user and system) of several runs, taken in turn
with the others, so that neither other work on the computer nor a change of clock speed favours one of them. The program
is measured as it is installed where this runs; from a checkout, the digest of the catalogue's files comes on top.
Peers are measured beside it where their programs are on the path.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import qwen_advisor
from qwen_advisor import load_catalog
from qwen_advisor.api import machine_for, recommend

_PROGRAM = (sys.executable, "-m", "qwen_advisor")
_NOTHING = "python -c pass"
_RECOMMEND = ("recommend", "--task", "code", "--ram", "16G")
COMMANDS: dict[str, tuple[Sequence[str], float | None]] = {  # what is run, and the bar in times of `pass`
    _NOTHING: ((sys.executable, "-c", "pass"), None),
    "import qwen_advisor": ((sys.executable, "-c", "import qwen_advisor"), 2.5),
    "--version": ((*_PROGRAM, "--version"), 5.0),
    "recommend --task code --ram 16G --json": ((*_PROGRAM, *_RECOMMEND, "--json"), 8.0),
    "recommend --task code --ram 16G": ((*_PROGRAM, *_RECOMMEND), None),
    "estimate qwen3:8b --ram 16G --json": ((*_PROGRAM, "estimate", "qwen3:8b", "--ram", "16G", "--json"), None),
    "inspect-hardware --json": ((*_PROGRAM, "inspect-hardware", "--json"), 10.0),
    "import typer (for comparison)": ((sys.executable, "-c", "import typer"), None),
}
PEERS: dict[str, Sequence[str]] = {
    "llmfit recommend --json": ("llmfit", "recommend", "--json"),
    "whichllm --json": ("whichllm", "--json"),
}
_ANSWER_BAR = 25.0  # milliseconds


def processor_seconds(command: Sequence[str]) -> float:
    """User and system time of one run of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)  # noqa: S603
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def least(work: Callable[[], object], runs: int) -> float:
    """The least processor time of several runs in this process, in milliseconds."""
    found = float("inf")
    for _ in range(runs):
        begun = time.process_time()
        work()
        found = min(found, time.process_time() - begun)
    return 1000 * found


def main(arguments: list[str]) -> int:
    """Measure and print; returns the process's exit code, 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="runs of each command")
    runs = parser.parse_args(arguments).runs
    commands = {name: command for name, (command, _) in COMMANDS.items()}
    commands |= {name: command for name, command in PEERS.items() if shutil.which(command[0])}
    seconds = dict.fromkeys(commands, float("inf"))
    for _ in range(runs):
        for name, command in commands.items():
            seconds[name] = min(seconds[name], processor_seconds(command))
    missed = False
    print(f"qwen-advisor {qwen_advisor.__version__}, Python {sys.version.split()[0]}, least of {runs} runs\n")
    print("| command | ms | times `python -c pass` | bar | met |\n|---|---:|---:|---:|---|")
    for name, taken in seconds.items():
        bar = COMMANDS.get(name, ((), None))[1]
        ratio = taken / seconds[_NOTHING]
        missed = missed or (bar is not None and ratio > bar)
        met = "" if bar is None else "yes" if ratio <= bar else "**no**"
        print(f"| {name} | {1000 * taken:.0f} | {ratio:.1f} | {'' if bar is None else f'{bar:g}'} | {met} |")
    catalog = load_catalog()
    machine = machine_for(catalog, ram="16G")
    answer = least(lambda: recommend(task="code", machine=machine, catalog=catalog), runs)
    missed = missed or answer > _ANSWER_BAR
    met = "yes" if answer <= _ANSWER_BAR else "**no**"
    print(
        f"\nOne recommendation through the Python API, catalogue loaded: {answer:.1f} ms (bar {_ANSWER_BAR:g}: {met})"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
