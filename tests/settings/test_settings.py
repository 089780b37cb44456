"""Settings: option before variable before file before default, and ``settings``, which says so."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from qwen_advisor.cli import main, preferences
from qwen_advisor.render.schema import json_schema


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Say = Callable[..., Said]
Write = Callable[[str], Path]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    for name in preferences.KEYS:
        monkeypatch.delenv(preferences.variable(name), raising=False)
    monkeypatch.delenv("QWEN_ADVISOR_DEBUG", raising=False)

    def run(*words: str) -> Said:
        code = main(words)
        caught = capsys.readouterr()
        return Said(code, caught.out, caught.err)

    return run


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write the configuration file of the calls that follow."""

    def written(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text, "utf-8")
        monkeypatch.setenv("QWEN_ADVISOR_CONFIG", str(path))
        return path

    return written


RECOMMEND = ("recommend", "--task", "code", "--ram", "16G", "--json")


def test_an_option_beats_a_variable_a_variable_the_file_the_file_the_default(
    say: Say, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def preferred(*words: str) -> str:
        found: str = say(*RECOMMEND, *words).json["requirements"]["prefer"]
        return found

    assert preferred() == "balanced"
    write('prefer = "speed"')
    assert preferred() == "speed"
    monkeypatch.setenv("QWEN_ADVISOR_PREFER", "Memory")
    assert preferred() == "memory"
    assert preferred("--prefer", "quality") == "quality"


def test_every_setting_reaches_the_answer(say: Say, write: Write) -> None:
    write(
        """\
engines = ["llama.cpp"]
quants = ["Q8_0", "Q4_K_M"]
prefer = "memory"
thinking = "off"
license = "permissive"
language = "de"
max_download = "8G"
reserve = "2G"
top = 2
"""
    )
    document = say(*RECOMMEND).json
    asked = document["requirements"]
    assert asked["engines"] == ["llama.cpp"]
    assert asked["quantizations"] == ["Q8_0", "Q4_K_M"]
    assert (asked["prefer"], asked["thinking"], asked["license"], asked["language"]) == (
        "memory",
        "off",
        "permissive",
        "de",
    )
    assert asked["max_download_bytes"] == 8 << 30
    assert asked["top"] == 2
    assert document["hardware"]["memory"]["reserve_bytes"] == 2 << 30


def test_what_is_settled_is_said_unless_quiet(say: Say, write: Write) -> None:
    write('prefer = "speed"\ntop = 3')
    assert "hint: settled beforehand: prefer speed, top 3" in say(*RECOMMEND).err
    assert "prefer" not in say(*RECOMMEND, "--prefer", "speed", "--top=3").err
    said = say("recommend", "--ram", "16G", "-q")
    assert said.err == ""
    assert "top" not in say("recommend", "--ram", "16G", "--format", "id").err


def test_a_settled_format_gives_way(say: Say, write: Write) -> None:
    write('format = "csv"')
    assert say("recommend", "--ram", "16G").out.startswith("rank,model,")
    assert say("recommend", "--ram", "16G", "--json").json["schema"] == "qwen-advisor/recommend/1"
    assert say("recommend", "--ram", "16G", "-q").out.count("\n") == 1
    assert say("recommend", "--ram", "16G", "--format", "markdown").out.startswith("## ")


def test_the_first_engine_is_estimate_s(say: Say, write: Write) -> None:
    write('engines = ["ollama", "vllm"]\nquants = ["Q8_0"]')
    document = say("estimate", "qwen3:8b", "--ram", "32G", "--json").json
    assert (document["engine"], document["quantization"]) == ("ollama", "Q8_0")


def test_directories_are_beside_the_file(say: Say, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('catalog-extra = ["mine"]')
    monkeypatch.setenv("QWEN_ADVISOR_CATALOG_EXTRA", "")
    models = path.parent / "mine" / "models"
    models.mkdir(parents=True)
    shown = say("settings", "--json").json["settings"]
    (extra,) = [setting for setting in shown if setting["name"] == "catalog-extra"]
    assert extra["value"] == [str(path.parent / "mine")]
    assert os.environ["QWEN_ADVISOR_CATALOG_EXTRA"] == str(path.parent / "mine")


def test_a_gate_and_help_are_not_settled(say: Say, write: Write) -> None:
    write("nonsense = 1")
    assert say("recommend", "--help").code == 0
    assert "nonsense" not in say("check", "qwen3:8b", "--ram", "64G").err


def test_settings_says_where_each_value_comes_from(say: Say, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('# mine\nprefer = "speed"\n\nengines = "llama.cpp"\nlicense = "any"\n')
    monkeypatch.setenv("QWEN_ADVISOR_LICENSE", "permissive")
    monkeypatch.setenv("COLUMNS", "300")  # nothing is broken over lines
    document = say("settings", "--json").json
    jsonschema.validate(document, json_schema("settings-1"))
    found = {row["name"]: (row["value"], row["source"], row["where"]) for row in document["settings"]}
    assert document["file"] == str(path)
    assert document["file_exists"] is True
    assert found["prefer"] == ("speed", "file", f"{path}:2")
    assert found["engines"] == (["llama.cpp"], "file", f"{path}:4")
    assert found["license"] == ("permissive", "environment", "QWEN_ADVISOR_LICENSE")
    assert found["top"] == (None, "default", None)
    assert yaml.safe_load(say("settings", "--format", "yaml").out) == document
    rows = list(csv.DictReader(io.StringIO(say("settings", "--format", "csv").out)))
    assert [row["name"] for row in rows] == list(found)
    assert say("settings", "--format", "env").out.splitlines() == [
        "QWEN_ADVISOR_ENGINES=llama.cpp",
        "QWEN_ADVISOR_PREFER=speed",
        "QWEN_ADVISOR_LICENSE=permissive",
    ]
    for form in ("table", "markdown"):
        out = say("settings", "--format", form).out
        assert "3 settings beside the defaults" in out
        assert f"{path}:2" in out.replace("\\_", "_")
    assert say("settings", "--format", "id").code == 2


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('prefer = "speed"\ntop = \n', 2, "is no TOML"),
        ('top = 3\n\nprefr = "speed"\n', 3, "prefr is not a setting"),
        ('top = "3"\n', 1, "top: must be a whole number"),
        ("top = 0\n", 1, "top: must be a whole number above 0"),
        ("top = true\n", 1, "top: must be a whole number"),
        ('# x\nprefer = "fast"\n', 2, "prefer: must be one of quality, balanced, speed, memory"),
        ('engines = ["llama"]\n', 1, "engines: must be one of"),
        ("engines = [1]\n", 1, "engines: must be a text, or a list of texts"),
        ('format = "id"\n', 1, "format: must be one of"),
        ('reserve = "some"\n', 1, "reserve: 'some' is not a size"),
        ('catalog-extra = "gone"\n', 1, "is not a directory"),
        ("[prefer]\na = 1\n", 1, "prefer: must be a text"),
        ('language = ""\n', 1, "language: must be a word"),
    ],
)
@pytest.mark.parametrize("words", [("settings", "--json"), RECOMMEND], ids=["settings", "recommend"])
def test_a_broken_file_is_code_2_with_its_line(
    text: str, line: int, message: str, words: tuple[str, ...], say: Say, write: Write
) -> None:
    path = write(text)
    said = say(*words)
    assert said.code == 2
    assert f"error: {path}:{line}: " in said.err
    assert message in said.err
    jsonschema.validate(said.json, json_schema("error-1"))


def test_bytes_that_are_no_text(say: Say, write: Write) -> None:
    path = write("")
    path.write_bytes(b'prefer = "speed"\nlicense = "\xff"\n')
    said = say("settings")
    assert (said.code, f"{path}:2: is no UTF-8" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("QWEN_ADVISOR_PREFER", "fast", "QWEN_ADVISOR_PREFER: must be one of"),
        ("QWEN_ADVISOR_TOP", "many", "QWEN_ADVISOR_TOP: must be a whole number"),
        ("QWEN_ADVISOR_ENGINES", "llama.cpp,lama", "QWEN_ADVISOR_ENGINES: must be one of"),
        ("QWEN_ADVISOR_RESERVE", "x", "QWEN_ADVISOR_RESERVE: 'x' is not a size"),
    ],
)
def test_a_broken_variable_is_named(
    name: str, value: str, message: str, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    said = say(*RECOMMEND)
    assert (said.code, message in said.err) == (2, True)


def test_a_file_that_is_named_must_be_there(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QWEN_ADVISOR_CONFIG", str(tmp_path / "gone.toml"))
    said = say("settings")
    assert said.code == 2
    assert "QWEN_ADVISOR_CONFIG names" in said.err


def test_the_usual_place_need_not_exist(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QWEN_ADVISOR_CONFIG")
    for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    document = say("settings", "--json").json
    assert document["file_exists"] is False
    assert Path(document["file"]).name == "config.toml"
    assert Path(document["file"]).is_relative_to(tmp_path)
    Path(document["file"]).parent.mkdir(parents=True, exist_ok=True)
    Path(document["file"]).write_text('prefer = "speed"\n', "utf-8")
    assert say(*RECOMMEND).json["requirements"]["prefer"] == "speed"


def test_what_format_env_prints_settles_nothing(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = say("recommend", "--ram", "64G", "--format", "env").out
    for line in printed.splitlines():
        name, _, value = line.partition("=")
        assert name not in {preferences.variable(key) for key in preferences.KEYS}
        monkeypatch.setenv(name, value)
    assert all(row["source"] == "default" for row in say("settings", "--json").json["settings"])
