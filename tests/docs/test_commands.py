"""Every command that the documentation shows is run, or stands below with the reason why not.

A page's commands run in their order, in one folder of its own, because one may read what another wrote.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from qwen_advisor import api
from qwen_advisor.cli import machine_options, main

ROOT = Path(__file__).parents[2]
HOWTO = ROOT / "docs" / "howto"
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
BLOCK = re.compile(
    r"(?P<marked><!-- run: [^\n]+ -->\n)?"
    r"^(?P<indent> *)```(?P<kind>sh|console|yaml|csv)\n(?P<body>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
TABLE = re.compile(r"^\|.*\| `(qwen-advisor[^`]*)` \|$", re.MULTILINE)
# Pages that have a test of their own, which runs all of their commands.
ELSEWHERE = {
    "docs/howto/measure-an-endpoint.md": "tests/bench/test_howto.py, against a server",
    "docs/howto/pull.md": "tests/hub/test_docs.py, against a host of files",
    "docs/howto/refresh-the-catalogue.md": "tests/hub/test_docs.py, against a host of files",
}
# The first words of our own commands that are not run here.
NOT_HERE = {
    "bench": "asks a live server; tests/bench",
    "health": "asks a live server; tests/bench",
    "pull": "fetches from the Hub; tests/hub",
    "recommend --installed": "nothing is on this disk; tests/hub",
    "catalog refresh": "asks the Hub; tests/hub",
    "mcp": "serves until it is told to stop; tests/mcp",
    "fleet machines.csv --task code --ray auto": "needs Ray; tests/heavy/test_ray_fleet.py",
    "finetune Qwen3-8B --method qlora --data": "needs the tokenizer of the extra; tests/training/test_data_check.py",
    "catalog validate": "takes long; .ci/run does, and tests/loader/test_catalog_verb.py",
    "catalog show YOUR-MODEL": "stands for a name; tests/loader/test_catalog_verb.py",
}
# Other programs that the pages call, by their first word.
OTHERS = {
    "python3": "sets up an environment; .ci/run does",
    ".venv/bin/pip": "sets up an environment; .ci/run does",
    ".venv/bin/pytest": "the tests; .ci/run does",
    ".venv/bin/uv": "asks the registry",
    ".": "enters an environment",
    "pip": "installs from the registry",
    "cd": "goes where the files were written",
    "cp": "copies a file that was written",
    "chmod": "as above",
    "docker": "Docker is no part of the tests; tests/launching reads the file as Compose would",
    "curl": "asks a live server",
    "sh": "as above",
    "python": "trains; tests/heavy/test_training_script.py does",
    "jq": "what it reads is read as JSON here",
    "export": "sets a variable",
    "ollama": "fetches a model",
}


@dataclass(frozen=True)
class Command:
    """One simple command: its words, where its output goes, and what the page says that it prints."""

    words: tuple[str, ...]
    into: str | None = None
    shown: str | None = None


@dataclass
class Words:
    """The words of one command while they are read."""

    words: list[str] = field(default_factory=list)
    into: str | None = None


def simple(line: str) -> Iterator[Command]:
    """The simple commands of a line of shell, without variables before them and `if` around them."""
    reader = shlex.shlex(line, posix=True, punctuation_chars=True)
    reader.whitespace_split = True
    held, target = Words(), False
    for token in reader:
        if target:
            held.into, target = token, False
        elif token in (">", ">>"):
            target = True
        elif set(token) <= set("();|&"):
            if held.words:
                yield Command(tuple(held.words), held.into)
            held = Words()
        elif held.words or not (token in ("if", "elif", "else", "then", "fi", "[") or token.endswith("=$")):
            held.words.append(token)
    if held.words:
        yield Command(tuple(held.words), held.into)


def block_commands(kind: str, body: str) -> Iterator[Command]:
    """The commands of one block that carries no mark."""
    if kind == "console":
        first, _, rest = body.partition("\n")
        yield Command(tuple(shlex.split(first)[1:]), shown=rest)
        return
    lines = body.replace("\\\n", " ").splitlines()
    if kind == "yaml":
        lines = [line.partition("run: ")[2] for line in lines if "run: " in line]
    for line in lines:
        for command in simple(line.strip()):
            # What is left of `if`, `else` and tests begins with no program.
            if command.words[0] not in ("$?", "echo"):
                yield command


def commands(page: Path) -> list[Command]:
    """All commands of a page, but those that docs/examples.py runs."""
    text = page.read_text("utf-8")
    found = [
        command
        for block in BLOCK.finditer(text)
        if not block["marked"] and block["kind"] != "csv"
        for command in block_commands(block["kind"], block["body"])
    ]
    return found + [Command(tuple(shlex.split(line))) for line in TABLE.findall(text)]


def ours(command: Command) -> str | None:
    """The words after our program's name, in one; None for another program."""
    program, *words = command.words
    return " ".join(words) if program in ("qwen-advisor", ".venv/bin/qwen-advisor") else None


def prepared(folder: Path) -> None:
    """The files that the pages' commands read, as the pages show them."""
    fleet = (HOWTO / "fleet.md").read_text("utf-8")
    (inventory,) = [block["body"] for block in BLOCK.finditer(fleet) if block["kind"] == "csv"]
    (folder / "machines.csv").write_text(inventory, "utf-8")
    (folder / "policy.yaml").write_text((HOWTO / "gate" / "policy.yaml").read_text("utf-8"), "utf-8")
    assert main(["recommend", "--ram", "16G", "--lock", "qwen-advisor.lock.json"]) == 0
    question = {"role": "user", "content": "What is two and two?"}
    rows = [[question, {"role": "assistant", "content": "Four."}]] * 5012
    rows[16] = [question, {"role": "assistant", "content": ""}]
    rows[4010] = [*rows[0], question]
    lines = (json.dumps({"messages": row}) + "\n" for row in rows)
    (folder / "train.jsonl").write_text("".join(lines), "utf-8")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder, on a machine that is the same everywhere."""
    machine = api.machine_for(api.load_catalog(), gpu="RTX 4090", ram="64G")
    for module in (api, machine_options):
        monkeypatch.setattr(module, "detect", lambda *_, **__: machine)
    for name in ("HOME", "HF_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in PAGES if commands(page)],
)
def test_every_command_runs(page: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if page.relative_to(ROOT).as_posix() in ELSEWHERE:
        return
    prepared(here)
    capsys.readouterr()
    for command in commands(page):
        line = ours(command)
        if line is None:
            assert command.words[0] in OTHERS, f"{command.words}: neither run nor excused"
        elif command.shown is None and not any(line.startswith(start) for start in NOT_HERE):
            run(command, here, capsys)
        elif command.shown is not None:
            assert main(command.words[1:]) != 0
            assert capsys.readouterr().err.strip() == command.shown.strip()


def run(command: Command, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Run one of ours: it must answer, and under --json with a document."""
    code = main(command.words[1:])
    said = capsys.readouterr()
    assert code == 0, (command.words, said.err)
    if "--json" in command.words:
        assert json.loads(said.out)
    if command.into and "$" not in command.into:
        (folder / command.into).write_text(said.out, "utf-8")


def test_what_is_excused_stands_somewhere() -> None:
    found = [command for page in PAGES for command in commands(page)]
    lines = [line for command in found if (line := ours(command)) is not None]
    unused = [start for start in NOT_HERE if not any(line.startswith(start) for line in lines)]
    unused += [program for program in OTHERS if not any(command.words[0] == program for command in found)]
    assert not unused
    assert all((ROOT / page).is_file() for page in ELSEWHERE)
    assert len(lines) > 90


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("qwen-advisor plan A --json | jq -r '.a | b'   # c", [("qwen-advisor", "plan", "A", "--json"), ("jq",)]),
        ("if answer=$(qwen-advisor recommend --json); then", [("qwen-advisor", "recommend", "--json")]),
        ("cd a && cp b c", [("cd", "a"), ("cp", "b", "c")]),
    ],
)
def test_a_line_is_taken_apart_as_a_shell_does(line: str, expected: list[tuple[str, ...]]) -> None:
    assert [command.words[: len(want)] for command, want in zip(simple(line), expected, strict=True)] == expected


def test_what_goes_into_a_file_is_told_from_the_words() -> None:
    (command,) = simple('qwen-advisor report --format csv >> "picks.csv"')
    assert (command.words[-1], command.into) == ("csv", "picks.csv")
