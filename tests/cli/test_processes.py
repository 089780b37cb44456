"""The real program in a process of its own: what it imports, what it does with pipes, terminals and signals."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECOMMEND = ("recommend", "--task", "code", "--ram", "16G")
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX pipes and terminals")

# Never on the way of an answer for programs: each costs 20 to 300 ms.
HEAVY = ("rich", "yaml", "pydantic", "huggingface_hub", "httpx", "httpx2", "numpy", "psutil", "pynvml", "asyncio")


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    return {**kept, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **more}


def program(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "qwen_advisor", *words],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=environment(**more),
        timeout=60,
    )


def modules_after(script: str, **more: str) -> set[str]:
    """Names of the modules that are loaded once the script has run."""
    tail = "\nimport sys, json; sys.__stderr__.write(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script + tail],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=environment(**more),
        timeout=60,
    )
    return set(json.loads(done.stderr[done.stderr.index('["') :]))


def calling(*words: str) -> str:
    return f"from qwen_advisor.cli import main\ntry: main({list(words)!r})\nexcept SystemExit: pass"


@pytest.mark.parametrize(
    "words",
    [
        (*RECOMMEND, "--json"),
        (*RECOMMEND, "--format", "csv"),
        (*RECOMMEND, "--format", "env"),
        (*RECOMMEND, "-q"),
        ("estimate", "Qwen3-8B", "--ram", "16G", "--json"),
        ("--version",),
        ("recommend", "--help"),
        ("recommend", "--task", "cod", "--json"),
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_imported(words: tuple[str, ...], compiled_catalog: dict[str, str]) -> None:
    assert not modules_after(calling(*words), **compiled_catalog) & set(HEAVY)


# What predicts, paints or looks at the machine: a shell that completes a line waits for none of it.
UNREACHED = (
    "qwen_advisor.advise.search",
    "qwen_advisor.fit.fitter",
    "qwen_advisor.memory.run",
    "qwen_advisor.speed.predict",
)


def completing(line: str) -> dict[str, str]:
    """What each of the four shells sets, for the last word of a line."""
    return {
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - (not line.endswith(" "))),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_WORD_TO_COMPLETE": "" if line.endswith(" ") else line.rsplit(maxsplit=1)[-1],
    }


@pytest.mark.parametrize(
    "line",
    [
        "qwen-advisor rec",
        "qwen-advisor estimate Qwen3-8",
        "qwen-advisor recommend --task co",
        "qwen-advisor recommend --gpu RTX",
    ],
)
def test_completion_runs_nothing_that_answers(line: str, compiled_catalog: dict[str, str]) -> None:
    code = (
        calling()
        + "\nimport sys; from importlib.util import _LazyModule"
        + "\nsys.modules = {n: m for n, m in sys.modules.items() if type(m) is not _LazyModule}"
    )
    loaded = modules_after(code, _QWEN_ADVISOR_COMPLETE="complete_bash", **completing(line), **compiled_catalog)
    assert not loaded & {*HEAVY, *UNREACHED}


@pytest.mark.parametrize(
    ("words", "others"),
    [
        (("--version",), {"recommend", "estimate", "fleet"}),
        (("--help",), {"recommend", "estimate", "fleet"}),
        ((*RECOMMEND, "--json"), {"estimate", "fleet", "catalog"}),
    ],
    ids=["--version", "--help", "recommend"],
)
def test_only_the_verb_that_is_called_is_imported(words: tuple[str, ...], others: set[str]) -> None:
    assert not modules_after(calling(*words)) & {f"qwen_advisor.cli.{verb}" for verb in others}


def test_completion_imports_nothing_heavy(compiled_catalog: dict[str, str]) -> None:
    words = {
        "_QWEN_ADVISOR_COMPLETE": "complete_bash",
        "COMP_WORDS": "qwen-advisor estimate Qwen3-8",
        "COMP_CWORD": "2",
    }
    assert not modules_after(calling("estimate"), **words, **compiled_catalog) & set(HEAVY)


def test_importing_the_package_loads_next_to_nothing() -> None:
    loaded = modules_after("import qwen_advisor")
    assert {name for name in loaded if name.startswith("qwen_advisor")} == {"qwen_advisor"}
    assert "typer" not in loaded


def test_the_python_answers_load_neither_command_line_nor_rich(compiled_catalog: dict[str, str]) -> None:
    script = "from qwen_advisor import recommend, estimate, inspect_hardware, load_catalog\nload_catalog()"
    loaded = modules_after(script, **compiled_catalog)
    assert not loaded & {"typer", *HEAVY}
    assert not any(name.startswith(("qwen_advisor.cli", "qwen_advisor.render")) for name in loaded)


def test_a_name_that_the_package_does_not_have() -> None:
    import qwen_advisor  # noqa: PLC0415

    assert {"recommend", "estimate", "inspect_hardware", "load_catalog"} <= set(dir(qwen_advisor))
    with pytest.raises(AttributeError, match="no attribute 'advise_me'"):
        qwen_advisor.advise_me  # noqa: B018


def test_piped_output_has_no_escape_codes_and_whole_names() -> None:
    done = program(*RECOMMEND, FORCE_COLOR="1", TTY_COMPATIBLE="1", GITHUB_ACTIONS="true")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "…" not in done.stdout
    assert re.search(r"^1 +Qwen/\S+", done.stdout, re.MULTILINE)


def in_a_terminal(*words: str, **more: str) -> tuple[int, str]:
    """Run under a pseudo-terminal of 80 columns; what it showed, and its exit code."""
    import fcntl  # noqa: PLC0415  POSIX only
    import pty  # noqa: PLC0415
    import struct  # noqa: PLC0415
    import termios  # noqa: PLC0415

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-m", "qwen_advisor", *words],
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env=environment(**more),
    ) as process:
        os.close(theirs)
        shown = bytearray()
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux says EIO at the end
                break
            if not piece:
                break
            shown += piece
    os.close(ours)
    return process.returncode, shown.decode()


@posix
def test_a_terminal_gets_colour_and_its_own_width() -> None:
    code, shown = in_a_terminal(*RECOMMEND)
    assert code == 0
    assert "\x1b[1;32mUse Qwen/" in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    table = plain.split("Ranking")[1].split("Ruled out")[0]
    assert max(len(line.rstrip("\r")) for line in table.splitlines()) <= 80


@posix
@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_a_terminal_that_wants_no_colour_gets_none(more: dict[str, str]) -> None:
    code, shown = in_a_terminal(*RECOMMEND, **more)
    assert code == 0
    assert "\x1b" not in shown


@posix
@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_a_reader_that_goes_away_is_no_fault(form: str) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        [sys.executable, "-m", "qwen_advisor", *RECOMMEND, "--format", form],
        stdout=theirs,
        stderr=subprocess.PIPE,
        check=False,
        env=environment(),
        timeout=60,
    )
    os.close(theirs)
    assert done.returncode == 0
    assert b"Broken" not in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "qwen_advisor", *RECOMMEND, "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            encoding="utf-8",
            env=environment(),
            timeout=60,
        )
    assert done.returncode == 1
    assert "error: the answer could not be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@posix
def test_closed_streams_are_survived() -> None:
    words = " ".join([sys.executable, "-m", "qwen_advisor", *RECOMMEND, "-q"])
    assert (
        subprocess.run(["sh", "-c", f"{words} 2>&-"], capture_output=True, check=False, env=environment()).returncode
        == 0
    )
    assert (
        subprocess.run(["sh", "-c", f"{words} >&-"], capture_output=True, check=False, env=environment()).returncode
        == 1
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_json_is_whole_in_any_encoding(encoding: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "qwen_advisor", *RECOMMEND, "--json"],
        capture_output=True,
        check=True,
        env=environment(PYTHONIOENCODING=encoding),
        timeout=60,
    )
    assert json.loads(done.stdout.decode("utf-8"))["schema"] == "qwen-advisor/recommend/1"


def test_a_table_in_ascii_is_ascii() -> None:
    done = program(*RECOMMEND, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "+/-" in done.stdout


@posix
def test_ctrl_c_is_130_and_quiet() -> None:
    script = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a job in the background inherits none
        "from qwen_advisor import api\n"
        "api.recommend = lambda *a, **k: os.kill(os.getpid(), signal.SIGINT)\n"
        "from qwen_advisor.cli import main\n"
        f"sys.exit(main({list(RECOMMEND)!r}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False, env=environment(), timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGINT, b"", b"")


@posix
@pytest.mark.parametrize("word", [b"\xff\xfe", b"\x1b[31mred", b"code\n::error::x", "кӧд".encode()], ids=ascii)
def test_hostile_words_steer_nothing(word: bytes) -> None:
    done = subprocess.run(
        [sys.executable.encode(), b"-m", b"qwen_advisor", b"recommend", b"--ram", b"16G", b"--json", b"--task", word],
        capture_output=True,
        check=False,
        env=environment(),
        timeout=60,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "usage"
    assert b"\x1b" not in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_the_module_runs_as_the_program_does() -> None:
    assert program("--version").stdout.startswith("qwen-advisor ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_offers_names(shell: str, compiled_catalog: dict[str, str]) -> None:
    asked = {
        "_QWEN_ADVISOR_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "qwen-advisor recommend --task mo",
        "COMP_CWORD": "3",
        "_TYPER_COMPLETE_ARGS": "qwen-advisor recommend --task mo",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    assert "moderation" in program(**asked, **compiled_catalog).stdout
