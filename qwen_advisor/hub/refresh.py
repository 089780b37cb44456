"""The catalogue held against the Hub: what is new there, what changed, moved or is gone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Literal

from qwen_advisor.errors import AdvisorError, NetworkError
from qwen_advisor.facts import Catalog
from qwen_advisor.hub import huggingface
from qwen_advisor.hub.configs import architecture_of
from qwen_advisor.hub.http import SilentHost
from qwen_advisor.hub.huggingface import Listed
from qwen_advisor.hub.proposals import Found, Proposal, kind_of, proposal, quantized_of, same_shape
from qwen_advisor.hub.quantized import quantized_repo
from qwen_advisor.hub.reading import Reader
from qwen_advisor.model import Checkpoint, QuantizedRepo
from qwen_advisor.values import dataclass, replace

ORGANISATION = "Qwen"  # whose repositories are official; others of the catalogue are asked for one by one
MOST_LISTED = 5000
MOST_NEW = 60  # read in one call; each takes some requests
_PATIENCE = 5  # failures of the network in a row, after which the rest is not tried
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)

What = Literal["new", "changed", "gone", "moved", "closed", "unread"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference. ``here`` is what the catalogue says and ``there`` what the Hub does; empty for nothing."""

    what: What
    repo: str
    field: str = ""
    here: str = ""
    there: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """The answer: all differences, and the entries that would settle those that are new."""

    listed: int  # repositories that the Hub lists
    changes: tuple[Change, ...]
    proposals: tuple[Proposal, ...]
    notes: tuple[str, ...] = ()


Tell = Callable[[str], None]


def refresh(catalog: Catalog, names: Sequence[str] = (), tell: Tell = lambda _: None) -> Refreshed:
    """Ask the Hub about every official repository, or read those of ``names`` alone, in depth.

    Raises:
        NetworkError: the Hub was not reached, or takes no more requests.
    """
    work = _Work(catalog, tell)
    if names:
        work.read_named(names)
        return work.answer(listed=0)
    tell(f"asking for the repositories of {ORGANISATION}:")
    listed = huggingface.repositories(ORGANISATION, MOST_LISTED)
    work.compare(listed)
    work.look_for_missing({each.repo.casefold() for each in listed})
    return work.answer(listed=len(listed))


class _Work:
    """One refresh on its way."""

    def __init__(self, catalog: Catalog, tell: Tell) -> None:
        self.catalog, self.tell = catalog, tell
        self.changes: list[Change] = []
        self.notes: list[str] = []
        self.proposals: dict[str, Proposal] = {}  # by checkpoint in lower case
        self.models = {name.casefold(): model for name, model in catalog.models.items()}
        self.quantized = {
            repo.repo.casefold(): (model, repo)
            for model in catalog.models.values()
            for repo in model.quantized
            if repo.official
        }
        self._failures = 0

    def answer(self, *, listed: int) -> Refreshed:
        return Refreshed(
            listed=listed,
            changes=tuple(self.changes),
            proposals=tuple(self.proposals.values()),
            notes=tuple(self.notes),
        )

    def read_named(self, names: Iterable[str]) -> None:
        for name in names:
            known = self.models.get(name.casefold())
            self._tried(name, partial(self._read, name, None, known))

    def compare(self, listed: Sequence[Listed]) -> None:
        """New repositories, and of known ones what a list tells."""
        fresh: list[Listed] = []
        for each in listed:
            key = each.repo.casefold()
            if not _NAME.fullmatch(each.repo):
                self.changes.append(Change(what="unread", repo=ascii(each.repo[:60]), there="no name of a repository"))
            elif key in self.models:
                self._license(self.models[key], each.license)
            elif key in self.quantized:
                self._files(self.quantized[key][1], each.files)
            else:
                fresh.append(each)
        # The newest first, and checkpoints before what is made of them.
        fresh.sort(key=lambda each: each.released or "", reverse=True)
        fresh.sort(key=lambda each: quantized_of(each.repo) is not None)
        if len(fresh) > MOST_NEW:
            self.notes.append(f"{len(fresh) - MOST_NEW} more are new and were not read; call it again after --write")
        for each in fresh[:MOST_NEW]:
            self.tell(f"reading: {each.repo}")
            self._tried(each.repo, partial(self._new, each))

    def look_for_missing(self, listed: set[str]) -> None:
        """What the catalogue has of the organisation and its list does not."""
        repos = [*self.catalog.models, *(repo.repo for _, repo in self.quantized.values())]
        for repo in repos:
            if repo.startswith(f"{ORGANISATION}/") and repo.casefold() in listed:
                continue
            self.tell(f"looking for: {repo}")
            self._tried(repo, partial(self._fate, repo))

    def _tried(self, repo: str, attempt: Callable[[], None]) -> None:
        """What fails with one repository is said of it and of no other; a network that is gone ends it all."""
        try:
            attempt()
        except SilentHost as error:
            self._failures += 1
            if self._failures >= _PATIENCE:
                raise
            self.changes.append(Change(what="unread", repo=repo, there=error.message))
        except AdvisorError as error:
            self.changes.append(Change(what="unread", repo=repo, there=error.message))
        else:
            self._failures = 0

    def _fate(self, repo: str) -> None:
        fate, name = huggingface.fate(repo)
        if fate == "moved":
            self.changes.append(Change(what="moved", repo=repo, field="id", here=repo, there=name))
        elif fate != "there":
            self.changes.append(Change(what=fate, repo=repo, here=repo))

    def _license(self, model: Checkpoint, said: str | None) -> None:
        entry = self.catalog.licenses.get(model.license or "")
        names = {model.license, entry.spdx if entry else None}
        if said and said.casefold() not in {name.casefold() for name in names if name}:
            self._changed(model.id, "license", model.license or "", said)

    def _files(self, known: QuantizedRepo, files: Sequence[str]) -> None:
        if known.format != "GGUF" or not files:
            return
        ours = {name for file in (*known.files.values(), *known.projector.values()) for name in file.names}
        theirs = {name for name in files if name.endswith(".gguf")}
        for name in sorted(ours - theirs):
            self._changed(known.repo, "files", name, "")
        for name in sorted(theirs - ours):
            self._changed(known.repo, "files", "", name)

    def _changed(self, repo: str, field: str, here: str, there: str) -> None:
        self.changes.append(Change(what="changed", repo=repo, field=field, here=here, there=there))

    def _new(self, listed: Listed) -> None:
        of = quantized_of(listed.repo)
        if of is None:
            self._read(listed.repo, listed, None)
        else:
            self._add_quantized(listed.repo, *of)

    def _add_quantized(self, repo: str, base: str, fmt: str) -> None:
        proposed = self.proposals.get(base.casefold())
        model = proposed.checkpoint if proposed else self.models.get(base.casefold())
        if model is None:
            raise NetworkError(f"holds weights of {base}, which neither the catalogue nor the Hub has")
        added, checks = quantized_repo(Reader(huggingface.listing(repo)), fmt)
        self.changes.append(Change(what="new", repo=repo, field="quantized", there=f"{fmt} of {model.id}"))
        extended = replace(model, quantized=(*model.quantized, added))
        before = proposed or Proposal(checkpoint=model, architecture=None, checks=())
        self.proposals[base.casefold()] = replace(before, checkpoint=extended, checks=(*before.checks, *checks))

    def _read(self, repo: str, listed: Listed | None, known: Checkpoint | None) -> None:
        """Read one repository; a new one becomes a proposal, a known one is compared."""
        found, proposed = read_checkpoint(self.catalog, repo, listed)
        if known is not None:
            self.changes += _differences(self.catalog, known, found, proposed)
            return
        said = proposed.checkpoint
        self.changes.append(Change(what="new", repo=said.id, field="model", there=_in_words(proposed)))
        self.proposals[said.id.casefold()] = proposed


def read_checkpoint(catalog: Catalog, repo: str, listed: Listed | None) -> tuple[Found, Proposal]:
    """Read a checkpoint's small files and headers, and make an entry of them.

    Raises:
        AdvisorError: a file is missing or is not what it should be, or the architecture is of an unknown kind.
    """
    remote = huggingface.listing(repo)
    reader = Reader(remote)
    config = reader.document("config.json")
    if config is None:
        raise NetworkError("has no config.json")
    tensors, template = reader.tensors(), reader.template()
    name = remote.repo.rpartition("/")[2]
    kind, _ = kind_of(name, template)
    text = config.get("text_config")
    tied = config.get("tie_word_embeddings", text.get("tie_word_embeddings") if isinstance(text, dict) else False)
    stored = any(each.name.endswith("lm_head.weight") for each in tensors)
    preprocessor = reader.document("preprocessor_config.json")
    shape = architecture_of(
        config,
        id=name.lower(),
        source=f"https://huggingface.co/{remote.repo}/blob/main/config.json",
        preprocessor=preprocessor,
        tensors=[each.name for each in tensors] if tensors else None,
        headless=bool(tensors) and not stored and (tied is not True or kind == "embedding"),
    )
    found = Found(
        repo=remote.repo,
        released=listed.released if listed else remote.made,
        license=listed.license if listed else remote.license,
        config=config,
        preprocessor=preprocessor,
        template=template,
        tensors=tensors,
    )
    return found, proposal(catalog, found, shape)


def _differences(catalog: Catalog, known: Checkpoint, found: Found, proposed: Proposal) -> Iterator[Change]:
    """A known checkpoint and what was read of it: its shape field by field, its weights, its license."""
    ours = catalog.architectures[known.architecture]
    shape = proposed.architecture or catalog.architectures[proposed.checkpoint.architecture]
    if same_shape((ours,), shape) is None:
        for part in ("text", "vision"):
            here, there = getattr(ours, part), getattr(shape, part)
            for field in () if here is None or there is None else here.__slots__:
                mine, theirs = getattr(here, field), getattr(there, field)
                if mine != theirs and not field.endswith("_pixels"):
                    yield Change(
                        what="changed", repo=known.id, field=f"{part}.{field}", here=str(mine), there=str(theirs)
                    )
    total = proposed.checkpoint.parameters_total
    if found.tensors and total != known.parameters_total:
        yield Change(
            what="changed",
            repo=known.id,
            field="parameters_total",
            here=str(known.parameters_total or ""),
            there=str(total),
        )
    if proposed.checkpoint.license and proposed.checkpoint.license != known.license:
        yield Change(
            what="changed",
            repo=known.id,
            field="license",
            here=known.license or "",
            there=proposed.checkpoint.license,
        )


def _in_words(proposed: Proposal) -> str:
    model = proposed.checkpoint
    size = f"{model.parameters_total / 1e9:.2f} billion parameters" if model.parameters_total else "of unknown size"
    shape = "a new architecture" if proposed.architecture else f"architecture {model.architecture}"
    return f"{model.kind}, {size}, {shape}, {model.license or 'license not known'}"
