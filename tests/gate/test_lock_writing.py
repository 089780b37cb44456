"""Whatever happens while a lock is written, the file is the old one or the new one, never half of one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qwen_advisor.api import machine_for, recommend
from qwen_advisor.cli.locking import write_lock
from qwen_advisor.facts import Catalog
from qwen_advisor.gate.lock_file import read_lock

ROOT = Path(__file__).resolve().parents[2]
LOCK = "qwen-advisor.lock.json"
Say = Callable[..., Any]
posix = pytest.mark.skipif(os.name != "posix", reason="fork, signals and limits of POSIX")


@pytest.fixture(scope="module")
def texts(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Two locks as they are written, by the task that they answer."""
    where = tmp_path_factory.mktemp("locks")
    made = {}
    for task in ("code", "chat"):
        _write(catalog, where / task, task)
        made[task] = (where / task).read_bytes()
    return made


def _write(catalog: Catalog, path: Path, task: str) -> None:
    advice = recommend(task=task, machine=machine_for(catalog, ram="16G"), catalog=catalog)
    write_lock(path, advice, catalog, {})


def _in_child(act: Callable[[], None]) -> int:
    """The exit status of a fork that does something; 7 where it was killed as `_dying` kills it."""
    child = os.fork()
    if child == 0:
        try:
            act()
        except BaseException:  # noqa: BLE001  a fork of the test runner must end here
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@posix
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_killed_at_any_write_it_is_the_old_file_or_the_new(
    catalog: Catalog, texts: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / LOCK
    seen = set()
    for step in range(1, 100):
        path.write_bytes(texts["code"])

        def dying(last: int = step) -> None:
            count = 0
            advice = recommend(task="chat", machine=machine_for(catalog, ram="16G"), catalog=catalog)

            def watch(event: str, _: tuple[object, ...]) -> None:
                nonlocal count
                if event in ("open", "os.chmod", "os.rename", "os.remove", "os.mkdir", "os.truncate"):
                    count += 1
                    if count == last:
                        os._exit(7)

            sys.addaudithook(watch)
            write_lock(path, advice, catalog, {})

        status = _in_child(dying)
        seen.add(path.read_bytes())
        assert path.read_bytes() in texts.values()
        if status == 0:
            break
        assert status == 7
    else:
        pytest.fail("it never came to its end")
    assert step > 3
    assert path.read_bytes() == texts["chat"]
    assert seen == set(texts.values())


@posix
def test_killed_at_any_moment_it_is_a_whole_file(texts: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / LOCK
    path.write_bytes(texts["code"])
    script = (
        "import sys, pathlib\n"
        "from qwen_advisor.files import replace_file\n"
        "texts = [pathlib.Path(name).read_text('utf-8') for name in sys.argv[2:]]\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    for text in texts: replace_file(pathlib.Path(sys.argv[1]), text)\n"
    )
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
    for moment in (0.0, 0.003, 0.007, 0.013, 0.021):
        with subprocess.Popen(
            [sys.executable, "-c", script, path, tmp_path / "code", tmp_path / "chat"],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(moment)
            writer.send_signal(signal.SIGKILL)
        assert path.read_bytes() in texts.values()


def test_two_at_once_leave_one_whole_file(catalog: Catalog, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "qwen_advisor", "recommend", "--ram", "16G", "-q", "--lock", LOCK, "--task"]
    running = [
        subprocess.Popen(
            [*words, task], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL
        )
        for task in ("code", "chat", "code", "chat")
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0, 0]
    assert read_lock(tmp_path / LOCK, catalog).requirements.task in ("code", "chat")
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


@posix
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_full_disk_leaves_the_old_file(catalog: Catalog, texts: dict[str, bytes], tmp_path: Path) -> None:
    import resource  # noqa: PLC0415  POSIX only

    path = tmp_path / LOCK
    path.write_bytes(texts["code"])

    def full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        _write(catalog, path, "chat")

    assert _in_child(full) == 1
    assert path.read_bytes() == texts["code"]
    assert [each.name for each in tmp_path.iterdir()] == [LOCK]


def test_a_place_that_cannot_be_written_ends_with_2_before_anything_is_printed(say: Say) -> None:
    Path("file").write_text("", "utf-8")
    said = say("recommend", "--task", "code", "--ram", "16G", "--lock", "file/lock.json", "--json")
    assert said.code == 2
    assert json.loads(said.out)["error"]["code"] == "usage"
    assert "cannot be written" in said.err


def test_where_nothing_fits_the_old_lock_stays(say: Say, texts: dict[str, bytes], catalog: Catalog) -> None:
    path = Path(LOCK)
    path.write_bytes(texts["code"])
    said = say("recommend", "--task", "code", "--ram", "1G", "--min-speed", "500", "--lock", LOCK, "-q")
    assert said.code == 3
    assert path.read_bytes() == texts["code"]
    assert read_lock(path, catalog).requirements.task == "code"
