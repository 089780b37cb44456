"""``report`` as it is typed: what is written where, what is refused, what a hostile catalogue and profile come to."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from pages import Page

from qwen_advisor import api, files
from qwen_advisor.cli import main
from qwen_advisor.profiles.files import write_profile

RAM = ("--ram", "16G")

MODEL = """\
id: Evil/Mine-1
architecture: qwen3-0.6b
family: "<script>alert(1)</script>"
line: general
kind: instruct
released: 2026-01-01
license: apache-2.0
modalities_in: [text]
modalities_out: [text]
parameters_total: 596049920
context: {native: 40960}
engines: [llama.cpp]
quantized:
- {repo: "Evil/<img src=x onerror=alert(2)>", format: Q8_0, source: "https://example.org/<b>"}
sources: [https://example.org/mine]
"""
ABILITY = """\
Evil/Mine-1:
- checkpoint: Evil/Mine-1
  scale: chat
  thinking: "off"
  value: 9
  standard_error: 0.1
  published: true
  evidence:
  - {benchmark: "<svg onload=alert(3)>", score: 99, source: "javascript:alert(4)", independent: false, weight: 0.9}
"""


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch, hand: ModuleType) -> None:
    monkeypatch.setattr(api, "recommend", lambda *_, **__: hand.ADVICE)


@pytest.mark.usefixtures("answering")
class TestWriting:
    def test_a_page(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file = tmp_path / "out" / "report.html"
        assert main(["report", *RAM, "-o", str(file)]) == 0
        said = capsys.readouterr()
        assert said.out == ""
        assert f"hint: wrote {file}: " in said.err
        assert file.read_text("utf-8").startswith('<!DOCTYPE html>\n<html lang="en">')
        assert [path.name for path in file.parent.iterdir()] == ["report.html"]

    def test_a_picture(self, tmp_path: Path) -> None:
        file = tmp_path / "frontier.SVG"
        assert main(["report", *RAM, "--output", str(file), "-q"]) == 0
        assert file.read_text("utf-8").startswith("<svg xmlns=")

    def test_quiet_says_nothing(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["report", *RAM, "-q", "-o", str(tmp_path / "a.html")]) == 0
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize("words", [(), ("-o", "-"), ("--format", "html")])
    def test_stdout_where_no_file_is_named(self, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["report", *RAM, *words]) == 0
        assert capsys.readouterr().out.startswith("<!DOCTYPE html>")

    def test_the_format_may_say_what_the_ending_does_not(self, tmp_path: Path) -> None:
        file = tmp_path / "picture"
        assert main(["report", *RAM, "--format", "svg", "-o", str(file)]) == 0
        assert file.read_text("utf-8").startswith("<svg")

    def test_an_old_report_stays_whole_where_writing_fails(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "report.html"
        file.write_text("old", "utf-8")

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(files.os, "fsync", full)
        assert main(["report", *RAM, "-o", str(file)]) == 2
        assert "No space left on device" in capsys.readouterr().err
        assert file.read_text("utf-8") == "old"
        assert [path.name for path in tmp_path.iterdir()] == ["report.html"]

    def test_a_terminal_is_told_to_name_a_file(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        assert main(["report", *RAM]) == 2
        assert "-o report.html" in capsys.readouterr().err

    @pytest.mark.parametrize(
        "words",
        [
            ("-o", "report.txt"),
            ("-o", "report"),
            ("-o", "report.html", "--format", "svg"),
            ("--format", "pdf"),
            ("--task", "cooking"),
        ],
    )
    def test_what_is_off_is_refused(
        self,
        words: tuple[str, ...],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert main(["report", *RAM, *words]) == 2
        said = capsys.readouterr()
        assert said.err.startswith("error: ")
        assert "hint: " in said.err
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.skipif(os.name == "nt", reason="there is no such device")
    def test_a_device_is_not_replaced(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        pipe = tmp_path / "pipe.html"
        os.mkfifo(pipe)
        assert main(["report", *RAM, "-o", str(pipe)]) == 2
        assert stat.S_ISFIFO(pipe.stat().st_mode)
        assert "no ordinary file" in capsys.readouterr().err


def test_nothing_fits_is_written_and_has_its_code(
    tmp_path: Path, hand: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api, "recommend", lambda *_, **__: hand.NOTHING)
    file = tmp_path / "report.html"
    assert main(["report", *RAM, "-o", str(file)]) == 3
    assert "Nothing fits: 3 models" in file.read_text("utf-8")
    assert "error: nothing fits code" in capsys.readouterr().err


def test_a_hostile_catalogue_and_profile_are_shown_harmlessly(tmp_path: Path) -> None:
    own = tmp_path / "own"
    for name, text in (("models/mine-1.yaml", MODEL), ("abilities/chat.yaml", ABILITY)):
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_text(text, "utf-8")
    profile = tmp_path / "evil.yaml"
    machine = api.machine_for(api.load_catalog(), ram="16G")
    write_profile(replace(machine, notes=("<script>alert(5)</script>",)), profile)
    for name in ("report.html", "report.svg"):
        file = tmp_path / name
        assert main(["report", "--hardware", str(profile), "--catalog-extra", str(own), "-q", "-o", str(file)]) == 0
        made = Page(file.read_text("utf-8"))
        assert len(made.all("script")) == (name == "report.html")
        assert not made.all("img")
        assert not [item for item in made.elements for attribute in item.attributes if attribute.startswith("on")]
        assert not [item for item in made.elements if item.attributes.get("href", "").startswith("javascript:")]
        assert "Use Evil/Mine-1" in made.elements[0].text
    page = Page((tmp_path / "report.html").read_text("utf-8"))
    assert "<script>alert(5)</script>" in page.elements[0].text
    assert "<svg onload=alert(3)>" in page.elements[0].text
