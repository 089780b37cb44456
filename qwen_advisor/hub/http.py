"""HTTP for files and ranges of files: bounded in time and size, and a token goes to the host it belongs to alone."""

from __future__ import annotations

import contextlib
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from email.message import Message
from typing import IO, Any
from urllib.parse import urlsplit

from qwen_advisor.errors import AdvisorError, NetworkError, UsageError
from qwen_advisor.values import dataclass

TIMEOUT = 30.0  # seconds in which something must arrive
MOST_JSON = 32 << 20  # bytes of one document
NAMED = {"User-Agent": "qwen-advisor"}
_SAYS_TOKEN = "log in with: hf auth login"  # noqa: S105  a hint, no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The head of an answer, and its body still to be read."""

    status: int
    headers: Message
    body: http.client.HTTPResponse

    @property
    def length(self) -> int | None:
        """Bytes of the body, where it says so."""
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isdecimal() else None

    @property
    def begins_at(self) -> int:
        """Where in the file the body begins: by ``Content-Range`` (RFC 9110, 14.4), at 0 without one."""
        unit, _, rest = self.headers.get("Content-Range", "").partition(" ")
        first = rest.partition("-")[0]
        return int(first) if self.status == http.client.PARTIAL_CONTENT and unit == "bytes" and first.isdecimal() else 0


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to http and https only, never from https to http, and keeps a token from other hosts."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if new.scheme not in ("http", "https") or (old.scheme == "https" and new.scheme == "http"):
            raise NetworkError(f"{old.netloc} sends on to an address that is not followed: {newurl[:80]!a}")
        followed = super().redirect_request(req, fp, code, msg, headers, newurl)
        if followed is not None and old.netloc != new.netloc:
            followed.headers.pop("Authorization", None)
            followed.unredirected_hdrs.pop("Authorization", None)
        return followed


@contextlib.contextmanager
def opened(
    url: str, headers: Mapping[str, str] | None = None, *, start: int = 0, end: int | None = None, timeout: float
) -> Iterator[Answer]:
    """Ask for a file from byte ``start``, up to and without byte ``end``.

    Raises:
        AdvisorError: the host says no, in a sentence (`refusal`).
        NetworkError: it was not reached, or fell silent.
    """
    wanted = dict(headers or {})
    wanted["Accept-Encoding"] = "identity"  # a compressed body has other ranges than the file
    if start or end is not None:
        wanted["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
    if urlsplit(url).scheme not in ("http", "https"):
        raise UsageError(f"{url[:80]!a} is not an address of the web")
    request = urllib.request.Request(url, headers=wanted)  # noqa: S310  the scheme was looked at
    try:
        with _opener().open(request, timeout=timeout) as body:
            yield Answer(status=body.status, headers=body.headers, body=body)
    except urllib.error.HTTPError as error:
        with error:
            raise refusal(error.code, url, wait=error.headers.get("Retry-After", "")) from None
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, AdvisorError):
            raise
        raise unreached(url, error) from error


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Redirects)


def document(url: str, headers: Mapping[str, str] | None = None, *, timeout: float = TIMEOUT) -> Any:
    """A JSON document, of at most `MOST_JSON` bytes.

    Raises:
        AdvisorError: as `opened`.
        NetworkError: it is none, or longer.
    """
    with opened(url, headers, timeout=timeout) as answer:
        data = answer.body.read(MOST_JSON + 1)
    if len(data) > MOST_JSON:
        raise NetworkError(f"{host(url)} sent a document of more than {MOST_JSON >> 20} MiB")
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise NetworkError(f"{host(url)} sent something that is no JSON document") from None


def host(url: str) -> str:
    """The host of an address."""
    return urlsplit(url).netloc


class SilentHost(NetworkError):
    """A host that was not reached, or that answers nothing for now: asking it for another thing is of no use."""


def unreached(url: str, error: BaseException) -> SilentHost:
    """That a host was not reached, and why."""
    reason = getattr(error, "reason", None) or error
    why = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return SilentHost(f"{host(url)} was not reached: {ascii(str(why)[:200])[1:-1]}", hint="is there a network?")


def refusal(status: int, url: str, *, what: str = "", wait: str = "") -> AdvisorError:
    """What a status of 400 or more means, as a sentence with a next step."""
    thing = what or urlsplit(url).path
    place = host(url)
    match status:
        case 401 | 403:
            return UsageError(
                f"{place} does not give out {thing} to everybody ({status})",
                hint=f"accept its terms on its page, if it has some, and {_SAYS_TOKEN}",
            )
        case 404 | 410:
            return UsageError(
                f"{place} has no {thing} ({status})", hint="see what changed: qwen-advisor catalog refresh"
            )
        case 429:
            later = f" in {wait} seconds" if wait.isdecimal() else " in some minutes"
            return SilentHost(
                f"{place} takes no more requests for now (429)", hint=f"try again{later}, or {_SAYS_TOKEN}"
            )
        case 416:
            return NetworkError(f"{place} has fewer bytes of {thing} than it said (416)")
        case _:
            return SilentHost(f"{place} failed at {thing} ({status})", hint="try again later")
