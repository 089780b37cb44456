"""Hugging Face's Hub, by way of huggingface_hub: what a repository holds, where a file is, and the cache."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qwen_advisor.errors import AdvisorError, NetworkError, UsageError
from qwen_advisor.hub.http import NAMED, host, refusal, unreached
from qwen_advisor.hub.remote import Remote, RemoteFile, checked, sha1, sha256, whole_number
from qwen_advisor.hub.tools import huggingface_cache

_HTTP_LIBRARIES = ("requests", "urllib3", "httpx", "httpx2", "httpcore", "httpcore2")


def listing(repo: str, revision: str | None = None) -> Remote:
    """Everything in a repository at its newest revision, or the one given.

    Raises:
        UsageError: there is no such repository, or it is not given out to everybody.
        NetworkError: the Hub was not reached, or said something that no repository is.
    """
    with translated(repo):
        return described(_api().model_info(repo, revision=revision, files_metadata=True), repo)


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
    return Remote(source="huggingface", repo=str(info.id), revision=revision, files=checked(files, repo))


def file_url(remote: Remote, file: RemoteFile) -> str:
    """The address of a file at exactly this revision."""
    from huggingface_hub import hf_hub_url  # noqa: PLC0415  heavy, and wanted by two verbs only

    return str(hf_hub_url(remote.repo, file.path, revision=remote.revision, endpoint=endpoint()))


def headers() -> dict[str, str]:
    """What goes with every request: who asks, and the token of this user where there is one."""
    from huggingface_hub import get_token  # noqa: PLC0415  as above

    token = get_token()
    return NAMED | ({"Authorization": f"Bearer {token}"} if token else {})


def place(remote: Remote, file: RemoteFile) -> Path:
    """Let huggingface_hub take a file, whose content lies in the cache already, into the snapshot of its revision.

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
            raise NetworkError("HF_HUB_OFFLINE forbids asking the Hub", hint="unset it") from None
        if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _HTTP_LIBRARIES:
            raise unreached(endpoint(), error) from error
        if isinstance(error, (ValueError, TypeError, KeyError, AttributeError)):
            raise NetworkError(f"{host(endpoint())} said something of {repo} that is not understood") from error
        raise


def endpoint() -> str:
    """The address of the Hub, or of the mirror that ``HF_ENDPOINT`` names."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def _is_offline(error: Exception) -> bool:
    return type(error).__name__ == "OfflineModeIsEnabled"
