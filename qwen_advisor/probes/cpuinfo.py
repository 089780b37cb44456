"""The processor: ``/proc/cpuinfo``, ``lscpu``, and what the kernel says of cores."""

from __future__ import annotations

import re

from qwen_advisor.probes.found import FoundCpu
from qwen_advisor.probes.numbers import whole

# Implementer and part of Arm cores, as arch/arm64/include/asm/cputype.h of Linux names them.
_ARM_PARTS = {
    "0x41": {
        "0xb76": "ARM1176",
        "0xd03": "Cortex-A53",
        "0xd05": "Cortex-A55",
        "0xd07": "Cortex-A57",
        "0xd08": "Cortex-A72",
        "0xd0b": "Cortex-A76",
        "0xd0c": "Neoverse-N1",
        "0xd40": "Neoverse-V1",
        "0xd41": "Cortex-A78",
        "0xd42": "Cortex-A78AE",
        "0xd49": "Neoverse-N2",
        "0xd4f": "Neoverse-V2",
        "0xd83": "Neoverse-V3AE",
        "0xd84": "Neoverse-V3",
        "0xd85": "Cortex-X925",
        "0xd87": "Cortex-A725",
        "0xd8e": "Neoverse-N3",
    },
    "0x4e": {"0x004": "NVIDIA Carmel"},
    "0x51": {"0x001": "Qualcomm Oryon"},
    "0x61": {
        "0x022": "Apple M1",
        "0x023": "Apple M1",
        "0x024": "Apple M1 Pro",
        "0x025": "Apple M1 Pro",
        "0x028": "Apple M1 Max",
        "0x029": "Apple M1 Max",
        "0x032": "Apple M2",
        "0x033": "Apple M2",
        "0x034": "Apple M2 Pro",
        "0x035": "Apple M2 Pro",
        "0x038": "Apple M2 Max",
        "0x039": "Apple M2 Max",
    },
}
# Instruction sets that engines make use of, under their Linux names.
_X86 = frozenset(
    (
        *("sse3", "ssse3", "sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni"),
        *("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512_vnni", "avx512vbmi", "avx512_bf16"),
        *("avx512_fp16", "amx_tile", "amx_int8", "amx_bf16", "amx_fp16"),
    )
)
_ARM = ["neon", "asimd", "asimdhp", "fphp", "asimddp", "i8mm", "bf16", "sve", "sve2", "sme", "sme2"]
_TELLING = frozenset(("processor", "physical id", "core id", "cpu part", "hardware", "model"))
_MORE_NAMES = {"avxvnni": "avx_vnni", "pni": "sse3"}


def features(words: str, *, arm: bool) -> tuple[str, ...]:
    """The instruction sets that matter for language models, in the order of the text.

    The two worlds share a word: ``sme`` is matrix extension on Arm and memory encryption on AMD's x86.
    """
    known = _ARM if arm else _X86
    named = (_MORE_NAMES.get(word, word) for word in words.split())
    return tuple(dict.fromkeys(name for name in named if name in known))


def _blocks(text: str) -> list[dict[str, str]]:
    blocks: list[dict[str, str]] = []
    current: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        key = key.strip().lower()
        if not colon:
            continue
        if key == "processor" and value.strip().isdigit():
            current = {}
            blocks.append(current)
        elif not blocks:
            blocks.append(current)
        current.setdefault(key, value.strip())
        if key == "processor":
            current[key] = value.strip()
    return blocks


def parse_cpuinfo(text: str) -> FoundCpu:
    """Read ``/proc/cpuinfo``: name, model, instruction sets, and which logical CPU belongs to which core."""
    blocks = _blocks(text)
    if not blocks:
        return FoundCpu()
    first = blocks[0]
    tail = blocks[-1]  # Arm boards print Hardware and Model after the last processor
    cores_of: dict[int, str] = {}
    for i, block in enumerate(blocks):
        cpu = whole(block.get("processor"))
        core = block.get("core id")
        cores_of[i if cpu is None else cpu] = f"{block.get('physical id', '0')}.{core if core is not None else i}"
    listed, threads = len(blocks), whole(first.get("siblings")) or 0
    physical = len(set(cores_of.values()))
    if threads > listed:  # only the first processors were listed
        listed, physical = threads, whole(first.get("cpu cores")) or threads
        cores_of = {}
    words = first.get("flags") or first.get("features") or ""
    arm = "features" in first
    return FoundCpu(
        name=_name(first, tail),
        model=_model(first),
        features=features(words, arm=arm),
        physical_cores=physical or None,
        logical_cores=listed or None,
        cores_of=cores_of,
        virtual="hypervisor" in words.split(),
    )


def _model(block: dict[str, str]) -> str:
    if block.get("vendor_id"):
        return f"{block['vendor_id']} {block.get('cpu family', '?')} {block.get('model', '?')}"
    implementer, part = block.get("cpu implementer"), block.get("cpu part")
    return f"{implementer} {part}" if implementer and part else ""


def _name(first: dict[str, str], tail: dict[str, str]) -> str:
    name = first.get("model name")
    if name:
        return " ".join(name.split())
    part = _ARM_PARTS.get(first.get("cpu implementer", ""), {}).get(first.get("cpu part", ""))
    board = tail.get("hardware") or ""
    if part:
        vendor = "" if part.split()[0] in ("Apple", "NVIDIA", "Qualcomm") else "Arm "
        return f"{vendor}{part}" + (f" ({board})" if board else "")
    return " ".join((first.get("processor") or "").split()) if not (first.get("processor") or "").isdigit() else board


def condense_cpuinfo(text: str) -> str:
    """The first processor in full and of the others the lines that tell cores apart, so that it can be sent around."""
    kept, seen = [], 0
    for line in text.splitlines():
        key, colon, value = (part.strip() for part in line.partition(":"))
        seen += key.lower() == "processor"
        if key.lower().startswith("serial"):
            continue
        if seen <= 1 or not key or key.lower() in _TELLING:
            kept.append(f"{key}: {value}".rstrip() if colon else key)
    return "\n".join(kept) + "\n"


def parse_lscpu(text: str) -> FoundCpu:
    """Read the output of ``lscpu``."""
    values = {
        key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())
    }
    sockets = whole(values.get("socket(s)")) or whole(values.get("cluster(s)")) or 1
    per_socket = whole(values.get("core(s) per socket")) or whole(values.get("core(s) per cluster"))
    vendor = values.get("vendor id", "")
    model = (
        f"{vendor} {values.get('cpu family', '?')} {values.get('model', '?')}" if "family" in " ".join(values) else ""
    )
    return FoundCpu(
        name=values.get("model name", ""),
        model=model,
        features=features(values.get("flags", ""), arm=values.get("architecture", "").startswith(("aarch64", "arm"))),
        physical_cores=sockets * per_socket if per_socket else None,
        logical_cores=whole(values.get("cpu(s)")),
        virtual=bool(values.get("hypervisor vendor")) or values.get("virtualization type") == "full",
        numa_nodes=whole(values.get("numa node(s)")) or 1,
    )


def parse_cpuid_dump(text: str) -> FoundCpu:
    """Read the registers of ``cpuid``: lines of leaf, sub-leaf, EAX, EBX, ECX, EDX in decimal.

    Source of the bits: Intel SDM, volume 2, CPUID.
    """
    leaves: dict[tuple[int, int], tuple[int, ...]] = {}
    for line in text.splitlines():
        numbers = [whole(part) for part in line.split(",")]
        if len(numbers) == 6 and all(n is not None for n in numbers):
            known = [n for n in numbers if n is not None]
            leaves[known[0], known[1]] = tuple(n & 0xFFFFFFFF for n in known[2:])

    def characters(*values: int) -> str:
        return b"".join(value.to_bytes(4, "little") for value in values).decode("latin-1").strip("\0 ")

    base = leaves.get((0, 0))
    vendor = characters(base[1], base[3], base[2]) if base else ""
    name = "".join(characters(*leaves[leaf, 0]) if (leaf, 0) in leaves else "" for leaf in range(2**31 + 2, 2**31 + 5))
    one, seven, seven1 = leaves.get((1, 0)), leaves.get((7, 0)), leaves.get((7, 1))
    bits: dict[str, bool] = {}
    if one:
        bits |= {"sse3": one[2] & 1 != 0, "fma": one[2] >> 12 & 1 != 0, "f16c": one[2] >> 29 & 1 != 0}
        bits |= {"sse4_2": one[2] >> 20 & 1 != 0, "avx": one[2] >> 28 & 1 != 0}
    if seven:
        bits |= {"avx2": seven[1] >> 5 & 1 != 0, "avx512f": seven[1] >> 16 & 1 != 0}
        bits |= {"avx512dq": seven[1] >> 17 & 1 != 0, "avx512bw": seven[1] >> 30 & 1 != 0}
        bits |= {"avx512vl": seven[1] >> 31 & 1 != 0, "avx512_vnni": seven[2] >> 11 & 1 != 0}
        bits |= {"amx_bf16": seven[3] >> 22 & 1 != 0, "amx_tile": seven[3] >> 24 & 1 != 0}
        bits |= {"amx_int8": seven[3] >> 25 & 1 != 0}
    if seven1:
        bits |= {"avx_vnni": seven1[0] >> 4 & 1 != 0, "avx512_bf16": seven1[0] >> 5 & 1 != 0}
    family = model = 0
    if one:
        eax = one[0]
        family = (eax >> 8 & 0xF) + (eax >> 20 & 0xFF if eax >> 8 & 0xF == 0xF else 0)
        model = (eax >> 4 & 0xF) + ((eax >> 16 & 0xF) << 4 if family in (6, 15) or family > 15 else 0)
    return FoundCpu(
        name=re.sub(r"\s+", " ", name).strip(),
        model=f"{vendor} {family} {model}" if vendor else "",
        features=tuple(feature for feature, there in bits.items() if there),
        virtual=bool(one and one[2] >> 31 & 1),
    )
