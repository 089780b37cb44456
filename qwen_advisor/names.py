"""The names that a person may call a checkpoint by, and the nearest ones to a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.model import Checkpoint

_HUB = ("https://huggingface.co/", "http://huggingface.co/", "huggingface.co/", "https://hf.co/", "hf.co/")
_LIKENESS = 0.6  # of difflib's ratio: below it a suggestion is a guess


def resolve_model(catalog: Catalog, text: str) -> Checkpoint:
    """The checkpoint called ``text``, in any case.

    A name is the Hugging Face repository, its last part, an Ollama tag, one of the checkpoint's repositories of
    quantized weights, or an address of any of them on the Hub.

    Raises:
        UsageError: no checkpoint is called so; it suggests the nearest names.
    """
    wanted = _bare(text)
    if not wanted:
        raise UsageError("the model's name is empty", hint="name one like Qwen/Qwen3-8B, Qwen3-8B or qwen3:8b")
    for ways in (_repositories, _tags, _quantized_repositories):
        for name, model in ways(catalog):
            if name == wanted:
                return model
    raise UsageError(
        f"no model is called {text!r}",
        hint="see every model with: qwen-advisor catalog list",
        suggestions=_suggestions(catalog, wanted),
    )


def closest(text: str, names: Iterable[str], *, most: int = 3) -> tuple[str, ...]:
    """The names that look most like ``text``, best first; none where nothing is near.

    Likeness is difflib's ratio, in any case; a name that begins with the text is nearer than its length tells.
    """
    wanted = text.casefold()
    matcher = SequenceMatcher(b=wanted, autojunk=False)
    ranked = []
    for name in names:
        folded = name.casefold()
        matcher.set_seq1(folded)
        if folded.startswith(wanted) and wanted:
            ranked.append((-2.0, len(name), name))
        elif matcher.real_quick_ratio() >= _LIKENESS and matcher.quick_ratio() >= _LIKENESS:
            likeness = matcher.ratio()
            if likeness >= _LIKENESS:
                ranked.append((-likeness, len(name), name))
    return tuple(name for _, _, name in sorted(ranked)[:most])


def _bare(text: str) -> str:
    name = text.strip().casefold().rstrip("/")
    for prefix in _HUB:
        if name.startswith(prefix):
            return name.removeprefix(prefix).partition("/tree/")[0]
    return name


def _repositories(catalog: Catalog) -> Iterator[tuple[str, Checkpoint]]:
    for model in catalog.models.values():
        name = model.id.casefold()
        yield name, model
        yield name.rpartition("/")[2], model


def _tags(catalog: Catalog) -> Iterator[tuple[str, Checkpoint]]:
    for model in catalog.models.values():
        for tag in model.ollama:
            name = tag.tag.casefold()
            yield name, model
            if name.endswith(":latest"):
                yield name.removesuffix(":latest"), model


def _quantized_repositories(catalog: Catalog) -> Iterator[tuple[str, Checkpoint]]:
    for model in catalog.models.values():
        for quantized in model.quantized:
            name = quantized.repo.casefold()
            yield name, model
            yield name.rpartition("/")[2], model


def _suggestions(catalog: Catalog, wanted: str) -> tuple[str, ...]:
    """Names in the form that was tried: a tag for a tag, a repository for all else."""
    if ":" in wanted:
        tags = closest(wanted, [tag.tag for model in catalog.models.values() for tag in model.ollama])
        if tags:
            return tags
    if "/" in wanted:
        return closest(wanted, catalog.models)
    by_short = {name.rpartition("/")[2]: name for name in catalog.models}
    return tuple(by_short[short] for short in closest(wanted, by_short))
