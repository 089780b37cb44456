"""Disk full, read-only, interrupted or killed at any step of writing: there is the old file or the new one, whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qwen_advisor import api
from qwen_advisor.bench.history import Entry, append, last
from qwen_advisor.calibration import Measured, read, store
from qwen_advisor.catalog import load_catalog
from qwen_advisor.catalog.overlays import overlay
from qwen_advisor.cli import main
from qwen_advisor.errors import UsageError
from qwen_advisor.files import replace_file
from qwen_advisor.hub.overlay import write
from qwen_advisor.hub.proposals import Proposal
from qwen_advisor.hub.record import Record, notes
from qwen_advisor.profiles.files import read_profile, write_profile
from qwen_advisor.values import replace
from tests.unbreakable.faults import KILLED, Fault, Steps, disk_full, faulty, in_child, interrupted, killed, read_only

posix = pytest.mark.skipif(os.name != "posix", reason="fork, links and devices of POSIX")
forking = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
CATALOG = load_catalog()
OLD = "the old file\n"


def typed(*words: str) -> Callable[[Path], int]:
    """A call whose last word is the file."""
    return lambda path: main([*words, str(path)])


WRITERS: dict[str, Callable[[Path], int]] = {
    "profile.yaml": typed("inspect-hardware", "-q", "--ram", "16G", "--save"),
    "profile.json": typed("inspect-hardware", "-q", "--gpu", "RTX 4090", "--save"),
    "page.html": typed("report", "--task", "code", "--ram", "16G", "-o"),
    "run.sh": typed("launch", "Qwen3-8B", "--ram", "16G", "-o"),
    "compose.yaml": typed("launch", "Qwen3-8B", "--ram", "16G", "--format", "compose", "-o"),
    "train.py": typed("finetune", "Qwen3-0.6B", "--gpu", "RTX 4090", "--format", "script", "-o"),
    "body.json": typed("prompt", "code", "--model", "Qwen3-8B", "--text", "sort", "--format", "body", "-o"),
    "lock.json": typed("recommend", "-q", "--task", "code", "--ram", "16G", "--lock"),
}


@pytest.fixture(params=WRITERS)
def writer(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A call that writes a file, the file with its old content, and what it holds once written."""
    monkeypatch.delenv("QWEN_ADVISOR_DEBUG", raising=False)
    answers: list[Any] = []  # of one call, again and again
    real = api.recommend
    monkeypatch.setattr(api, "recommend", lambda *a, **k: (answers or answers.append(real(*a, **k)) or answers)[0])
    act, path = WRITERS[request.param], tmp_path / request.param
    steps = Steps()
    with faulty(steps):
        assert act(path) == 0
    new = path.read_bytes()
    assert {"os.open", "write", "fsync", "chmod", "replace"} <= set(steps.taken)
    path.write_text(OLD, "utf-8")
    return act, path, new, len(steps.taken)


@pytest.mark.parametrize("fault", [disk_full, read_only, interrupted])
def test_a_fault_at_any_step_is_a_sentence_and_no_half_file(
    writer: Any, fault: Fault, capsys: pytest.CaptureFixture[str]
) -> None:
    act, path, new, count = writer
    codes = []
    for at in range(1, count + 1):
        path.write_text(OLD, "utf-8")
        capsys.readouterr()
        steps = Steps(fault, at)
        with faulty(steps):
            code = act(path)
        said = capsys.readouterr().err
        codes.append(code)
        if code == 0:  # the step did not matter, such as making a folder that is there
            assert path.read_bytes() == new
        elif fault is interrupted:
            assert code == 130
            assert path.read_bytes() in (OLD.encode(), new)
        else:
            assert code == 2
            assert f"error: {path} cannot be written: {os.strerror(28 if fault is disk_full else 30)}" in said
            assert path.read_bytes() == OLD.encode()
        assert "Traceback" not in said
        if steps.taken[-1] != "unlink":  # clearing away is itself what failed
            assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert sum(code != 0 for code in codes) >= 5


@posix
@forking
def test_killed_at_any_step_it_is_the_old_file_or_the_new(writer: Any) -> None:
    act, path, new, count = writer
    seen = set()
    for at in range(1, count + 1):
        path.write_text(OLD, "utf-8")

        def dying(at: int = at) -> None:
            with faulty(Steps(killed, at)):
                act(path)

        assert in_child(dying) == KILLED
        seen.add(path.read_bytes())
    assert seen == {OLD.encode(), new}


def measured(model: str) -> Measured:
    return Measured(
        machine="m", engine="llama.cpp", format_kind="gguf-mix", mode="cpu", model=model, quantization="Q4_K_M",
        against="a", at="2026-01-01T00:00:00Z", decode=0.5,
    )  # fmt: skip


@posix
@forking
@pytest.mark.parametrize("fault", [disk_full, read_only, killed])
def test_a_calibration_is_kept_or_added_to(tmp_path: Path, fault: Fault) -> None:
    path = tmp_path / "calibration.json"
    for at in range(1, 30):
        path.unlink(missing_ok=True)
        store(measured("old"), path)

        def adding(at: int = at) -> None:
            with faulty(Steps(fault, at)):
                store(measured("new"), path)

        status = in_child(adding)
        found = [item.model for item in read(path)]
        assert found in (["old"], ["old", "new"])
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        if status == 0 and found == ["old", "new"] and at > 8:
            break
    else:
        pytest.fail("it never came to its end")


def entry(model: str) -> Entry:
    return Entry(
        at="2026-01-01T00:00:00Z", url="http://127.0.0.1", model=model, quantization=None, engine=None,
        engine_version=None, concurrency=1, prompt_tokens=1, output_tokens=1, requests=1,
        time_to_first_token_seconds=0.1, inter_token_seconds=None, decode_tokens_per_second=None,
        prefill_tokens_per_second=None, throughput_tokens_per_second=1.0,
    )  # fmt: skip


@posix
@forking
@pytest.mark.parametrize("fault", [disk_full, read_only, killed])
def test_a_history_keeps_what_it_had_and_takes_the_next_line(tmp_path: Path, fault: Fault) -> None:
    path = tmp_path / "bench.jsonl"
    for at in range(1, 30):
        path.unlink(missing_ok=True)
        append(path, [entry("old")])

        def adding(at: int = at) -> None:
            with faulty(Steps(fault, at)):
                append(path, [entry("new")])

        status = in_child(adding)
        assert [line.model for line in last(path, 9)] in (["old"], ["old", "new"])
        append(path, [entry("next")])
        assert [line.model for line in last(path, 9)] in (["old", "next"], ["old", "new", "next"])
        if status == 0 and at > 4:
            break
    else:
        pytest.fail("it never came to its end")


def test_broken_numbers_in_a_history_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "bench.jsonl"
    append(path, [entry("whole")])
    line = path.read_text("utf-8")
    for number in ("NaN", "Infinity", "-1.0", "1" + "0" * 400):
        with path.open("a", encoding="utf-8") as stream:
            stream.write(
                line.replace('"throughput_tokens_per_second": 1.0', f'"throughput_tokens_per_second": {number}')
            )
    assert [item.model for item in last(path, 9)] == ["whole"]


@posix
@forking
@pytest.mark.parametrize("fault", [disk_full, killed])
def test_a_record_of_pulls_is_never_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    files = [tmp_path / "old", tmp_path / "new"]
    for file in files:
        file.write_text("x", "utf-8")
    about = {"source": "huggingface", "repo": "a/b", "file": "c"}
    Record().add(about, files[0], "1")
    for at in range(1, 12):

        def adding(at: int = at) -> None:
            with faulty(Steps(fault, at)):
                Record().add(about, files[1], "2")

        assert in_child(adding) in (0, KILLED)  # a record that cannot be written costs only another look
        assert [note.path for note in notes()] in ([str(files[0])], [str(file) for file in files])
    assert len(notes()) == 2


@posix
@forking
@pytest.mark.parametrize("fault", [disk_full, killed])
def test_own_entries_are_whole_and_a_second_call_brings_the_rest(tmp_path: Path, fault: Fault) -> None:
    known = CATALOG.models["Qwen/Qwen3-8B"]
    shape = replace(CATALOG.architectures[known.architecture or ""], id="new-shape")
    proposal = Proposal(
        checkpoint=replace(known, id="Qwen/New", architecture="new-shape", quantized=(), ollama=()),
        architecture=shape,
        checks=(),
    )
    for at in range(1, 60):
        root = tmp_path / str(at)
        root.mkdir()

        def writing(at: int = at, root: Path = root) -> None:
            with faulty(Steps(fault, at)):
                write(CATALOG, [proposal], root)

        status = in_child(writing)
        files = {path.name for path in root.glob("*/*.yaml")}
        assert files in (set(), {"new-shape.yaml"}, {"new-shape.yaml", "new.yaml"})
        assert set(overlay(CATALOG, root).models) - set(CATALOG.models) == ({"Qwen/New"} if len(files) == 2 else set())
        _, left_out = write(CATALOG, [proposal], root)
        assert (left_out == []) == (len(files) < 2)
        assert "Qwen/New" in overlay(CATALOG, root).models
        if status == 0 and len(files) == 2 and at > 20:
            break
    else:
        pytest.fail("it never came to its end")


@posix
def test_a_link_keeps_leading_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    file, link = tmp_path / "real" / "file", tmp_path / "link"
    file.write_text(OLD, "utf-8")
    link.symlink_to(file)
    replace_file(link, "new")
    assert (link.is_symlink(), file.read_text("utf-8")) == (True, "new")


@posix
def test_what_is_no_file_stays_what_it_is(tmp_path: Path) -> None:
    """Root would otherwise put a file in the place of ``/dev/null``."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    replace_file(pipe, "words")
    assert os.read(reader, 100) == b"words"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.mark.parametrize("name", ["x" * 255, "é" * 120, "a\0b", "x" * 300])
def test_any_name_is_written_or_refused(tmp_path: Path, name: str) -> None:
    fits = "\0" not in name and len(os.fsencode(name)) <= 255
    try:
        replace_file(tmp_path / name, "x\ud800")
    except UsageError as error:
        assert not fits
        assert "cannot be written" in error.message  # noqa: PT017  most names raise nothing
    else:
        assert fits
        assert (tmp_path / name).read_bytes() == b"x\\ud800"
    assert len(list(tmp_path.iterdir())) == fits


def test_a_saved_profile_is_read_back(tmp_path: Path) -> None:
    machine = api.machine_for(CATALOG, gpu="RTX 4090", ram="64G")
    write_profile(machine, tmp_path / "p.yaml")
    assert read_profile(tmp_path / "p.yaml", CATALOG).accelerators == machine.accelerators
