"""An inventory as a company has one: bought sizes of memory, a few dozen kinds of GPU, no two machines alike."""

from __future__ import annotations

import random
from collections.abc import Iterator

RAM = (8, 12, 16, 16, 24, 32, 32, 48, 64, 64, 96, 128, 192, 256, 384, 512)  # GiB
CORES = (2, 4, 4, 6, 6, 8, 8, 10, 12, 14, 16, 24, 32, 48, 64)
BANDWIDTH = (None, None, 38.4, 51.2, 76.8, 89.6, 102.4, 204.8)  # GB/s of main memory
CARDS = (
    "GTX 1060 6GB", "GTX 1080 Ti", "GTX 1660", "RTX 2060", "RTX 2070", "RTX 2080 Ti", "RTX 3050 8GB", "RTX 3060 12GB",
    "RTX 3060 Ti", "RTX 3070", "RTX 3080 10GB", "RTX 3090", "RTX 4060", "RTX 4060 Ti 16GB", "RTX 4070", "RTX 4080",
    "RTX 4090", "RTX 5060 Ti 16GB", "RTX 5070", "RTX 5080", "RTX 5090", "RTX A2000 12GB", "RTX A4000", "RTX A6000",
    "RTX 4000 Ada", "RTX 6000 Ada", "Tesla T4", "L4", "L40S", "A10", "A100 40GB", "A100 80GB", "H100 80GB", "RX 6600",
    "RX 6700 XT", "RX 6800 XT", "RX 7600", "RX 7800 XT", "RX 7900 XTX", "RX 9070 XT", "Arc A770", "Arc B580",
)  # fmt: skip
COLUMNS = ("name", "ram", "gpu", "cpu_cores", "ram_bandwidth")


def machines(count: int, seed: int = 1) -> Iterator[dict[str, str]]:
    """So many machines, each unlike the others: a third without a GPU, some with several."""
    rng, seen = random.Random(seed), set()  # noqa: S311  nothing secret
    while len(seen) < count:
        ram, cores, bandwidth = rng.choice(RAM), rng.choice(CORES), rng.choice(BANDWIDTH)
        gpu = "" if rng.random() < 1 / 3 else rng.choice(("", "", "", "", "", "2x ", "2x ", "4x ")) + rng.choice(CARDS)
        row = {"ram": f"{ram}G", "gpu": gpu, "cpu_cores": str(cores), "ram_bandwidth": str(bandwidth or "")}
        key = tuple(row.values())
        if key not in seen:
            seen.add(key)
            yield {"name": f"host-{len(seen):05}", **row}
