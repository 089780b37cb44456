"""ModelScope, by its plain HTTP interface (modelscope's ``hub/api.py`` and ``hub/file_download.py``)."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote, urlencode

from qwen_advisor.errors import NetworkError, UsageError
from qwen_advisor.hub.http import NAMED, document
from qwen_advisor.hub.remote import Remote, RemoteFile, checked, sha256, text_of, whole_number

_REVISION = "master"  # what ModelScope calls the newest


def endpoint() -> str:
    """The address of ModelScope; ``MODELSCOPE_DOMAIN`` names another host, as it does for modelscope."""
    said = os.environ.get("MODELSCOPE_DOMAIN") or "modelscope.cn"
    return (said if "://" in said else f"https://{said}").rstrip("/")


def listing(repo: str) -> Remote:
    """Everything in a repository.

    Raises:
        UsageError: there is no such repository.
        NetworkError: ModelScope was not reached, or said something that no repository is.
    """
    query = urlencode({"Revision": _REVISION, "Recursive": "True"})
    try:
        answer = document(f"{endpoint()}/api/v1/models/{quote(repo)}/repo/files?{query}", NAMED)
    except UsageError as error:
        raise UsageError(f"ModelScope: {error.message}", hint="fetch it from the Hub: leave --source out") from None
    data = answer.get("Data") if isinstance(answer, dict) else None
    listed = data.get("Files") if isinstance(data, dict) else None
    if not isinstance(listed, list):
        raise NetworkError(f"ModelScope says nothing that is understood of {repo}")
    files = [_file(entry) for entry in listed if not (isinstance(entry, dict) and entry.get("Type") == "tree")]
    return Remote(source="modelscope", repo=repo, revision=_REVISION, files=checked(files, repo))


def _file(entry: Any) -> RemoteFile:
    if not isinstance(entry, dict):
        raise NetworkError("ModelScope lists a file that is none")
    return RemoteFile(
        path=text_of(entry, "Path"), size=whole_number(entry.get("Size")), sha256=sha256(entry.get("Sha256"))
    )


def file_url(remote: Remote, file: RemoteFile) -> str:
    """The address of a file."""
    query = urlencode({"Revision": remote.revision, "FilePath": file.path})
    return f"{endpoint()}/api/v1/models/{quote(remote.repo)}/repo?{query}"
