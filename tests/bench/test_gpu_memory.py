"""GPU memory of processes, out of the files of Linux's drivers."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwen_advisor.bench import gpu_memory
from qwen_advisor.bench.gpu_memory import gpu_bytes

# As in Documentation/gpu/drm-usage-stats.rst, with what amdgpu, xe and i915 write.
AMDGPU = """pos:\t0
flags:\t02100002
drm-driver:\tamdgpu
drm-client-id:\t7
drm-pdev:\t0000:03:00.0
drm-total-cpu:\t0
drm-total-vram:\t9000 KiB
drm-resident-vram:\t8192 KiB
drm-memory-vram:\t8192 KiB
drm-memory-gtt: \t4096 KiB
drm-engine-gfx:\t1234 ns
"""
OLDER_AMDGPU = "drm-client-id:\t9\ndrm-pdev:\t0000:03:00.0\ndrm-memory-vram:\t3 MiB\ndrm-memory-gtt:\t50 MiB\n"
XE = (
    "drm-client-id:\t2\ndrm-pdev:\t0000:04:00.0\ndrm-resident-system:\t100 MiB\n"
    "drm-resident-vram0:\t1 MiB\ndrm-resident-vram1:\t2 MiB\n"
)
I915 = "drm-client-id:\t2\ndrm-pdev:\t0000:05:00.0\ndrm-resident-local0:\t524288\ndrm-resident-stolen-local0:\t4096\n"
FILE = "pos:\t0\nflags:\t0100000\nmnt_id:\t29\nino:\t1234\n"
MIB = 1 << 20


@pytest.fixture(autouse=True)
def _system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_memory, "PROC", tmp_path / "proc")
    monkeypatch.setattr(gpu_memory, "KFD", tmp_path / "kfd")
    monkeypatch.setattr(gpu_memory, "_nvidia", lambda _: None)


def opened(root: Path, process: int, *texts: str) -> None:
    folder = root / "proc" / str(process) / "fdinfo"
    folder.mkdir(parents=True)
    for number, text in enumerate(texts):
        (folder / str(number)).write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("texts", "held"),
    [
        ((AMDGPU,), 8 * MIB),
        ((AMDGPU, AMDGPU), 8 * MIB),  # one client, two files
        ((AMDGPU, OLDER_AMDGPU), 11 * MIB),  # two clients
        ((XE,), 3 * MIB),
        ((XE, I915), 3 * MIB + 524288),  # two GPUs that number their clients alike
        ((FILE, AMDGPU), 8 * MIB),
        ((FILE,), None),
        ((), None),
    ],
)
def test_open_files_tell_it(texts: tuple[str, ...], held: int | None, tmp_path: Path) -> None:
    opened(tmp_path, 100, *texts)
    assert gpu_bytes({100}) == held


def test_a_compute_driver_tells_of_all_its_gpus(tmp_path: Path) -> None:
    folder = tmp_path / "kfd" / "100"
    folder.mkdir(parents=True)
    (folder / "vram_1234").write_text("1048576\n", "utf-8")
    (folder / "vram_5678").write_text("2097152\n", "utf-8")
    (folder / "sdma_1234").write_text("7\n", "utf-8")
    assert gpu_bytes({100}) == 3 * MIB
    opened(tmp_path, 100, AMDGPU)  # the same buffers and some of a window
    assert gpu_bytes({100}) == 8 * MIB


def test_processes_add_up_and_rubbish_is_passed_over(tmp_path: Path) -> None:
    opened(tmp_path, 100, AMDGPU)
    opened(
        tmp_path, 101, OLDER_AMDGPU, "drm-memory-vram:\tlots KiB\n", "drm-memory-vram:\t-1 KiB\n", "drm-memory:\t5\n"
    )
    assert gpu_bytes({100, 101, 102}) == 11 * MIB
    assert gpu_bytes({102}) is None


def test_drivers_of_two_makers_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_memory, "_nvidia", lambda _: 5)
    assert gpu_bytes({100}) == 5
    opened(tmp_path, 100, AMDGPU)
    assert gpu_bytes({100}) == 8 * MIB + 5
