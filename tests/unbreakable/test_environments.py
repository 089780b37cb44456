"""The real program where it is uncomfortable: no home, no streams, no locale, no width, no rights, a wrong dt."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qwen_advisor.catalog import compile_catalog
from qwen_advisor.cli import main
from tests.unbreakable.faults import in_child

ROOT = Path(__file__).resolve().parents[2]
RECOMMEND = ("recommend", "--task", "code", "--ram", "16G")
FOLDERS = ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "APPDATA", "LOCALAPPDATA")
posix = pytest.mark.skipif(os.name != "posix", reason="streams, users and locales of POSIX")
rooted = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become somebody else")
forking = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def run(
    words: tuple[str, ...], *, after: str = "", without: tuple[str, ...] = (), cwd: Path | None = None, **more: str
) -> subprocess.CompletedProcess[bytes]:
    """One call in a process of its own; ``after`` is what follows it on a shell's line."""
    dropped = {"QWEN_ADVISOR_DEBUG", "COLUMNS", *without}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    command = [sys.executable, "-m", "qwen_advisor", *words]
    if after:
        command = ["sh", "-c", f'exec "$@" {after}', "sh", *command]
    return subprocess.run(
        command,
        capture_output=True,
        check=False,
        cwd=cwd,
        env={**kept, "PYTHONPATH": str(ROOT), **more},
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def spoken(done: subprocess.CompletedProcess[bytes], code: int = 0) -> bytes:
    """What a call printed, once it is certain that it ended well."""
    assert done.returncode == code, done.stderr.decode("utf-8", "replace")
    for faulty in (b"Traceback", b"the program failed", b"Exception ignored"):
        assert faulty not in done.stderr
    return done.stdout


@posix
@pytest.mark.parametrize(
    ("words", "after", "code"),
    [
        (RECOMMEND, "<&-", 0),
        (("inspect-hardware", "--json"), "<&-", 0),
        ((*RECOMMEND, "--json"), ">&-", 1),
        (("recommend", "--task", "nonsense", "--json"), ">&-", 2),
        ((*RECOMMEND, "--min-speed", "9999", "--json"), ">&-", 1),
        (("--version",), ">&-", 1),
        (RECOMMEND, "<&- >&- 2>&-", 1),
        (("recommend", "--task", "nonsense", "--json"), "<&- >&- 2>&-", 2),
        ((*RECOMMEND, "-q"), "2>&-", 0),
        (("prompt", "code", "--model", "Qwen3-8B", "--text", "-"), "<&-", 2),
    ],
)
def test_closed_streams(words: tuple[str, ...], after: str, code: int) -> None:
    spoken(run(words, after=after), code)


@posix
def test_a_file_is_not_written_into_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    """A file that is opened takes the lowest free number, which is that of a closed stdout or stderr."""
    file = tmp_path / "run.sh"
    words = ("launch", "Qwen3-8B", "--ram", "16G")
    spoken(run((*words, "-o", str(file)), after="<&- >&- 2>&-"))
    assert file.read_bytes() == spoken(run(words))


@posix
def test_text_on_stdin_that_is_no_text() -> None:
    words = ("prompt", "code", "--model", "Qwen3-8B", "--text", "-")
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-m", "qwen_advisor", *words],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8:strict"},
        input=b"sort \xff\xfe",
        timeout=60,
    )
    assert b"the text on stdin is not utf-8" in done.stderr
    spoken(done, 2)


LOCALES = [
    {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "xx_XX.nonsense", "LANG": "xx"},
    {"PYTHONIOENCODING": "cp437", "PYTHONUTF8": "0"},
    {"PYTHONIOENCODING": "utf-16"},
]


@pytest.mark.parametrize("locale", LOCALES, ids=lambda each: next(iter(each.values())))
def test_locales(locale: dict[str, str], tmp_path: Path) -> None:
    inventory = tmp_path / "flotte.csv"
    inventory.write_text("name,ram\nRöchner–日本,16G\n", "utf-8")
    spoken(run(("fleet", str(inventory), "--jobs", "1"), **locale))
    listed = spoken(run(("fleet", str(inventory), "--jobs", "1", "--format", "csv"), **locale))
    assert "Röchner–日本" in listed.decode("utf-8")
    said = run(("recommend", "--task", "кӧд"), **locale)
    spoken(said, 2)
    page = tmp_path / "seite–ü.html"
    spoken(run(("report", "--task", "code", "--ram", "16G", "-o", str(page)), **locale))
    assert "≥" in page.read_text("utf-8") or "–" in page.read_text("utf-8") or page.read_text("utf-8").isascii()


@pytest.mark.parametrize("columns", ["1", "0", "-1", "9" * 5000, "٣", "80x24"], ids=lambda text: ascii(text[:6]))
def test_widths(columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for words in (RECOMMEND, ("estimate", "Qwen3-8B", "--ram", "16G"), ("check", "Qwen3-0.6B", "--ram", "16G")):
        assert main(words) == 0
        said = capsys.readouterr()
        assert said.out
        assert "the program failed" not in said.err


@pytest.mark.parametrize(
    "words",
    [
        ("compare", "Qwen3-8B", "Qwen3-14B", "--ram", "32G"),
        ("plan", "Qwen3-8B"),
        ("why-not", "Qwen3-8B", "--ram", "16G"),
        ("catalog", "show", "Qwen3-8B"),
        ("inspect-hardware", "--gpu", "RTX 4090"),
        ("finetune", "Qwen3-0.6B", "--gpu", "RTX 4090"),
        ("recommend", "--ram", "16G", "--explain"),
        ("recommend", "--ram", "16G", "--chart"),
        ("settings",),
        ("recommend", "--help"),
    ],
    ids=lambda words: words[0],
)
def test_one_column(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "1")
    assert main(words) == 0
    assert "the program failed" not in capsys.readouterr().err


@posix
@pytest.mark.parametrize("home", [None, "", "/nonexistent", "relative", "/dev/null"], ids=str)
def test_homes(home: str | None, tmp_path: Path) -> None:
    given = {} if home is None else {"HOME": home}
    for words in (RECOMMEND, ("inspect-hardware", "--json"), ("bench", "--history"), ("settings",)):
        done = run(words, without=(*FOLDERS, "QWEN_ADVISOR_CONFIG"), cwd=tmp_path, **given)
        assert spoken(done) or words == ("bench", "--history")
    assert list(tmp_path.iterdir()) == []


@posix
def test_folders_that_cannot_be_made(tmp_path: Path) -> None:
    own = tmp_path / "catalog"
    shutil.copytree(ROOT / "catalog", own)
    more = dict.fromkeys(FOLDERS, "/dev/null/x")
    assert spoken(run(RECOMMEND, without=("QWEN_ADVISOR_CONFIG",), QWEN_ADVISOR_CATALOG=str(own), **more))
    assert spoken(run(("inspect-hardware", "--json"), without=("QWEN_ADVISOR_CONFIG",), **more))


def test_an_installation_is_left_as_it_is(tmp_path: Path) -> None:
    """As a wheel lies in an image that nobody may write to: nothing is put beside it, and it answers."""
    site = tmp_path / "site"
    shutil.copytree(ROOT / "qwen_advisor", site / "qwen_advisor", ignore=shutil.ignore_patterns("__pycache__"))
    (site / "qwen_advisor" / "_catalog.json").write_bytes(compile_catalog(ROOT / "catalog"))
    for path in (site, *site.rglob("*")):
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    before = sorted(site.rglob("*"))
    try:
        more = {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(tmp_path / "nobody")}
        for words in (RECOMMEND, ("catalog", "show", "Qwen3-8B"), ("launch", "Qwen3-8B", "--ram", "16G")):
            assert spoken(run(words, without=FOLDERS, cwd=tmp_path, **more))
        assert sorted(site.rglob("*")) == before
        assert [path.name for path in tmp_path.iterdir()] == ["site"]
    finally:
        for path in (site, *site.rglob("*")):
            path.chmod(path.stat().st_mode | stat.S_IWUSR)


def as_nobody(words: tuple[str, ...], out: Path, user: int, home: Path | None = None) -> int:
    """The exit code of a call by a user who owns nothing; it has no home, and no name if the system knows none."""

    def act() -> None:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT, 0o666)
        for stream in (1, 2):
            os.dup2(handle, stream)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
        for name in FOLDERS:
            os.environ.pop(name, None)
        os.environ.pop("QWEN_ADVISOR_CONFIG", None)
        if home is not None:
            os.environ["HOME"] = str(home)
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
        code = main(words)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    return in_child(act)


@rooted
@forking
@pytest.mark.parametrize("user", [65534, 54321])
@pytest.mark.parametrize("home", [False, True], ids=["no home", "somebody else's home"])
def test_nobody(user: int, home: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in (tmp_path, tmp_path.parent):  # so that it is its owner that keeps others from writing
        folder.chmod(0o755)
    secret = tmp_path / "home"
    secret.mkdir(mode=0o700)
    out = tmp_path / "out"
    refused = str(tmp_path / "run.sh")
    for words, code in (
        ((*RECOMMEND, "--json"), 0),
        (("inspect-hardware", "--json"), 0),
        (("bench", "--history", "--json"), 0),
        (("launch", "Qwen3-8B", "--ram", "16G", "-o", refused), 2),
        (("inspect-hardware", "--ram", "16G", "--save", refused), 2),
    ):
        assert main(words if code == 0 else (*words[:-1], str(tmp_path / "warm"))) == 0  # imported while it is allowed
        capsys.readouterr()
        out.unlink(missing_ok=True)
        assert as_nobody(words, out, user, secret if home else None) == code, out.read_text("utf-8")
        said = out.read_text("utf-8")
        assert "Traceback" not in said
        assert "the program failed" not in said
        assert (f"{refused} cannot be written: Permission denied" in said) == (code == 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "out", "warm"]


@pytest.mark.parametrize("year", [1970, 1, 9999])
@pytest.mark.parametrize("days", [1, 730, 10**6, 10**9])
def test_clocks_that_are_wrong(
    year: int, days: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = dt.datetime(year, 12, 31, 23, 59, tzinfo=dt.UTC)
    monkeypatch.setattr("qwen_advisor.cli.check.datetime", SimpleNamespace(now=lambda _: now))
    policy = tmp_path / "policy.yaml"
    waiver = "exceptions: [{model: Qwen/Qwen3-8B, rules: [min_bits], reason: x, until: 2027-06-30}]"
    policy.write_text(f"max_age_days: {days}\nmin_bits: 2\n{waiver}\n", "utf-8")
    code = main(("check", "Qwen3-8B", "--ram", "16G", "--policy", str(policy), "--json"))
    said = capsys.readouterr()
    assert "the program failed" not in said.err
    if code != 2:
        judged: Any = json.loads(said.out)
        assert code == (0 if judged["passed"] else 3)
    assert code in ((0, 3) if days < 10**6 else (0, 2, 3))
