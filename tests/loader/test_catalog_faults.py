"""Every kind of fault in a catalogue, each with its file and line, and all of them at once."""

# ruff: noqa: E501  (a table: one row a line)
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from qwen_advisor.catalog import compile_catalog, validate
from qwen_advisor.errors import CatalogError

Spoil = Callable[[str, str, str], Path]

MODEL = "models/tiny-1.yaml"
CARD = "accelerators/nvidia.yaml"


def test_the_small_catalogue_is_valid(small: Path) -> None:
    assert validate(small) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        # types
        (MODEL, "family: Tiny\n", "family: Tiny\nfamili: Tiny\n", ":4:1: famili: is not a known field; family?"),
        (MODEL, "family: Tiny\n", "", ":1:1: lacks family"),
        (MODEL, "family: Tiny", "family: 3", ":3:1: family: text is expected here, not 3: put it in quotes"),
        (MODEL, "family: Tiny", "family:", ":3:1: family: text is expected here, not nothing"),
        (MODEL, "family: Tiny", "family: [Tiny]", ":3:1: family: text is expected here, not a list"),
        (MODEL, "kind: hybrid", "kind: chatty", ":5:1: kind: one of base, instruct, "),
        (MODEL, 'thinking_default: "on"', "thinking_default: true", ":13:1: thinking_default: one of on, off is expected"),
        (MODEL, "modalities_in: [text]", "modalities_in: text", ":8:1: modalities_in: a list is expected here, not 'text'"),
        (MODEL, "native: 32768", "native: 32_768", ":11:11: context.native: a whole number is expected here, not '32_768'"),
        (MODEL, "native: 32768", "native: 32768.0", ":11:11: context.native: a whole number is expected here, not 32768.0"),
        (MODEL, "native: 32768", "native: 0x8000", ":11:11: context.native: a whole number is expected here, not '0x8000'"),
        (MODEL, "native: 32768", "native: true", ":11:11: context.native: a whole number is expected here, not True"),
        (MODEL, "bytes: 150000", "bytes: big", ":20:41: quantized[0].files.Q8_0.bytes: a whole number is expected"),
        (MODEL, "id: Acme/Tiny-1\n", "[a, b]\n", ":2:1: did not find expected"),
        ("ranking.yaml", "risk_aversion: 0.25", "- risk", ":1:1: a mapping from id to entry is expected here"),
        ("abilities/chat.yaml", "published: true", "published: yes", ":7:5: Acme/Tiny-1[0].published: true or false is"),
        # quantities carry their unit
        (CARD, "memory: 24 GiB", "memory: 24", ":4:3: card-24gb.memory: a quantity with its unit (MiB, GiB, TiB) is expected"),
        (CARD, "memory: 24 GiB", "memory: 24 GB", ":4:3: card-24gb.memory: a number, one space and a unit (MiB, GiB, TiB)"),
        (CARD, "memory: 24 GiB", "memory: 24GiB", ":4:3: card-24gb.memory: a number, one space and a unit"),
        (CARD, "memory: 24 GiB", "memory: -24 GiB", ":4:3: card-24gb.memory: a quantity above zero"),
        (CARD, "memory: 24 GiB", "memory: Infinity GiB", ":4:3: card-24gb.memory: a quantity above zero"),
        (CARD, "memory: 24 GiB", "memory: NaN GiB", ":4:3: card-24gb.memory: a quantity above zero"),
        (CARD, "memory: 24 GiB", "memory: 0.0000001 MiB", ":4:3: card-24gb.memory: '0.0000001 MiB' is no whole number of bytes"),
        (CARD, "1008 GB/s", "1008e9", ":5:3: card-24gb.memory_bandwidth: a quantity with its unit (MB/s, GB/s, TB/s)"),
        (CARD, "1008 GB/s", "1008 TB/s", ":5:3: card-24gb.memory_bandwidth: is a quantity that no hardware has"),
        (CARD, "165.2 TFLOPS", "0.1652 GFLOPS", ":6:3: card-24gb.fp16_flops: is a quantity that no hardware has"),
        ("devices/boards.yaml", "8 GiB]", "8]", ":6:19: board.memory[1]: a quantity with its unit"),
        # ids are the names of files and keys
        (MODEL, "id: Acme/Tiny-1", "id: Acme/Tiny-3", ":1:1: id: Acme/Tiny-3 belongs into tiny-3.yaml"),
        ("tasks/chat.yaml", "id: chat", "id: code", ":1:1: id: code belongs into code.yaml"),
        (CARD, "  kind: discrete", "  id: card\n  kind: discrete", ":3:3: card-24gb.id: must be 'card-24gb'"),
        (CARD, "  kind: discrete", "  vendor: amd\n  kind: discrete", ":3:3: card-24gb.vendor: must be 'nvidia'"),
        (CARD, "card-24gb:", '"card 24gb":', ":1:1: card 24gb: 'card 24gb' cannot be an id"),
        # references
        (MODEL, "architecture: tiny", "architecture: tinny", ":2:1: architecture: 'tinny' is not among the architectures; tiny?"),
        (MODEL, "license: apache-2.0", "license: apache", ":7:1: license: 'apache' is not among the licenses"),
        (MODEL, "[llama.cpp]", "[llama.cpp, diffusers, llamacpp]", ":15:33: engines[2]: 'llamacpp' is not among the engines; llama.cpp?"),
        (MODEL, "      Q8_0:", "      Q9_0:", ":20:7: quantized[0].files.Q9_0: 'Q9_0' is not among the formats; Q8_0?"),
        (MODEL, "format: GGUF", "format: EXL9", ":18:5: quantized[0].format: 'EXL9' is not among the formats"),
        (MODEL, "quantization: Q8_0", "quantization: Q1", ":23:26: ollama[0].quantization: 'Q1' is not among the formats"),
        (MODEL, "superseded_by: Acme/Tiny-2", "superseded_by: Acme/Tiny-9", ":14:1: superseded_by: 'Acme/Tiny-9' is not among the models"),
        (MODEL, "superseded_by: Acme/Tiny-2", "superseded_by: Acme/Tiny-1", ":14:1: superseded_by: comes back to Acme/Tiny-1"),
        (MODEL, "released: 2025-04-29", "released: 2026-04-29", ":14:1: superseded_by: Acme/Tiny-2 is older"),
        ("models/tiny-2.yaml", '"tiny:2"', '"tiny:1"', ":13:6: ollama[0].tag: tiny:1 is Acme/Tiny-1 already"),
        ("devices/boards.yaml", "[card-24gb]", "[card-24gb, card]", ":11:29: board.accelerators[1]: 'card' is not among the accelerators"),
        ("devices/boards.yaml", "  unified", "  memory_platform: ddr9\n  unified", ":10:3: board.memory_platform: 'ddr9' is not among the platforms"),
        ("engines/llama.cpp.yaml", "[gguf, Q8_0]", "[gguf, Q7_0]", ":6:22: supports[0].formats[1]: 'Q7_0' is not among the formats"),
        ("engines/llama.cpp.yaml", "[cpu, nvidia]", "[cpu, voodoo]", ":6:44: supports[0].vendors[1]: 'voodoo' is neither a vendor nor cpu"),
        ("engines/llama.cpp.yaml", "  qwen3:", "  qwen9:", ":8:3: models.qwen9: no architecture is of this model_type"),
        ("tasks/chat.yaml", "ability: chat\n", "ability: talk\n", ":3:1: ability: 'talk' is not among the abilities"),
        ("tasks/chat.yaml", "hybrid]", "hybird]", ":5:19: kinds[1]: 'hybird' is no kind of checkpoint"),
        ("abilities/chat.yaml", "Acme/Tiny-2: []", "Acme/Tiny-3: []", ":10:1: Acme/Tiny-3: 'Acme/Tiny-3' is not among the models"),
        ("abilities/chat.yaml", "scale: chat", "scale: code", ":2:5: Acme/Tiny-1[0]: must say checkpoint Acme/Tiny-1 and scale chat"),
        # numbers and dates
        (MODEL, "released: 2025-04-29", "released: 2025-04-31", ":6:1: released: '2025-04-31' is no date (2025-07-29)"),
        (MODEL, "released: 2025-04-29", "released: 20250429x", ":6:1: released: '20250429x' is no date"),
        (MODEL, "parameters_total: 138112", "parameters_total: 0", ":10:1: parameters_total: must be above zero"),
        (MODEL, "parameters_total: 138112", "parameters_total: 138112\nparameters_active: 138113", ":11:1: parameters_active: must lie"),
        (MODEL, "extended: 131072", "extended: 32768", ":11:26: context.extended: must be longer than the native context"),
        (MODEL, ", extension: yarn factor 4", "", ":11:1: context.extension: says nothing of how the longer context is reached"),
        ("quantizations.yaml", "block_bytes: 34", "block_bytes: 0", ":3:29: block_types.Q8_0.block_bytes: must be above zero"),
        ("abilities/chat.yaml", "standard_error: 0.1", "standard_error: 0", ":6:5: Acme/Tiny-1[0].standard_error: must be above zero"),
        # sources
        (MODEL, "sources: [https://example.org/tiny-1]", "", ":1:1: sources: gives no source"),
        (MODEL, "sources: [https://example.org/tiny-1]", "sources: [stored public copy 7]", ":25:11: sources[0]: 'stored public copy 7' is nothing"),
        (MODEL, "quantized:\n  - repo", "quantized:\n  - official: false\n    repo", ""),
        (MODEL, "    source: https://example.org/tiny-1-gguf", "    official: false", ":17:5: quantized[0]: a repository that is not official needs a source"),
        (CARD, "  source: https://example.org/card", '  source: ""', ":10:3: card-24gb.source: gives no source"),
        ("licenses.yaml", "url: https://www.apache.org/licenses/LICENSE-2.0", 'url: ""', ":6:3: apache-2.0.url: gives no source"),
        # weights
        ("architectures/tiny.yaml", "num_hidden_layers: 2", "num_hidden_layers: two", ":4:3: text.num_hidden_layers: a whole number"),
        ("architectures/tiny.yaml", "num_hidden_layers: 2", "num_hidden_layers: 2147483648", "num_hidden_layers cannot be 2147483648"),
        ("architectures/tiny.yaml", "num_hidden_layers: 2", "num_hidden_layers: 2\n  moe: {num_experts: 4, num_experts_per_tok: 2, moe_intermediate_size: 64, decoder_sparse_step: 0}", "decoder_sparse_step cannot be 0"),
        ("quantizations.yaml", "kind: float\n    sources: [https://example.org/bf16]", "kind: fp8\n    sources: [https://example.org/bf16]", "its weights in BF16 cannot be counted: BF16 does not say what it stores"),
        # layout
        ("languages.yaml", "languages:", "langages:", ":2:1: langages: is not known here; languages are"),
    ],
)  # fmt: skip
def test_each_fault_says_where(spoil: Spoil, file: str, old: str, new: str, fault: str) -> None:
    root = spoil(file, old, new)
    faults = [str(each) for each in validate(root)]
    if not fault:
        assert faults == []
        return
    wanted = f"{root / file}{fault}" if fault.startswith(":") else fault
    assert any(wanted in each for each in faults), faults
    if "lacks" in fault or fault.startswith(":"):
        assert any(each.startswith(str(root / file)) for each in faults)


def test_all_faults_come_at_once_in_order_of_file_and_line(small: Path, spoil: Spoil) -> None:
    spoil(CARD, "memory: 24 GiB", "memory: 24")
    spoil(CARD, "kind: discrete", "kind: 5")
    spoil(MODEL, "license: apache-2.0", "license: none-such")
    spoil(MODEL, "kind: hybrid", "kind: hybrid\nkind: hybrid")
    spoil("ranking.yaml", "risk", "risk: !x 1\nrisk")
    faults = validate(small)
    # What is faulty is there for all that: the device that names the card is not at fault.
    assert [(str(Path(fault.file).relative_to(small)), fault.line) for fault in faults] == [
        ("accelerators/nvidia.yaml", 3),
        ("accelerators/nvidia.yaml", 4),
        ("models/tiny-1.yaml", 6),
        ("models/tiny-1.yaml", 8),
        ("ranking.yaml", 1),
    ]
    with pytest.raises(CatalogError) as caught:
        compile_catalog(small)
    assert sorted(caught.value.faults) == sorted(str(fault) for fault in faults)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    "file", ["models/tiny-2.yaml", "accelerators/nvidia.yaml", "quantizations.yaml", "licenses.yaml"]
)
def test_a_file_that_cannot_be_read_is_one_fault(small: Path, file: str) -> None:
    (small / file).write_text("a: [\n", "utf-8")
    assert [Path(fault.file).relative_to(small).as_posix() for fault in validate(small)] == [file]


def test_one_id_in_two_files(small: Path) -> None:
    text = (small / CARD).read_text("utf-8")
    (small / "accelerators/other.yaml").write_text(text, "utf-8")
    assert [str(fault) for fault in validate(small)] == [
        f"{small / 'accelerators/other.yaml'}:1:1: card-24gb: accelerators has 'card-24gb' already, in {small / CARD}"
    ]


@pytest.mark.parametrize("name", ["modles/x.yaml", "models/x.yml", "models/deeper/x.yaml", "x.YAML"])
def test_a_file_that_nothing_reads_is_a_fault(small: Path, name: str) -> None:
    (small / name).parent.mkdir(exist_ok=True)
    (small / name).write_text("a: 1\n", "utf-8")
    assert [str(fault) for fault in validate(small)] == [
        f"{small / name}: no section of the catalogue reads a file of this name"
    ]


def test_notes_and_hidden_files_are_left_alone(small: Path) -> None:
    (small / "README.md").write_text("a: [", "utf-8")
    (small / ".draft").mkdir()
    (small / ".draft/x.yaml").write_text("a: [", "utf-8")
    assert validate(small) == []


def test_a_missing_section_is_one_fault(small: Path) -> None:
    (small / "licenses.yaml").unlink()
    assert [str(fault) for fault in validate(small)] == [
        f"{small}: holds no licenses: licenses.yaml is missing or empty"
    ]
    with pytest.raises(CatalogError, match="holds no licenses"):
        compile_catalog(small)


def test_no_directory_at_all(tmp_path: Path) -> None:
    assert [str(fault) for fault in validate(tmp_path / "nowhere")] == [f"{tmp_path / 'nowhere'}: is not a directory"]
