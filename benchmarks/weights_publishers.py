"""What is known of how publishers make their GGUF files: a row's format and variant, or why there is none.

Each rule names a cause, seen in exact sizes of the publisher's files or in its own words; none names a row.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.weights_rows import FileRow, RepositoryRow
from qwen_advisor.model import Architecture

_NAMES = {
    "BF16": "BF16-GGUF",
    "MXFP4": "MXFP4_MOE",
    "Q3_K": "Q3_K_M",
    "Q4_K": "Q4_K_M",
    "Q5_K": "Q5_K_M",
    # laid out for ARM, and as large as what they were made of
    "Q4_0_4_4": "Q4_0",
    "Q4_0_4_8": "Q4_0",
    "Q4_0_8_8": "Q4_0",
}
_PROJECTORS = {
    "mmproj-F16": frozenset[str](),
    "mmproj-BF16": frozenset({"projector-BF16"}),
    "mmproj-F32": frozenset({"projector-F32"}),
    "mmproj-Q8_0": frozenset({"projector-Q8_0"}),
}
_TIED_BUT_STORED = re.compile(r"Qwen2\.5-(Coder-)?(0\.5B|1\.5B|3B)-Instruct", re.IGNORECASE)
_OLLAMA_2025 = re.compile(
    r"qwen3:(latest|8b|14b|32b|30b|30b-a3b|235b|235b-a22b)(-q\w+|-fp16)?|deepseek-r1:8b.*", re.IGNORECASE
)
_OWN_MIX = re.compile(r"Q[3-6]_K.*")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a row is predicted."""

    format: str
    variant: frozenset[str]
    projector: bool = False  # the row is a projector file


@dataclass(frozen=True, slots=True)
class _File:
    row: FileRow
    architecture: Architecture
    generation: int  # of linear attention: 0 none, 1 Qwen3-Next, 2 Qwen3.5 and later

    @property
    def mix(self) -> str:
        return self.row.quantization

    @property
    def newest(self) -> bool:
        return "3.8" in self.row.model


def reading(row: FileRow, architecture: Architecture | None) -> Reading | str:
    """The format and variant of a row, or the reason why none of the project's rules covers it."""
    if architecture is None or architecture.text is None:
        return "no architecture of the catalogue (a draft, a merge, another maker's model)"
    if row.repository.startswith("hub.docker.com/ai/qwen3-reranker"):
        return "the page gives one size's bytes under another size's name"
    if row.repository == "Qwen/Qwen2.5-72B-Instruct-GGUF" and row.half_place:
        return "the listing lacks parts of split files"
    if row.publisher == "knoopx":
        return "NVFP4 inside GGUF is no mix of llama-quantize"
    if row.quantization in _PROJECTORS:
        if architecture.model_type == "qwen3_tts":
            return "the codec of a text-to-speech model is not counted"
        return Reading("F16", _PROJECTORS[row.quantization], projector=True)
    linear = architecture.text.linear_attention
    file = _File(row, architecture, 0 if linear is None else 1 if linear.fused_projections else 2)
    name = _NAMES.get(row.quantization, row.quantization)
    words: set[str] = set()
    if architecture.model_type == "qwen":
        words.add("old-qkv-rule")
    if architecture.id.startswith(("qwen-", "qwen1.5-")):
        words.add("old-fallback")
    if architecture.id == "qwen1.5-0.5b":  # its checkpoint stores the tied head, and converters write what they find
        words.add("stored-head")
    known = _PUBLISHERS.get(row.publisher)
    if known is not None:
        words |= known(file)
    if row.publisher == "unsloth" and file.generation == 2 and architecture.text.moe and _OWN_MIX.fullmatch(name):
        # the same files stand there under both names, https://huggingface.co/unsloth/Qwen3.5-397B-A17B-GGUF
        name = f"UD-{name}"
    return Reading(name, frozenset(words))


def _qwen(file: _File) -> set[str]:
    if _TIED_BUT_STORED.search(file.row.model):
        return {"stored-head"}
    if file.row.model.startswith("Qwen2-") and file.mix in {"Q4_0", "Q5_0"}:
        return {"imatrix"}
    return {"ssm-in"} if file.generation == 1 else set()


def _ggml_org(file: _File) -> set[str]:
    if file.generation == 2 and ("MTP" in file.row.repository or "0.8B" in file.row.model):
        return {"mtp"}
    return {"stored-head"} if file.row.model in {"Qwen3-0.6B", "Qwen3-1.7B"} else set()


def _unsloth(file: _File) -> set[str]:
    words = {"imatrix", "unsloth"}
    if "-MTP" in file.row.repository:
        return words | {"mtp"}
    if file.newest:
        return words | {"mtp", "recipe-2026-08"}
    return words | {"old-qkv-rule"} if file.generation else words


def _bartowski(file: _File) -> set[str]:
    if file.mix.startswith("Q4_0_"):
        return set()
    if file.generation == 2:
        return {"bartowski-2026", "mtp-Q4_0" if file.newest else "mtp-Q8_0"}
    if file.generation == 1:
        return {"bartowski-2025", "ssm-in"}
    return {"bartowski-2025"} if file.architecture.model_type == "qwen3_moe" else {"imatrix"}


def _lmstudio(file: _File) -> set[str]:
    if file.newest:
        return {"mtp"}
    if file.generation == 2:
        return {"old-qkv-rule"}
    return {"bartowski-2025"} if "Qwen3-Coder-30B" in file.row.model else set()


def _mradermacher(file: _File) -> set[str]:
    words = {"imatrix"} if "-i1" in file.row.repository + file.row.model else set()
    if file.newest or ("Coder" in file.row.model and file.generation == 2):
        words.add("mtp")
    return words | {"ssm-in"} if file.generation == 1 else words


def _lefromage(file: _File) -> set[str]:
    return {"ssm-in"} if file.generation == 1 else set()


def _maziyar(file: _File) -> set[str]:
    return {"imatrix"} if file.mix.startswith("IQ") else set()


def _quantfactory(file: _File) -> set[str]:
    text = file.architecture.text
    tied = text is not None and text.tie_word_embeddings
    return {"stored-head"} if tied and "Reranker" in file.row.model else set()


def _ollama(file: _File) -> set[str]:
    if _OLLAMA_2025.fullmatch(file.row.model):
        return {"attention-values-f16"}
    if file.generation == 2:
        return {"mtp"} if "-mtp-" in file.row.model or file.newest else {"ollama", "mtp"}
    return set()


def _unnamed(file: _File) -> set[str]:
    if file.row.source.startswith("https://github.com/nomic-ai/") and "coder" not in file.row.file.lower():
        return {"imatrix"}
    kyuz0 = file.row.source.startswith("https://github.com/kyuz0/")  # runs lmstudio-community's file
    return {"bartowski-2025"} if kyuz0 and "Qwen3-Coder-30B" in file.row.model and file.mix == "Q4_K_M" else set()


_PUBLISHERS: dict[str, Callable[[_File], set[str]]] = {
    "Qwen": _qwen,
    "ggml-org": _ggml_org,
    "unsloth": _unsloth,
    "bartowski": _bartowski,
    "lmstudio-community": _lmstudio,
    "mradermacher": _mradermacher,
    "lefromage": _lefromage,
    "MaziyarPanahi": _maziyar,
    "QuantFactory": _quantfactory,
    "ollama.com": _ollama,
    "NexaAI": lambda _: {"pure"},
    "unnamed": _unnamed,
}


def repository_reading(row: RepositoryRow) -> Reading | str:
    """The format and variant of a repository outside GGUF, or the reason why no rule of the project covers it."""
    if not row.architecture:
        return "no architecture of the catalogue (a draft, a part, another maker's model)"
    if row.source.startswith("https://github.com/noonghunna/"):
        return "its source writes GB for GB and for GiB alike"
    if "-UD-MLX-" in row.repository:
        return "unsloth's own mix for MLX is no format of the catalogue"
    group_128 = re.fullmatch(r"Qwen/Qwen3-.*-MLX-\d+bit", row.repository) is not None
    name = row.format.removesuffix("-DWQ")  # distilled weights, stored as others
    return Reading(name, frozenset({"group-128"} if group_128 else ()))


_EXPLANATIONS = (
    (r"unsloth/.* MXFP4_MOE", "down projections in more bits, and part of the dense matrices in BF16"),
    (r"unsloth.*35B-A3B UD-Q8_K_XL", "the first file of Qwen3.5-35B-A3B was far larger than those made later"),
    (r"(unsloth|hub.docker.com).* UD-.*", "types are chosen tensor by tensor for each model"),
    (r"unsloth/.* IQ4_XS", "a change to some layers that no size shows well enough"),
    (r"bartowski/Qwen_Qwen3-30B-A3B-GGUF .* IQ2_.*", "made in April 2025, before the rules of that year"),
    (r"bartowski/Qwen_Qwen3-(Next|235B).*", "made by rules between those of 2025 and 2026 for the lowest bits"),
    (r"bartowski/Qwen3\.8-27B-GGUF .* Q8_0", "the MTP block in Q8_0, not in Q4_0"),
    (r"bartowski/Qwen_Qwen3\.5-9B-GGUF .* IQ2_S", "smaller than any rule of IQ2_S gives"),
    (r"ggml-org/Qwen2-VL.*|NexaAI/.* mmproj-Q8_0", "an older converter left other matrices in F16"),
    (r"ggml-org/.* Q4_(0|K_M)", "types set by hand"),
    (r"ollama.com/library/qwen(3-|2\.5)vl.*|ollama.com/library/qwen3-vl.*", "Ollama also quantized the tower's attn_v"),
    (r"ollama.com/library/qwen3-next.*", "Ollama counted routed and shared ffn_down together, so that more take Q6_K"),
    (r"ubergarm/.*|magiccodingman.*", "types set by hand"),
    (r"Inferact/.*-NVFP4", "input projections of the linear attention in BF16"),
    (r"unsloth/.*-MLX-8bit", "part of the language model stays in 16 bit"),
    (r"ollama.com/library/qwen3\.6 .* BF16", "larger than without the MTP block and smaller than with it"),
    (r"mlx-community/Qwen3-TTS.*", "the speech tokenizer is in the repository"),
    (r"mlx-community/Qwen3-ASR.*", "the tied head is not stored"),
    (r"AtomicChat/.*", "without the vision tower"),
    (r"mlx-community/Qwen2-VL-2B.*", "an older converter quantized the vision tower too"),
    (r"redashes/.*", "only the feed-forward part is in 4 bits"),
    (r"Benasd/.*", "the tied head is not stored"),
    (r"Qwen/Qwen1\.5-32B-Chat-AWQ.*", "larger by about one more table of the vocabulary; its GPTQ sibling is not"),
)


def explanation(row: FileRow | RepositoryRow) -> str:
    """What is known of the publisher's files where the rules miss them; empty if nothing is."""
    name = f"{row.repository} {row.model} {row.quantization}" if isinstance(row, FileRow) else row.repository
    return next((why for pattern, why in _EXPLANATIONS if re.fullmatch(pattern, name)), "")
