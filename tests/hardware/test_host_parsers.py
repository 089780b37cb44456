"""What the system tells of processors, memory, modules, boards and engines, read. The texts are ours."""

from __future__ import annotations

import pytest

from qwen_advisor.probes import apple, cpuinfo, engines, jetson, meminfo, smbios
from qwen_advisor.probes.numbers import cpu_list, number, size, whole
from qwen_advisor.units import GIB, MIB


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("24564 MiB", 24564 * MIB),
        ("16 GB", 16 * GIB),
        ("16GiB", 16 * GIB),
        ("127600748 kB", 127600748 * 1024),
        ("0 MiB", 0),
        ("1.5 TiB", 1.5 * 1024 * GIB),
        ("[N/A]", None),
        ("N/A", None),
        ("[Not Supported]", None),
        ("[Unknown Error]", None),
        ("Not Supported", None),
        ("-5 MiB", None),
        ("9999999999999 GiB", None),
        ("", None),
        (None, None),
    ],
)
def test_sizes(text: str | None, value: float | None) -> None:
    assert size(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("0x2684", 0x2684), ("12", 12), (" 7\n", 7), ("-1", None), ("max", None), ("", None)]
)
def test_whole_numbers(text: str, value: int | None) -> None:
    assert whole(text) == value


def test_numbers_with_units() -> None:
    assert number("10501 MHz") == 10501
    assert number("16x") == 16
    assert number("[N/A]") is None


@pytest.mark.parametrize(
    ("text", "cpus"),
    [("0-3,8", {0, 1, 2, 3, 8}), ("5", {5}), ("", set()), ("3-1", set()), ("0-9999999", set()), ("a-b,2", {2})],
)
def test_lists_of_cpus(text: str, cpus: set[int]) -> None:
    assert cpu_list(text) == cpus


MEMINFO = "MemTotal: 16000000 kB\nMemFree: 2000000 kB\nBuffers: 100000 kB\nCached: 5000000 kB\nShmem: 1000000 kB\n"


@pytest.mark.parametrize(
    ("more", "available"),
    [
        ("MemAvailable: 9000000 kB\n", 9000000),
        ("", 6100000),  # kernels before 3.14: free, buffers and caches, less what tmpfs holds
        ("MemAvailable: 0 kB\n", 6100000),  # some containers
        ("MemAvailable: 99000000 kB\n", 6100000),
        ("MemAvailable: many kB\n", 6100000),
    ],
)
def test_available_memory(more: str, available: int) -> None:
    assert meminfo.parse_meminfo(MEMINFO + more).available == available * 1024


CPUS = {
    "threads of one core": (
        "processor: 0\nphysical id: 0\ncore id: 0\n\nprocessor: 1\nphysical id: 0\ncore id: 0\n",
        1,
        2,
    ),
    "two sockets": ("processor: 0\nphysical id: 0\ncore id: 0\n\nprocessor: 1\nphysical id: 1\ncore id: 0\n", 2, 2),
    "no core ids": ("processor\t: 0\nBogoMIPS: 50\n\nprocessor\t: 1\nBogoMIPS: 50\n", 2, 2),
    "the first alone": ("processor: 0\nsiblings: 16\ncpu cores: 8\ncore id: 0\n", 8, 16),
    "nothing": ("", None, None),
}


@pytest.mark.parametrize("case", CPUS)
def test_cores_and_threads(case: str) -> None:
    text, physical, logical = CPUS[case]
    found = cpuinfo.parse_cpuinfo(text)
    assert (found.physical_cores, found.logical_cores) == (physical, logical)


@pytest.mark.parametrize(
    ("words", "arm", "known"),
    [
        ("fpu sse4_2 avx2 avx512f amx_int8 sme", False, ("sse4_2", "avx2", "avx512f", "amx_int8")),
        ("fp asimd asimddp i8mm sve sme", True, ("asimd", "asimddp", "i8mm", "sve", "sme")),
        ("pni avxvnni", False, ("sse3", "avx_vnni")),
        ("", False, ()),
    ],
)
def test_instruction_sets_of_two_worlds(words: str, *, arm: bool, known: tuple[str, ...]) -> None:
    assert cpuinfo.features(words, arm=arm) == known


def test_serial_numbers_are_not_kept() -> None:
    text = "processor: 0\nmodel name: x\n\nprocessor: 1\nflags: a\n\nSerial: 10000000abcdef\n"
    assert "abcdef" not in cpuinfo.condense_cpuinfo(text)


def modules(*rows: tuple[str, str, str, str, str]) -> str:
    """Memory devices of (locator, size, kind, configured speed, width)."""
    return "\n".join(
        f"Memory Device\n\tData Width: {width}\n\tSize: {amount}\n\tLocator: {place}\n\tType: {kind}\n"
        f"\tSpeed: 6000 MT/s\n\tConfigured Memory Speed: {speed}\n"
        for place, amount, kind, speed, width in rows
    )


FILLED, EMPTY = ("32 GB", "DDR5", "4800 MT/s", "64 bits"), ("No Module Installed", "Unknown", "Unknown", "Unknown")


@pytest.mark.parametrize(
    ("places", "bandwidth", "channels", "empty"),
    [
        ({"DIMMA1": EMPTY, "DIMMA2": FILLED, "DIMMB1": EMPTY, "DIMMB2": FILLED}, 76.8e9, 2, 0),
        ({"DIMMA1": FILLED, "DIMMA2": FILLED, "DIMMB1": EMPTY, "DIMMB2": EMPTY}, 38.4e9, 1, 1),
        ({"DIMMA1": FILLED, "DIMMA2": FILLED, "DIMMB1": FILLED, "DIMMB2": FILLED}, 76.8e9, 2, 0),
        ({"DIMMA1": FILLED}, 38.4e9, 1, 0),
    ],
)
def test_channels_that_hold_modules(
    places: dict[str, tuple[str, str, str, str]], bandwidth: float, channels: int, empty: int
) -> None:
    found = smbios.parse_memory_devices(modules(*((place, *row) for place, row in places.items())))
    assert (found.bandwidth, found.channels, found.empty_channels) == (bandwidth, channels, empty)


def test_soldered_memory_adds_up_its_widths() -> None:
    chip = ("8 GB", "LPDDR5", "6400 MT/s", "32 bits")
    found = smbios.parse_memory_devices(modules(*((f"Motherboard {n}", *chip) for n in range(4))))
    assert found.bandwidth == 6400e6 * 128 / 8  # 102.4 GB/s


def test_the_table_of_the_firmware_reads_as_dmidecode_prints() -> None:
    body = bytearray(0x28)
    body[0], body[1] = 17, 0x28
    body[0x0A:0x0C] = (64).to_bytes(2, "little")
    body[0x0C:0x0E] = (16384).to_bytes(2, "little")
    body[0x10], body[0x12] = 1, 0x22
    body[0x15:0x17] = (5600).to_bytes(2, "little")
    body[0x20:0x22] = (5200).to_bytes(2, "little")
    found = smbios.parse_memory_devices(smbios.memory_devices_text(bytes(body) + b"DIMMA1\0SERIAL123\0\0"))
    assert (found.memory_type, found.transfers, found.rated, found.bits) == ("DDR5", 5200e6, 5600e6, 64)
    assert "SERIAL123" not in smbios.memory_devices_text(bytes(body) + b"DIMMA1\0SERIAL123\0\0")


@pytest.mark.parametrize(
    ("model", "compatible", "name"),
    [
        ("NVIDIA Jetson AGX Orin Developer Kit\0", "nvidia,p3737-0000+p3701-0005\0", "Jetson AGX Orin 64GB"),
        (
            "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super\0",
            "p3767-0005",
            "Jetson Orin Nano Super 8GB",
        ),
        ("NVIDIA Jetson AGX Orin Developer Kit\0", "", "Jetson AGX Orin"),
        ("Raspberry Pi 5 Model B Rev 1.0\0", "raspberrypi,5-model-b", ""),
    ],
)
def test_jetson_modules(model: str, compatible: str, name: str) -> None:
    assert jetson.jetson_name(model, compatible) == name


def test_memory_of_a_mac_that_can_be_had() -> None:
    text = "Mach Virtual Memory Statistics: (page size of 16384 bytes)\nPages free: 1000.\nPages inactive: 500.\n"
    found = apple.memory_of({"hw.memsize": str(16 * GIB)}, text)
    assert (found.total, found.available) == (16 * GIB, 1500 * 16384)


def test_super_cores_are_no_efficiency_cores() -> None:
    levels = {"hw.nperflevels": "2", "hw.perflevel0.physicalcpu": "6", "hw.perflevel1.physicalcpu": "12"}
    found = apple.cpu_of(levels | {"hw.perflevel0.name": "Super", "hw.perflevel1.name": "Performance"})
    assert (found.performance_cores, found.efficiency_cores) == (18, 0)


@pytest.mark.parametrize(
    ("values", "limit"),
    [
        ({"iogpu.wired_limit_mb": "0"}, None),
        ({"iogpu.wired_limit_mb": "114688"}, 112 * GIB),
        ({"debug.iogpu.wired_limit": str(20 * GIB)}, 20 * GIB),
        ({}, None),
    ],
)
def test_wired_limits(values: dict[str, str], limit: int | None) -> None:
    assert apple.wired_limit(values) == limit


@pytest.mark.parametrize(
    ("program", "text", "version"),
    [
        ("llama-server", "version: 6890 (1a2b3c4d)\nbuilt with cc", "b6890"),
        ("ollama", "ollama version is 0.12.6", "0.12.6"),
        (
            "ollama",
            "Warning: could not connect to a running Ollama instance\nWarning: client version is 0.12.6",
            "0.12.6",
        ),
        ("lms", "lms - LM Studio CLI - v0.0.47", "0.0.47"),
        ("ollama", "segmentation fault", None),
    ],
)
def test_versions_of_programs(program: str, text: str, version: str | None) -> None:
    assert engines.program_version(program, text) == version


OK, NOT_FOUND = "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n", "HTTP/1.0 404 Not Found\r\n\r\n"


@pytest.mark.parametrize(
    ("port", "answer", "engine"),
    [
        (11434, OK + '{"version":"0.12.6"}', ("ollama", "0.12.6")),
        (8080, "HTTP/1.1 200 OK\r\nServer: llama.cpp\r\n\r\n" + '{"build_info":"b6890-1a2b"}', ("llama.cpp", "b6890")),
        (8000, OK + '{"version":"0.11.0"}', ("vllm", "0.11.0")),
        (8000, NOT_FOUND, None),
        (8080, OK + "<html>Jenkins</html>", None),  # something else listens
        (8000, "SSH-2.0-OpenSSH_9.6\r\n", None),
        (1234, OK + '{"data":[]}', ("lmstudio", None)),
        (30000, OK + '{"version":"0.5.3","model_path":"x"}', ("sglang", "0.5.3")),
    ],
)
def test_servers_on_their_ports(port: int, answer: str, engine: tuple[str, str | None] | None) -> None:
    assert engines.server(port, answer) == engine


def test_a_program_that_does_not_tell_its_version_is_installed() -> None:
    failures = {"ollama --version": "no answer within 4 s", "llama-server --list-devices": "x", "NVML": "x"}
    found = engines.installed({"llama-server --version": "version: 6890 (1a2b)"}, {}, failures)
    assert [(one.name, one.version, one.running) for one in found] == [
        ("llama.cpp", "b6890", False),
        ("ollama", None, False),
    ]


def test_packages_by_their_folders() -> None:
    names = [
        "vllm-0.11.0.dist-info",
        "transformers-4.57.1.dist-info",
        "mlx_lm-0.28.3.dist-info",
        "vllm_extra-1.dist-info",
    ]
    assert engines.packages(names) == {"vllm": "0.11.0", "transformers": "4.57.1", "mlx": "0.28.3"}
