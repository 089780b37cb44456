"""The page in a real browser: its script runs under its own policy, it fits a phone, light and dark differ."""

from __future__ import annotations

import html
import json
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path
from types import ModuleType

import pytest

from qwen_advisor.render.page import page

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)

pytestmark = [pytest.mark.heavy, pytest.mark.skipif(BROWSER is None, reason="no Chromium: apt-get install chromium")]

# A copy without the policy, with a second script that plays a reader and leaves what it saw on the root element.
READER = """
<script>
const seen = {};
const root = document.documentElement;
seen.overflow = root.scrollWidth - root.clientWidth;
seen.controls = !document.querySelector(".controls").hidden;
seen.buttons = document.querySelectorAll("figure.command button").length;
document.querySelector("a[data-model='2']").focus();
seen.pointed = document.getElementById("pointed").textContent;
seen.lit = Array.from(document.querySelectorAll(".lit"), (item) => item.tagName.toLowerCase() + item.dataset.model);
const only = document.getElementById("frontier-only");
only.click();
seen.out = Array.from(document.querySelectorAll("tr.out"), (item) => item.dataset.model);
only.click();
const memory = document.getElementById("most-bytes");
memory.value = "0";
memory.dispatchEvent(new Event("input"));
seen.large = Array.from(document.querySelectorAll("tr.out"), (item) => item.dataset.model);
seen.limit = memory.getAttribute("aria-valuetext");
seen.small = Array.from(document.querySelectorAll("main *")).filter((item) => {
  const box = item.getBoundingClientRect();
  return box.width > 0 && box.right > root.clientWidth + 1 && !item.closest("svg, pre, thead");
}).map((item) => item.tagName + " " + item.textContent.slice(0, 40));
root.dataset.seen = JSON.stringify(seen);
</script>
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, hand: ModuleType) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page(hand.ADVICE), "utf-8")
    return path


def browse(file: Path, *words: str, width: int = 1200) -> subprocess.CompletedProcess[str]:
    """One look at a file, with a profile of its own and no network."""
    assert BROWSER is not None
    profile = file.parent / "profile"
    return subprocess.run(
        [
            BROWSER,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--hide-scrollbars",
            "--enable-logging=stderr",
            f"--user-data-dir={profile}",
            f"--window-size={width},2000",
            "--virtual-time-budget=3000",
            *words,
            file.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )


def first_pixel(picture: bytes) -> tuple[int, int, int]:
    """The colour in the upper left corner: of the first pixel no filter of PNG takes anything off."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    data, place = b"", 8
    while place < len(picture):
        (length,) = struct.unpack(">I", picture[place : place + 4])
        if picture[place + 4 : place + 8] == b"IDAT":
            data += picture[place + 8 : place + 8 + length]
        place += length + 12
    red, green, blue = zlib.decompress(data)[1:4]
    return red, green, blue


@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize(("scheme", "ground"), [("light", (0xFF, 0xFF, 0xFF)), ("dark", (0x15, 0x18, 0x1C))])
def test_a_picture_of_it(file: Path, tmp_path: Path, width: int, scheme: str, ground: tuple[int, int, int]) -> None:
    picture = tmp_path / "page.png"
    preferred = {"light": 1, "dark": 0}[scheme]
    browse(file, f"--screenshot={picture}", f"--blink-settings=preferredColorScheme={preferred}", width=width)
    taken = picture.read_bytes()
    assert struct.unpack(">I", taken[16:20])[0] == width
    assert first_pixel(taken) == ground
    assert len(taken) > 20_000  # not an empty page


def test_its_script_runs_under_its_own_policy(file: Path) -> None:
    looked = browse(file, "--dump-dom")
    assert re.search(r'<div class="controls"[^>]*>', looked.stdout)
    assert not re.search(r'<div class="controls"[^>]*hidden', looked.stdout)
    assert looked.stdout.count(">Copy</button>") == 2
    complaints = [line for line in looked.stderr.splitlines() if "CONSOLE" in line or "Refused" in line]
    assert not complaints


def test_the_policy_stops_a_script_that_is_not_ours(file: Path, tmp_path: Path) -> None:
    evil = tmp_path / "evil.html"
    evil.write_text(
        file.read_text("utf-8").replace("</main>", "<script>document.title='owned'</script></main>"), "utf-8"
    )
    looked = browse(evil, "--dump-dom")
    assert "<title>owned" not in looked.stdout
    assert ">Copy</button>" in looked.stdout


@pytest.mark.parametrize("width", [390, 1200])
def test_a_reader_can_point_and_narrow_and_nothing_runs_over_the_edge(file: Path, tmp_path: Path, width: int) -> None:
    copy = tmp_path / "copy.html"
    source = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", file.read_text("utf-8"))
    copy.write_text(source.replace("</body>", f"{READER}</body>"), "utf-8")
    looked = browse(copy, "--dump-dom", width=width)
    found = re.search(r'data-seen="([^"]*)"', looked.stdout)
    assert found, looked.stderr
    seen = json.loads(html.unescape(found[1]))
    assert seen["overflow"] <= 0
    assert seen["small"] == []
    assert seen["controls"]
    assert seen["buttons"] == 2
    assert seen["pointed"].startswith("2. Qwen3-8B, Q4_K_M, llama.cpp")
    assert sorted(seen["lit"]) == ["a2", "a2", "tr2"]
    assert seen["out"] == ["3"]  # the one model that another outdoes
    assert seen["large"] == ["1"]  # 18 GiB beside two of 8 GiB
    assert seen["limit"] == "8.00 GiB"
