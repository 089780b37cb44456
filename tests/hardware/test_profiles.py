"""Profiles: written whole and read back exactly, in YAML and JSON, or a few words by hand."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qwen_advisor.describe import Description, describe
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Accelerator, Cpu, Disk, HostMemory, InstalledEngine, Machine
from qwen_advisor.profiles.document import machine_document, machine_from
from qwen_advisor.profiles.files import read_profile, write_profile
from qwen_advisor.render.schema import json_schema
from qwen_advisor.units import GIB

FIXTURES = Path(__file__).parent / "fixtures"
EVIDENCE = sorted(path for path in FIXTURES.glob("*.yaml") if not path.stem.endswith(".expected"))


def round_trip(machine: Machine, path: Path, facts: Catalog) -> Machine:
    write_profile(machine, path)
    return read_profile(path, facts)


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
@pytest.mark.parametrize("path", EVIDENCE, ids=lambda path: path.stem)
def test_detected_machines_come_back_exactly(path: Path, suffix: str, tmp_path: Path, facts: Catalog) -> None:
    machine = read_profile(path, facts)
    assert round_trip(machine, tmp_path / f"profile{suffix}", facts) == machine


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
@pytest.mark.parametrize(
    "said",
    [
        Description(ram=16 * GIB),
        Description(device="phone"),
        Description(device="MacBook Pro M3 Max 64GB"),
        Description(device="p5.48xlarge", nodes=2),
        Description(gpus=("RTX 4090, RTX 3060 12GB",), reserve=0, gpu_bandwidth=1.5e11 + 0.25),
    ],
    ids=["cpu", "phone", "mac", "nodes", "cards"],
)
def test_described_machines_come_back_exactly(said: Description, suffix: str, tmp_path: Path, facts: Catalog) -> None:
    machine = describe(facts, said)
    assert round_trip(machine, tmp_path / f"profile{suffix}", facts) == machine


SIZES = st.integers(min_value=0, max_value=2**59)
RATES = st.none() | st.floats(min_value=1, max_value=1e15, allow_nan=False)
TEXTS = st.text(
    st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff\ufffe\uffff"),
    max_size=12,
)
COUNTS = st.integers(min_value=1, max_value=512)
MACHINES = st.builds(
    Machine,
    os=st.sampled_from(("linux", "macos", "windows")),
    cpu=st.builds(
        Cpu,
        name=TEXTS,
        arch=st.sampled_from(("x86_64", "arm64")),
        physical_cores=COUNTS,
        logical_cores=COUNTS,
        usable_cores=COUNTS,
        performance_cores=st.none() | COUNTS,
        features=st.lists(TEXTS, max_size=2).map(tuple),
        memory_bandwidth=RATES,
        memory_bandwidth_basis=st.sampled_from(("measured", "modules", "platform", "assumed")),
        numa_nodes=COUNTS,
    ),
    memory=st.builds(
        HostMemory,
        total=SIZES,
        available=SIZES,
        limit=st.none() | SIZES,
        unified=st.booleans(),
        reserve=SIZES,
        reserve_why=TEXTS,
    ),
    accelerators=st.lists(
        st.builds(
            Accelerator,
            name=TEXTS,
            vendor=st.sampled_from(("nvidia", "amd", "intel", "apple", "qualcomm", "other")),
            kind=st.sampled_from(("discrete", "integrated", "unified", "mig", "npu")),
            memory=SIZES,
            free=SIZES,
            memory_bandwidth=RATES,
            fp16_flops=RATES,
            compute_capability=st.sampled_from((None, "8.9", "12.0", "9")),
            spec=st.none() | TEXTS,
            driver=st.none() | TEXTS,
            shared=SIZES,
        ),
        max_size=2,
    ).map(tuple),
    disk=st.none() | st.builds(Disk, path=TEXTS, free=SIZES),
    engines=st.lists(
        st.builds(InstalledEngine, name=TEXTS, version=st.none() | TEXTS, running=st.booleans()), max_size=2
    ).map(tuple),
    nodes=COUNTS,
    described=st.booleans(),
    wsl=st.booleans(),
    container=st.booleans(),
    virtual=st.booleans(),
    fanless=st.booleans(),
    npus=st.lists(TEXTS, max_size=1).map(tuple),
    sources=st.dictionaries(TEXTS, TEXTS, max_size=2),
    notes=st.lists(TEXTS, max_size=2).map(tuple),
)


@given(machine=MACHINES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_machine_comes_back_exactly(machine: Machine) -> None:
    document = machine_document(machine)
    assert machine_from(json.loads(json.dumps(document)), "x") == machine
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=10_000)
    assert machine_from(yaml.safe_load(text), "x") == machine
    jsonschema.validate(document, json_schema("hardware-1"))


def written(tmp_path: Path, text: str, name: str = "machine.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ram: 16G\n", Description(ram=16 * GIB)),
        ("ram: 16\n", Description(ram=16 * GIB)),
        ("ram: 16GB\ncpu_cores: 4\n", Description(ram=16 * GIB, cpu_cores=4)),
        ("gpu: RTX 4090\nram: 64G\n", Description(gpus=("RTX 4090",), ram=64 * GIB)),
        ("gpu: [RTX 4090, RTX 3060 12GB]\n", Description(gpus=("RTX 4090", "RTX 3060 12GB"))),
        ("gpu: 4090\n", Description(gpus=("4090",))),
        (
            "gpu: 2x3090\nvram: 24G\ngpu-bandwidth: 900\n",
            Description(gpus=("2x3090",), vram=24 * GIB, gpu_bandwidth=9e11),
        ),
        ("device: MacBook Pro M3 Max 64GB\n", Description(device="MacBook Pro M3 Max 64GB")),
        (
            "ram: 32G\nram_bandwidth: 89.6 GB/s\nreserve: 0\nnodes: 2\n",
            Description(ram=32 * GIB, ram_bandwidth=89.6e9, reserve=0, nodes=2),
        ),
        ('{"ram": "16G"}', Description(ram=16 * GIB)),
    ],
)
def test_a_few_words_mean_what_the_options_mean(text: str, said: Description, tmp_path: Path, facts: Catalog) -> None:
    assert read_profile(written(tmp_path, text), facts) == describe(facts, said)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("rum: 16G\n", "'rum' is not known"),
        ("ram: lots\n", "ram: 'lots' is not a size"),
        ("ram: [16G]\n", "ram must be text or a number"),
        ("ram: yes\n", "ram"),
        ("cpu_cores: many\n", "cpu_cores must be a whole number"),
        ("gpu: RTX 9999\n", "no accelerator is called 'RTX 9999'"),
        ("", "is empty|no hardware profile"),
        ("- ram\n", "no hardware profile"),
        ("just words\n", "no hardware profile"),
        ("ram: 16G\nram: 32G\n", "cannot be read"),
        ("ram: [\n", "cannot be read"),
        ('{"ram": ', "no JSON"),
        ("schema: qwen-advisor/hardware/9\nram: 16G\n", "schema"),
        ("schema: qwen-advisor/hardware/1\nos: linux\n", "cpu must be a mapping"),
        ("schema: qwen-advisor/evidence/1\nsystem: plan9\n", "no evidence"),
        ("schema: qwen-advisor/evidence/1\nsystem: linux\nfiles: [a]\n", "files does not map names to texts"),
    ],
)
def test_what_cannot_be_read_is_one_fault_that_names_the_place(
    text: str, fault: str, tmp_path: Path, facts: Catalog
) -> None:
    with pytest.raises(UsageError, match=fault) as caught:
        read_profile(written(tmp_path, text), facts)
    assert caught.value.exit_code == 2
    assert "machine.yaml" in caught.value.message or "9999" in text


WHOLE = machine_document(Machine(os="linux", cpu=Cpu(name="x"), memory=HostMemory(total=GIB, available=GIB)))


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (("os",), "plan9", "os must be one of linux, macos, windows"),
        (("cpu", "physical_cores"), "four", r"cpu\.physical_cores must be a whole number"),
        (("cpu", "memory_bandwidth_bytes_per_second"), -1, r"cpu\.memory_bandwidth_bytes_per_second must be a number"),
        (("cpu", "memory_bandwidth_basis"), "guessed", "must be one of measured"),
        (("memory", "total_bytes"), None, r"memory\.total_bytes"),
        (("memory", "total_bytes"), 1.5, r"memory\.total_bytes must be a whole number"),
        (("memory", "unified"), "no", "must be true or false"),
        (("accelerators",), {}, "accelerators"),
        (("accelerators",), [{"name": "x"}], r"accelerators\[0\] lacks"),
        (("notes",), [1], "notes must be a list of texts"),
        (("nodes",), True, "nodes must be a whole number"),
    ],
)
def test_a_wrong_field_is_named(path: tuple[str, ...], value: object, fault: str) -> None:
    document = json.loads(json.dumps(WHOLE))
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    if value == {}:
        value = {"a": 1}
    inner[path[-1]] = value
    with pytest.raises(UsageError, match=fault):
        machine_from(document, "profile.yaml")


def test_fields_of_later_versions_are_passed_over() -> None:
    document = {**json.loads(json.dumps(WHOLE)), "quantum_cores": 3}
    assert machine_from(document, "x").memory.total == GIB


def test_a_profile_that_cannot_be_written_is_a_fault(tmp_path: Path, facts: Catalog) -> None:
    machine = describe(facts, Description(ram=GIB))
    with pytest.raises(UsageError, match="cannot be written"):
        write_profile(machine, tmp_path / "no" / "such.yaml")
    with pytest.raises(UsageError, match="cannot be read"):
        read_profile(tmp_path, facts)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_whole(tmp_path: Path, facts: Catalog) -> None:
    path = written(tmp_path, "old\n" * 9999)
    write_profile(describe(facts, Description(ram=16 * GIB)), path)
    assert read_profile(path, facts).memory.total == 16 * GIB
    assert [one.name for one in tmp_path.iterdir()] == ["machine.yaml"]
