"""Described machines: whole devices by name, and single figures overridden."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from qwen_advisor.cli.machine_options import machine_from_options
from qwen_advisor.describe import Description, describe
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Machine
from qwen_advisor.profiles.files import write_profile
from qwen_advisor.units import GIB

STRIX_HALO = Path(__file__).parent / "fixtures" / "linux-strix-halo-gtt.yaml"
# name -> main memory GiB, GB/s of main memory, first accelerator, how many
DEVICES = {
    "MacBook Pro M3 Max 64GB": (64, 400, "apple-m3-max-40-core-64gb", 1),
    "MacBook Pro M3 Max 36GB": (36, 300, "apple-m3-max-30-core-36gb", 1),
    'MacBook Pro 14" M4 Pro 48GB': (48, 273, "apple-m4-pro-48gb", 1),
    "mbp m1 max 32gb": (32, 400, "apple-m1-max-32gb", 1),
    "MacBook Air M2 16GB": (16, 100, "apple-m2-16gb", 1),
    "Mac mini M4 Pro 64GB": (64, 273, "apple-m4-pro-64gb", 1),
    "Mac Studio M3 Ultra 512GB": (512, 819, "apple-m3-ultra-512gb", 1),
    "M4 Max 128GB": (128, 546, "apple-m4-max-40-core-128gb", 1),
    "Raspberry Pi 5 8GB": (8, 17, None, 0),
    "Raspberry Pi 4 4GB": (4, 12.8, None, 0),
    "Jetson AGX Orin 64GB": (64, 204.8, "jetson-agx-orin-64gb", 1),
    "Jetson Orin Nano Super": (8, 102.4, "jetson-orin-nano-8gb-super", 1),
    "DGX Spark": (128, 273, "gb10", 1),
    "Framework Desktop 128GB": (128, 256, "8060s-ryzen-ai-max-plus-395-strix-halo", 1),
    "g5.xlarge": (16, 64, "a10g", 1),
    "g5.12xlarge": (192, 204.8, "a10g", 4),
    "p5.48xlarge": (2048, 204.8, "h100-80gb-hbm3", 8),
    "ubuntu-latest": (16, 64, None, 0),
    "macos-14": (7, 68, None, 0),
    "phone": (4, 34, None, 0),
}


@pytest.mark.parametrize("name", DEVICES)
def test_devices(name: str, facts: Catalog) -> None:
    ram, rate, accelerator, count = DEVICES[name]
    machine = describe(facts, Description(device=name))
    assert machine.described
    assert 0.93 * ram * GIB <= machine.memory.total <= ram * GIB  # firmware keeps a part on boards
    assert machine.cpu.memory_bandwidth == pytest.approx(rate * 1e9, rel=0.01)
    assert len(machine.accelerators) == count
    assert (machine.accelerators[0].spec if count else None) == accelerator
    assert machine.fanless == (name == "phone")


def test_every_device_can_be_built_in_every_size_and_by_every_alias(facts: Catalog) -> None:
    asked = 0
    for spec in facts.devices.values():
        for size in spec.memory:
            machine = describe(facts, Description(device=spec.name, ram=size))
            assert 0.93 * size <= machine.memory.total <= size
            assert machine.memory.budget > 0
            for accelerator in machine.accelerators:
                assert accelerator.budget > 0
                unknown = f"the memory bandwidth of {accelerator.name} is not known; say --gpu-bandwidth"
                assert (accelerator.memory_bandwidth is None) == (unknown in machine.notes)
        for alias in spec.aliases:
            try:
                assert describe(facts, Description(device=alias)).cpu.name
            except UsageError as error:
                asked += 1
                assert spec.name in (error.hint or "")  # noqa: PT017  most aliases raise nothing
    assert len(facts.devices) > 80
    assert asked < len(facts.devices) / 4


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Mac Studio", "Mac Studio M2 Ultra"),
        ("MacBook Pro", "MacBook Pro M4"),
        ("Jetson Orin Nano", "4GB"),
        ("RTX 4090", "--gpu 'RTX 4090'"),
        ("Raspberry Pi 3", "--ram"),
        ("foo", "--ram"),
        ("", "--ram"),
        ("MacBook Air M2 64GB", "24.0 GiB"),
    ],
)
def test_what_a_device_name_may_lack(name: str, words: str, facts: Catalog) -> None:
    with pytest.raises(UsageError) as caught:
        describe(facts, Description(device=name))
    assert caught.value.exit_code == 2
    assert words in (caught.value.hint or "")


def test_the_least_memory_is_assumed_and_said(facts: Catalog) -> None:
    machine = describe(facts, Description(device="Mac mini M4"))
    assert machine.memory.total == 16 * GIB
    assert any("16.0 GiB assumed, say --ram" in note for note in machine.notes)


def options(facts: Catalog, **given: str | int | list[str] | Path) -> Machine:
    return machine_from_options(facts, **given)  # type: ignore[arg-type]


def test_ram_alone_is_a_machine_without_a_gpu(facts: Catalog) -> None:
    machine = options(facts, ram="16G")
    assert (machine.memory.total, machine.accelerators, machine.described) == (16 * GIB, (), True)
    assert machine.cpu.memory_bandwidth == 51.2e9  # two channels of DDR4-3200


def test_gpu_bandwidth_replaces_that_of_each_gpu(facts: Catalog) -> None:
    machine = options(facts, gpu=["2x3090"], gpu_bandwidth="1.2TB/s")
    assert [a.memory_bandwidth for a in machine.accelerators] == [1.2e12, 1.2e12]
    assert machine.sources["accelerators[1].memory_bandwidth"] == "--gpu-bandwidth"
    with pytest.raises(UsageError, match="says nothing of a machine without a GPU"):
        options(facts, ram="16G", gpu_bandwidth="500")


def test_ram_bandwidth_replaces_that_of_main_memory_and_of_what_shares_it(facts: Catalog) -> None:
    plain = options(facts, ram="16G", ram_bandwidth="89.6")
    assert (plain.cpu.memory_bandwidth, plain.sources["cpu.memory_bandwidth"]) == (89.6e9, "--ram-bandwidth")
    assert not any("--ram-bandwidth" in note for note in plain.notes)
    mac = options(facts, device="M4 Max 128GB", ram_bandwidth="500 GB/s")
    assert (mac.cpu.memory_bandwidth, mac.accelerators[0].memory_bandwidth) == (500e9, 500e9)
    card = options(facts, gpu=["4090"], ram_bandwidth="89.6")
    assert card.accelerators[0].memory_bandwidth == 1008e9


def test_reserve_is_left_free_in_every_pool(facts: Catalog) -> None:
    machine = options(facts, gpu=["4090"], ram="64G", reserve="2G")
    assert machine.memory.budget == 62 * GIB
    assert machine.accelerators[0].budget == machine.accelerators[0].free - 2 * GIB
    assert options(facts, ram="64G", reserve="0").memory.budget == 64 * GIB
    assert options(facts, ram="16G", reserve="100G").memory.budget == 0


def test_vram_overrides_a_size_or_names_a_card_by_it(facts: Catalog) -> None:
    assert options(facts, gpu=["4090"], vram="20G").accelerators[0].memory == 20 * GIB
    alone = options(facts, vram="12G")
    assert alone.accelerators[0].memory == pytest.approx(12 * GIB, rel=0.01)
    assert any("assumed: a card like" in note for note in alone.notes)
    shared = options(facts, device="Framework Desktop 128GB", vram="64G")
    assert shared.accelerators[0].memory == 64 * GIB


def test_cores_limit_what_can_be_read(facts: Catalog) -> None:
    one, many = (options(facts, ram="16G", cpu_cores=n) for n in (1, 12))
    assert (one.cpu.physical_cores, one.cpu.memory_bandwidth) == (1, 31e9)
    assert (many.cpu.physical_cores, many.cpu.memory_bandwidth) == (12, 51.2e9)


def test_an_unknown_bandwidth_is_said_until_it_is_given(facts: Catalog) -> None:
    machine = options(facts, gpu=["GH200 480GB"])
    assert machine.notes[-1] == "the memory bandwidth of NVIDIA GH200 480GB is not known; say --gpu-bandwidth"
    assert not any("not known" in note for note in options(facts, gpu=["GH200 480GB"], gpu_bandwidth="4000").notes)


def test_nodes_are_counted(facts: Catalog) -> None:
    assert options(facts, device="DGX Spark", nodes=2).nodes == 2


def test_a_gpu_is_added_to_a_device(facts: Catalog) -> None:
    machine = options(facts, device="ubuntu-latest", gpu=["T4"])
    assert [a.spec for a in machine.accelerators] == ["tesla-t4"]
    assert machine.cpu.name.startswith("AMD EPYC 7763")


@pytest.mark.parametrize(
    "given",
    [
        {"ram": "lots"},
        {"ram": "-4G"},
        {"ram": "0"},
        {"vram": "12 apples"},
        {"gpu_bandwidth": "fast", "gpu": ["4090"]},
        {"gpu_bandwidth": "0", "gpu": ["4090"]},
        {"gpu_bandwidth": "1e9", "gpu": ["4090"]},
        {"ram_bandwidth": "-3", "ram": "16G"},
        {"reserve": "some", "ram": "16G"},
        {"gpu": ["M3 Max", "RTX 4090"]},
        {"gpu": ["none", "RTX 4090"]},
        {"vram": "13G"},
        {"hardware": Path("a.yaml"), "device": "DGX Spark"},
        {"ram": "16G", "cpu_cores": 0},
    ],
)
def test_nonsense_is_one_fault_of_usage(given: dict[str, str], facts: Catalog) -> None:
    with pytest.raises(UsageError) as caught:
        options(facts, **given)
    assert caught.value.exit_code == 2
    assert "\n" not in caught.value.message


def test_a_described_machine_reads_nothing_of_this_one(facts: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(*_: object, **__: object) -> Machine:
        raise AssertionError("this machine was looked at")

    monkeypatch.setattr("qwen_advisor.cli.machine_options.detect", look)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert len(options(facts, gpu=["RTX 4090"]).accelerators) == 1
    assert options(facts, device="DGX Spark").accelerators
    with pytest.raises(AssertionError):
        options(facts)


def test_the_same_words_describe_the_same_machine(facts: Catalog) -> None:
    said = Description(gpus=("2x3090",), ram=64 * GIB)
    assert describe(facts, said) == describe(facts, replace(said))


def saved(facts: Catalog, path: Path, **given: str | list[str]) -> Path:
    write_profile(options(facts, **given), path)
    return path


def test_options_override_a_saved_machine(tmp_path: Path, facts: Catalog) -> None:
    card = saved(facts, tmp_path / "card.yaml", gpu=["RTX 4090"], ram="64G")
    assert options(facts, hardware=card, vram="20G").accelerators[0].budget == 20 * GIB
    assert options(facts, hardware=card, ram="32G").memory.total == 32 * GIB
    assert options(facts, hardware=card, gpu_bandwidth="900").accelerators[0].memory_bandwidth == 900e9
    assert options(facts, hardware=card, reserve="4G").memory.budget == 60 * GIB
    other = options(facts, hardware=card, gpu=["2x3090"])
    assert [a.spec for a in other.accelerators] == ["rtx-3090", "rtx-3090"]
    assert options(facts, hardware=card, gpu=["none"]).accelerators == ()
    with pytest.raises(UsageError, match="brings its own machine"):
        options(facts, hardware=card, gpu=["M3 Max"])


def test_what_a_saved_gpu_shares_stays_within_main_memory(tmp_path: Path, facts: Catalog) -> None:
    mac = saved(facts, tmp_path / "mac.yaml", device="MacBook Pro M3 Max 64GB")
    (raised,) = options(facts, hardware=mac, vram="60G").accelerators
    assert (raised.memory, raised.shared, raised.budget) == (60 * GIB, 60 * GIB, 60 * GIB)
    assert options(facts, hardware=mac, vram="99G").accelerators[0].shared == 64 * GIB
    assert options(facts, hardware=mac, ram="36G").accelerators[0].shared == 36 * GIB
    (apu,) = options(facts, hardware=STRIX_HALO, vram="64G").accelerators
    assert (apu.memory, apu.memory - apu.shared) == (64 * GIB, GIB // 2)  # 512 MiB are set apart by the firmware


def test_vram_says_nothing_of_a_saved_machine_without_a_gpu(tmp_path: Path, facts: Catalog) -> None:
    plain = saved(facts, tmp_path / "plain.yaml", ram="16G")
    with pytest.raises(UsageError, match="says nothing of a machine without a GPU"):
        options(facts, hardware=plain, vram="8G")
