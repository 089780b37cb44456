"""Gathering evidence: probes that fail or hang cost their time and one note, and nothing leaves this host."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qwen_advisor.errors import ProbeError
from qwen_advisor.facts import Catalog
from qwen_advisor.probes import asking, look, measure
from qwen_advisor.probes.assemble import interpret
from qwen_advisor.probes.collect import cache_folder, collect
from qwen_advisor.probes.evidence import Evidence
from qwen_advisor.probes.runner import Gathered, Probe, run
from qwen_advisor.units import MIB

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def failing() -> Gathered:
    raise RuntimeError("the driver is mid-crash")


def test_a_probe_that_hangs_costs_its_limit_and_one_note() -> None:
    hanging = threading.Event()

    def hang() -> Gathered:
        hanging.wait(30)
        return Gathered()

    start = time.monotonic()
    probes = {"slow": Probe(hang, 0.15), "too": Probe(hang, 0.15), "fine": Probe(lambda: Gathered(files={"a": "b"}))}
    gathered = run(probes)
    took = time.monotonic() - start
    hanging.set()
    assert gathered.failures == {"slow": "no answer within 0.15 s", "too": "no answer within 0.15 s"}
    assert gathered.files == {"a": "b"}
    assert 0.15 <= took < 0.28  # side by side, not one after the other


def test_a_probe_that_fails_is_one_note_and_no_traceback(facts: Catalog) -> None:
    gathered = run({"NVIDIA driver": Probe(failing)})
    assert gathered.failures == {"NVIDIA driver": "RuntimeError: the driver is mid-crash"}
    files = {"/proc/meminfo": "MemTotal: 16000000 kB\nMemAvailable: 15000000 kB\n"}
    machine = interpret(Evidence(system="linux", files=files, failures=gathered.failures), facts)
    assert "NVIDIA driver gave no answer: RuntimeError: the driver is mid-crash" in machine.notes
    assert machine.accelerators == ()


def test_a_system_that_tells_nothing_is_a_fault_with_a_next_step(facts: Catalog) -> None:
    for system in ("linux", "macos", "windows"):
        with pytest.raises(ProbeError, match="could not be read") as caught:
            interpret(Evidence(system=system), facts)
        assert caught.value.exit_code == 5
        assert "--ram 16G" in (caught.value.hint or "")


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], list[str]]:
    """A Python program as a command."""

    def write(text: str) -> list[str]:
        path = tmp_path / "tool.py"
        path.write_text(text, "utf-8")
        return [sys.executable, "-I", "-S", str(path)]

    return write


def test_a_command_that_hangs_is_ended(program: Callable[[str], list[str]]) -> None:
    start = time.monotonic()
    gathered = asking.command(program("import time; time.sleep(30)"), limit=0.3, label="tool")
    assert gathered.failures == {"tool": "no answer within 0.3 s"}
    assert time.monotonic() - start < 3


@pytest.mark.parametrize(
    ("text", "commands", "failures"),
    [
        ("print('fine')", {"tool": "fine\n"}, {}),
        ("raise SystemExit(9)", {}, {"tool": "ended with code 9"}),
        ("print('part'); raise SystemExit(9)", {"tool": "part\n"}, {"tool": "ended with code 9"}),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", {"tool": "\ufffd"}, {}),
    ],
)
def test_what_a_command_leaves(
    text: str, commands: dict[str, str], failures: dict[str, str], program: Callable[[str], list[str]]
) -> None:
    gathered = asking.command(program(text), limit=10, label="tool")
    assert {name: output.replace("\r", "") for name, output in gathered.commands.items()} == commands
    assert gathered.failures == failures


def test_a_command_that_is_not_there_is_a_note(tmp_path: Path) -> None:
    gathered = asking.command([str(tmp_path / "missing")], limit=1, label="tool")
    assert list(gathered.failures) == ["tool"]


@pytest.fixture
def server() -> Iterator[Callable[[bytes], int]]:
    """A server of this host that answers any request with these bytes, or with nothing at all."""
    sockets = []

    def serve(answer: bytes) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        sockets.append(listener)

        def once() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(4096)
                if answer:
                    connection.sendall(answer)
                else:
                    time.sleep(0.4)

        threading.Thread(target=once, daemon=True).start()
        return int(listener.getsockname()[1])

    yield serve
    for listener in sockets:
        listener.close()


def test_a_server_of_this_host_is_asked(server: Callable[[bytes], int]) -> None:
    answer = b'HTTP/1.0 200 OK\r\n\r\n{"version":"0.12.6"}'
    assert asking.http(server(answer), "/api/version") == answer.decode()


def test_a_server_that_hangs_or_is_not_there_costs_little(server: Callable[[bytes], int]) -> None:
    start = time.monotonic()
    assert asking.http(server(b""), "/") is None
    assert time.monotonic() - start < 0.4
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert asking.http(port, "/") is None


def test_only_this_host_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def connect(address: tuple[str, int], **_: float) -> socket.socket:
        asked.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr("qwen_advisor.probes.asking.socket.create_connection", connect)
    collect()
    assert set(asked) == {"127.0.0.1"}
    assert len(asked) == 5


@ON_LINUX
def test_this_machine_is_read_quickly(facts: Catalog) -> None:
    """The bar is 150 ms on a machine without a GPU; the best of five, as other work may share its cores."""
    best = min(_seconds(lambda: interpret(collect(), facts)) for _ in range(5))
    assert best < 0.15


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


@ON_LINUX
def test_this_machine_is_what_psutil_says(facts: Catalog) -> None:
    import psutil  # noqa: PLC0415  only this test holds the probes against it

    machine = interpret(look(), facts)
    assert machine.memory.total == psutil.virtual_memory().total
    assert machine.cpu.logical_cores == psutil.cpu_count()
    assert not machine.described


@ON_LINUX
def test_evidence_names_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(Path.home() / "models"))
    evidence = collect()
    assert str(Path.home()) not in json.dumps(dict(evidence.readings))
    assert json.loads(evidence.readings["disk"])["path"] == "~/models/hub"


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"HF_HUB_CACHE": "/data/hub"}, "/data/hub"),
        ({"HF_HOME": "/data/hf"}, "/data/hf/hub"),
        ({"XDG_CACHE_HOME": "/data/cache"}, "/data/cache/huggingface/hub"),
    ],
)
def test_where_downloads_go(variables: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Path(cache_folder()) == Path(folder)


def test_the_benchmark_reads_memory_at_a_rate_that_machines_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "_BUFFER", 64 * MIB)
    monkeypatch.setattr(measure, "_MOST_PASSES", 5)
    result = json.loads(measure.measured(available=1024 * MIB, threads=2))
    assert 1e9 < result["bytes_per_second"] <= result["best_bytes_per_second"] < 4e12
    assert (result["threads"], result["buffer_bytes"], result["passes"]) == (2, 64 * MIB, 5)


def test_the_benchmark_needs_some_memory() -> None:
    with pytest.raises(OSError, match="too little free memory"):
        measure.measured(available=100 * MIB, threads=2)


def test_what_was_measured_counts_before_all_else(facts: Catalog) -> None:
    files = {"/proc/meminfo": "MemTotal: 16000000 kB\nMemAvailable: 15000000 kB\n"}
    readings = {"bandwidth": '{"bytes_per_second": 41500000000}'}
    machine = interpret(Evidence(system="linux", files=files, readings=readings), facts)
    assert (machine.cpu.memory_bandwidth, machine.cpu.memory_bandwidth_basis) == (41.5e9, "measured")
    assert machine.sources["cpu.memory_bandwidth"] == "measured"
    assert not any("--measure" in note for note in machine.notes)
