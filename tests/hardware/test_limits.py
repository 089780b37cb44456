"""Limits of containers: the least along the whole path, of memory and of processors, in both versions of cgroups."""

from __future__ import annotations

import pytest

from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Machine
from qwen_advisor.probes.assemble import interpret
from qwen_advisor.probes.cgroup import cpu_quota_v1, cpu_quota_v2, limit_files, memory_limit, parse_limits
from qwen_advisor.probes.evidence import Evidence
from qwen_advisor.units import GIB

V2 = "30 24 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "36 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
)
HYBRID = V1 + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
ROOT = "/sys/fs/cgroup"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("8589934592\n", 8 * GIB),
        ("max\n", None),
        ("9223372036854771712", None),  # what version 1 writes for none
        ("0", None),
        ("-1", None),
        ("lots", None),
        ("", None),
        (None, None),
    ],
)
def test_memory_limits(text: str | None, limit: int | None) -> None:
    assert memory_limit(text) == limit


@pytest.mark.parametrize(
    ("text", "quota"),
    [
        ("250000 100000\n", (2.5, True)),
        ("max 100000", (None, True)),
        ("500000", (5.0, True)),  # the period has a default
        ("", (None, True)),
        ("100 0", (None, False)),
        ("one 100000", (None, False)),
        ("1 2 3", (None, False)),
    ],
)
def test_processor_quotas_of_version_2(text: str, quota: tuple[float | None, bool]) -> None:
    assert cpu_quota_v2(text) == quota


@pytest.mark.parametrize(
    ("text", "period", "quota"),
    [
        ("600000", "100000", (6.0, True)),
        ("-1", "100000", (None, True)),
        (None, None, (None, True)),
        ("600000", "0", (None, False)),
        ("600000", None, (None, False)),
        ("asdf", "100000", (None, False)),
    ],
)
def test_processor_quotas_of_version_1(text: str | None, period: str | None, quota: tuple[float | None, bool]) -> None:
    assert cpu_quota_v1(text, period) == quota


def test_every_folder_up_to_the_mount_is_asked() -> None:
    files = [f for f in limit_files("0::/a/b\n", V2) if f.endswith("memory.max")]
    assert files == [f"{ROOT}/a/b/memory.max", f"{ROOT}/a/memory.max", f"{ROOT}/memory.max"]


@pytest.mark.parametrize(
    ("group", "mount", "folder"),
    [
        ("0::/docker/abc\n", "30 24 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", ROOT),
        ("0::/docker/abc/x\n", "30 24 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", f"{ROOT}/x"),
        ("0::/../../other\n", V2, ROOT),  # a group outside this namespace
        ("0::/else\n", "30 24 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", ROOT),
    ],
)
def test_groups_seen_from_inside_a_container(group: str, mount: str, folder: str) -> None:
    assert limit_files(group, mount)[0] == f"{folder}/memory.max"


@pytest.mark.parametrize("mounts", ["", "nonsense", "1 2 3 - cgroup2", "30 24 0:26 / /mnt rw - ext4 /dev/sda rw\n"])
def test_no_hierarchy_no_files(mounts: str) -> None:
    assert limit_files("0::/a\n", mounts) == []


@pytest.mark.parametrize(
    ("limits", "least"),
    [
        ({"/a/b/memory.max": 8, "/a/memory.max": 4}, 4),
        ({"/a/b/memory.max": 8, "/a/memory.max": 16}, 8),
        ({"/a/b/memory.max": 8, "/a/b/memory.high": 6}, 6),
        ({"/memory.max": 2}, 2),
        ({}, None),
    ],
)
def test_the_least_limit_on_the_way_up_counts(limits: dict[str, int], least: int | None) -> None:
    files = {f"{ROOT}/a/b/memory.max": "max\n"} | {f"{ROOT}{path}": f"{n * GIB}\n" for path, n in limits.items()}
    assert parse_limits("0::/a/b\n", V2, files).memory == (least * GIB if least else None)


def test_the_least_of_two_hierarchies_counts() -> None:
    files = {
        f"{ROOT}/memory/x/memory.limit_in_bytes": str(6 * GIB),
        f"{ROOT}/unified/x/memory.max": str(5 * GIB),
        f"{ROOT}/cpu,cpuacct/x/cpu.cfs_quota_us": "350000",
        f"{ROOT}/cpu,cpuacct/x/cpu.cfs_period_us": "100000",
        f"{ROOT}/unified/x/cpu.max": "200000 100000",
    }
    limits = parse_limits("4:memory:/x\n3:cpu,cpuacct:/x\n0::/x\n", HYBRID, files)
    assert (limits.memory, limits.cores) == (5 * GIB, 2.0)


def test_a_quota_that_is_not_understood_is_said_and_left_out() -> None:
    limits = parse_limits("0::/\n", V2, {f"{ROOT}/cpu.max": "one two"})
    assert limits.cores is None
    assert limits.notes == (f"{ROOT}/cpu.max could not be understood and is left out: 'one two'",)


def container(facts: Catalog, **files: str) -> Machine:
    """A machine of 8 cores with 16 threads and 64 GiB, of which 60 GiB are free, with limits."""
    cpus = "\n".join(
        f"processor: {n}\nvendor_id: AuthenticAMD\ncpu family: 25\nmodel: 33\nmodel name: AMD Ryzen 7 5800X 8-Core"
        f" Processor\nphysical id: 0\nsiblings: 16\ncore id: {n % 8}\ncpu cores: 8\nflags: avx2"
        f" {files.get('flag', '')}\n"
        for n in range(16)
    )
    texts = {
        "/proc/meminfo": f"MemTotal: {64 * 1024**2} kB\nMemAvailable: {60 * 1024**2} kB\n",
        "/proc/cpuinfo": cpus,
        "/proc/self/cgroup": "0::/pod\n",
        "/proc/self/mountinfo": V2,
    } | {f"{ROOT}/pod/{name.replace('_', '.')}": text for name, text in files.items() if "_" in name}
    affinity = files.get("affinity", "0-15")
    return interpret(Evidence(system="linux", arch="x86_64", files=texts, readings={"affinity": affinity}), facts)


def test_a_limit_caps_what_is_available(facts: Catalog) -> None:
    stat = f"inactive_file {GIB}\n"
    machine = container(facts, memory_max=str(8 * GIB), memory_current=str(3 * GIB), memory_stat=stat)
    assert (machine.memory.total, machine.memory.limit) == (64 * GIB, 8 * GIB)
    assert machine.memory.available == 6 * GIB  # 3 in use, of which 1 can be dropped
    assert machine.memory.budget < 6 * GIB
    assert any("a control group allows 8.00 GiB of 64.0 GiB" in note for note in machine.notes)


def test_a_limit_above_what_there_is_caps_nothing(facts: Catalog) -> None:
    machine = container(facts, memory_max=str(100 * GIB))
    assert machine.memory.available == 60 * GIB
    assert not any("control group" in note for note in machine.notes)


@pytest.mark.parametrize(
    ("quota", "affinity", "usable"),
    [
        ("max 100000", "0-15", 8),
        ("350000 100000", "0-15", 3),
        ("50000 100000", "0-15", 1),
        ("max 100000", "0,8", 1),  # two threads of one core
        ("max 100000", "0,1", 2),
        ("100000 100000", "0-3", 1),
        ("1600000 100000", "0-15", 8),
    ],
)
def test_usable_cores(quota: str, affinity: str, usable: int, facts: Catalog) -> None:
    assert container(facts, cpu_max=quota, affinity=affinity).cpu.usable_cores == usable


@pytest.mark.parametrize(
    ("quota", "affinity", "rate"),
    [("max 100000", "0-15", 51.2), ("max 100000", "0,1", 32), ("100000 100000", "0-15", 16), ("max 100000", "0,8", 32)],
)
def test_threads_of_a_virtual_machine_read_their_share(quota: str, affinity: str, rate: float, facts: Catalog) -> None:
    """16 GB/s for each hardware thread, up to the whole bus of DDR4-3200 in two channels."""
    machine = container(facts, cpu_max=quota, affinity=affinity, flag="hypervisor")
    assert machine.virtual
    assert machine.cpu.memory_bandwidth == pytest.approx(rate * 1e9)


@pytest.mark.parametrize(
    ("ram", "metal", "advice"),
    [
        (64, None, "sudo sysctl iogpu.wired_limit_mb=57344"),  # 56 of 64 GiB
        (64, 55662792704, "sudo sysctl iogpu.wired_limit_mb=57344"),  # the default as Metal tells it
        (64, 60129542144, ""),  # raised already
        (36, 30150672384, ""),  # nothing to gain beside the 8 GiB that the system is left
        (16, None, ""),
    ],
)
def test_the_limit_of_a_mac_is_raised_where_that_gains_something(
    ram: int, metal: int | None, advice: str, facts: Catalog
) -> None:
    told = (
        f"hw.memsize: {ram * GIB}\nhw.optional.arm64: 1\nmachdep.cpu.brand_string: Apple M3 Max\nhw.physicalcpu: 16\n"
    )
    commands = {"sysctl hw": told}
    if metal is not None:
        commands["metal"] = f'{{"name": "Apple M3 Max", "recommendedMaxWorkingSetSize": {metal}}}'
    notes = " ".join(interpret(Evidence(system="macos", arch="arm64", commands=commands), facts).notes)
    assert ("wired_limit_mb" in notes) == bool(advice)
    assert advice in notes
