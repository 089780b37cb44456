"""``fleet``: inventories of machines, answered row by row."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from qwen_advisor import load_catalog, recommend
from qwen_advisor.errors import UsageError
from qwen_advisor.fleet import Faulty, Nothing, Pick, Row, answers, read_inventory
from qwen_advisor.fleet.inventory import Words
from qwen_advisor.fleet.local import Alone, local_crew
from qwen_advisor.fleet.picks import machine_of
from qwen_advisor.render.schema import json_schema
from qwen_advisor.requirements import resolve

Say = Callable[..., Any]
Write = Callable[..., str]

INVENTORY = """\
name,ram,vram,gpu,device,cpu_cores,owner
laptop,16G,,,,8,ann
box,64G,,RTX 4090,,16,bob
mac,,,,MacBook Pro M3 Max 64GB,,cy
bad,lots,,,,,dee
tiny,256M,,,,,ed
none,,,,,,x

two,128G,,RTX 3090; RTX 3090,,16,
twin,16G,,,,8,
odd,16G,,RTX 40900,,,
"""


def told(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    jsonschema.validate(document, json_schema("fleet-1"))
    return document


def test_each_machine_gets_what_recommend_puts_first(say: Say, write: Write) -> None:
    said = say("fleet", write(INVENTORY), "--task", "code", "--json", "-q")
    document = told(said.out)
    assert said.code == 0
    assert said.err == ""
    machines = {machine["name"]: machine for machine in document["machines"]}
    described: dict[str, dict[str, Any]] = {
        "box": {"ram": "64G", "gpu": "RTX 4090"},
        "mac": {"device": "MacBook Pro M3 Max 64GB"},
        "two": {"ram": "128G", "gpu": ("RTX 3090", "RTX 3090")},
    }
    for name, words in described.items():
        first = recommend(task="code", top=1, **words).recommendations[0].plan
        pick = machines[name]["pick"]
        assert (pick["model"], pick["quantization"], pick["engine"], pick["memory_bytes"]) == (
            first.checkpoint.id,
            first.format,
            first.settings.engine,
            first.memory.total,
        )
    assert machines["laptop"]["pick"] == machines["twin"]["pick"]


def test_lines_are_those_of_the_file_and_bad_rows_are_not_fatal(say: Say, write: Write) -> None:
    said = say("fleet", write(INVENTORY), "--task", "code", "--json")
    document = told(said.out)
    status = {machine["line"]: (machine["name"], machine["status"]) for machine in document["machines"]}
    assert status == {
        2: ("laptop", "ok"),
        3: ("box", "ok"),
        4: ("mac", "ok"),
        5: ("bad", "fault"),
        6: ("tiny", "nothing_fits"),
        7: ("none", "fault"),
        9: ("two", "ok"),
        10: ("twin", "ok"),
        11: ("odd", "fault"),
    }
    summary = document["summary"]
    assert {key: summary[key] for key in ("machines", "answered", "nothing_fits", "faults", "different")} == {
        "machines": 9,
        "answered": 5,
        "nothing_fits": 1,
        "faults": 3,
        "different": 5,  # laptop and twin say the same
    }
    assert sum(pick["machines"] for pick in summary["picks"]) == 5
    assert summary["complete"] is True
    assert "not understood and passed over: owner" in said.err
    assert "line 5 (bad): ram: 'lots' is not a size" in said.err
    assert "line 11 (odd): no accelerator is called 'RTX 40900'" in said.err
    assert "5 of 9 machines have a pick; 1 with nothing that fits, 3 at fault" in said.err


def test_csv_yaml_and_json_hold_the_same(say: Say, write: Write) -> None:
    path = write(INVENTORY)
    document = told(say("fleet", path, "--json", "-q").out)
    assert yaml.safe_load(say("fleet", path, "--format", "yaml", "-q").out) == document
    rows = list(csv.DictReader(io.StringIO(say("fleet", path, "--format", "csv", "-q").out)))
    for row, machine in zip(rows, document["machines"], strict=True):
        assert (row["line"], row["name"], row["status"]) == (str(machine["line"]), machine["name"], machine["status"])
        pick = machine["pick"]
        if pick is None:
            assert (row["model"], row["message"]) == ("", machine["message"])
        else:
            assert row["model"] == pick["model"]
            assert row["memory_bytes"] == str(pick["memory_bytes"])
            assert float(row["decode_tokens_per_second"]) == pick["decode_tokens_per_second"]["expected"]


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_a_report_counts_picks_and_names_machines(form: str, say: Say, write: Write) -> None:
    out = say("fleet", write(INVENTORY), "--format", form).out
    assert "5 of 9 machines have a pick" in out
    for word in ("Picks", "laptop", "box", "Nothing fits", "tiny", "Rows at fault", "line 5, bad"):
        assert word in out


def test_nothing_for_anybody_is_code_3(say: Say, write: Write) -> None:
    said = say("fleet", write("name,ram\na,128M\nb,lots\n"), "--json")
    assert said.code == 3
    assert told(said.out)["summary"]["answered"] == 0
    assert "error: no machine of the inventory has a pick" in said.err


def test_an_empty_inventory_is_whole_json(say: Say, write: Write) -> None:
    for form in ("json", "yaml"):
        said = say("fleet", write("name,ram\n"), "--format", form)
        document = yaml.safe_load(said.out)
        jsonschema.validate(document, json_schema("fleet-1"))
        assert (said.code, document["machines"]) == (3, [])


def test_yaml_with_the_words_of_csv(say: Say, write: Write) -> None:
    text = """\
machines:
  - name: a
    ram: 16
    cpu-cores: 8
  - {name: b, gpu: [RTX 3090, RTX 3090], ram: 128G}
  - just text
  - {name: c, gpu: {x: 1}}
  - {name: d, device: Raspberry Pi 5 8GB, colour: red}
"""
    said = say("fleet", write(text, "fleet.yaml"), "--task", "code", "--json")
    found = [(m["line"], m["name"], m["status"]) for m in told(said.out)["machines"]]
    assert [(line, name) for line, name, _ in found] == [(2, "a"), (5, "b"), (6, ""), (7, "c"), (8, "d")]
    assert [status for *_, status in found][:4] == ["ok", "ok", "fault", "fault"]
    assert "passed over: colour" in said.err
    assert "is no mapping" in said.err


def test_a_profile_beside_the_inventory(say: Say, write: Write, tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    say("inspect-hardware", "--gpu", "RTX 4090", "--ram", "64G", "--save", str(tmp_path / "profiles" / "a.json"))
    rows = "name,hardware,ram,nodes\na,profiles/a.json,,\nb,../a.json,,\nc,gone.json,,\nd,profiles/a.json,16G,\n"
    said = say("fleet", write(rows), "--json")
    a, b, c, d = told(said.out)["machines"]
    described = recommend(top=1, gpu="RTX 4090", ram="64G").recommendations[0].plan
    assert (a["pick"]["model"], a["pick"]["memory_bytes"]) == (described.checkpoint.id, described.memory.total)
    assert "not in the inventory's folder" in b["message"]
    assert "cannot be read" in c["message"]
    assert "both describe" in d["message"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "names no column that describes a machine"),
        ("", "names no column that describes a machine"),
        ("ram,RAM\n1,2\n", "stands twice"),
        ('"ram\n16G\n', "no CSV"),
    ],
)
def test_a_file_that_is_no_inventory(text: str, message: str, say: Say, write: Write) -> None:
    said = say("fleet", write(text), "--json")
    assert said.code == 2
    assert message in said.err
    jsonschema.validate(json.loads(said.out), json_schema("error-1"))


def test_a_missing_file_and_a_directory(say: Say, tmp_path: Path) -> None:
    for path in (tmp_path / "gone.csv", tmp_path, tmp_path / "gone.yaml"):
        assert say("fleet", str(path)).code == 2


@pytest.mark.parametrize(
    "text",
    [
        "name;ram;gpu\na;16G;RTX 4090|RTX 3090\n",
        "name\tram\tgpu\na\t16G\tRTX 4090; RTX 3090\n",
        "\ufeffname,ram,gpu\r\na,16G,RTX 4090;RTX 3090\r\n",
    ],
)
def test_delimiters_and_marks_of_spreadsheets(text: str, write: Write) -> None:
    (row,) = read_inventory(Path(write(text))).rows
    assert isinstance(row, Row)
    assert row.name == "a"
    assert dict(row.words.said) == {"ram": "16G", "gpu": ("RTX 4090", "RTX 3090")}


def test_rows_that_cannot_be_read_keep_their_lines(write: Write) -> None:
    text = 'name,ram\n"a\nb",16G\nc,8G,extra\n"d"x,8G\ne,8G\n' + f"f,{'9' * 5000}\n"
    rows = list(read_inventory(Path(write(text))).rows)
    assert [(row.line, isinstance(row, Faulty)) for row in rows] == [
        (2, False),
        (4, True),
        (5, True),
        (6, False),
        (7, True),
    ]


def test_bytes_that_are_no_utf8_are_shown_not_fatal(say: Say, write: Write) -> None:
    said = say("fleet", write(b"name,ram\nb\xe4r,16G\nz,\xff\n"), "--json")
    first, second = told(said.out)["machines"]
    assert (first["status"], second["status"]) == ("ok", "fault")


class _Counting:
    """A crew that answers late, and counts what it is asked."""

    def __init__(self, ahead: int, chunk: int) -> None:
        self.ahead, self.chunk = ahead, chunk
        self.asked: list[Words] = []
        self.most = self._running = 0

    def submit(self, descriptions: tuple[Words, ...]) -> Callable[[], list[Any]]:
        self.asked += descriptions
        self._running += 1
        self.most = max(self.most, self._running)

        def result() -> list[Any]:
            self._running -= 1
            return [Nothing(message=str(dict(words.said)["ram"])) for words in descriptions]

        return result


def _rows(sizes: list[int]) -> list[Row]:
    return [Row(line=i + 2, name=str(i), words=Words(said=(("ram", str(size)),))) for i, size in enumerate(sizes)]


@pytest.mark.parametrize(("ahead", "chunk", "remembered"), [(0, 1, 4096), (4, 3, 4096), (8, 16, 8), (2, 2, 1)])
def test_order_is_kept_and_alike_rows_are_asked_once(ahead: int, chunk: int, remembered: int) -> None:
    sizes = [i * i % 17 for i in range(300)]
    crew = _Counting(ahead, chunk)
    found = list(answers(_rows(sizes), crew, remembered=remembered))
    assert [item.line for item in found] == list(range(2, 302))
    assert [item.answer.message for item in found if isinstance(item.answer, Nothing)] == [str(size) for size in sizes]
    if remembered > 100:
        assert len(crew.asked) == len(set(sizes))
        assert sum(item.first for item in found) == len(set(sizes))
    assert crew.most <= ahead + 1


def test_several_processes_answer_as_one_does() -> None:
    catalog = load_catalog()
    requirements = resolve(catalog, task="chat", top=1)
    rows = _rows([4 + i % 90 for i in range(180)])
    alone = [item.answer for item in answers(rows, Alone(catalog, requirements))]
    with local_crew(catalog, requirements, jobs=2) as crew:
        assert [item.answer for item in answers(rows, crew)] == alone
    assert all(isinstance(answer, Pick) for answer in alone)


def test_an_interrupt_leaves_a_whole_document(say: Say, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    from qwen_advisor.fleet import picks  # noqa: PLC0415

    answer, left = picks.Desk.answer, iter(range(3))

    def stopping(desk: Any, words: Words) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return answer(desk, words)

    monkeypatch.setattr(picks.Desk, "answer", stopping)
    said = say("fleet", write("ram\n8\n9\n10\n11\n12\n"), "--json", "--jobs", "1")
    document = told(said.out)
    assert said.code == 130
    assert len(document["machines"]) == 3
    assert document["summary"]["complete"] is False


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--ray", "auto", "--jobs", "2"), "exclude each other"),
        (("--task", "cod"), "code"),
        (("--format", "id"), "cannot hold this answer"),
        (("--jobs", "0"), "--jobs"),
    ],
)
def test_calls_that_are_off(words: tuple[str, ...], message: str, say: Say, write: Write) -> None:
    said = say("fleet", write(INVENTORY), *words)
    assert said.code == 2
    assert message in said.err


def test_ray_that_is_not_installed_is_one_sentence(say: Say, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys  # noqa: PLC0415

    monkeypatch.setitem(sys.modules, "ray", None)
    said = say("fleet", write(INVENTORY), "--ray", "auto")
    assert said.code == 2
    assert "pip install 'qwen-advisor[ray]'" in said.err


def test_a_row_s_words_mean_what_the_options_mean() -> None:
    catalog = load_catalog()
    machine = machine_of(Words(said=(("cpu_cores", "6"), ("gpu", ("2x3090",)), ("ram", "64"))), catalog)
    assert [a.name for a in machine.accelerators] == ["NVIDIA GeForce RTX 3090"] * 2
    assert machine.cpu.physical_cores == 6
    with pytest.raises(UsageError, match="nothing describes"):
        machine_of(Words(said=(("cpu_cores", "6"),)), catalog)
