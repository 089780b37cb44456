"""Which checkpoint of the catalogue a server serves, in which quantization: read from the names that it gives."""

from __future__ import annotations

import re
from collections.abc import Iterator

from qwen_advisor.bench.records import Server
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.model import Checkpoint
from qwen_advisor.names import resolve_model
from qwen_advisor.requirements import quantization
from qwen_advisor.values import dataclass

# What stands between a model's name and the end of a file's: a quantization, and the part of a split file.
_PART = re.compile(r"-\d{5}-of-\d{5}$")
_ENDING = re.compile(r"[-._]((?:UD-)?(?:I?Q\d\w*|TQ\d\w*|BF16|FP?16|F32|MXFP4\w*|NVFP4))$", re.IGNORECASE)
# llama.cpp's words for a file (``llama_model_ftype_name``): "Q4_K - Medium", "IQ4_XS - 4.25 bpw"
_SIZES = {"small": "_S", "medium": "_M", "large": "_L"}
_CACHED = re.compile(r"models--([^/\\]+)--([^/\\]+)")  # how the Hub's cache names its folders


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A checkpoint, and the format that its weights are served in, None where nothing tells."""

    checkpoint: Checkpoint
    quantization: str | None


def identify(catalog: Catalog, server: Server, told: Checkpoint | None = None) -> Identity | None:
    """The catalogue's names of what is served; None where it is no model of the catalogue.

    Args:
        catalog: the facts.
        server: what it says of itself.
        told: the checkpoint, where somebody who knows has named it.
    """
    spoken = list(_names(server))
    if told is not None:
        return Identity(checkpoint=told, quantization=_quantization(catalog, told, server, spoken))
    for name in spoken:
        stem, _ = _split(name)
        for trial in (name, stem, stem.removeprefix("Qwen_")):
            checkpoint = _model(catalog, trial)
            if checkpoint is not None and not _family_alone(checkpoint, trial, server):
                return Identity(checkpoint=checkpoint, quantization=_quantization(catalog, checkpoint, server, spoken))
    return None


def _names(server: Server) -> Iterator[str]:
    """Every name that may mean the model: as it is served, then files, folders and repositories."""
    yield server.model
    for name in (*server.names, server.model):
        cached = _CACHED.search(name)
        if cached:
            yield f"{cached[1]}/{cached[2]}"
        pieces = [piece for piece in re.split(r"[/\\]", name) if piece]
        yield from ("/".join(pieces[-2:]), *pieces[:-3:-1]) if pieces else ()


def _split(name: str) -> tuple[str, str]:
    """A file's name without its ending and quantization, and that quantization."""
    stem = _PART.sub("", re.sub(r"\.gguf$", "", name, flags=re.IGNORECASE))
    match = _ENDING.search(stem)
    return (stem[: match.start()], match[1]) if match else (stem, "")


def _model(catalog: Catalog, name: str) -> Checkpoint | None:
    try:
        return resolve_model(catalog, name)
    except UsageError:
        return None


def _family_alone(checkpoint: Checkpoint, name: str, server: Server) -> bool:
    """Whether ``qwen3`` was said, which is a tag of Ollama's; elsewhere it is a family, and may be any of it."""
    return server.engine != "ollama" and any(
        tag.tag.casefold() == f"{name.casefold()}:latest" for tag in checkpoint.ollama
    )


def _quantization(catalog: Catalog, checkpoint: Checkpoint, server: Server, names: list[str]) -> str | None:
    """By a tag, by a file's name, by a repository of one format, by the server's word, by the repository itself."""
    folded = {name.casefold() for name in names}
    for tag in checkpoint.ollama:
        if tag.tag.casefold() in folded and tag.quantization:
            return _format(catalog, tag.quantization)
    for name in names:
        found = _format(catalog, _split(name)[1], gguf=True)
        if found is not None:
            return found
    for repo in checkpoint.quantized:
        if repo.format != "GGUF" and {repo.repo.casefold(), repo.repo.rpartition("/")[2].casefold()} & folded:
            return repo.format
    if server.quantization is not None:
        return _format(catalog, _plain(server.quantization), gguf=True)
    own = {checkpoint.id.casefold(), checkpoint.id.rpartition("/")[2].casefold()}
    return _format(catalog, "BF16") if own & folded and server.engine in ("vllm", "sglang") else None


def _plain(words: str) -> str:
    """``Q4_K - Medium`` as ``Q4_K_M``; anything else up to its first blank. llama.cpp says where it guessed."""
    name, _, size = words.removeprefix("(guessed) ").partition(" - ")
    return name.split()[0] + _SIZES.get(size.strip().lower(), "") if name.strip() else ""


def _format(catalog: Catalog, text: str, *, gguf: bool = False) -> str | None:
    """The catalogue's name of a format; 16 bits in a GGUF file are a format of their own."""
    if not text:
        return None
    for trial in (f"{text}-GGUF", text) if gguf else (text,):
        try:
            return quantization(catalog, trial)
        except UsageError:
            continue
    return None
