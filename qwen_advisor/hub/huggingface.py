"""Hugging Face's Hub, by way of huggingface_hub: what a repository holds, where a file is, and the cache."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from qwen_advisor.errors import AdvisorError, NetworkError, UsageError
from qwen_advisor.hub.http import NAMED, SilentHost, host, refusal, unreached
from qwen_advisor.hub.remote import Remote, RemoteFile, checked, sha1, sha256, whole_number
from qwen_advisor.hub.tools import huggingface_cache
from qwen_advisor.hub.transfer import FULL, unwritable
from qwen_advisor.values import dataclass

_HTTP_LIBRARIES = ("requests", "urllib3", "httpx", "httpx2", "httpcore", "httpcore2")


Fate = Literal["there", "gone", "moved", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A repository in the list of its organisation."""

    repo: str
    released: str | None  # ISO date of its making
    license: str | None
    files: tuple[str, ...]


def listing(repo: str, revision: str | None = None) -> Remote:
    """Everything in a repository at its newest revision, or the one given.

    Raises:
        UsageError: there is no such repository, or it is not given out to everybody.
        NetworkError: the Hub was not reached, or said something that no repository is.
    """
    with translated(repo):
        return described(_api().model_info(repo, revision=revision, files_metadata=True), repo)


def repositories(author: str, most: int) -> list[Listed]:
    """Every model repository of an organisation, at most ``most``, with what a list tells of each.

    Raises:
        NetworkError: the Hub was not reached, or takes no more requests.
    """
    with translated(author):
        found = islice(_api().list_models(author=author, full=True), most)
        return [_listed(info) for info in found]


def fate(repo: str) -> tuple[Fate, str]:
    """What has become of a repository: whether it is there, and under which name.

    Raises:
        NetworkError: as `repositories`.
    """
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError  # noqa: PLC0415  as above

    with translated(repo):
        try:
            info = _api().model_info(repo)
        except GatedRepoError:
            return "closed", repo
        except RepositoryNotFoundError:
            return "gone", repo
    name = str(info.id)
    if name.casefold() != repo.casefold():
        return "moved", name
    return ("closed" if getattr(info, "disabled", None) else "there"), repo


def _listed(info: Any) -> Listed:
    tags = [str(tag) for tag in info.tags or ()]
    created = getattr(info, "created_at", None)
    return Listed(
        repo=str(info.id),
        released=created.date().isoformat() if created is not None else None,
        license=license_of(tags),
        files=tuple(str(sibling.rfilename) for sibling in info.siblings or ()),
    )


def license_of(tags: list[str]) -> str | None:
    """The license that a repository's tags name; of ``other`` the name that its maker gave it."""
    said = {key: value for key, _, value in (tag.partition(":") for tag in tags)}
    plain = said.get("license")
    return said.get("license_name", plain) if plain == "other" else plain


def described(info: Any, repo: str) -> Remote:
    """What huggingface_hub says of a repository, looked at."""
    revision = sha1(info.sha)
    if revision is None:
        raise NetworkError(f"the Hub gives no revision of {repo}")
    files = [
        RemoteFile(
            path=str(sibling.rfilename),
            size=whole_number(sibling.size),
            sha256=sha256(sibling.lfs.sha256) if sibling.lfs else None,
            blob=sha1(sibling.blob_id),
        )
        for sibling in info.siblings or ()
    ]
    listed = _listed(info)
    return Remote(
        source="huggingface",
        repo=listed.repo,
        revision=revision,
        files=checked(files, repo),
        made=listed.released,
        license=listed.license,
    )


def listing_here(repo: str) -> Remote | None:
    """What the cache holds of a repository at the revision that its ``main`` was last seen at; None for nothing."""
    root = huggingface_cache() / repo_folder(repo)
    try:
        revision = sha1((root / "refs" / "main").read_text("ascii").strip())
    except (OSError, ValueError):
        return None
    snapshot = root / "snapshots" / (revision or "-")
    files = [
        RemoteFile(path=path.relative_to(snapshot).as_posix(), size=path.stat().st_size)
        for path in sorted(snapshot.rglob("*"))
        if path.is_file()
    ]
    return Remote(source="huggingface", repo=repo, revision=revision, files=tuple(files)) if revision else None


def file_url(remote: Remote, file: RemoteFile) -> str:
    """The address of a file at exactly this revision."""
    from huggingface_hub import hf_hub_url  # noqa: PLC0415  heavy, and wanted by two verbs only

    return str(hf_hub_url(remote.repo, file.path, revision=remote.revision, endpoint=endpoint()))


def headers() -> dict[str, str]:
    """What goes with every request: who asks, and the token of this user where there is one."""
    from huggingface_hub import get_token  # noqa: PLC0415  as above

    token = get_token()
    return NAMED | ({"Authorization": f"Bearer {token}"} if token else {})


def place(remote: Remote, file: RemoteFile, folder: Path | None = None) -> Path:
    """Let huggingface_hub put a file into the snapshot of its revision, or into a folder; it fetches what is missing.

    Raises:
        AdvisorError: as `listing`.
    """
    from huggingface_hub import hf_hub_download  # noqa: PLC0415  as above

    with translated(remote.repo):
        return Path(
            hf_hub_download(
                remote.repo,
                file.path,
                revision=remote.revision,
                cache_dir=huggingface_cache(),
                local_dir=folder,
                endpoint=endpoint(),
            )
        )


def repo_folder(repo: str) -> str:
    """The folder of a repository in the cache (huggingface_hub's "Understand caching")."""
    return "models--" + repo.replace("/", "--")


def _api() -> Any:
    from huggingface_hub import HfApi  # noqa: PLC0415  as above

    return HfApi(endpoint=endpoint(), library_name="qwen-advisor")


@contextlib.contextmanager
def translated(repo: str) -> Iterator[None]:
    """Turn what huggingface_hub raises into sentences of ours."""
    from huggingface_hub.errors import (  # noqa: PLC0415  as above
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        RepositoryNotFoundError,
    )

    try:
        yield
    except AdvisorError:
        raise
    except HFValidationError:
        raise UsageError(f"{repo[:80]!a} cannot be the name of a repository") from None
    except HfHubHTTPError as error:
        response = error.response
        status = getattr(response, "status_code", None)
        if status is None:
            raise NetworkError(f"the Hub failed at {repo}") from error
        # The Hub answers 401 for what is not there, lest anybody learn the names of private repositories.
        missing = isinstance(error, RepositoryNotFoundError) and not isinstance(error, GatedRepoError)
        wait = response.headers.get("Retry-After", "")
        raise refusal(404 if missing else status, endpoint(), what=repo, wait=wait) from None
    except Exception as error:
        if _is_offline(error):
            raise SilentHost("HF_HUB_OFFLINE forbids asking the Hub", hint="unset it") from None
        if isinstance(error, OSError) and (error.filename is not None or error.errno in FULL):
            raise unwritable(Path(str(error.filename or huggingface_cache())), error) from error
        if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _HTTP_LIBRARIES:
            raise unreached(endpoint(), error) from error
        if isinstance(error, (ValueError, TypeError, LookupError, AttributeError, RecursionError)):
            raise NetworkError(f"{host(endpoint())} said something of {repo} that is not understood") from error
        raise


def endpoint() -> str:
    """The address of the Hub, or of the mirror that ``HF_ENDPOINT`` names."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def _is_offline(error: Exception) -> bool:
    return type(error).__name__ == "OfflineModeIsEnabled"
