"""An entry for a checkpoint that the catalogue does not have: what its files show, and what only its name suggests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from qwen_advisor.errors import AdvisorError
from qwen_advisor.facts import Catalog
from qwen_advisor.hub.headers import TensorHead
from qwen_advisor.model import Architecture, Checkpoint, CheckpointKind, Context, Thinking
from qwen_advisor.parameters.counting import count
from qwen_advisor.values import dataclass, replace

# Suffixes of official repositories of quantized weights -> the catalogue's format
QUANTIZED = {
    "-gguf": "GGUF",
    "-awq": "AWQ",
    "-fp8": "FP8",
    "-nvfp4": "NVFP4",
    "-mxfp4": "MXFP4",
    "-gptq-int4": "GPTQ-Int4",
    "-gptq-int8": "GPTQ-Int8",
    "-int4": "GPTQ-Int4",  # of Qwen 1.0, after the two above
    "-int8": "GPTQ-Int8",
    "-mlx-4bit": "MLX-4bit",
    "-mlx-6bit": "MLX-6bit",
    "-mlx-8bit": "MLX-8bit",
    "-mlx-bf16": "MLX-bf16",
}
_KINDS: tuple[tuple[str, CheckpointKind], ...] = (
    ("embedding", "embedding"),
    ("reranker", "reranker"),
    ("guard", "guard"),
    ("reward", "reward"),
    ("worldpm", "reward"),
    ("base", "base"),
    ("thinking", "thinking"),
    ("instruct", "instruct"),
    ("chat", "instruct"),
)
_LINES = (
    ("coder", "coder"),
    ("math", "math"),
    ("embedding", "embedding"),
    ("reranker", "reranker"),
    ("guard", "guard"),
)
_STATES = re.compile(r"[-_ ](\d+(?:\.\d+)?[BM])(?:-A(\d+(?:\.\d+)?B))?", re.IGNORECASE)
SEEN_IN_NAME = "taken from its name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was read of a repository on the Hub."""

    repo: str
    released: str | None  # ISO date of its making
    license: str | None  # the Hub's own word
    config: Mapping[str, Any]
    preprocessor: Mapping[str, Any] | None
    template: str  # the chat template, empty where there is none
    tensors: tuple[TensorHead, ...]  # of all safetensors files, empty where there are none


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Entries that would be added. ``architecture`` is None where the catalogue has that shape already."""

    checkpoint: Checkpoint
    architecture: Architecture | None
    checks: tuple[str, ...]


def quantized_of(repo: str) -> tuple[str, str] | None:
    """The repository whose weights these are, and their format; None where the name says nothing of it."""
    for suffix, fmt in QUANTIZED.items():
        if repo.lower().endswith(suffix):
            return repo[: -len(suffix)], fmt
    return None


def proposal(catalog: Catalog, found: Found, shape: Architecture) -> Proposal:
    """The entry of a checkpoint of this shape.

    What cannot be read off its files is marked unverified: it comes from its name, or is not known.
    """
    name = found.repo.rpartition("/")[2]
    kind, hybrid = kind_of(name, found.template)
    stored = sum(each.weights for each in found.tensors)
    twice = _stored_twice(shape, found.tensors)
    checks, unverified = [], [f"family, line, kind ({SEEN_IN_NAME})", "thinking, tool_calling (from its chat template)"]
    numbers = None
    try:
        numbers = count(shape)
    except AdvisorError as error:
        unverified.append(f"parameters ({error.message})")
    total = stored - twice or (numbers.total if numbers else None)
    if numbers and stored:
        if numbers.total == stored - twice:
            checks.append(f"the headers hold {stored - twice:,} unique weights, exactly as many as config.json makes")
        else:
            checks.append(f"the headers hold {stored - twice:,} weights, config.json makes {numbers.total:,}")
            unverified.append("architecture (its weights are not as many as it makes)")
    elif not stored:
        unverified.append("parameters_total (counted from config.json, no header was read)")
    license_id = _license(catalog, found.license)
    if license_id is None:
        unverified.append(f"license (the Hub says {found.license or 'nothing'})")
    known = same_shape(catalog.architectures.values(), shape)
    if known is None and shape.id in catalog.architectures:  # which an entry of this id would take the place of
        shape = replace(shape, id=found.repo.replace("/", "-").lower())
    mixed = shape.text is not None and shape.text.moe is not None
    native = _native(found.config)
    if native is not None:
        unverified.append("context (max_position_embeddings, which may hold room for the answer)")
    entry = Checkpoint(
        id=found.repo,
        architecture=known.id if known else shape.id,
        family=family_of(catalog, name),
        line=_line(name, shape),
        kind=kind,
        released=found.released,
        license=license_id,
        modalities_in=("text", "image", "video") if shape.vision else ("text",),
        modalities_out=("text",),
        parameters_total=total,
        parameters_active=min(numbers.active, total) if numbers and mixed and total else None,
        parameters_active_nominal=_nominal(name) if mixed else None,
        context=Context(native=native),
        thinking=_thinking(kind, hybrid=hybrid),
        thinking_default="on" if hybrid else None,
        tool_calling="tools" in found.template if found.template else None,
        extra_weights=twice,
        sources=(f"https://huggingface.co/{found.repo}", f"https://huggingface.co/{found.repo}/blob/main/config.json"),
        unverified=tuple(unverified),
        note="Read from the Hub by qwen-advisor catalog refresh; nobody has looked at it yet.",
    )
    return Proposal(checkpoint=entry, architecture=None if known else shape, checks=tuple(checks))


def same_shape(known: Iterable[Architecture], shape: Architecture) -> Architecture | None:
    """The architecture of the catalogue that has this shape; bounds of pixels are no part of it."""
    wanted = _bare(shape)
    return next((each for each in known if each.model_type == shape.model_type and _bare(each) == wanted), None)


def _bare(shape: Architecture) -> Architecture:
    vision = replace(shape.vision, min_pixels=None, max_pixels=None) if shape.vision else None
    return replace(shape, id="", vision=vision, sources=(), unverified=(), note="")


def kind_of(name: str, template: str) -> tuple[CheckpointKind, bool]:
    """What a checkpoint is, by its name; a template that asks whether to think makes it a hybrid."""
    words = name.lower()
    for word, kind in _KINDS:
        if word in words:
            return kind, False
    if "enable_thinking" in template:
        return "hybrid", True
    return ("instruct" if template else "base"), False


def _thinking(kind: CheckpointKind, *, hybrid: bool) -> Thinking:
    if hybrid:
        return "hybrid"
    return "always" if kind == "thinking" else "none"


def family_of(catalog: Catalog, name: str) -> str:
    """The longest family of the catalogue that the name begins with, or its own first word."""
    fitting = [each for each in catalog.families if name.lower().startswith(f"{each.lower()}-")]
    return max(fitting, key=len) if fitting else name.partition("-")[0]


def _line(name: str, shape: Architecture) -> str:
    said = next((line for word, line in _LINES if word in name.lower()), None)
    return said or ("vision" if shape.vision and "-vl-" in name.lower() else "general")


def _nominal(name: str) -> str | None:
    match = _STATES.search(name)
    return match[2].upper() if match and match[2] else None


def _license(catalog: Catalog, said: str | None) -> str | None:
    wanted = (said or "").lower()
    names = {each.lower(): each for each in catalog.licenses}
    return names.get(wanted)


def _native(config: Mapping[str, Any]) -> int | None:
    text = config.get("text_config")
    said = (text if isinstance(text, Mapping) else config).get("max_position_embeddings")
    return said if type(said) is int and 0 < said < 1 << 32 else None


def _stored_twice(shape: Architecture, tensors: Iterable[TensorHead]) -> int:
    """Weights of a head that is written out although it is the embedding."""
    if shape.text is None or not shape.text.tie_word_embeddings:
        return 0
    return sum(each.weights for each in tensors if each.name.endswith("lm_head.weight"))
