"""``inspect-hardware`` as it is typed: one screen, one document, evidence that replays, and faults of one sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from qwen_advisor.cli import main
from qwen_advisor.facts import Catalog
from qwen_advisor.profiles.files import read_profile
from qwen_advisor.render.hardware import report
from qwen_advisor.render.look import Look
from qwen_advisor.render.paint import paint
from qwen_advisor.render.schema import json_schema
from qwen_advisor.units import GIB

FIXTURES = Path(__file__).parent / "fixtures"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.yaml") if not path.stem.endswith(".expected"))
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Run ``inspect-hardware`` with these words: exit code, stdout, stderr."""
    for name in ("QWEN_ADVISOR_DEBUG", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["inspect-hardware", *words])
        caught = capsys.readouterr()
        return code, caught.out, caught.err

    return run


def test_this_machine_as_a_document(typed: Typed) -> None:
    code, out, err = typed("--json")
    document = json.loads(out)
    jsonschema.validate(document, json_schema("hardware-1"))
    assert (code, err, document["described"]) == (0, "", False)
    assert document["memory"]["total_bytes"] > 0
    assert {"cpu", "memory.total", "cpu.memory_bandwidth"} <= set(document["sources"])


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_every_fixture_as_a_document(form: str, typed: Typed) -> None:
    for name in NAMES:
        code, out, _ = typed("--hardware", str(FIXTURES / f"{name}.yaml"), "--format", form)
        jsonschema.validate(json.loads(out) if form == "json" else yaml.safe_load(out), json_schema("hardware-1"))
        assert code == 0


def test_raw_evidence_replays(typed: Typed, tmp_path: Path) -> None:
    code, out, err = typed("--raw")
    assert (code, err) == (0, "")
    path = tmp_path / "evidence.yaml"
    path.write_text(out, "utf-8")
    code, replayed, _ = typed("--hardware", str(path), "--json")
    here = json.loads(typed("--json")[1])
    again = json.loads(replayed)
    assert code == 0
    assert again["cpu"] == here["cpu"]
    assert again["memory"]["total_bytes"] == here["memory"]["total_bytes"]


@pytest.mark.parametrize("name", ["profile.yaml", "profile.json"])
def test_a_saved_profile_is_the_same_machine(name: str, typed: Typed, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    said = ("--gpu", "2x3090", "--ram", "64G", "--reserve", "2G")
    code, out, err = typed(*said, "--save", path, "--json")
    assert code == 0
    assert f"--hardware {path}" in err
    assert typed("--hardware", path, "--json")[1] == out


def test_csv_has_a_row_for_each_pool(typed: Typed) -> None:
    _, out, _ = typed("--gpu", "RTX 4090", "--ram", "64G", "--format", "csv")
    header, card, memory = out.splitlines()
    assert header.startswith("pool,vendor,kind,total_bytes,usable_bytes")
    assert card.startswith("NVIDIA GeForce RTX 4090,nvidia,discrete,25757220864,")
    assert card.endswith(",1008000000000,catalogue: rtx-4090")
    assert memory.endswith(",51200000000,--ram")


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", NAMES)
def test_one_screen_with_what_counts_first(name: str, width: int, facts: Catalog) -> None:
    machine = read_profile(FIXTURES / f"{name}.yaml", facts)
    text = paint(report(machine), Look(width=width))
    lines = text.splitlines()
    assert all(len(line) <= width for line in lines)
    assert len(lines) <= (48 if width == 80 else 38)
    pools, facts_at = text.index("Memory that a model may use"), text.index("  processor ")
    assert pools < facts_at < (text.index("\nNotes\n") if machine.notes else len(text))
    assert "\x1b" not in text
    piped = paint(report(machine), Look())
    for accelerator in machine.accelerators:
        assert accelerator.name in piped
    for note in machine.notes:
        assert note in piped


@pytest.mark.parametrize(
    ("fixture", "advice"),
    [
        ("linux-kubernetes-8gib-3-cores", "raise the container's memory limit"),
        ("linux-desktop-one-channel", "empty memory channels: 1"),
        ("linux-desktop-one-channel", "set the profile (XMP, EXPO)"),
        ("linux-strix-halo-default-gtt", "ttm.pages_limit="),
        ("linux-card-without-driver", "install its driver"),
        ("linux-laptop-rtx4060-and-780m", "groups render and video"),
        ("wsl2-rtx4070ti", ".wslconfig"),
        ("linux-unlike-cards-one-visible", "unset it to use all"),
        ("linux-driver-hangs", "gave no answer"),
    ],
)
def test_notes_say_what_limits_and_how_to_lift_it(fixture: str, advice: str, typed: Typed) -> None:
    assert advice in typed("--hardware", str(FIXTURES / f"{fixture}.yaml"))[1]


def test_sources_are_shown(typed: Typed) -> None:
    _, out, _ = typed("--hardware", str(FIXTURES / "linux-desktop-rtx4090.yaml"))
    assert "GPU memory (NVML)" in out
    assert "bandwidth (SMBIOS (memory modules))" in out
    _, out, _ = typed("--ram", "16G", "--ram-bandwidth", "60")
    assert "60 GB/s (as said)" in out
    assert "bandwidth (--ram-bandwidth)" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--raw", "--json"), "--raw has a form of its own"),
        (("--raw", "--gpu", "4090"), "--raw looks at this machine"),
        (("--measure", "--ram", "16G"), "--measure looks at this machine"),
        (("--format", "env"), "--format env cannot hold this answer"),
        (("--hardware", "missing.yaml"), "missing.yaml cannot be read"),
        (("--save", "missing/profile.yaml", "--ram", "16G"), "cannot be written"),
        (("--gpu", "RTX 4060 Ti"), "may mean several accelerators"),
        (("--gpu", "nonsense"), "no accelerator is called 'nonsense'"),
        (("--device", "nonsense"), "no device is called 'nonsense'"),
        (("--ram", "lots"), "--ram: 'lots' is not a size"),
        (("--gpu-bandwidth", "500", "--ram", "16G"), "says nothing of a machine without a GPU"),
        (("--nodes", "0"), "--nodes"),
        (("--cpu-cores", "many"), "--cpu-cores"),
    ],
)
def test_nonsense_gets_one_sentence_a_next_step_and_code_2(words: tuple[str, ...], message: str, typed: Typed) -> None:
    code, out, err = typed(*words)
    assert code == 2
    assert re.fullmatch(r"error: [^\n]+\nhint: [^\n]+\n", err)
    assert message in err
    assert out == "" or json.loads(out)["error"]["exit_code"] == 2


@pytest.mark.parametrize("verb", [("estimate", "Qwen3-8B"), ("recommend", "--top", "1")])
def test_every_verb_takes_the_overrides(verb: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    def answer(*words: str) -> dict[str, Any]:
        assert main([*verb, "--json", *words]) == 0
        document = json.loads(capsys.readouterr().out)
        return dict(document["recommendations"][0] if "recommendations" in document else document)

    card, memory = ("--gpu", "RTX 3060 12GB", "--ram", "16G"), ("--ram", "16G", "--cpu-cores", "16")
    assert answer(*card, "--gpu-bandwidth", "720")["speed"] != answer(*card)["speed"]
    assert answer(*memory, "--ram-bandwidth", "20")["speed"] != answer(*memory)["speed"]
    kept, plain = (answer(*memory, "--reserve", size)["memory"]["budget_bytes"] for size in ("5G", "1G"))
    assert (plain - kept) == 4 * GIB
