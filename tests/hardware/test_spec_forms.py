"""What people write for ``--gpu``, and the card that it means."""

from __future__ import annotations

import pytest

from qwen_advisor.describe import Description, accelerators_of, describe, find_accelerator
from qwen_advisor.describe.names import split_counted, words
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.units import GIB

# text -> entry, GB/s by the data sheet of the card
MEANT = {
    "4090": ("rtx-4090", 1008),
    "RTX 4090": ("rtx-4090", 1008),
    "rtx4090": ("rtx-4090", 1008),
    "NVIDIA GeForce RTX 4090": ("rtx-4090", 1008),
    "GeForce RTX 4090 24GB": ("rtx-4090", 1008),
    "ASUS TUF RTX 4090": ("rtx-4090", 1008),
    "RTX 4090 Laptop": ("rtx-4090-laptop", 576),
    "rtx 4090 mobile": ("rtx-4090-laptop", 576),
    "NVIDIA GeForce RTX 4090 Laptop GPU": ("rtx-4090-laptop", 576),
    "4090D": ("rtx-4090-d", 1008),
    "5090": ("rtx-5090", 1792),
    "RTX 3060 12GB": ("rtx-3060-12gb", 360),
    "RTX 3060 8GB": ("rtx-3060-8gb", 240),
    "3080 12GB": ("rtx-3080-12gb", 912.4),
    "3080": ("rtx-3080-10gb", 760.3),
    "4060ti 16gb": ("rtx-4060-ti-16gb", 288),
    "4070 Ti SUPER": ("rtx-4070-ti-super", 672),
    "4070tisuper": ("rtx-4070-ti-super", 672),
    "4080s": ("rtx-4080-super", 736),
    "1080 ti": ("gtx-1080-ti", 484),
    "H100 SXM": ("h100-80gb-hbm3", 3350),
    "H100 SXM5": ("h100-80gb-hbm3", 3350),
    "H100": ("h100-80gb-hbm3", 3350),
    "H100 PCIe": ("h100-pcie", 2000),
    "H100 PCI-E": ("h100-pcie", 2000),
    "H100 NVL": ("h100-nvl", 3940),
    "A100 40GB": ("a100-pcie-40gb", 1555),
    "A100 80GB": ("a100-sxm4-80gb", 2039),
    "A100 80GB PCIe": ("a100-80gb-pcie", 1935),
    "L40S": ("l40s", 864),
    "RTX A6000": ("rtx-a6000", 768),
    "RTX 6000 Ada": ("rtx-6000-ada-generation", 960),
    "RTX PRO 6000": ("rtx-pro-6000-blackwell-workstation-edition", 1792),
    "rtxpro6000": ("rtx-pro-6000-blackwell-workstation-edition", 1792),
    "Quadro RTX 6000": ("quadro-rtx-6000", 672),
    "7900 XTX": ("rx-7900-xtx", 960),
    "7900xtx": ("rx-7900-xtx", 960),
    "RX 7900XTX": ("rx-7900-xtx", 960),
    "7900 XT": ("rx-7900-xt", 800),
    "AMD Radeon RX 7900 GRE": ("rx-7900-gre", 576),
    "MI300X": ("instinct-mi300x", 5300),
    "AMD Instinct MI300X": ("instinct-mi300x", 5300),
    "Arc B580": ("arc-b580", 456),
    "a770 16gb": ("arc-a770-16gb", 560),
    "M3 Max": ("apple-m3-max-40-core-48gb", 400),
    "m3max": ("apple-m3-max-40-core-48gb", 400),
    "Apple M3 Max 64GB": ("apple-m3-max-40-core-64gb", 400),
    "M2 Ultra 192GB": ("apple-m2-ultra-192gb", 800),
    "DGX Spark": ("gb10", 273),
    "Strix Halo": ("8060s-ryzen-ai-max-plus-395-strix-halo", 256),
    "780M": ("780m", 89.6),
}
# A name that other tools take for another product, by a match of part of it: the entry, and GB/s that it must not get.
TRAPS = {
    "RTX A1000": ("rtx-a1000", 1555),  # A100
    "Tesla M40": ("tesla-m40-24gb", 120),  # Apple M4
    "T400": ("t400-4gb", 320),  # T4
    "Jetson T4000": ("jetson-t4000", 320),  # T4
    "Tesla P100-SXM2": ("tesla-p100-sxm2-16gb", 100),  # Apple M2
    "A800-SXM4": ("a800-sxm4-80gb", 120),  # Apple M4
    "RTX 4090 Laptop GPU": ("rtx-4090-laptop", 1008),  # the desktop's
    "A100 80GB": ("a100-sxm4-80gb", 1555),  # the 40 GB one
    "M3 Max 30-core": ("apple-m3-max-30-core-36gb", 400),  # the larger bin
    "M4 Max 32-core": ("apple-m4-max-32-core-36gb", 546),  # the larger bin
}


@pytest.mark.parametrize("text", MEANT)
def test_a_name_means_one_card(text: str, facts: Catalog) -> None:
    entry, rate = MEANT[text]
    spec = find_accelerator(facts, text).spec
    assert spec.id == entry
    assert spec.memory_bandwidth == pytest.approx(rate * 1e9, rel=0.006)


@pytest.mark.parametrize("text", TRAPS)
def test_part_of_a_name_is_no_match(text: str, facts: Catalog) -> None:
    entry, wrong = TRAPS[text]
    spec = find_accelerator(facts, text).spec
    assert spec.id == entry
    assert spec.memory_bandwidth != pytest.approx(wrong * 1e9, rel=0.01)


@pytest.mark.parametrize(
    ("text", "capability"),
    [("RTX 5090", "12.0"), ("RTX 5060 Ti 16GB", "12.0"), ("GB10", "12.1"), ("B200", "10.0"), ("B300", "10.3")],
)
def test_generations_that_are_easily_confused(text: str, capability: str, facts: Catalog) -> None:
    assert find_accelerator(facts, text).spec.compute_capability == capability


@pytest.mark.parametrize(
    ("text", "count", "name"),
    [
        ("2x3090", 2, "3090"),
        ("2x 3090", 2, "3090"),
        ("2 x RTX 3090", 2, "RTX 3090"),
        ('2x "RTX 3090"', 2, "RTX 3090"),
        ("2×RTX 3090", 2, "RTX 3090"),
        ("8*H100", 8, "H100"),
        ("RTX 3090 x2", 2, "RTX 3090"),
        ("RTX 3090 (x4)", 4, "RTX 3090"),
        ("2 RTX 3090", 2, "RTX 3090"),
        ("999x L4", 999, "L4"),
        ("7900 XTX", 1, "7900 XTX"),
        ("RX 7900 XTX", 1, "RX 7900 XTX"),
        ("6800 XT", 1, "6800 XT"),
        ("16 GB RX 580", 1, "16 GB RX 580"),
        ("3060 Ti", 1, "3060 Ti"),
        ("Snapdragon X", 1, "Snapdragon X"),
    ],
)
def test_counts(text: str, count: int, name: str) -> None:
    assert split_counted(text) == [(count, name)]


def test_unlike_cards_in_one_option_or_in_several(facts: Catalog) -> None:
    together = Description(gpus=("RTX 4090, RTX 3060 12GB",))
    apart = Description(gpus=("RTX 4090", "RTX 3060 12GB"))
    ids = [[match.spec.id for match, _ in accelerators_of(facts, said)] for said in (together, apart)]
    assert ids == [["rtx-4090", "rtx-3060-12gb"]] * 2
    machine = describe(facts, apart)
    assert [a.spec for a in machine.accelerators] == ["rtx-4090", "rtx-3060-12gb"]
    assert [a.reserve > 0 for a in machine.accelerators] == [True, False]  # a desktop is drawn by the first


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("A100", ("A100-SXM4-80GB", "A100-PCIE-40GB", "A100 80GB PCIe", "A100-SXM4-40GB")),
        ("RTX 4060 Ti", ("16GB", "8GB")),
        ("5060 Ti", ("16GB", "8GB")),
        ("RTX 6000", ("Quadro RTX 6000", "RTX 6000 Ada", "RTX PRO 6000")),
        ("RTX 4000", ("Quadro RTX 4000", "RTX 4000 Ada", "RTX PRO 4000")),
        ("RX 7900", ("XTX", "XT", "GRE")),
        ("Jetson AGX Orin", ("32GB", "64GB")),
    ],
)
def test_an_ambiguous_name_asks_with_the_choices(text: str, choices: tuple[str, ...], facts: Catalog) -> None:
    with pytest.raises(UsageError, match="may mean several") as caught:
        find_accelerator(facts, text)
    assert caught.value.exit_code == 2
    assert all(choice in (caught.value.hint or "") for choice in choices)


@pytest.mark.parametrize("sign", [" ", "-", "_", ""])
@pytest.mark.parametrize(
    ("name", "entry"), [("Quadro RTX 4000", "quadro-rtx-4000"), ("Quadro RTX 6000", "quadro-rtx-6000")]
)
def test_a_name_in_full_is_one_card_whatever_joins_its_words(name: str, entry: str, sign: str, facts: Catalog) -> None:
    assert find_accelerator(facts, name.replace(" ", sign)).spec.id == entry


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("RTX 3060", ("8GB", "Laptop")),
        ("H100", ("H100 PCIe", "H100 NVL")),
        ("RTX 4090", ("RTX 4090 Laptop GPU",)),
        ("M3 Max", ("30-core",)),
        ("Arc A770", ("8GB",)),
        ("GTX 1650", ("GDDR6",)),
    ],
)
def test_the_common_one_is_taken_and_the_others_are_said(text: str, said: tuple[str, ...], facts: Catalog) -> None:
    notes = " ".join(find_accelerator(facts, text).notes)
    assert "is taken as" in notes
    assert all(word in notes for word in said)


@pytest.mark.parametrize("text", ["RTX 4090 24GB", "NVIDIA GeForce RTX 4090", "Quadro RTX 6000", "H100 PCIe"])
def test_a_full_name_needs_no_note(text: str, facts: Catalog) -> None:
    assert find_accelerator(facts, text).notes == ()


@pytest.mark.parametrize("text", ["foo", "x", "RTX 9999", "TPU v5e", "K80", "90", "RTX"])
def test_an_unknown_name_is_a_fault(text: str, facts: Catalog) -> None:
    with pytest.raises(UsageError) as caught:
        find_accelerator(facts, text)
    assert caught.value.exit_code == 2
    assert caught.value.hint


@pytest.mark.parametrize("text", ["", "  ", "0x4090", "1025x4090", "99999x4090", ",", "RTX 4090,,3090", "2x"])
def test_what_names_no_accelerator(text: str, facts: Catalog) -> None:
    with pytest.raises(UsageError) as caught:
        accelerators_of(facts, Description(gpus=(text,)))
    assert caught.value.exit_code == 2


def test_a_size_that_is_not_sold_names_those_that_are(facts: Catalog) -> None:
    with pytest.raises(UsageError, match=r"no 'RTX 4090 12GB' is known with 12\.0 GiB") as caught:
        find_accelerator(facts, "RTX 4090 12GB")
    assert "24.0 GiB" in (caught.value.hint or "")


def test_vram_chooses_between_sizes(facts: Catalog) -> None:
    chosen = accelerators_of(facts, Description(gpus=("RTX 4060 Ti",), vram=16 * GIB))
    assert [match.spec.id for match, _ in chosen] == ["rtx-4060-ti-16gb"]


def test_none_stands_alone(facts: Catalog) -> None:
    assert describe(facts, Description(gpus=("none",), ram=16 * GIB)).accelerators == ()
    with pytest.raises(UsageError, match="excludes"):
        describe(facts, Description(gpus=("none", "RTX 4090")))


def test_every_name_and_alias_finds_its_entry_or_says_what_it_took(facts: Catalog) -> None:
    """The entry, one of the same figures, or a note or a question that names it."""
    astray = []
    for spec in facts.accelerators.values():
        for alias in (spec.name, *spec.aliases):
            try:
                match = find_accelerator(facts, alias)
            except UsageError as error:
                told, same = error.hint or "", False
            else:
                told, same = " ".join(match.notes), match.spec.memory_bandwidth == spec.memory_bandwidth
                same = same and match.spec.memory == spec.memory and match.spec.kind == spec.kind
            if not same and spec.name not in told:
                astray.append((alias, spec.id, told))
    assert astray == []
    assert len(facts.accelerators) > 300


def test_words_are_compared_and_never_parts_of_words() -> None:
    assert words("RTX A1000").words.isdisjoint(words("A100").words)
    assert words("NVIDIA GeForce RTX 3060 12GB") == words("rtx3060 12 gib")
    assert words("MacBook Pro M3 Pro").words != words("MacBook Pro M3").words
    assert words("RTX 3060 12GB").memory == 12 * GIB
    assert words("Radeon 780M").memory is None
